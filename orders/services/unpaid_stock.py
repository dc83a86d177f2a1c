"""Stock of orders that nobody has paid: held for as long as their channel says.

The waiting units of an unpaid order get the same end as those that are held. Without it, units that went back would
go straight to the same order's own place in line; and it would stand before buyers who have paid.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.events import record_events
from config.kernel.fastpath import Among
from config.kernel.outbox import NewFact, record_facts
from inventory.services.reservations import end_reservations_at
from orders.enums import HoldKind
from orders.models import Hold, LinePart, Order, SalesChannel
from orders.selectors.demand import ORDER_LINE_PART
from orders.selectors.queues import to_allocate
from orders.services.stock_loss import units_entry

STOCK_DUE = "order.stock_due"
LIMITED, UNLIMITED = "stock_limited", "stock_unlimited"


def ends_of(orders: Sequence[Order], at: datetime) -> dict[int, datetime]:
    """Until when orders that are allocated at `at` hold what they get; who holds it without an end is left out.

    Give locked orders with their channels. One statement, none where no channel sets an end.
    """
    ends = {order.pk: end for order in orders if (end := _end(order.sales_channel, at)) is not None}
    if not ends:
        return {}
    unpaid = Hold.objects.filter(Among("order_id", ends), kind=HoldKind.UNPAID, lifted_at=None)
    return {pk: ends[pk] for pk in unpaid.values_list("order_id", flat=True)}


def limit_stock(orders: Sequence[Order], *, actor: Actor) -> None:
    """Give an end, counted from now, to what locked orders hold that have just become unpaid, and tell their
    timelines.

    Four statements for each span of hours, none where no channel sets one.
    """
    at = clock.now()
    by_end: dict[datetime, list[int]] = defaultdict(list)
    for order in orders:
        if (end := _end(order.sales_channel, at)) is not None:
            by_end[end].append(order.pk)
    for end, order_ids in sorted(by_end.items()):
        _end_at(order_ids, end, actor)


def keep_stock(order_ids: Collection[int], *, actor: Actor) -> None:
    """Take the end off what locked orders hold that are no longer unpaid, and tell their timelines; record that
    stock is due to those that gave theirs back or never had it. Six statements at most."""
    if not order_ids:
        return
    _end_at(order_ids, None, actor)
    lacking = to_allocate().filter(Among("pk", order_ids)).values_list("pk", flat=True)
    if facts := [NewFact(STOCK_DUE, ("order", pk)) for pk in lacking]:
        record_facts(facts)


def _end(channel: SalesChannel, at: datetime) -> datetime | None:
    hours = channel.unpaid_hold_hours
    return None if hours is None else at + timedelta(hours=hours)


def _end_at(order_ids: Collection[int], until: datetime | None, actor: Actor) -> None:
    """Change until when stock is held for orders; one event an order whose end changed."""
    parts = LinePart.objects.filter(Among("line__order_id", order_ids))
    order_of = dict(parts.values_list("pk", "line__order_id"))
    units: dict[int, dict[str, int]] = defaultdict(dict)
    for part_id, count in end_reservations_at(ORDER_LINE_PART, list(order_of), until=until).items():
        units[order_of[part_id]][str(part_id)] = count
    kind, more = (UNLIMITED, {}) if until is None else (LIMITED, {"until": until.isoformat()})
    entries = [units_entry(kind, order_id, some, **more) for order_id, some in sorted(units.items())]
    if entries:
        record_events(entries, actor=actor)
