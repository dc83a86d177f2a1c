"""The demo business: the same month each time, every state reached, nothing broken."""

import threading
from datetime import UTC, datetime

import pytest
from django.db.models import Count

from config.demo import business
from config.demo.generator import HELD, Fate, stories
from config.demo.trickle import Trickle
from config.kernel import clock
from config.kernel.audit import Finding, run_audit
from config.kernel.models import Event
from fulfillment.models import Parcel
from inventory.models import Sku
from orders.enums import FulfillmentStatus, HoldKind, OrderStatus
from orders.models import Hold, Order, RawOrder
from returns.models import Rma

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


@pytest.mark.once
def test_stories_same_seed_tells_the_same_month() -> None:
    first, second = stories(NOW), stories(NOW)

    assert first == second
    assert len(first) == 300
    assert {story.fate for story in first} >= {Fate.DELIVERED, Fate.RELEASED, *HELD}


def audit() -> list[Finding]:
    with clock.frozen(NOW):
        return [finding for finding in run_audit() if finding.violations]


# One load for all of it: it is the slowest thing that the suite does on one database.
@pytest.mark.django_db
def test_load_business_reaches_every_state_once_and_goes_on() -> None:
    with clock.frozen(NOW):
        business.load(lambda text: None)

    assert_every_state_is_reached()
    assert audit() == []

    events, parcels = Event.objects.count(), Parcel.objects.count()
    with clock.frozen(NOW):
        said = business.load(lambda text: None)
    assert said == "300 orders are there already"
    assert (Event.objects.count(), Parcel.objects.count()) == (events, parcels)

    with clock.frozen(NOW):
        Trickle(threading.Event()).step()
    assert Order.objects.count() == 301
    assert audit() == []


def assert_every_state_is_reached() -> None:
    orders = Order.objects.all()
    assert orders.count() == 300
    assert Sku.objects.count() == 60
    assert Sku.objects.filter(is_kit=True).count() == 2
    assert set(orders.values_list("status", flat=True)) == {
        OrderStatus.PLACED,
        OrderStatus.CONFIRMED,
        OrderStatus.COMPLETED,
        OrderStatus.CANCELLED,
    }
    assert set(orders.values_list("fulfillment_status", flat=True)) >= {
        FulfillmentStatus.ALLOCATED,
        FulfillmentStatus.BACKORDERED,
        FulfillmentStatus.SHIPPED,
        FulfillmentStatus.DELIVERED,
        FulfillmentStatus.NOTHING_TO_SHIP,
    }
    open_holds = Hold.objects.filter(lifted_at=None).values_list("kind", flat=True)
    assert set(open_holds) == set(HoldKind) - {HoldKind.FRAUD}
    assert Rma.objects.values("status").annotate(all=Count("pk")).count() >= 3
    assert RawOrder.objects.exclude(problem="").count() == 1
