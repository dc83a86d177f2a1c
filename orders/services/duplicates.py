"""Orders that look like one we already have, under another key of the channel."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from config.kernel.compiled_reads import CompiledRead
from config.kernel.fastpath import Among
from orders.enums import OrderStatus
from orders.models import Order, OrderLine, SalesChannel
from orders.services.order_rows import Draft

WINDOW = timedelta(hours=24)

Buyer = tuple[str, Decimal, str]
Content = tuple[tuple[str, int], ...]
Seen = dict[tuple[Buyer, Content], list[tuple[datetime, str]]]


def find_repeats(channel: SalesChannel, drafts: Sequence[Draft]) -> Mapping[str, str]:
    """For external ids of new orders: the order that each seems to repeat, by number, or by the channel's key
    where that one stands in the same batch.

    Alike are two of one channel with the same e-mail, total and lines, placed within 24 hours, neither of them
    cancelled. Two statements at most.
    """
    suspects = [
        draft
        for draft in drafts
        if draft.order.email and draft.neutral.total_amount is not None and not draft.is_cancelled
    ]
    seen = _earlier(channel, suspects) if suspects else {}
    repeats: dict[str, str] = {}
    for draft in suspects:
        content = _content([(line.sku_code, line.quantity) for line in draft.lines])
        alike = seen.setdefault((_buyer(draft.order), content), [])
        for placed_at, name in alike:
            if abs(draft.order.placed_at - placed_at) <= WINDOW:
                repeats[draft.order.external_id] = name
                break
        alike.append((draft.order.placed_at, draft.order.external_id))
    return repeats


def _earlier(channel: SalesChannel, suspects: Sequence[Draft]) -> Seen:
    times = [draft.order.placed_at for draft in suspects]
    buyers = {_buyer(draft.order) for draft in suspects}
    emails, totals = {buyer[0] for buyer in buyers}, {buyer[1] for buyer in buyers}
    rows = _alike(emails, totals, channel.pk, min(times) - WINDOW, max(times) + WINDOW)
    orders = [order for order in rows if _buyer(order) in buyers]
    lines: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for order_id, code, quantity in _lines([order.pk for order in orders]):
        lines[order_id].append((code, quantity))
    seen: Seen = defaultdict(list)
    for order in orders:
        seen[_buyer(order), _content(lines[order.pk])].append((order.placed_at, order.number))
    return seen


_alike = CompiledRead(
    lambda emails, totals, channel_id, since, until: (
        Order.objects.filter(
            Among("email", emails),
            Among("total_sent_amount", totals),
            sales_channel=channel_id,
            placed_at__gte=since,
            placed_at__lte=until,
        )
        .exclude(status__in=[OrderStatus.CANCELLED, OrderStatus.VOID])
        .only("number", "email", "total_sent_amount", "currency", "placed_at")
    )
)
_lines: CompiledRead[tuple[int, str, int]] = CompiledRead(
    lambda order_ids: (
        OrderLine.objects.filter(Among("order_id", order_ids))
        .order_by()
        .values_list("order_id", "sku_code", "quantity")
    )
)


def _buyer(order: Order) -> Buyer:
    return order.email, order.total_sent_amount or Decimal(0), order.currency


def _content(lines: Sequence[tuple[str, int]]) -> Content:
    return tuple(sorted(lines))
