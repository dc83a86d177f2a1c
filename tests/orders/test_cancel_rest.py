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
from orders.errors import AlreadyShipped
from orders.models import LinePart, Order
from orders.services.allocating import allocate_orders
from orders.services.cancelling import cancel_orders
from orders.services.cancelling_lines import CancelUnits, cancel_units
from orders.services.confirming import confirm_orders
from orders.services.holds import place_hold
from tests.factories.fulfillment import hand, make_confirmed, make_shipped, stock, told
from tests.factories.orders import SYSTEM, make_order, neutral_line

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


@pytest.mark.parametrize("by_units", [False, True])
def test_cancel_rest_of_what_the_channel_had_sent_in_part_completes_it(by_units: bool) -> None:
    stock({"MUG": 1})
    order = make_order(lines=(neutral_line("MUG", 3, shipped_quantity=1),), payments=())
    outbox.deliver_due("work")
    line = order.lines.get()

    if by_units:
        wish = CancelUnits(order.pk, {line.pk: 2})
        assert cancel_units([wish], reason="enough", actor=RULE).done_ids == [order.pk]
    else:
        assert cancel_orders([order.pk], reason="enough", actor=RULE).done_ids == [order.pk]

    order.refresh_from_db()
    part = LinePart.objects.get()
    assert (part.shipped, part.delivered, part.cancelled, part.allocated) == (1, 1, 2, 0)
    assert (order.status, order.fulfillment_status) == (OrderStatus.COMPLETED, FulfillmentStatus.DELIVERED)
    assert (order.confirmed_at, order.completed_at is not None) == (None, True)
    steps = Event.objects.filter(subject_type="order", to_status="completed")
    assert list(steps.values_list("kind", "from_status")) == [("close", "placed")]
    assert not order.holds.filter(lifted_at=None).exists()
    assert confirm_orders([order.pk], actor=RULE).refusals[order.pk].code == "order_closed"
    assert not Fact.objects.filter(kind="order.confirmed").exists()
    assert cancel_orders([order.pk], reason="again", actor=RULE).refusals[order.pk].code == "order_closed"
    assert_audit_clean()


def test_order_that_the_channel_had_sent_in_part_completes_with_the_delivery_of_the_rest() -> None:
    stock({"MUG": 2})
    order = make_order(lines=(neutral_line("MUG", 3, shipped_quantity=1),))
    outbox.deliver_due("work")
    confirm_orders([order.pk], actor=RULE).raise_refusals()
    (work_id,) = release_orders([order.pk], actor=SYSTEM).only()
    work = FulfillmentOrder.objects.get(pk=work_id)
    parcel = Parcel.objects.get(pk=ship_by_hand([hand(work)], actor=SYSTEM).only())
    assert_audit_clean()

    record_tracking([told(parcel, ParcelStatus.DELIVERED)], actor=SYSTEM).raise_refusals()

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


def test_cancel_of_a_shipped_order_is_refused_though_a_service_stands_on_it() -> None:
    stock({"MUG": 2})
    order = make_order(
        lines=(neutral_line("MUG", 2), neutral_line("WRAP", 1, "5.00", requires_shipping=False))
    )
    confirm_orders([order.pk], actor=SYSTEM).raise_refusals()
    allocate_orders([order.pk], actor=SYSTEM).raise_refusals()
    (work_id,) = release_orders([order.pk], actor=SYSTEM).only()
    ship_by_hand([hand(FulfillmentOrder.objects.get(pk=work_id))], actor=SYSTEM).raise_refusals()

    problem = cancel_orders([order.pk], reason="too late", actor=SYSTEM).refusals[order.pk]

    assert isinstance(problem, AlreadyShipped)
    order.refresh_from_db()
    assert (order.payment_status, order.cancelled_amount) == ("paid", 0)
    wrap = order.lines.get(sku_code="WRAP")
    cancel_units([CancelUnits(order.pk, {wrap.pk: 1})], reason="not wrapped", actor=SYSTEM).raise_refusals()
    order.refresh_from_db()
    assert (order.payment_status, order.cancelled_amount) == ("overpaid", 5)
    assert cancel_orders([order.pk], reason="too late", actor=SYSTEM).refusals
    assert_audit_clean()


def test_cancel_of_a_shipped_order_is_refused_and_allocates_nothing_anew() -> None:
    parcel = make_shipped()

    refusal = cancel_orders([parcel.order_id], reason="no", actor=RULE).refusals[parcel.order_id]

    assert refusal.code == "already_shipped"
    assert allocate_orders([parcel.order_id], actor=RULE).unchanged_ids == [parcel.order_id]
