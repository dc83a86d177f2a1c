"""The row locks of this room, as named functions."""

from collections.abc import Iterable, Sequence

from config.kernel.errors import NotFound
from config.kernel.locks import lock_rows
from config.kernel.results import Results
from orders.models import Order


def lock_orders(order_ids: Iterable[int]) -> list[Order]:
    """Lock orders by ascending pk, with their channel and legal entity; one statement. Unknown ids are left out."""
    rows = Order.objects.select_related("sales_channel", "legal_entity").filter(pk__in=set(order_ids))
    return lock_rows("order", rows)


def refuse_unknown(results: Results[int], orders: Sequence[Order]) -> None:
    """Refuse with `NotFound` every key of `results` that no locked order answers to."""
    found = {order.pk for order in orders}
    for key in results.keys:
        if key not in found:
            results.refuse(key, NotFound())
