"""What an order counts of itself, so that the queue “To release” is read without a look at its lines."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.audit import run_audit
from config.kernel.outbox import deliver_due
from fulfillment.models import FulfillmentOrder
from fulfillment.selectors.queues import to_release
from fulfillment.selectors.work import uncovered_units
from fulfillment.services.cancelling import cancel_fulfillment_orders
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from inventory.models import Sku
from inventory.services.correcting import Adjustment, adjust_stock
from orders.changes import SetQuantity
from orders.enums import HoldKind
from orders.models import Order
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.services.cancelling import cancel_orders
from orders.services.holds import place_hold
from tests.factories.fulfillment import ACTOR, hand, make_confirmed, make_released, stock
from tests.factories.orders import make_order, neutral_line
from tests.factories.proposals import change

pytestmark = pytest.mark.django_db


def counted(order: Order) -> tuple[int, int, bool]:
    """Reserved units, asked units, and whether the order waits to be released; as its lines say, and audited."""
    order.refresh_from_db()
    is_listed = order in to_release(Order.objects.all())
    assert is_listed == (bool(uncovered_units([order.pk]).units) and order.status == "confirmed")
    assert [found for found in run_audit() if found.violations] == []
    return order.allocated_quantity, order.asked_quantity, is_listed


def of(work: FulfillmentOrder) -> Order:
    return Order.objects.get(pk=work.order_id)


def test_release_and_shipping_move_the_units_on() -> None:
    stock({"MUG": 5, "BOOK": 5})
    order = make_confirmed({"MUG": 2, "BOOK": 1})
    assert counted(order) == (3, 0, True)

    (pk,) = release_orders([order.pk], actor=ACTOR).only()
    assert counted(order) == (3, 3, False)
    ship_by_hand([hand(FulfillmentOrder.objects.get(pk=pk))], actor=ACTOR).raise_refusals()

    assert counted(order) == (0, 0, False)


def test_placed_order_has_units_and_waits_for_its_confirmation() -> None:
    stock({"MUG": 2})
    order = make_order(lines=(neutral_line("MUG", 2),))

    allocate_orders([order.pk], actor=ACTOR).raise_refusals()

    assert counted(order) == (2, 0, False)


def test_work_called_back_leaves_its_units_to_be_released_again() -> None:
    work = make_released({"MUG": 3})

    cancel_fulfillment_orders([work.pk], actor=ACTOR).raise_refusals()

    assert counted(of(work)) == (3, 0, True)


def test_units_filled_after_the_release_wait_for_another() -> None:
    place = stock({"MUG": 2})
    order = make_confirmed({"MUG": 5})
    release_orders([order.pk], actor=ACTOR).raise_refusals()
    assert counted(order) == (2, 2, False)
    version = order.version

    stock({"MUG": 1}, place)
    fill_backorders([Sku.objects.get().pk], actor=ACTOR)

    assert counted(order) == (3, 2, True)
    assert order.version == version, "it waits for stock as before: nobody's page is stale"
    release_orders([order.pk], actor=ACTOR).raise_refusals()
    assert counted(order) == (3, 3, False)


def test_one_of_two_locations_ships_and_the_other_is_called_back() -> None:
    stock({"MUG": 2})
    stock({"BOOK": 1})
    order = make_confirmed({"MUG": 2, "BOOK": 1})
    first, second = release_orders([order.pk], actor=ACTOR).only()

    ship_by_hand([hand(FulfillmentOrder.objects.get(pk=first))], actor=ACTOR).raise_refusals()
    left = order.lines.order_by("pk").values_list("parts__allocated", flat=True)
    assert counted(order) == (sum(left), sum(left), False)
    cancel_fulfillment_orders([second], actor=ACTOR).raise_refusals()

    assert counted(order) == (sum(left), 0, True)


def test_changed_and_lost_and_cancelled_units_are_asked_for_no_longer() -> None:
    changed, lost, gone = (make_released({"MUG": 3}) for _number in range(3))

    change(changed.order, SetQuantity(changed.order.lines.get().pk, 2))
    line = Adjustment("k", Sku.objects.get(code="MUG").pk, lost.location_id, -1)
    adjust_stock([line], reason="Not there", actor=ACTOR).raise_refusals()
    cancel_orders([gone.order_id], reason="no", actor=ACTOR).raise_refusals()

    assert counted(of(changed)) == (2, 0, True)
    assert counted(of(lost)) == (2, 0, True)
    assert counted(of(gone)) == (0, 3, False)
    deliver_due("work")
    assert counted(of(gone)) == (0, 0, False)


def test_what_is_not_sent_is_not_counted() -> None:
    stock({"MUG": 1})
    lines = (neutral_line("MUG", 1), neutral_line("GIFTCARD", 4, requires_shipping=False))
    order = make_order(lines=lines)

    allocate_orders([order.pk], actor=ACTOR).raise_refusals()

    assert counted(order) == (1, 0, False)


def test_held_and_test_orders_do_not_wait_to_be_released() -> None:
    stock({"MUG": 4})
    held, trial = make_confirmed(), make_confirmed()
    Order.objects.filter(pk=trial.pk).update(is_test=True)
    place_hold([held.pk], kind=HoldKind.FRAUD, actor=ACTOR).raise_refusals()

    assert list(to_release(Order.objects.all())) == []
    assert [order.allocated_quantity for order in Order.objects.all()] == [2, 2]


def written(act: object) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        act()  # type: ignore[operator]
    return [
        one["sql"]
        for one in captured
        if one["sql"].startswith(('UPDATE "orders_order"', "UPDATE orders_order "))
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_orders_are_written_once_a_batch(count: int) -> None:
    stock({"MUG": 20})
    ids = [make_order(lines=(neutral_line("MUG", 2),)).pk for _number in range(count)]
    allocated = written(lambda: allocate_orders(ids, actor=ACTOR).raise_refusals())
    work = [make_released({"MUG": 1}) for _number in range(count)]
    confirmed = [make_confirmed({"MUG": 1}).pk for _number in range(count)]
    released = written(lambda: release_orders(confirmed, actor=ACTOR).raise_refusals())
    shipped = written(lambda: ship_by_hand([hand(one) for one in work], actor=ACTOR).raise_refusals())

    assert [len(some) for some in (allocated, released, shipped)] == [1, 1, 1]


def test_orders_that_were_there_before_are_counted_by_the_migrations() -> None:
    released, placed = make_released({"MUG": 3}), make_confirmed({"TIN": 1})
    stock({"BOOK": 2})
    waiting = make_confirmed({"BOOK": 4})
    wanted = {one.pk: counted(one) for one in (of(released), placed, waiting)}
    Order.objects.update(allocated_quantity=0, asked_quantity=0)

    import_module("orders.migrations.0030_count_allocated").count(apps, None)
    import_module("fulfillment.migrations.0008_count_asked").count(apps, None)

    assert {pk: counted(Order.objects.get(pk=pk)) for pk in wanted} == wanted
