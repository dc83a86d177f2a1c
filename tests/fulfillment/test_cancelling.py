"""Work is called back before it leaves; the units stay the order's."""

from decimal import Decimal

import pytest
from django.utils import translation

from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.enums import DeliveryState
from config.kernel.errors import IllegalTransition, NotAllowed, NotFound
from config.kernel.models import Delivery, Event
from config.kernel.outbox import NewFact, deliver_due, record_facts
from fulfillment.enums import FulfillmentOrderStatus
from fulfillment.models import FulfillmentOrder
from fulfillment.services.cancelling import cancel_fulfillment_orders
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from fulfillment.subscribers import CALL_BACK
from inventory.enums import ReservationState
from inventory.models import Reservation, Sku
from orders.models import Order
from orders.services.cancelling import CANCELLED, cancel_orders
from orders.services.proposals.wishes import NewLine
from tests.factories.fulfillment import ACTOR, hand, make_confirmed, make_released, make_shipped, stock
from tests.factories.proposals import change
from tests.fulfillment.watching import nothing_written, statements

pytestmark = pytest.mark.django_db


def test_cancel_ends_the_work_and_leaves_the_reservation_open() -> None:
    work = make_released()

    results = cancel_fulfillment_orders([work.pk], actor=ACTOR)

    work.refresh_from_db()
    assert results.done_ids == [work.pk]
    assert work.status == FulfillmentOrderStatus.CANCELLED
    assert Reservation.objects.get(reference_kind="order_line_part").state == ReservationState.OPEN
    event = Event.objects.filter(subject_type="fulfillment_order", subject_id=work.pk).latest("id")
    assert (event.kind, event.from_status, event.to_status) == ("cancel", "released", "cancelled")


def test_cancel_twice_is_unchanged() -> None:
    work = make_released()
    cancel_fulfillment_orders([work.pk], actor=ACTOR).raise_refusals()

    with nothing_written():
        again = cancel_fulfillment_orders([work.pk], actor=ACTOR)

    assert again.unchanged_ids == [work.pk]


def test_cancel_of_shipped_and_of_unknown_work_is_refused() -> None:
    work_id = make_shipped().shipment.fulfillment_order_id

    with nothing_written():
        results = cancel_fulfillment_orders([work_id, 987654], actor=ACTOR)

    assert type(results.refusals[work_id]) is IllegalTransition
    assert type(results.refusals[987654]) is NotFound


def test_refusal_names_the_status_as_people_do() -> None:
    work_id = make_shipped().shipment.fulfillment_order_id

    refusal = cancel_fulfillment_orders([work_id], actor=ACTOR).refusals[work_id]

    assert str(refusal) == "“Cancel work” is not possible from “Shipped”."
    with translation.override("it"):
        assert str(refusal) == "“Annulla lavoro” non è possibile dallo stato “Spedito”."


def test_cancel_needs_the_permission() -> None:
    work = make_released()
    may_not = Actor(ActorKind.USER, 1, "rosa", frozenset({"fulfillment.ship_fulfillmentorder"}))
    may = Actor(ActorKind.USER, 1, "rosa", frozenset({"fulfillment.cancel_fulfillmentorder"}))

    with nothing_written(), pytest.raises(NotAllowed):
        cancel_fulfillment_orders([work.pk], actor=may_not)

    assert cancel_fulfillment_orders([work.pk], actor=may).done_ids == [work.pk]


def test_cancelled_order_calls_all_its_work_back_once() -> None:
    stock({"MUG": 2})
    stock({"BOOK": 1})
    order = make_confirmed({"MUG": 2, "BOOK": 1})
    release_orders([order.pk], actor=ACTOR).raise_refusals()
    other = make_released()
    cancel_orders([order.pk], reason="no", actor=ACTOR).raise_refusals()

    deliver_due("work")

    statuses = FulfillmentOrder.objects.filter(order=order).values_list("status", flat=True)
    assert set(statuses) == {FulfillmentOrderStatus.CANCELLED}
    other.refresh_from_db()
    assert other.status == FulfillmentOrderStatus.RELEASED
    assert Delivery.objects.get(subscriber=CALL_BACK).state == DeliveryState.DELIVERED


def test_the_same_news_twice_changes_nothing_more() -> None:
    work = make_released()
    cancel_orders([work.order_id], reason="no", actor=ACTOR).raise_refusals()
    deliver_due("work")
    events = Event.objects.count()

    record_facts([NewFact(CANCELLED, ("order", work.order_id))])
    deliver_due("work")

    assert Event.objects.count() == events
    assert set(Delivery.objects.filter(subscriber=CALL_BACK).values_list("state", flat=True)) == {
        DeliveryState.DELIVERED
    }


def test_news_of_an_order_that_is_open_is_suppressed() -> None:
    work = make_released()

    record_facts([NewFact(CANCELLED, ("order", work.order_id))])
    deliver_due("work")

    work.refresh_from_db()
    assert work.status == FulfillmentOrderStatus.RELEASED
    assert Delivery.objects.get(subscriber=CALL_BACK).state == DeliveryState.SUPPRESSED


def test_cancel_takes_as_many_statements_for_three_as_for_one() -> None:
    stock({"MUG": 100})
    orders = [make_confirmed().pk for _order in range(4)]
    work = [pk for pks in release_orders(orders, actor=ACTOR).values.values() for pk in pks]

    few = statements(lambda: cancel_fulfillment_orders(work[:1], actor=ACTOR))
    many = statements(lambda: cancel_fulfillment_orders(work[1:], actor=ACTOR))

    assert many == few
    assert Order.objects.count() == 4


@pytest.mark.parametrize("begun", [False, True])
def test_work_called_off_is_called_back_though_the_order_has_new_goods_by_then(begun: bool) -> None:
    stock({"MUG": 2})
    stock({"CUP": 2})
    stock({"PEN": 5})
    order = make_confirmed({"MUG": 2, "CUP": 2})
    mugs, cups = FulfillmentOrder.objects.filter(
        pk__in=release_orders([order.pk], actor=ACTOR).only()
    ).order_by("pk")
    ship_by_hand([hand(mugs)], actor=ACTOR).raise_refusals()
    cancel_orders([order.pk], reason="no", actor=ACTOR).raise_refusals()
    pen = NewLine(Sku.objects.get(code="PEN").pk, 1, Decimal(1))
    change(order, pen)
    new = release_orders([order.pk], actor=ACTOR).only() if begun else []

    deliver_due("work")

    order.refresh_from_db()
    statuses = dict(FulfillmentOrder.objects.values_list("pk", "status"))
    assert statuses.pop(cups.pk) == FulfillmentOrderStatus.CANCELLED
    assert statuses.pop(mugs.pk) == FulfillmentOrderStatus.SHIPPED
    assert set(statuses.values()) == ({FulfillmentOrderStatus.RELEASED} if begun else set())
    assert (order.fulfillment_status, order.asked_quantity) == ("partly_shipped", len(statuses))
    assert set(statuses) == set(new) - {cups.pk}
    assert [found for found in run_audit() if found.violations] == []
