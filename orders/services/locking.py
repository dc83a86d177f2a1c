"""The row locks of this room, as named functions."""

from collections.abc import Iterable, Sequence

from config.kernel.actors import Actor
from config.kernel.errors import NotFound
from config.kernel.fastpath import Among, attach
from config.kernel.locks import lock_rows
from config.kernel.results import Results
from config.kernel.visibility import seen_by
from orders.models import LegalEntity, Order, SalesChannel


def lock_orders(
    order_ids: Iterable[int], *, columns: Sequence[str] = (), actor: Actor | None = None
) -> list[Order]:
    """Lock orders by ascending pk, with their channel and legal entity; two statements, three where a channel
    has changed hands since. Unknown ids are left out, and so are orders that the `actor` of a verb does not see.
    With `columns` only these are read, for verbs that bear the load; any other would ask once an order."""
    rows = Order.objects.filter(Among("pk", set(order_ids)))
    rows = seen_by(actor, rows) if actor is not None else rows
    orders = lock_rows("order", rows.only(*columns) if columns else rows)
    if orders:
        of_orders = {order.sales_channel_id for order in orders}
        channels = SalesChannel.objects.select_related("legal_entity").in_bulk(of_orders)
        entities = {channel.legal_entity_id: channel.legal_entity for channel in channels.values()}
        if former := {order.legal_entity_id for order in orders} - set(entities):
            entities |= LegalEntity.objects.in_bulk(former)
        attach(orders, "sales_channel", channels)
        attach(orders, "legal_entity", entities)
    return orders


def refuse_unknown(results: Results[int], orders: Sequence[Order]) -> None:
    """Refuse with `NotFound` every key of `results` that no locked order answers to."""
    found = {order.pk for order in orders}
    for key in results.keys:
        if key not in found:
            results.refuse(key, NotFound())
