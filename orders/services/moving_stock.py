"""What reallocating and overriding share: orders whose reserved units may move, and the moves that a choice needs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from config.kernel.errors import BancaleError
from config.kernel.results import Results
from inventory.models import StockLevel
from inventory.services.levels import lock_levels
from inventory.services.reservations import Cut, Move
from orders.enums import OrderStatus
from orders.errors import HistoryOrder, NothingReserved, NotPlaced, OrderClosed, UnitsAtWork
from orders.models import LinePart, Order
from orders.selectors.demand import goods_parts
from orders.services.claims import PartClaims, read_claims


@dataclass(slots=True)
class Movable:
    """One order's open units that no live work asks for, and the locations whose work asks for others."""

    order: Order
    claims: list[PartClaims] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)

    @property
    def at_work(self) -> list[int]:
        return sorted({place for one in self.claims for place, units in one.asked.items() if units})

    @property
    def work(self) -> str:
        return ", ".join(sorted({number for one in self.claims for number in one.work}))

    @property
    def names(self) -> str:
        codes = (one.part.line.sku_code or one.part.line.title for one in self.claims if one.asked)
        return ", ".join(dict.fromkeys(codes))


def find_movable(orders: Sequence[Order], results: Results[int]) -> tuple[list[Movable], list[StockLevel]]:
    """Orders with units to move, by pk, and all levels of their SKUs, locked; the others are refused."""
    for order in orders:
        if (problem := _refusal(order)) is not None:
            results.refuse(order.pk, problem)
    rest = [order for order in orders if order.pk not in results.refusals]
    parts = [part for part in goods_parts([order.pk for order in rest]) if part.sku_id and part.remaining]
    levels = lock_levels({part.sku_id for part in parts if part.sku_id})
    claims = read_claims(parts, levels)
    movable = [_of(order, parts, claims) for order in rest]
    for one in movable:
        if not one.cuts and one.work:
            number = one.order.number
            results.refuse(one.order.pk, UnitsAtWork(number=number, line=one.names, work=one.work, left=0))
        elif not one.cuts:
            results.refuse(one.order.pk, NothingReserved(number=one.order.number))
    return [one for one in movable if one.cuts], levels


def _of(order: Order, parts: Sequence[LinePart], claims: Mapping[int, PartClaims]) -> Movable:
    mine = [claims[part.pk] for part in parts if part.line.order_id == order.pk]
    return Movable(order, mine, [cut for one in mine for cut in one.unasked()])


def _refusal(order: Order) -> BancaleError | None:
    if order.is_history:
        return HistoryOrder(number=order.number)
    if order.is_closed:
        return OrderClosed(order.number, order.status)
    return NotPlaced(number=order.number) if order.status == OrderStatus.DRAFT else None


def moves_to(cuts: Sequence[Cut], wanted: Mapping[int, int]) -> list[Move]:
    """Moves that bring the units of these cuts to as many at each level as `wanted` says; as few as can be.

    Units that already stand at a wanted level stay there. The sums are the same on both sides.
    """
    left = defaultdict(int, wanted)
    leaving: list[Cut] = []
    for cut in cuts:
        level_id = cut.reservation.level_id or 0
        staying = min(cut.quantity, left[level_id])
        left[level_id] -= staying
        if staying < cut.quantity:
            leaving.append(Cut(cut.reservation, cut.quantity - staying))
    goals = [[level_id, units] for level_id, units in sorted(left.items()) if units]
    moves = []
    for cut in leaving:
        rest = cut.quantity
        while rest:
            goal = goals[0]
            moved = min(rest, goal[1])
            moves.append(Move(cut.reservation, goal[0], moved))
            rest -= moved
            goal[1] -= moved
            if not goal[1]:
                goals.pop(0)
    return moves
