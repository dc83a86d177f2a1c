"""Serve the backorder queue of SKUs when units have come free."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import MAX_BATCH, batch_transaction, verb
from config.kernel.errors import NotFound
from config.kernel.events import record_events
from config.kernel.results import Results
from inventory.models import Reservation, Sku, StockLevel
from inventory.selectors.expiry import is_overdue
from inventory.services.levels import by_place, lock_levels
from inventory.services.reservations import Fill, fill_reservations
from orders.models import LinePart, Order
from orders.planner import Decision, Demand, Problem, Share, Stand, Wish
from orders.planning import current_planner
from orders.selectors import demand
from orders.selectors.demand import ORDER_LINE_PART
from orders.services.axes import refresh_axes
from orders.services.counters import write_counters
from orders.services.decisions import given_entry, record_decisions
from orders.services.locking import lock_orders


def fill_backorders(sku_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Give free units of SKUs to the reservations waiting for them, strictly in queue order.

    At most 200 ids; call it outside any transaction. Works in rounds of up to 200 orders, a transaction each:
    locks those orders by ascending pk, then all levels of the SKUs, and reads the queue again. Nobody is
    overtaken: units owed to a reservation that a round did not lock stay free for the next. One whose time has run out
    gets nothing, and is owed its units until the sweep has closed it. The last one served may get a part of what it
    waits for. A SKU nobody got a unit of comes back `unchanged`; repeating the call
    changes nothing. Values: units given, also of a SKU that is refused after some of its rounds.

    Refuses: `NotFound`; `Conflict` where a later round of the SKU broke.
    """
    given: dict[int, int] = defaultdict(int)
    results = _fill_rounds(sku_ids, given=given, actor=actor)
    results.values |= given
    return results


@verb
def _fill_rounds(sku_ids: Sequence[int], *, given: dict[int, int], actor: Actor) -> Results[int]:
    """`given` grows by each round that is committed, so that it outlives what is tried again or halved."""
    results = Results(sku_ids)
    known = set(Sku.objects.filter(pk__in=results.keys).values_list("pk", flat=True))
    while filled := _round(sorted(known), actor):
        for sku_id, units in filled.items():
            given[sku_id] += units
    for sku_id in results.keys:
        if sku_id not in known:
            results.refuse(sku_id, NotFound())
        elif sku_id in given:
            results.done(sku_id, given[sku_id])
        else:
            results.unchanged(sku_id)
    return results


def _round(sku_ids: Sequence[int], actor: Actor) -> dict[int, int]:
    """Fill what the next orders in line can get; units given by SKU, empty when nothing could be."""
    with batch_transaction():
        orders = lock_orders(_next_in_line(sku_ids))
        if not orders:
            return {}
        levels = lock_levels(sku_ids)
        waiting = demand.within_reach(sku_ids, demand.selling_units(levels))
        parts = _parts_of(orders, waiting)
        decisions = current_planner().plan(_problem(orders, parts, waiting, levels)).decisions
        return _write(orders, decisions, waiting, levels, parts, actor)


def _next_in_line(sku_ids: Sequence[int]) -> set[int]:
    """Order ids that the free units reach, as it looks before any lock."""
    levels = StockLevel.objects.filter(sku__in=sku_ids).select_related("location")
    rows = demand.within_reach(sku_ids, demand.selling_units(levels))
    at = clock.now()
    reached = [row.reference_id for row in rows if _is_served(row, at)]
    order_of = dict(LinePart.objects.filter(pk__in=reached).values_list("pk", "line__order_id"))
    return set(list(dict.fromkeys(order_of[part] for part in reached if part in order_of))[:MAX_BATCH])


def _is_served(row: Reservation, at: datetime) -> bool:
    return row.reference_kind == ORDER_LINE_PART and not is_overdue(row, at)


def _parts_of(orders: Sequence[Order], waiting: Sequence[Reservation]) -> dict[int, LinePart]:
    """The parts of these orders that free units reach, by pk."""
    ids = [row.reference_id for row in waiting if row.reference_kind == ORDER_LINE_PART]
    parts = LinePart.objects.filter(pk__in=ids, line__order__in=orders).select_related("line")
    return {part.pk: part for part in parts}


def _problem(
    orders: Sequence[Order],
    parts: dict[int, LinePart],
    waiting: Sequence[Reservation],
    levels: Sequence[StockLevel],
) -> Problem:
    """Each locked order's waiting reservations are its wishes; everybody else only stands in line."""
    at = clock.now()
    mine = [row for row in waiting if row.reference_id in parts and _is_served(row, at)]
    ids = {row.pk for row in mine}
    wishes: dict[int, list[Wish]] = defaultdict(list)
    for row in mine:
        order_id = parts[row.reference_id].line.order_id
        wishes[order_id].append(Wish(row.pk, row.sku_id, row.quantity, demand.turn_of(row)))
    used = demand.used_locations(list(parts.values()), demand.claimed_units(parts))
    preferred = {order.pk: order.preferred_location_id for order in orders}
    return Problem(
        demands=tuple(
            Demand(order_id, tuple(some), _favoured(used.get(order_id, []), preferred[order_id]))
            for order_id, some in wishes.items()
        ),
        stands=tuple(Stand(level.sku_id, level.location_id, level.free) for level in levels),
        places=demand.all_places(),
        waiting=demand.in_line(row for row in waiting if row.pk not in ids),
    )


def _favoured(used: Sequence[int], preferred: int | None) -> tuple[int, ...]:
    return (*used, *([preferred] if preferred else []))


def _write(
    orders: Sequence[Order],
    decisions: Sequence[Decision],
    waiting: Sequence[Reservation],
    levels: Sequence[StockLevel],
    parts: dict[int, LinePart],
    actor: Actor,
) -> dict[int, int]:
    served = [decision for decision in decisions if decision.shares]
    if not served:
        return {}
    shares = [share for decision in served for share in decision.shares]
    part_of = {row.pk: row.reference_id for row in waiting}
    given: dict[int, int] = defaultdict(int)
    for share in shares:
        parts[part_of[share.key]].allocated += share.quantity
        given[share.sku_id] += share.quantity
    _fill(shares, waiting, levels)
    write_counters([parts[pk] for pk in sorted({part_of[share.key] for share in shares})], ["allocated"])
    record_decisions(served, part_of=part_of, unknown={}, actor=actor)
    record_events([given_entry(decision, "backorder_filled") for decision in served], actor=actor)
    reached = {decision.order_id for decision in served}
    refresh_axes([order for order in orders if order.pk in reached])
    return given


def _fill(shares: Sequence[Share], waiting: Sequence[Reservation], levels: Sequence[StockLevel]) -> None:
    """Fill reservations; one that several locations serve gets its next share in another pass."""
    rows, level_at = {row.pk: row for row in waiting}, by_place(levels)
    turns: dict[int, int] = defaultdict(int)
    passes: dict[int, list[Fill]] = defaultdict(list)
    for share in shares:
        level = level_at[share.sku_id, share.location_id]
        passes[turns[share.key]].append(Fill(rows[share.key], level.pk, share.quantity))
        turns[share.key] += 1
    for number in sorted(passes):
        fill_reservations(passes[number], levels=levels)
