"""What was sold, day by day: straight from the orders, or from the rows that a sweep keeps of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, DecimalField, Exists, ExpressionWrapper, F, Min, OuterRef, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate

from config.kernel import clock
from config.kernel.money import round_sum
from orders.enums import OrderStatus
from orders.models import DailySales, LegalEntity, LinePart, Order, OrderLine, SalesChannel

UNSOLD = (OrderStatus.DRAFT, OrderStatus.CANCELLED, OrderStatus.VOID)
_AGREED = Coalesce(
    F("total_sent_amount") + F("changed_amount"), F("total_computed_amount"), output_field=DecimalField()
)
# `Order.owed_amount` in the database's words.
_TOTAL = ExpressionWrapper(_AGREED - F("cancelled_amount"), output_field=DecimalField())


@dataclass(frozen=True, slots=True)
class Sales:
    """Figures of one (day, channel id, currency)."""

    orders: int
    units: int
    revenue: Decimal


SalesKey = tuple[date, int, str]


def sold(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Orders that count as sold: neither drafts nor cancelled, void or test orders."""
    return rows.exclude(status__in=UNSOLD).filter(is_test=False)


def sold_on(
    rows: QuerySet[Order], day: date, *, channel_ids: Sequence[int] | None = None, currency: str = ""
) -> QuerySet[Order]:
    """The orders that `DailySales` of this day count, each in its legal entity's zone; two statements."""
    entities = LegalEntity.objects.all()
    placed = rows.none()
    for zone in sorted({entity.time_zone for entity in entities}):
        first, last = _moments(day, day, zone)
        ids = [entity.pk for entity in entities if entity.time_zone == zone]
        placed = placed | rows.filter(placed_at__gte=first, placed_at__lt=last, legal_entity__in=ids)
    found = sold(placed)
    if channel_ids is not None:
        found = found.filter(sales_channel__in=channel_ids)
    return found.filter(currency=currency) if currency else found


def counted_sales(entity: LegalEntity, first: date | None, last: date) -> dict[SalesKey, Sales]:
    """Sales of a legal entity's days from `first` (None: from the beginning) to `last`, counted now, as the orders
    stand: with what was changed of them and without the units that were cancelled; three statements."""
    after, before = _moments(first or date(1970, 1, 2), last, entity.time_zone)
    zone = ZoneInfo(entity.time_zone)
    orders = sold(Order.objects.filter(legal_entity=entity, placed_at__gte=after, placed_at__lt=before))
    by_day = (
        orders.order_by()
        .annotate(day=TruncDate("placed_at", tzinfo=zone))
        .values_list("day", "sales_channel_id", "currency")
        .annotate(count=Count("pk"), revenue=Sum(_TOTAL))
    )
    units = (
        OrderLine.objects.filter(order__in=orders.order_by())
        .order_by()
        .annotate(day=TruncDate("order__placed_at", tzinfo=zone))
        .values_list("day", "order__sales_channel_id", "order__currency")
        .annotate(units=Sum("quantity"))
    )
    ordered = {(day, channel, currency): int(count) for day, channel, currency, count in units}
    for day, channel, currency, count in _cancelled_units(orders, zone):
        ordered[day, channel, currency] -= int(count)
    return {
        (day, channel, currency): Sales(count, ordered.get((day, channel, currency), 0), round_sum(revenue))
        for day, channel, currency, count, revenue in by_day
    }


def _cancelled_units(orders: QuerySet[Order], zone: ZoneInfo) -> Iterable[tuple[date, int, str, int]]:
    """(day, channel, currency, whole units) of the lines some of whose units were cancelled; one statement."""
    cancelled = LinePart.objects.filter(line=OuterRef("pk"), cancelled__gt=0)
    lines = OrderLine.objects.filter(Exists(cancelled), order__in=orders.order_by()).order_by()
    return (
        lines.annotate(day=TruncDate("order__placed_at", tzinfo=zone))
        .values("pk", "day", "order__sales_channel_id", "order__currency")
        .annotate(units=Min(F("parts__cancelled") / F("parts__per_unit")))
        .values_list("day", "order__sales_channel_id", "order__currency", "units")
    )


def sales_since(days: int) -> list[DailySales]:
    """The kept rows of the last so many days, today's among them, with their channels; one statement."""
    first = clock.today("UTC") - timedelta(days=days)
    rows = DailySales.objects.filter(day__gte=first).select_related("sales_channel")
    return list(rows.order_by("day", "sales_channel_id", "currency"))


def active_channels() -> list[SalesChannel]:
    """Channels that sell, by name, with their legal entities."""
    return list(SalesChannel.objects.filter(is_active=True).select_related("legal_entity"))


def _moments(first: date, last: date, time_zone: str) -> tuple[datetime, datetime]:
    zone = ZoneInfo(time_zone)
    begin = datetime.combine(first, time.min, tzinfo=zone)
    return begin, datetime.combine(last + timedelta(days=1), time.min, tzinfo=zone)
