"""Orders are handed to the warehouse: one fulfillment order a location, as far as units are reserved."""

import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import BancaleError, NotAllowed, NotFound
from config.kernel.models import Event
from fulfillment.enums import FulfillmentOrderStatus
from fulfillment.errors import NoAddress, NothingToRelease, NotReleasable, OrderHeld
from fulfillment.models import FulfillmentOrder, FulfillmentOrderLine
from fulfillment.selectors.work import released_ids_by_order
from fulfillment.services.cancelling import cancel_fulfillment_orders
from fulfillment.services.releasing import release_orders
from inventory.errors import LocationClosed
from inventory.models import Sku
from orders.enums import HoldKind
from orders.errors import OrderIsTest
from orders.models import Order
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.services.cancelling import cancel_orders
from orders.services.holds import place_hold
from tests.factories.fulfillment import ACTOR, make_confirmed, make_delivered, make_released, stock
from tests.factories.inventory import make_location
from tests.factories.orders import make_order
from tests.fulfillment.watching import nothing_written, statements

pytestmark = pytest.mark.django_db


def lines(work_id: int) -> dict[str, int]:
    rows = FulfillmentOrderLine.objects.filter(fulfillment_order=work_id)
    return dict(rows.values_list("line_part__sku__code", "quantity"))


def test_release_asks_the_location_for_all_reserved_units() -> None:
    location = stock({"MUG": 5, "BOOK": 5})
    order = make_confirmed({"MUG": 2, "BOOK": 1})

    (pk,) = release_orders([order.pk], actor=ACTOR).only()

    work = FulfillmentOrder.objects.get(pk=pk)
    assert (work.order_id, work.location_id, work.ship_to_id) == (order.pk, location.pk, order.ship_to_id)
    assert work.status == FulfillmentOrderStatus.RELEASED
    assert work.number.startswith("F-")
    assert work.released_at is not None
    assert lines(pk) == {"MUG": 2, "BOOK": 1}


def test_release_writes_created_and_released_on_the_orders_timeline() -> None:
    work = make_released()

    events = Event.objects.filter(subject_type="fulfillment_order", subject_id=work.pk).order_by("id")

    assert [(event.kind, event.from_status, event.to_status) for event in events] == [
        ("created", "", "open"),
        ("release", "open", "released"),
    ]
    assert {(event.thread_type, event.thread_id) for event in events} == {("order", work.order_id)}
    assert {event.actor_kind for event in events} == {ActorKind.SYSTEM}


def test_release_from_a_closed_location_is_refused_by_name() -> None:
    place = stock({"MUG": 2})
    stock({"CUP": 1}, make_location())
    order, other = make_confirmed({"MUG": 2}), make_confirmed({"CUP": 1})
    place.is_active = False
    place.save()

    results = release_orders([order.pk, other.pk], actor=ACTOR)

    assert results.done_ids == [other.pk]
    assert isinstance(results.refusals[order.pk], LocationClosed)
    assert results.refusals[order.pk].facts == {"location": place.name}
    assert not FulfillmentOrder.objects.filter(order=order).exists()
    place.is_active = True
    place.save()
    release_orders([order.pk], actor=ACTOR).raise_refusals()


def test_release_makes_one_fulfillment_order_a_location() -> None:
    first = stock({"MUG": 2})
    second = stock({"BOOK": 1})
    order = make_confirmed({"MUG": 2, "BOOK": 1})

    pks = release_orders([order.pk], actor=ACTOR).only()

    work = {row.location_id: row.pk for row in FulfillmentOrder.objects.filter(pk__in=pks)}
    assert set(work) == {first.pk, second.pk}
    assert lines(work[first.pk]) == {"MUG": 2}
    assert lines(work[second.pk]) == {"BOOK": 1}


def test_release_twice_is_unchanged_with_the_same_work() -> None:
    work = make_released()

    with nothing_written():
        again = release_orders([work.order_id], actor=ACTOR)

    assert again.unchanged_ids == [work.order_id]
    assert again.values[work.order_id] == [work.pk]


