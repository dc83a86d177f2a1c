"""The first page: what needs somebody, what is late, how sales go, and where orders wait longest."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from config import dashboard
from config.charts import Chart, Column, stacked
from config.first_steps import FirstStep, first_steps
from config.kernel import clock
from config.kernel.actors import places_of
from config.kernel.admin import admin_url
from config.kernel.templatetags.bancale import money_text, number
from config.late import LateOrder, late_orders
from config.stages import StageRow, slowest_words, stage_rows
from orders.admin.sold import sold_url
from orders.enums import MARKETPLACES
from orders.models import DailySales, Order, SalesChannel
from orders.selectors.reports import active_channels, sales_since, sold

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser

DAYS = 28
ORDERS, UNITS = "orders", "units"
# Tones of queues that are worth a place on the first page as soon as they hold something.
PRESSING = frozenset({"stop", "wait"})
SEE_SALES = "orders.view_dailysales"


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    url: str
    current: bool


@dataclass(slots=True)
class Trend:
    """Sales of the last four weeks: the chart, what it shows, and what else it could show; `is_counted` is False while
    orders of these days are there and no sweep has counted any."""

    title: str
    chart: Chart
    is_counted: bool = True
    series: list[tuple[str, int]] = field(default_factory=list)
    measures: list[Choice] = field(default_factory=list)
    channels: list[Choice] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ChannelRow:
    channel: SalesChannel
    orders: int
    url: str


@dataclass(slots=True)
class Today:
    """Everything the first page shows to one person; parts that they may not see are empty.

    `is_bound`: they see some locations only. Sales are kept for the whole business, so they are left out for them,
    and the times of the stages lead to no list.
    """

    tiles: list[dashboard.Tile]
    read_at: datetime
    is_bound: bool = False
    sees_sales: bool = False
    first_steps: list[FirstStep] = field(default_factory=list)
    trend: Trend | None = None
    stages: list[StageRow] = field(default_factory=list)
    slowest: str = ""
    late: list[LateOrder] = field(default_factory=list)
    channels: list[ChannelRow] = field(default_factory=list)


def today(request: HttpRequest) -> Today:
    """Compose the page for whoever asks; about a dozen statements, however much there is."""
    user = request.user
    tiles = dashboard.tiles(user)
    page = Today(
        [tile for tile in tiles if tile.on_front or (tile.count and tile.tone in PRESSING)],
        clock.now(),
        is_bound=places_of(user) is not None,
        sees_sales=user.has_perm(SEE_SALES),
    )
    orders = admin_url(Order, "changelist")
    if not page.is_bound and not any(tile.count for tile in tiles if tile.url.startswith(orders)):
        page.first_steps = first_steps(user)
    if user.has_perm("orders.view_order"):
        page.late = late_orders(user)
        page.stages = stage_rows(tiles)
        page.slowest = slowest_words(page.stages)
    if page.sees_sales and not page.is_bound:
        rows, channels = sales_since(DAYS), active_channels()
        page.trend = _trend(request, rows, channels)
        page.channels = _channel_rows(rows, channels)
    return page


def _trend(request: HttpRequest, rows: Sequence[DailySales], channels: Sequence[SalesChannel]) -> Trend:
    currencies = sorted({row.currency for row in rows})
    asked = request.GET.get("show", "")
    measure = asked if asked in {ORDERS, UNITS, *currencies} else ORDERS
    chosen = next((one for one in channels if str(one.pk) == request.GET.get("channel")), None)
    currency = "" if measure in {ORDERS, UNITS} else measure
    shown = [
        row
        for row in rows
        if (chosen is None or row.sales_channel_id == chosen.pk) and currency in {"", row.currency}
    ]
    last = max((clock.today(one.legal_entity.time_zone) for one in channels), default=clock.today("UTC"))
    days = [last - timedelta(days=back) for back in reversed(range(DAYS))]
    names = _series_names(shown, chosen)
    columns = [_column(day, shown, measure, names, chosen) for day in days]
    marks = [(place, date_format(days[place], gettext("j M"))) for place in (0, DAYS // 2, DAYS - 1)]
    return Trend(
        _title(measure),
        stacked(columns, marks),
        bool(rows) or not _anything_since(days[0]),
        list(names.items()) if len(names) > 1 else [],
        [
            _choice(request, "show", name, _title(name), name == measure)
            for name in (ORDERS, UNITS, *currencies)
        ],
        [_choice(request, "channel", "", gettext("All channels"), chosen is None)]
        + [_choice(request, "channel", str(one.pk), one.name, one == chosen) for one in channels],
    )


def _anything_since(day: date) -> bool:
    """Whether orders that count as sold were placed from that day on; one statement."""
    begins = datetime.combine(day, time.min, tzinfo=UTC)
    return sold(Order.objects.filter(placed_at__gte=begins)).exists()


def _series_names(rows: Sequence[DailySales], chosen: SalesChannel | None) -> dict[str, int]:
    """The names of the stacked series: our own shops below, marketplaces above; one where only one is."""
    if chosen is not None:
        return {chosen.name: 0}
    kinds = {row.sales_channel.kind in MARKETPLACES for row in rows}
    own, others = gettext("Own shops"), gettext("Marketplaces")
    if kinds == {False, True}:
        return {own: 0, others: 1}
    return {others if kinds == {True} else own: 0}


def _column(
    day: date, rows: Sequence[DailySales], measure: str, names: dict[str, int], chosen: SalesChannel | None
) -> Column:
    sums = [Decimal(0)] * len(names)
    for row in rows:
        if row.day == day:
            place = 1 if len(names) > 1 and row.sales_channel.kind in MARKETPLACES else 0
            sums[place] += _value(row, measure)
    told = [_words(value, measure) for value in sums]
    parts = (
        ", ".join(f"{name} {words}" for name, words in zip(names, told, strict=True)) if len(told) > 1 else ""
    )
    said = date_format(day, gettext("j M"))
    title = f"{said}: {_words(sum(sums, Decimal(0)), measure)}"
    currency = "" if measure in {ORDERS, UNITS} else measure
    url = sold_url(day, channel_id=chosen.pk if chosen else 0, currency=currency)
    return Column(tuple(sums), f"{title} ({parts})" if parts else title, url)


def _value(row: DailySales, measure: str) -> Decimal:
    if measure == ORDERS:
        return Decimal(row.orders)
    return Decimal(row.units) if measure == UNITS else row.revenue_amount


def _words(value: Decimal, measure: str) -> str:
    count = int(value)
    if measure == ORDERS:
        return ngettext("%(n)s order", "%(n)s orders", count) % {"n": number(count)}
    if measure == UNITS:
        return ngettext("%(n)s unit", "%(n)s units", count) % {"n": number(count)}
    return money_text(value, measure)


def _title(measure: str) -> str:
    if measure == ORDERS:
        return gettext("Orders per day")
    if measure == UNITS:
        return gettext("Units per day")
    return gettext("%(currency)s per day") % {"currency": measure}


def _choice(request: HttpRequest, name: str, value: str, label: str, current: bool) -> Choice:
    query = request.GET.copy()
    query.pop(name, None)
    if value:
        query[name] = value
    return Choice(label, f"?{query.urlencode()}", current)


def _channel_rows(rows: Sequence[DailySales], channels: Sequence[SalesChannel]) -> list[ChannelRow]:
    found = []
    for channel in channels:
        day = clock.today(channel.legal_entity.time_zone)
        count = sum(row.orders for row in rows if row.day == day and row.sales_channel_id == channel.pk)
        found.append(ChannelRow(channel, count, sold_url(day, channel_id=channel.pk)))
    return found


def head_words(user: "AbstractUser | AnonymousUser") -> dict[str, Any]:
    """What stands under the title and at its right."""
    return {"new_order_url": admin_url(Order, "add") if user.has_perm("orders.place_order") else ""}
