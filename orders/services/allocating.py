"""Give orders their stock: reserve what is there, stand in line for the rest, and say why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.events import record_events
from config.kernel.results import Results
from inventory.errors import KitHoldsNoStock
from inventory.services.levels import Stock, by_place, lock_stock
from inventory.services.reservations import Claim, place_reservations
from orders.axes import PartState
from orders.enums import OrderStatus, Step
from orders.errors import HistoryOrder, HoldOpen, NotPlaced, OrderClosed, OrderIsTest, SkuUnknown
from orders.models import Hold, LinePart, Order
from orders.planner import Decision, Demand, Problem, Stand, Turn, Wish
from orders.planning import current_planner
from orders.selectors import demand
from orders.selectors.demand import MOMENT, ORDER_LINE_PART
from orders.selectors.holds import open_holds, refusing
from orders.services.axes import settle_fulfillment
from orders.services.counters import write_counters
from orders.services.decisions import given_entry, missing_entry, record_decisions
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.promises import promised_at
from orders.services.unpaid_stock import ends_of

ALLOCATE = "orders.allocate_order"
READ = (
    "number", "status", "version", "is_history", "sales_channel", "legal_entity", "placed_at", "dispatch_by_on",
    "preferred_location", "fulfillment_status", "payment_status", "allocated_quantity", "undecided_quantity",
    "total_sent_amount", "total_computed_amount", "changed_amount", "cancelled_amount", "is_test",
)  # fmt: skip
READ_OF_PARTS = (
    "sku", "ordered", "cancelled", "allocated", "shipped", "delivered", "line__order", "line__sku_code", "line__title",
)  # fmt: skip
# Who allocates when nobody asked for it.
BY_RULE = Actor.rule("allocation")


@dataclass(slots=True)
class _Asking:
    """One order with its goods, and by part the units that no reservation covers yet and those that wait."""

    order: Order
    goods: list[LinePart]
    units: dict[int, int]
    waiting: dict[int, int]
    used: list[int]
    known: list[LinePart]
    unknown: list[LinePart]

    def states(self) -> list[PartState]:
        """The goods as they stand in memory."""
        return [
            PartState(
                part.ordered,
                part.cancelled,
                part.allocated,
                self.waiting.get(part.pk, 0),
                part.shipped,
                part.delivered,
            )
            for part in self.goods
        ]


@verb
def allocate_orders(order_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Decide every undecided unit of orders: reserve it at a location or let it wait in the queue of its SKU.

    At most 200 ids. Locks the orders by ascending pk, then those of their SKUs that have no level, then all levels.
    Does not wait for confirm.
    Writes reservations, the parts' counters, one `AllocationDecision` an order, axes and timeline. An order
    without undecided units comes back `unchanged`; repeating the call changes nothing. Values: the outcome code.
    Lines whose SKU is unknown are left out and named in the decision. What an unpaid order gets, it gets until
    the end that its channel sets.

    Refuses: `OrderClosed`, `HistoryOrder`, `NotPlaced` (a draft), `OrderIsTest`, `HoldOpen`, `SkuUnknown` (nothing
    else is left), `KitHoldsNoStock` where a SKU has become a kit since it was ordered, `NotFound`; `NotAllowed` raised.
    """
    actor.require(ALLOCATE)
    results = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, columns=READ, actor=actor)
        refuse_unknown(results, orders)
        holds = open_holds([order.pk for order in orders])
        asking = _asking([order for order in orders if _is_fit(order, holds, results)], results)
        if not asking:
            return results
        stock = lock_stock(_skus(asking))
        asking = [one for one in asking if _is_plain(one, stock, results)]
        if not asking:
            return results
        decisions = _decide(asking, stock, actor)
        settle_fulfillment([one.order for one in asking], {one.order.pk: one.states() for one in asking})
        for decision in decisions:
            results.done(decision.order_id, decision.outcome.value)
    return results


def allocate_locked(orders: Sequence[Order], stock: Stock, *, actor: Actor) -> None:
    """Decide what is undecided of locked orders inside another verb, which refreshes their axes.

    `stock` is that of all their SKUs, locked. Parts whose SKU has become a kit stay undecided. No rights are asked
    here.
    """
    asking = _asking(orders, Results(order.pk for order in orders))
    for one in asking if stock.kits else ():
        one.known = [part for part in one.known if part.sku_id not in stock.kits]
    if asking := [one for one in asking if one.known]:
        _decide(asking, stock, actor)


def _skus(asking: Sequence[_Asking]) -> set[int]:
    return {part.sku_id for one in asking for part in one.known if part.sku_id}


def _is_plain(one: _Asking, stock: Stock, results: Results[int]) -> bool:
    kits = [stock.kits[pk] for pk in sorted(_skus([one]) & stock.kits.keys())] if stock.kits else []
    if kits:
        results.refuse(one.order.pk, KitHoldsNoStock(sku=kits[0]))
    return not kits


def _decide(asking: Sequence[_Asking], stock: Stock, actor: Actor) -> Sequence[Decision]:
    at = clock.now()
    lines = demand.lines_of(_skus(asking))
    joins = {sku_id: line.joined(at) for sku_id, line in lines.items()}
    joined: dict[int, datetime] = {}
    for place, one in enumerate(asking):
        later = MOMENT * place
        joined.update((part.pk, joins[part.sku_id or 0] + later) for part in one.known)
    decisions = current_planner().plan(_problem(asking, stock, joined, lines)).decisions
    _write(asking, decisions, stock, joined, at)
    _record(asking, decisions, actor)
    return decisions


