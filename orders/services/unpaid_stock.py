"""Stock of orders that nobody has paid: held for as long as their channel says.

The waiting units of an unpaid order get the same end as those that are held. Without it, units that went back would
go straight to the same order's own place in line; and it would stand before buyers who have paid.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from config.kernel import clock
from config.kernel.fastpath import Among
from config.kernel.outbox import NewFact, record_facts
from inventory.services.reservations import end_reservations_at
from orders.enums import HoldKind
from orders.models import Hold, LinePart, Order, SalesChannel
from orders.selectors.demand import ORDER_LINE_PART
from orders.selectors.queues import to_allocate

STOCK_DUE = "order.stock_due"


def ends_of(orders: Sequence[Order], at: datetime) -> dict[int, datetime]:
    """Until when orders that are allocated at `at` hold what they get; who holds it without an end is left out.

    Give locked orders with their channels. One statement, none where no channel sets an end.
    """
    ends = {order.pk: end for order in orders if (end := _end(order.sales_channel, at)) is not None}
    if not ends:
        return {}
    unpaid = Hold.objects.filter(Among("order_id", ends), kind=HoldKind.UNPAID, lifted_at=None)
    return {pk: ends[pk] for pk in unpaid.values_list("order_id", flat=True)}


def limit_stock(orders: Sequence[Order]) -> None:
    """Give an end, counted from now, to what locked orders hold that have just become unpaid.

    Two statements for each span of hours, none where no channel sets one.
    """
    at = clock.now()
    by_end: dict[datetime, list[int]] = defaultdict(list)
    for order in orders:
        if (end := _end(order.sales_channel, at)) is not None:
            by_end[end].append(order.pk)
    for end, order_ids in sorted(by_end.items()):
        end_reservations_at(ORDER_LINE_PART, _part_ids(order_ids), until=end)


def keep_stock(order_ids: Collection[int]) -> None:
    """Take the end off what locked orders hold that are no longer unpaid; record that stock is due to those that
    gave theirs back or never had it. Four statements at most."""
    if not order_ids:
        return
    end_reservations_at(ORDER_LINE_PART, _part_ids(order_ids), until=None)
    lacking = to_allocate().filter(Among("pk", order_ids)).values_list("pk", flat=True)
    if facts := [NewFact(STOCK_DUE, ("order", pk)) for pk in lacking]:
        record_facts(facts)


def _end(channel: SalesChannel, at: datetime) -> datetime | None:
    hours = channel.unpaid_hold_hours
    return None if hours is None else at + timedelta(hours=hours)


def _part_ids(order_ids: Collection[int]) -> list[int]:
    parts = LinePart.objects.filter(Among("line__order_id", order_ids))
    return list(parts.values_list("pk", flat=True))
