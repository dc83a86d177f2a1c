"""Daily sums of sales: as the orders say, in the legal entity's days, whatever changes afterwards."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from orders.changes import SetQuantity
from orders.models import DailySales, Order
from orders.selectors.reports import sold_on
from orders.services.cancelling import cancel_orders
from orders.services.cancelling_lines import CancelUnits, cancel_units
from orders.services.reports import refresh_daily_sales
from tests.factories.orders import SYSTEM, make_channel, make_entity, make_kit, make_order, neutral_line
from tests.factories.proposals import change

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


def kept() -> list[tuple[date, str, str, int, int, Decimal]]:
    rows = DailySales.objects.order_by("day", "sales_channel__code", "currency")
    return [
        (row.day, row.sales_channel.code, row.currency, row.orders, row.units, row.revenue_amount)
        for row in rows
    ]


def test_refresh_daily_sales_sums_by_day_channel_and_currency() -> None:
    fair = make_channel(code="fair", name="Fair")
    make_order(placed_at=datetime(2026, 3, 1, 10, 0, tzinfo=UTC))
    make_order(placed_at=datetime(2026, 3, 1, 12, 0, tzinfo=UTC), lines=(neutral_line("MUG", 3, "7.50"),))
    make_order(placed_at=datetime(2026, 3, 1, 12, 0, tzinfo=UTC), currency="JPY", total_amount=Decimal(900))
    make_order(channel=fair, placed_at=datetime(2026, 3, 2, 8, 0, tzinfo=UTC))

    assert refresh_daily_sales(5) == 3

    assert kept() == [
        (date(2026, 3, 1), "shop", "EUR", 2, 5, Decimal("42.5")),
        (date(2026, 3, 1), "shop", "JPY", 1, 2, Decimal(900)),
        (date(2026, 3, 2), "fair", "EUR", 1, 2, Decimal(20)),
    ]


def test_refresh_daily_sales_again_writes_nothing() -> None:
    make_order()
    refresh_daily_sales(None)

    assert refresh_daily_sales(None) == 0


def test_refresh_daily_sales_forgets_cancelled_and_test_orders() -> None:
    order, other = make_order(), make_order()
    make_order(is_test=True)
    refresh_daily_sales(2)
    cancel_orders([order.pk], reason="test", actor=SYSTEM).raise_refusals()

    assert refresh_daily_sales(2) == 1
    assert kept() == [(date(2026, 3, 1), "shop", "EUR", 1, 2, Decimal(20))]

    cancel_orders([other.pk], reason="test", actor=SYSTEM).raise_refusals()
    assert refresh_daily_sales(2) == 1
    assert kept() == []


def test_refresh_daily_sales_counts_what_was_changed_and_leaves_out_cancelled_units() -> None:
    make_kit("GIFT", CUP=(2, 1), TIN=(1, 1))
    order = make_order(lines=(neutral_line("MUG", 3), neutral_line("GIFT", 4, "9")))
    mug, gift = order.lines.order_by("position")
    cancel_units(
        [CancelUnits(order.pk, {mug.pk: 1, gift.pk: 3})], reason="test", actor=SYSTEM
    ).raise_refusals()
    change(order, SetQuantity(mug.pk, 6))
    # Two cups of a fourth set were cancelled by themselves: it still counts as one.
    gift.parts.filter(sku__code="CUP").update(cancelled=8)

    refresh_daily_sales(2)

    order.refresh_from_db()
    assert order.owed_amount == Decimal(59)
    assert kept() == [(date(2026, 3, 1), "shop", "EUR", 1, 6, Decimal(59))]


def test_refresh_daily_sales_leaves_older_days_as_they_are() -> None:
    order = make_order(placed_at=datetime(2026, 2, 1, 10, 0, tzinfo=UTC))
    refresh_daily_sales(None)
    cancel_orders([order.pk], reason="test", actor=SYSTEM).raise_refusals()

    assert refresh_daily_sales(2) == 0
    assert refresh_daily_sales(None) == 1


def test_day_is_the_legal_entitys() -> None:
    japan = make_entity(code="JP", name="Bottega KK", country_code="JP", time_zone="Asia/Tokyo")
    tokyo = make_channel(code="tokyo", name="Tokyo", legal_entity=japan)
    late_at_night = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    order = make_order(channel=tokyo, placed_at=late_at_night)
    at_home = make_order(placed_at=late_at_night)

    refresh_daily_sales(5)

    assert [(row[0], row[1]) for row in kept()] == [(date(2026, 3, 1), "shop"), (date(2026, 3, 2), "tokyo")]
    assert list(sold_on(Order.objects.all(), date(2026, 3, 2))) == [order]
    assert list(sold_on(Order.objects.all(), date(2026, 3, 1))) == [at_home]


def test_order_without_a_total_counts_as_an_order() -> None:
    make_order(lines=(neutral_line(unit=None),), total_amount=None, payments=())

    refresh_daily_sales(2)

    assert kept() == [(date(2026, 3, 1), "shop", "EUR", 1, 2, Decimal(0))]