def test_release_after_a_backorder_was_filled_asks_for_the_rest_only() -> None:
    location = stock({"MUG": 1})
    order = make_confirmed({"MUG": 3})
    (first,) = release_orders([order.pk], actor=ACTOR).only()
    stock({"MUG": 2}, location)
    fill_backorders([Sku.objects.get(code="MUG").pk], actor=ACTOR)

    pks = release_orders([order.pk], actor=ACTOR).only()

    assert len(pks) == 2
    assert pks[0] == first
    assert [lines(pk) for pk in pks] == [{"MUG": 1}, {"MUG": 2}]
    assert released_ids_by_order([order.pk]) == {order.pk: pks}


def test_release_again_after_work_was_called_back() -> None:
    work = make_released()
    cancel_fulfillment_orders([work.pk], actor=ACTOR).raise_refusals()

    (pk,) = release_orders([work.order_id], actor=ACTOR).only()

    assert pk != work.pk
    assert lines(pk) == {"MUG": 2}


def placed() -> Order:
    stock({"MUG": 2})
    order = make_order()
    allocate_orders([order.pk], actor=ACTOR).only()
    return order


def held() -> Order:
    stock({"MUG": 2})
    order = make_confirmed()
    place_hold([order.pk], kind=HoldKind.MANUAL, reason="look", actor=ACTOR).raise_refusals()
    return order


def cancelled() -> Order:
    stock({"MUG": 2})
    order = make_confirmed()
    cancel_orders([order.pk], reason="no", actor=ACTOR).raise_refusals()
    return order


def without_address() -> Order:
    stock({"MUG": 2})
    order = make_confirmed()
    Order.objects.filter(pk=order.pk).update(ship_to=None)
    return order


def of_a_test() -> Order:
    stock({"MUG": 2})
    order = make_confirmed()
    Order.objects.filter(pk=order.pk).update(is_test=True)
    return order


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (placed, NotReleasable),
        (cancelled, NotReleasable),
        (lambda: make_delivered().order, NotReleasable),
        (held, OrderHeld),
        (of_a_test, OrderIsTest),
        (without_address, NoAddress),
        (make_confirmed, NothingToRelease),
    ],
)
def test_release_refuses_and_writes_nothing(make, error: type[BancaleError]) -> None:
    order = make()

    with nothing_written():
        results = release_orders([order.pk], actor=ACTOR)

    assert type(results.refusals[order.pk]) is error
    assert order.number in str(results.refusals[order.pk])


def test_release_of_an_unknown_order_is_refused() -> None:
    with nothing_written():
        results = release_orders([987654], actor=ACTOR)

    assert type(results.refusals[987654]) is NotFound


def test_a_refused_order_does_not_spoil_the_others() -> None:
    bad, good = held(), make_released().order
    stock({"MUG": 2})
    other = make_confirmed()

    results = release_orders([bad.pk, good.pk, other.pk], actor=ACTOR)

    assert (list(results.refusals), results.unchanged_ids, results.done_ids) == (
        [bad.pk],
        [good.pk],
        [other.pk],
    )


def test_release_needs_the_permission() -> None:
    stock({"MUG": 2})
    order = make_confirmed()
    may_not = Actor(ActorKind.USER, 1, "rosa", frozenset({"fulfillment.ship_fulfillmentorder"}))
    may = Actor(ActorKind.USER, 1, "rosa", frozenset({"fulfillment.release_fulfillmentorder"}))

    with nothing_written(), pytest.raises(NotAllowed):
        release_orders([order.pk], actor=may_not)

    assert release_orders([order.pk], actor=may).done_ids == [order.pk]


def test_release_takes_as_many_statements_for_three_orders_as_for_one() -> None:
    stock({"MUG": 100})
    one = make_confirmed()
    three = [make_confirmed().pk for _order in range(3)]

    few = statements(lambda: release_orders([one.pk], actor=ACTOR))
    many = statements(lambda: release_orders(three, actor=ACTOR))

    assert many == few