def _is_fit(order: Order, holds: Mapping[int, Sequence[Hold]], results: Results[int]) -> bool:
    refusing_holds = refusing(holds.get(order.pk, ()), Step.ALLOCATE)
    if order.is_history:
        results.refuse(order.pk, HistoryOrder(number=order.number))
    elif order.is_closed:
        results.refuse(order.pk, OrderClosed(order.number, order.status))
    elif order.status == OrderStatus.DRAFT:
        results.refuse(order.pk, NotPlaced(number=order.number))
    elif order.is_test:
        results.refuse(order.pk, OrderIsTest(number=order.number))
    elif refusing_holds:
        results.refuse(order.pk, HoldOpen(Step.ALLOCATE, [hold.kind for hold in refusing_holds]))
    else:
        return True
    return False


def _asking(orders: Sequence[Order], results: Results[int]) -> list[_Asking]:
    """Orders with undecided units in the sequence in which they may choose; the others are answered."""
    parts = demand.goods_parts([order.pk for order in orders], columns=READ_OF_PARTS)
    claimed = demand.claimed_units([part.pk for part in parts])
    used = demand.used_locations(parts, claimed)
    of_order: dict[int, list[LinePart]] = {order.pk: [] for order in orders}
    for part in parts:
        of_order[part.line.order_id].append(part)
    units = {part.pk: part.remaining - claimed[part.pk].units for part in parts}
    waiting = {pk: one.waiting for pk, one in claimed.items()}
    asking = []
    for order in sorted(orders, key=lambda one: (-one.sales_channel.priority, one.placed_at, one.pk)):
        goods = of_order[order.pk]
        undecided = [part for part in goods if units[part.pk] > 0]
        one = _Asking(
            order, goods, units, waiting, used.get(order.pk, []),
            known=[part for part in undecided if part.sku_id is not None],
            unknown=[part for part in undecided if part.sku_id is None],
        )  # fmt: skip
        if one.known:
            asking.append(one)
        elif one.unknown:
            sent = ", ".join(part.line.sku_code or part.line.title for part in one.unknown)
            results.refuse(order.pk, SkuUnknown(number=order.number, sent=sent))
        else:
            results.unchanged(order.pk)
    return asking


def _problem(
    asking: Sequence[_Asking], stock: Stock, joined: Mapping[int, datetime], lines: Mapping[int, demand.Line]
) -> Problem:
    return Problem(
        demands=tuple(_demand(one, joined) for one in asking),
        stands=tuple(Stand(level.sku_id, level.location_id, level.free) for level in stock.levels),
        places=demand.all_places(stock.places),
        waiting=tuple(waiting for line in lines.values() for waiting in line.waiting),
    )


def _demand(one: _Asking, joined: Mapping[int, datetime]) -> Demand:
    priority = one.order.sales_channel.priority
    turns = {at: Turn(priority, at) for at in {joined[part.pk] for part in one.known}}
    wishes = tuple(
        Wish(part.pk, part.sku_id or 0, one.units[part.pk], turns[joined[part.pk]]) for part in one.known
    )
    preferred = one.order.preferred_location_id
    return Demand(one.order.pk, wishes, (*one.used, *([preferred] if preferred else [])))


def _write(
    asking: Sequence[_Asking],
    decisions: Sequence[Decision],
    stock: Stock,
    joined: Mapping[int, datetime],
    at: datetime,
) -> None:
    """Reservations in the sequence of the decisions, then the counters."""
    level_at = by_place(stock.levels)
    of_order = {one.order.pk: one for one in asking}
    parts = {part.pk: part for one in asking for part in one.known}
    ends = ends_of([one.order for one in asking], at)
    claims = []
    for decision in decisions:
        one = of_order[decision.order_id]
        order = one.order
        promised, priority = promised_at(order), order.sales_channel.priority
        until = ends.get(order.pk)
        for share in decision.shares:
            level, since = level_at[share.sku_id, share.location_id], joined[share.key]
            parts[share.key].allocated += share.quantity
            claims.append(
                Claim(share.sku_id, level.pk, share.quantity, share.key, priority, since, promised, until)
            )
        for missing in decision.missing:
            one.waiting[missing.key] += missing.quantity
            since = joined[missing.key]
            claims.append(
                Claim(missing.sku_id, None, missing.quantity, missing.key, priority, since, promised, until)
            )
    place_reservations(ORDER_LINE_PART, claims, levels=stock.levels, kits=stock.kits)
    given = {share.key for decision in decisions for share in decision.shares}
    write_counters([parts[pk] for pk in sorted(given)], ["allocated"])


def _record(asking: Sequence[_Asking], decisions: Sequence[Decision], actor: Actor) -> None:
    unknown = {one.order.pk: [(part.pk, one.units[part.pk]) for part in one.unknown] for one in asking}
    parts = {part.pk: part.pk for one in asking for part in one.known}
    record_decisions(decisions, part_of=parts, unknown=unknown, actor=actor)
    given = [given_entry(decision, "allocated") for decision in decisions if decision.shares]
    missing = [missing_entry(decision, "backordered") for decision in decisions if decision.missing]
    record_events([*given, *missing], actor=actor)
