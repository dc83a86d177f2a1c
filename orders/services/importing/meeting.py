"""Orders of a file that we have already: what the last import of each held, told without reading the order."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from config.kernel.fastpath import Among
from orders.enums import ImportResult, OrderStatus
from orders.models import ImportOrder, Order


@dataclass(frozen=True, slots=True)
class Before:
    """What an order's last import came to."""

    digest: str
    currency: str
    total_amount: Decimal | None
    units: int


def known_orders(sales_channel_id: int, external_ids: Collection[str]) -> dict[str, int]:
    """Orders that we have, void ones apart, by the channel's id; one statement."""
    rows = Order.objects.filter(Among("external_id", external_ids), sales_channel=sales_channel_id)
    return dict(rows.exclude(status=OrderStatus.VOID).values_list("external_id", "pk"))


def last_imports(order_ids: Collection[int]) -> dict[int, Before]:
    """What the last import that made or changed each of these orders held; one statement."""
    if not order_ids:
        return {}
    applied = ImportOrder.objects.filter(
        Among("order_id", order_ids), result__in=[ImportResult.CREATED, ImportResult.UPDATED]
    )
    rows = applied.order_by("pk").values_list("order_id", "digest", "currency", "total_amount", "units")
    return {
        order_id: Before(digest, currency, total, units)
        for order_id, digest, currency, total, units in rows
        if order_id is not None
    }
