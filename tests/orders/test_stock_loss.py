"""Stock that was reserved for an order is lost: its counters, axes and timeline follow in the same transaction."""

from typing import Any

import pytest

from config.kernel.audit import run_audit
from config.kernel.models import Event
from inventory.models import Reservation, Sku, StockAdjustment
from inventory.services.correcting import Adjustment, adjust_stock
from orders.enums import FulfillmentStatus
from orders.models import LinePart, Order
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from tests.factories.inventory import ACTOR, make_location, receive
from tests.factories.orders import make_order, neutral_line

pytestmark = pytest.mark.django_db


def allocated(units: int, **fields: Any) -> Order:
    order = make_order(lines=(neutral_line("MUG", units),), **fields)
    allocate_orders([order.pk], actor=ACTOR).only()
    return order


def part_of(order: Order) -> LinePart:
    return LinePart.objects.get(line__order=order)


def breaches() -> list[Any]:
    return [finding.violations for finding in run_audit() if finding.violations]


@pytest.fixture
def mug() -> Sku:
    return Sku.objects.get(pk=make_order(lines=(neutral_line("MUG", 1),)).lines.get().parts.get().sku_id)


def test_loss_turns_the_last_order_into_a_backorder(mug: Sku) -> None:
    place = make_location()
    receive(mug, place, 10)
    first, second = allocated(4), allocated(5)
    version = Order.objects.get(pk=second.pk).version

    lost = adjust_stock([Adjustment("k", mug.pk, place.pk, -4)], reason="Not there", actor=ACTOR)
    lost.raise_refusals()

    assert (part_of(first).allocated, part_of(second).allocated) == (4, 2)
    after = Order.objects.get(pk=second.pk)
    assert after.fulfillment_status == FulfillmentStatus.BACKORDERED
    assert after.version > version
    event = Event.objects.get(kind="lost_stock")
    assert (event.thread_id, event.subject_type) == (second.pk, "order")
    assert event.facts["units"] == 3
    assert event.facts["locations"] == [place.pk]
    assert event.facts["documents"] == [["stock_adjustment", StockAdjustment.objects.get().pk]]
    assert breaches() == []


def test_lost_units_are_served_again_from_elsewhere(mug: Sku) -> None:
    place, other = make_location(preference=1), make_location(preference=2)
    receive(mug, place, 5)
    receive(mug, other, 5)
    order = allocated(5)

    adjust_stock([Adjustment("k", mug.pk, place.pk, -5)], reason="Burnt", actor=ACTOR).raise_refusals()
    assert part_of(order).allocated == 0
    fill_backorders([mug.pk], actor=ACTOR).raise_refusals()

    assert part_of(order).allocated == 5
    assert set(Reservation.objects.filter(state="open").values_list("level__location", flat=True)) == {
        other.pk
    }
    assert breaches() == []


def test_loss_of_many_orders_takes_as_many_statements_as_of_one(
    mug: Sku, django_assert_max_num_queries: Any
) -> None:
    place = make_location()
    receive(mug, place, 40)
    for _order in range(8):
        allocated(2)

    with django_assert_max_num_queries(75):
        adjust_stock([Adjustment("a", mug.pk, place.pk, -26)], reason="x", actor=ACTOR).raise_refusals()
    assert Event.objects.filter(kind="lost_stock").count() == 1
    with django_assert_max_num_queries(75):
        adjust_stock([Adjustment("b", mug.pk, place.pk, -14)], reason="x", actor=ACTOR).raise_refusals()

    assert Event.objects.filter(kind="lost_stock").count() == 8
    assert breaches() == []
