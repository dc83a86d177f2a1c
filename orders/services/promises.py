"""For when orders are promised to leave, and that on the stock that is kept for them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db.models import Case, DateField, Value, When

from config.kernel import clock
from config.kernel.fastpath import Among
from inventory.services.reservations import promise_reservations_for
from orders.enums import FulfillmentStatus
from orders.models import LinePart, Order
from orders.selectors.demand import ORDER_LINE_PART
from orders.working_days import working_day

# Where an order's goods stand while no reservation of it lives.
UNRESERVED = (FulfillmentStatus.UNALLOCATED, FulfillmentStatus.NOTHING_TO_SHIP)


def dispatch_days(orders: Sequence[Order]) -> date | Case | None:
    """By when orders leave that are promised today, each by its channel's working days in its legal entity's zone:
    the day for all, or each one's own in SQL; the orders in memory have it already."""
    by_day: dict[date, list[int]] = defaultdict(list)
    for order in orders:
        channel = order.sales_channel
        order.dispatch_by_on = working_day(clock.today(order.legal_entity.time_zone), channel.dispatch_days)
        by_day[order.dispatch_by_on].append(order.pk)
    if len(by_day) < 2:
        return next(iter(by_day), None)
    days = [When(pk__in=pks, then=Value(day)) for day, pks in by_day.items()]
    return Case(*days, output_field=DateField())


def promised_at(order: Order) -> datetime | None:
    """The end of the day an order is promised to leave on, in its legal entity's zone."""
    day = order.dispatch_by_on
    return None if day is None else _end_of(day, order.legal_entity.time_zone)


def promise_stock(orders: Iterable[Order]) -> None:
    """Write for when locked orders are promised now onto what they hold and wait for; who loses units that turn
    out missing is chosen by it. One statement, none where no order had stock decided."""
    promised: dict[datetime, list[int]] = defaultdict(list)
    for order in orders:
        at = promised_at(order)
        if at is not None and order.fulfillment_status not in UNRESERVED:
            promised[at].append(order.pk)
    parts = {
        at: LinePart.objects.filter(Among("line__order_id", ids)).values("pk") for at, ids in promised.items()
    }
    promise_reservations_for(ORDER_LINE_PART, parts)


@lru_cache(maxsize=256)
def _end_of(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.max, tzinfo=ZoneInfo(zone)).astimezone(UTC)
