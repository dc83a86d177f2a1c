"""Planning orders anew: reserved units that nobody works on yet may be promised from better places."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.events import record_events
from config.kernel.results import Results
from inventory.errors import LocationClosed
from inventory.models import Reservation, StockLevel
from inventory.selectors.queue import waiting_in_line
from inventory.services.levels import by_place
from inventory.services.queueing import may_give_nothing
from inventory.services.reservations import Cut, Move, move_reservations
from orders.planner import Decision, Demand, Problem, Stand, Wish
from orders.planning import current_planner
from orders.selectors.demand import all_places, turn_of
from orders.services.allocating import ALLOCATE
from orders.services.decisions import given_entry, record_decisions
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.moving_stock import Movable, find_movable, moves_to
from orders.services.versions import count_up

REALLOCATED = "reallocated"
ByLevel = dict[int, int]


@verb
def reallocate_orders(order_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Choose anew where the reserved units of orders ship from; those that the warehouse was asked for stay.

    At most 200 ids. Locks the orders by ascending pk, then all levels of their SKUs. As many units stay reserved as
    before, of the same parts, in the same reservations, so that nobody loses a unit or a place in line; waiting
    ones go on waiting. Units that would come free for nobody, at a location that ships no more or in a buffer that
    is larger than what is left, move only where nobody waits for their SKU. Writes a decision for each order that
    moves, and its event. An order for which the planner chooses what it has is `unchanged`, and so is a second
    call. Values: the outcome code.

    Refuses: `OrderClosed`, `HistoryOrder`, `NotPlaced`, `NothingReserved`, `UnitsAtWork` where the warehouse was
    asked for all of it, `LocationClosed` where units stay at a location that is not active, since none are free
    elsewhere or others wait for them; `NotFound`. Raises `NotAllowed`.
    """
    actor.require(ALLOCATE)
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, actor=actor)
        refuse_unknown(results, orders)
        movable, levels = find_movable(orders, results)
        if not movable:
            return results
        decisions = _plan(movable, levels)
        moved: list[Decision] = []
        moves: list[Move] = []
        for one in movable:
            decision = decisions.get(one.order.pk)
            found = _moves(one, decision, levels) if decision is not None else []
            if decision is not None and found:
                results.done(one.order.pk, decision.outcome.value)
                moved.append(decision)
                moves += found
            elif (problem := _left_at_closed(one, levels)) is not None:
                results.refuse(one.order.pk, problem)
            else:
                results.unchanged(one.order.pk)
        if moves:
            part_of = {
                cut.reservation.pk: cut.reservation.reference_id for one in movable for cut in one.cuts
            }
            move_reservations(moves, levels=levels)
            record_decisions(moved, part_of=part_of, unknown={}, actor=actor)
            record_events([given_entry(decision, REALLOCATED) for decision in moved], actor=actor)
            count_up([decision.order_id for decision in moved])
    return results


def _left_at_closed(one: Movable, levels: Sequence[StockLevel]) -> LocationClosed | None:
    """Why nothing moves though the order's units are at a closed location."""
    at = {cut.reservation.level_id for cut in one.cuts}
    names = {level.location.name for level in levels if level.pk in at and not level.location.is_active}
    return LocationClosed(location=", ".join(sorted(names))) if names else None


def _plan(movable: Sequence[Movable], levels: Sequence[StockLevel]) -> Mapping[int, Decision]:
    """The planner's choice by order, without orders for which it would give up a unit: they keep what they have."""
    levels_by_id = {level.pk: level for level in levels}
    stuck = _stuck(movable, levels_by_id)
    chosen = sorted(movable, key=lambda one: _turn(one, stuck))
    while chosen:
        asking = {one.order.pk: _loose(one, stuck) for one in chosen}
        plan = current_planner().plan(_problem(chosen, asking, levels))
        worse = {decision.order_id for decision in plan.decisions if decision.missing}
        if not worse:
            return {decision.order_id: decision for decision in plan.decisions}
        chosen = [one for one in chosen if one.order.pk not in worse]
    return {}


def _stuck(movable: Iterable[Movable], levels: Mapping[int, StockLevel]) -> set[int]:
    """Reservations whose units would come free for nobody, of SKUs that somebody waits for: moving them would
    overtake."""
    rows = [cut.reservation for one in movable for cut in one.cuts]
    keeping = [row for row in rows if may_give_nothing(levels[row.level_id or 0])]
    if not keeping:
        return set()
    waited_for = {row.sku_id for row in waiting_in_line({row.sku_id for row in keeping})}
    return {row.pk for row in keeping if row.sku_id in waited_for}


def _loose(one: Movable, stuck: set[int]) -> list[Cut]:
    return [cut for cut in one.cuts if cut.reservation.pk not in stuck]


def _turn(one: Movable, stuck: set[int]) -> tuple[int, float, int]:
    rows: list[Reservation] = [cut.reservation for cut in one.cuts]
    first = min(rows, key=lambda row: (-row.priority, row.queued_at, row.pk))
    return -first.priority, first.queued_at.timestamp(), one.order.pk


def _problem(
    movable: Sequence[Movable], asking: Mapping[int, Sequence[Cut]], levels: Sequence[StockLevel]
) -> Problem:
    """Free units and those that the orders hold, without those in line: as many are taken as were held."""
    given: ByLevel = defaultdict(int)
    for cuts in asking.values():
        for cut in cuts:
            given[cut.reservation.level_id or 0] += cut.quantity
    return Problem(
        demands=tuple(
            Demand(one.order.pk, tuple(_wishes(asking[one.order.pk])), _favoured(one)) for one in movable
        ),
        stands=tuple(
            Stand(level.sku_id, level.location_id, max(0, level.free) + given.get(level.pk, 0))
            for level in levels
        ),
        places=all_places(),
    )


def _wishes(cuts: Iterable[Cut]) -> Iterable[Wish]:
    for cut in cuts:
        row = cut.reservation
        yield Wish(row.pk, row.sku_id, cut.quantity, turn_of(row))


def _favoured(one: Movable) -> tuple[int, ...]:
    preferred = one.order.preferred_location_id
    return (*one.at_work, *([preferred] if preferred else []))


def _moves(one: Movable, decision: Decision, levels: Sequence[StockLevel]) -> list[Move]:
    """By SKU, since it does not matter which of an order's parts gets which unit."""
    level_at = by_place(levels)
    wanted: dict[int, ByLevel] = defaultdict(lambda: defaultdict(int))
    for share in decision.shares:
        wanted[share.sku_id][level_at[share.sku_id, share.location_id].pk] += share.quantity
    keys = {share.key for share in decision.shares}
    moves: list[Move] = []
    for sku_id, goals in wanted.items():
        cuts = [cut for cut in one.cuts if cut.reservation.sku_id == sku_id and cut.reservation.pk in keys]
        moves += moves_to(cuts, goals)
    return moves
