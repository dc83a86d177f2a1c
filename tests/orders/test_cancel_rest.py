"""`cancel_orders` on part-shipped orders: what is left is given up, and the order completes with what arrives."""

import pytest

from config.kernel import outbox
from config.kernel.actors import Actor
from config.kernel.audit import run_audit
from config.kernel.models import Event, Fact
from fulfillment.enums import FulfillmentOrderStatus, ParcelStatus
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from fulfillment.services.tracking import record_tracking
from inventory.models import StockLevel
from orders.enums import FulfillmentStatus, HoldKind, OrderStatus
from orders.models import LinePart, Order
from orders.services.allocating import allocate_orders
from orders.services.cancelling import cancel_orders
from orders.services.holds import place_hold
from tests.factories.fulfillment import hand, make_confirmed, make_shipped, stock, told
from tests.factories.orders import SYSTEM

pytestmark = pytest.mark.django_db

RULE = Actor.rule("tests")


def part_shipped(*, delivered: bool = False) -> tuple[Order, Parcel]:
    """Three mugs ordered, two there and gone; one waits."""
    stock({"MUG": 2})
    order = make_confirmed({"MUG": 3})
    (work_id,) = release_orders([order.pk], actor=SYSTEM).only()
    work = FulfillmentOrder.objects.get(pk=work_id)
    parcel = Parcel.objects.get(pk=ship_by_hand([hand(work)], actor=SYSTEM).only())
    if delivered:
        record_tracking([told(parcel, ParcelStatus.DELIVERED)], actor=SYSTEM).raise_refusals()
    return Order.objects.get(pk=parcel.order_id), parcel


def assert_audit_clean() -> None:
    outbox.deliver_due("work")
    assert [found for finding in run_audit() for found in finding.violations] == []


def test_cancel_rest_before_delivery_completes_with_the_delivery() -> None:
    order, parcel = part_shipped()
    place_hold([order.pk], kind=HoldKind.CANCEL_REQUESTED, actor=RULE).raise_refusals()

    assert cancel_orders([order.pk], reason="too late", actor=RULE).done_ids == [order.pk]

    order.refresh_from_db()
    part = LinePart.objects.get()
    assert (part.shipped, part.cancelled, part.allocated) == (2, 1, 0)
    assert (order.status, order.fulfillment_status) == (OrderStatus.CONFIRMED, FulfillmentStatus.SHIPPED)
    assert not order.holds.filter(lifted_at=None).exists()
    event = Event.objects.get(kind="units_cancelled")
    assert event.facts == {"reason": "too late", "units": 1, "parts": {str(part.pk): 1}}
    assert Fact.objects.filter(kind="order.rest_cancelled", subject_id=order.pk).count() == 1

    record_tracking([told(parcel, ParcelStatus.DELIVERED)], actor=SYSTEM).raise_refusals()

    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == (OrderStatus.COMPLETED, FulfillmentStatus.DELIVERED)
    assert_audit_clean()


def test_cancel_rest_after_delivery_completes_at_once() -> None:
    order, _parcel = part_shipped(delivered=True)

    assert cancel_orders([order.pk], reason="no more", actor=RULE).done_ids == [order.pk]

    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == (OrderStatus.COMPLETED, FulfillmentStatus.DELIVERED)
    assert_audit_clean()


def test_cancel_rest_twice_is_unchanged() -> None:
    order, _parcel = part_shipped()
    cancel_orders([order.pk], reason="no", actor=RULE).raise_refusals()
    before = (Event.objects.count(), Fact.objects.count())

    assert cancel_orders([order.pk], reason="no", actor=RULE).unchanged_ids == [order.pk]
    assert (Event.objects.count(), Fact.objects.count()) == before


def test_cancel_rest_calls_back_what_the_warehouse_began() -> None:
    order, _parcel = part_shipped()
    stock({"MUG": 5})
    outbox.deliver_due("work")
    (second,) = release_orders([order.pk], actor=SYSTEM).only()

    cancel_orders([order.pk], reason="no", actor=RULE).raise_refusals()
    assert_audit_clean()

    assert FulfillmentOrder.objects.get(pk=second).status == FulfillmentOrderStatus.CANCELLED
    assert sum(StockLevel.objects.values_list("reserved", flat=True)) == 0


def test_cancel_of_a_shipped_order_is_refused_and_allocates_nothing_anew() -> None:
    parcel = make_shipped()

    refusal = cancel_orders([parcel.order_id], reason="no", actor=RULE).refusals[parcel.order_id]

    assert refusal.code == "already_shipped"
    assert allocate_orders([parcel.order_id], actor=RULE).unchanged_ids == [parcel.order_id]
