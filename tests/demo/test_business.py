"""The demo business: the same months each time, every state reached, nothing broken."""

import threading
from datetime import UTC, datetime

import pytest

from config.demo import business
from config.demo.catalogue import KITS, products
from config.demo.generator import CARRIERS_FAULT, HELD, RETURNS, Fate, stories
from config.demo.trickle import Trickle
from config.kernel import clock
from config.kernel.audit import Finding, run_audit
from config.kernel.enums import DeliveryState
from config.kernel.models import Delivery, Event, IdempotencyKey
from fulfillment.enums import ParcelStatus
from fulfillment.models import Parcel
from inventory.enums import AlertStatus, CountStatus, ReservationState, TransferStatus
from inventory.models import LowStockAlert, Reservation, Sku, StockCount, StockLevel, Transfer
from orders.enums import FulfillmentStatus, HoldKind, OrderStatus, PaymentAxis
from orders.models import Hold, Order, RawOrder, SalesChannel
from returns.enums import RmaStatus
from returns.models import Rma

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
COUNT = 600


@pytest.mark.once
def test_stories_same_seed_tells_the_same_months() -> None:
    first, second = stories(NOW), stories(NOW)

    assert first == second
    assert len(first) == 2000
    assert {story.fate for story in first} == set(Fate)
    assert {story.order.currency for story in first} == {"EUR", "GBP", "JPY"}
    assert len({story.order.external_id for story in first}) == 2000


@pytest.mark.once
def test_stories_each_kind_of_trouble_happened_in_the_last_days() -> None:
    last = [story.fate for story in stories(NOW) if story.age <= 2]

    assert {fate: last.count(fate) for fate in HELD} == dict.fromkeys(HELD, 3)
    assert not set(last) & {*RETURNS, Fate.CARRIER_LOST, Fate.CARRIER_RETURNED}
    assert len(CARRIERS_FAULT) == 3


@pytest.mark.once
def test_catalogue_has_three_hundred_skus_with_kits_of_known_parts() -> None:
    codes = {product.code for product in products()}

    assert len(codes) == 292
    assert len(KITS) == 8
    assert {code for kit in KITS for code, _units, _weight in kit.parts} <= codes


def audit() -> list[Finding]:
    with clock.frozen(NOW):
        return [finding for finding in run_audit() if finding.violations]


# One load for all of it: it is the slowest thing that the suite does on one database.
@pytest.mark.django_db
def test_load_business_reaches_every_state_once_and_goes_on() -> None:
    with clock.frozen(NOW):
        business.load(lambda text: None, count=COUNT)

    assert_every_state_is_reached()
    assert_stock_has_its_troubles()
    assert audit() == []

    events, parcels = Event.objects.count(), Parcel.objects.count()
    with clock.frozen(NOW):
        said = business.load(lambda text: None)
    assert said == f"{COUNT} orders are there already"
    assert (Event.objects.count(), Parcel.objects.count()) == (events, parcels)

    IdempotencyKey.objects.filter(scope="demo").delete()
    assert business.load(lambda text: None) == (
        f"{COUNT} orders are there already, but not all: “manage.py demo --reset” starts over"
    )

    with clock.frozen(NOW):
        Trickle(threading.Event()).step()
    assert Order.objects.count() == COUNT + 1
    assert audit() == []


def assert_every_state_is_reached() -> None:
    orders = Order.objects.all()
    assert orders.count() == COUNT
    assert set(orders.values_list("status", flat=True)) == {
        OrderStatus.PLACED,
        OrderStatus.CONFIRMED,
        OrderStatus.COMPLETED,
        OrderStatus.CANCELLED,
    }
    assert set(orders.values_list("fulfillment_status", flat=True)) == set(FulfillmentStatus)
    assert set(orders.values_list("payment_status", flat=True)) == set(PaymentAxis)
    assert set(orders.values_list("currency", flat=True)) == {"EUR", "GBP", "JPY"}
    open_holds = Hold.objects.filter(lifted_at=None).values_list("kind", flat=True)
    # An import's hold stands for a quarter of an hour only.
    assert set(open_holds) == set(HoldKind) - {HoldKind.IMPORT}
    assert set(Rma.objects.values_list("status", flat=True)) == set(RmaStatus)
    assert set(Parcel.objects.values_list("status", flat=True)) >= {
        ParcelStatus.DELIVERED,
        ParcelStatus.EXCEPTION,
        ParcelStatus.OUT_FOR_DELIVERY,
        ParcelStatus.RETURNED_TO_SENDER,
    }
    assert RawOrder.objects.exclude(problem="").count() == 1
    assert Delivery.objects.filter(state=DeliveryState.DEAD).exists()
    assert set(SalesChannel.objects.values_list("sender_email", flat=True)) == {"ordini@example.com"}


def assert_stock_has_its_troubles() -> None:
    assert Sku.objects.count() == 300
    assert Sku.objects.filter(is_kit=True).count() == 8
    assert set(Transfer.objects.values_list("status", flat=True)) == set(TransferStatus)
    assert set(StockCount.objects.values_list("status", flat=True)) == set(CountStatus)
    assert {AlertStatus.OPEN, AlertStatus.ACKNOWLEDGED} <= set(
        LowStockAlert.objects.values_list("status", flat=True)
    )
    assert Reservation.objects.filter(state=ReservationState.WAITING).exists()
    assert StockLevel.objects.filter(unsellable__gt=0).exists()
    assert Event.objects.filter(kind="lost_stock").exists()
