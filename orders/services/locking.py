"""The row locks of this room, as named functions."""

from collections.abc import Iterable, Sequence
from functools import cache, partial

from django.db.models import QuerySet

from config.kernel.actors import Actor
from config.kernel.compiled_reads import CompiledRead
from config.kernel.errors import NotFound
from config.kernel.fastpath import Among, attach
from config.kernel.locks import LockingRead, lock_rows
from config.kernel.results import Results
from config.kernel.visibility import bound_of
from orders.models import LegalEntity, Order, SalesChannel

read_channels = CompiledRead(
    lambda pks: SalesChannel.objects.filter(Among("pk", pks)).select_related("legal_entity").order_by()
)


def lock_orders(
    order_ids: Iterable[int], *, columns: Sequence[str] = (), actor: Actor | None = None
) -> list[Order]:
    """Lock orders by ascending pk, with their channel and legal entity; two statements, three where a channel
    has changed hands since. Unknown ids are left out, and so are orders that the `actor` of a verb does not see.
    With `columns` only these are read, for verbs that bear the load; any other would ask once an order."""
    wanted = set(order_ids)
    bound = None if actor is None else bound_of(actor, Order)
    if bound is None:
        orders = _locking(tuple(columns))(wanted)
    else:
        orders = lock_rows("order", _rows(wanted, columns).filter(bound))
    if orders:
        channels = {row.pk: row for row in read_channels({order.sales_channel_id for order in orders})}
        entities = {channel.legal_entity_id: channel.legal_entity for channel in channels.values()}
        if former := {order.legal_entity_id for order in orders} - set(entities):
            entities |= LegalEntity.objects.in_bulk(former)
        attach(orders, "sales_channel", channels)
        attach(orders, "legal_entity", entities)
    return orders


@cache
def _locking(columns: tuple[str, ...]) -> LockingRead[Order]:
    return LockingRead("order", partial(_rows, columns=columns))


def _rows(order_ids: Iterable[int], columns: Sequence[str]) -> QuerySet[Order]:
    rows = Order.objects.filter(Among("pk", order_ids))
    return rows.only(*columns) if columns else rows


def refuse_unknown(results: Results[int], orders: Sequence[Order]) -> None:
    """Refuse with `NotFound` every key of `results` that no locked order answers to."""
    found = {order.pk for order in orders}
    for key in results.keys:
        if key not in found:
            results.refuse(key, NotFound())
