"""Lines that waited for their SKU come alive: it has been mapped, or made."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from config.kernel.actors import Actor
from config.kernel.batches import MAX_BATCH, batch_transaction, verb
from config.kernel.errors import InvalidInput
from config.kernel.events import Entry, Thread, record_events
from config.kernel.outbox import NewFact, record_facts
from config.kernel.results import Results
from orders.errors import HistoryOrder, OrderClosed
from orders.intake_rules import too_many_parts
from orders.models import LinePart, Order, OrderLine
from orders.parts import KnownSku, PartShare, split_line
from orders.selectors.unknown import knowable_order_ids
from orders.services.axes import refresh_axes
from orders.services.known_skus import find_skus
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.unknown_skus import follow_unknown_skus
from orders.services.versions import count_up

LINES_KNOWN = "order.lines_known"
SKU_MAPPED = "sku_mapped"
MAPPER = Actor.rule("SKU mapping")
COUNTERS = ("cancelled", "shipped", "delivered", "returned")
Large = Mapping[int, Mapping[str, InvalidInput]]
# Which parts of locked orders have become known, with what they are.
Finder = Callable[[Sequence[Order]], Iterator[tuple[LinePart, KnownSku]]]


@dataclass(frozen=True, slots=True)
class _Known:
    """One line, its single part that had no SKU, and what both become."""

    part: LinePart
    sku: KnownSku
    shares: tuple[PartShare, ...]

    @property
    def line(self) -> OrderLine:
        return self.part.line


@verb
def revive_orders(order_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Give the lines of open orders whose SKU has become known their SKU, kits their parts, frozen as they are now.

    At most 200 ids. Locks the orders by ascending pk. The parts keep the line's value to the coin and what was
    cancelled or had left before. The hold is lifted with the last unknown line; the fact `order.lines_known`
    lets allocation follow. An order of which nothing has become known is `unchanged`, as is a second call.
    A line that comes to more units of a part than can be counted stays as it is, and the hold says so.
    No rights are asked: who maps needs them.

    Refuses: `InvalidInput` for an order with such lines only, `OrderClosed`, `HistoryOrder`, `NotFound`.
    """
    return revived(order_ids, known_by_code, actor=actor)


def revived(
    order_ids: Sequence[int], known: Finder, *, actor: Actor, seen_by: Actor | None = None
) -> Results[int]:
    """Revive the parts that `known` finds, in a transaction; of orders that `seen_by` sees, where it is stated."""
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = {order.pk: order for order in lock_orders(order_ids, actor=seen_by)}
        refuse_unknown(results, list(orders.values()))
        for order in orders.values():
            if order.is_history:
                results.refuse(order.pk, HistoryOrder(number=order.number))
            elif order.is_closed:
                results.refuse(order.pk, OrderClosed(order.number, order.status))
        found, too_many = _become_known([orders[pk] for pk in results.open_ids], known)
        for pk in results.open_ids:
            if pk in found:
                results.done(pk)
            elif pk in too_many:
                results.refuse(pk, next(iter(too_many[pk].values())))
            else:
                results.unchanged(pk)
        if found:
            _write([known for some in found.values() for known in some])
        if found or too_many:
            _hold([orders[pk] for pk in sorted({*found, *too_many})], found, too_many, actor)
        if found:
            _tell([orders[pk] for pk in found], found, actor)
    return results


def revive_known_orders() -> int:
    """Revive every open order some line of which has become known, a transaction each 200; returns how many. Those
    that cannot be revived keep nobody waiting behind them."""
    total = last = 0
    while ids := knowable_order_ids(MAX_BATCH, after=last):
        total += len(revive_orders(ids, actor=MAPPER).done_ids)
        last = ids[-1]
    return total


def unknown_parts(orders: Sequence[Order]) -> QuerySet[LinePart]:
    """The single parts of lines without a SKU, with their line, by order."""
    parts = LinePart.objects.filter(line__order__in=orders, line__sku=None, sku=None)
    return parts.select_related("line").order_by("line__order_id", "pk")


def known_by_code(orders: Sequence[Order]) -> Iterator[tuple[LinePart, KnownSku]]:
    """Parts whose line's code means a SKU by now; one statement, and up to three a sales channel."""
    by_channel: dict[int, list[LinePart]] = defaultdict(list)
    channel_of = {order.pk: order.sales_channel_id for order in orders}
    for part in unknown_parts(orders):
        by_channel[channel_of[part.line.order_id]].append(part)
    for channel_id, some in by_channel.items():
        skus = find_skus({part.line.sku_code for part in some}, sales_channel_id=channel_id)
        for part in some:
            sku = skus.get(part.line.sku_code)
            if sku is not None and sku.shares != ():
                yield part, sku


def _become_known(orders: Sequence[Order], known: Finder) -> tuple[dict[int, list[_Known]], Large]:
    """By order, and what is wrong with lines that are too large; the statements of `known`."""
    order_of = {order.pk: order for order in orders}
    found: dict[int, list[_Known]] = defaultdict(list)
    too_many: dict[int, dict[str, InvalidInput]] = defaultdict(dict)
    for part, sku in known(orders):
        line = part.line
        if (problem := too_many_parts(_name(line), line.quantity, sku)) is not None:
            too_many[line.order_id][_name(line)] = problem
            continue
        currency = order_of[line.order_id].currency
        shares = split_line(sku, quantity=line.quantity, total=line.total_amount, currency=currency)
        found[line.order_id].append(_Known(part, sku, shares))
    return dict(found), too_many


def _name(line: OrderLine) -> str:
    """As the hold names it."""
    return line.sku_code or line.title


def _write(known: Sequence[_Known]) -> None:
    """The part that stood for the unknown becomes the first of the line's parts; the others are new."""
    for one in known:
        one.line.sku_id = one.sku.pk
    OrderLine.objects.bulk_update([one.line for one in known], ["sku"])
    new = [part for one in known for part in _parts(one)]
    columns = ["sku", "per_unit", "value_weight", "value_amount", "ordered", *COUNTERS]
    LinePart.objects.bulk_update([one.part for one in known], columns)
    LinePart.objects.bulk_create(new)


def _parts(one: _Known) -> Iterator[LinePart]:
    """Writes the first share on the part that is there and yields the further ones."""
    units = {name: getattr(one.part, name) for name in COUNTERS}
    for place, share in enumerate(one.shares):
        part = LinePart(line=one.line) if place else one.part
        part.sku_id, part.per_unit, part.value_weight = share.sku_id, share.per_unit, share.value_weight
        part.ordered, part.value_amount = share.ordered, share.value_amount
        for name, count in units.items():
            setattr(part, name, count * share.per_unit)
        if place:
            yield part


def _hold(orders: Sequence[Order], found: Collection[int], too_many: Large, actor: Actor) -> None:
    """What is still unknown is named by the hold; whoever sees an order from before has to look again."""
    changed = follow_unknown_skus(
        orders, too_many={order.pk: list(too_many.get(order.pk, ())) for order in orders}, actor=actor
    )
    count_up(changed.union(found))


def _tell(orders: Sequence[Order], found: Mapping[int, Sequence[_Known]], actor: Actor) -> None:
    refresh_axes(orders)
    entries = [
        Entry(("order", pk), Thread("order", pk), SKU_MAPPED, facts={"code": code, "sku": sku_id})
        for pk, some in found.items()
        for code, sku_id in dict.fromkeys((_name(one.line), one.sku.pk) for one in some)
    ]
    record_events(entries, actor=actor)
    record_facts([NewFact(LINES_KNOWN, ("order", order.pk)) for order in orders])
