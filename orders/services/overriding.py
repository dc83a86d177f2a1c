"""Another authority chooses where orders ship from, whatever the planner says."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput, NotFound
from config.kernel.events import Entry, Thread, record_events
from config.kernel.results import Results
from inventory.errors import LocationClosed, QueueJumped
from inventory.models import Location, Sku, StockLevel
from inventory.selectors.queue import waiting_in_line
from inventory.services.levels import by_place
from inventory.services.queueing import may_give_nothing
from inventory.services.reservations import Move, move_reservations
from orders.errors import LocationShort, UnitsAtWork
from orders.models import AllocationDecision, Order
from orders.planner import Outcome
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.moving_stock import Movable, find_movable, moves_to
from orders.services.versions import count_up

OVERRIDE = "orders.override_allocation"
OVERRIDDEN = "allocation_overridden"
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Override:
    """The one location that an order shall ship its reserved units from."""

    order_id: int
    location_id: int

    @property
    def key(self) -> int:
        return self.order_id


@dataclass(slots=True)
class _Desk:
    """What a batch of overrides looks at; `free` by level moves on with each order that passes."""

    places: Mapping[int, Location]
    levels: Mapping[tuple[int, int], StockLevel]
    free: dict[int, int]
    waiting: Mapping[int, int]
    codes: Mapping[int, str]


@verb
def override_allocation(requests: Sequence[Override], *, reason: str, actor: Actor) -> Results[int]:
    """Promise all reserved units of orders from the one location that a person names.

    At most 200 orders. Locks the orders by ascending pk, then all levels of their SKUs. The location may be one that
    the planner would not choose, also one that ships no orders by itself, but not a closed one. Units keep
    their place in line; waiting ones go on waiting. Who chose and why (1 to 300 characters) stands on the stored
    decision. An order whose units are there already is `unchanged`.

    Refuses: `OrderClosed`, `HistoryOrder`, `NotPlaced`, `NothingReserved`, `UnitsAtWork` where another location is
    at work on it, `LocationClosed`, `LocationShort`, `QueueJumped` while others wait for the SKU of units that would
    come free for nobody, at a place that ships no more or in a buffer; `NotFound`. Raises `NotAllowed`,
    `InvalidInput` for the reason.
    """
    actor.require(OVERRIDE)
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise InvalidInput(field="reason", value=reason[:80], accepted=_("accepted are 1 to 300 characters"))
    results: Results[int] = Results(request.key for request in requests)
    with batch_transaction():
        orders = lock_orders(results.keys, actor=actor)
        refuse_unknown(results, orders)
        movable, levels = find_movable(orders, results)
        places = {request.order_id: request.location_id for request in requests}
        desk = _desk(movable, levels, set(places.values()))
        moves: list[Move] = []
        for one in movable:
            place_id = places[one.order.pk]
            if (problem := _refusal(one, place_id, desk)) is not None:
                results.refuse(one.order.pk, problem)
            elif found := _moves(one, place_id, desk):
                results.done(one.order.pk)
                moves += found
            else:
                results.unchanged(one.order.pk)
        if moves:
            move_reservations(moves, levels=levels)
            chosen = [one for one in movable if results.is_done(one.order.pk)]
            _record(chosen, places, reason.strip(), actor)
            count_up(results.done_ids)
    return results


def _desk(movable: Sequence[Movable], levels: Sequence[StockLevel], place_ids: set[int]) -> _Desk:
    sku_ids = {level.sku_id for level in levels}
    waiting: dict[int, int] = defaultdict(int)
    for row in waiting_in_line(sku_ids) if movable else ():
        waiting[row.sku_id] += row.quantity
    return _Desk(
        places=Location.objects.in_bulk(place_ids),
        levels=by_place(levels),
        free={level.pk: max(0, level.free) for level in levels},
        waiting=waiting,
        codes=dict(Sku.objects.filter(pk__in=sku_ids).values_list("pk", "code")),
    )


def _refusal(one: Movable, place_id: int, desk: _Desk) -> BancaleError | None:
    place = desk.places.get(place_id)
    if place is None:
        return NotFound()
    if not place.is_active:
        return LocationClosed(location=place.name)
    if [at for at in one.at_work if at != place_id]:
        return UnitsAtWork(number=one.order.number, line=one.names, work=one.work, left=0)
    keeping = {level.pk for level in desk.levels.values() if may_give_nothing(level)}
    for sku_id, units in _needed(one, place_id, desk).items():
        level = desk.levels.get((sku_id, place_id))
        free = 0 if level is None else desk.free[level.pk]
        if units > free:
            code = desk.codes.get(sku_id, "")
            return LocationShort(location=place.name, sku=code, free=free, asked=units)
        gives_nothing = any(
            cut.reservation.level_id in keeping for cut in one.cuts if cut.reservation.sku_id == sku_id
        )
        if gives_nothing and place.is_selling and desk.waiting.get(sku_id):
            return QueueJumped(waiting=desk.waiting[sku_id], free=free, asked=units)
    return None


def _needed(one: Movable, place_id: int, desk: _Desk) -> dict[int, int]:
    """Units by SKU that are reserved elsewhere."""
    needed: dict[int, int] = defaultdict(int)
    for cut in one.cuts:
        level = desk.levels.get((cut.reservation.sku_id, place_id))
        if level is None or cut.reservation.level_id != level.pk:
            needed[cut.reservation.sku_id] += cut.quantity
    return dict(needed)


def _moves(one: Movable, place_id: int, desk: _Desk) -> list[Move]:
    """The order's moves; what they take and leave is counted for the orders after it."""
    moves: list[Move] = []
    for sku_id, units in _needed(one, place_id, desk).items():
        level = desk.levels[sku_id, place_id]
        cuts = [cut for cut in one.cuts if cut.reservation.sku_id == sku_id]
        for move in moves_to(cuts, {level.pk: sum(cut.quantity for cut in cuts)}):
            desk.free[move.reservation.level_id or 0] += move.quantity
            moves.append(move)
        desk.free[level.pk] -= units
    return moves


def _record(movable: Sequence[Movable], places: Mapping[int, int], reason: str, actor: Actor) -> None:
    AllocationDecision.objects.bulk_create(
        AllocationDecision(
            order=one.order,
            decided_at=clock.now(),
            outcome=Outcome.WHOLE.value,
            chosen=_chosen(one, places[one.order.pk]),
            actor_kind=actor.kind,
            actor_id=actor.id,
            reason=reason,
        )
        for one in movable
    )
    record_events([_entry(one.order, places[one.order.pk], reason) for one in movable], actor=actor)


def _chosen(one: Movable, place_id: int) -> list[dict[str, int]]:
    units: dict[tuple[int, int], int] = defaultdict(int)
    for cut in one.cuts:
        units[cut.reservation.reference_id, cut.reservation.sku_id] += cut.quantity
    return [
        {"location": place_id, "part": part_id, "sku": sku_id, "quantity": count}
        for (part_id, sku_id), count in units.items()
    ]


def _entry(order: Order, place_id: int, reason: str) -> Entry:
    facts = {"reason": reason, "location": place_id}
    return Entry(("order", order.pk), Thread("order", order.pk), OVERRIDDEN, facts=facts)
