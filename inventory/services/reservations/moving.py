"""Promises kept from another place: open reservations move to another level of their SKU."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.kernel.errors import Conflict, InvalidInput
from inventory.enums import ReservationState
from inventory.errors import NotEnoughStock
from inventory.models import Reservation, StockLevel
from inventory.services.levels import LevelChange, change_levels
from inventory.services.queueing import refuse_lost_units
from inventory.services.reservations.quantities import part_of


@dataclass(frozen=True, slots=True)
class Move:
    """Units of one open reservation, all of it or part, to be promised from another level."""

    reservation: Reservation
    level_id: int
    quantity: int


def move_reservations(moves: Sequence[Move], *, levels: Sequence[StockLevel]) -> None:
    """Promise units from other levels of the same SKUs; their place in the queue and their time stay.

    One reservation may move to several levels; the objects follow, as the levels' do. At most five statements.
    `levels` are all levels of the SKUs. Raises and has written nothing: `InvalidInput`, `NotEnoughStock`,
    `QueueJumped` where fewer units come free than are taken, so that too few are left for those in line;
    `Conflict` for one that is no longer open, and where the locks failed: roll back then.
    """
    found = {level.pk: level for level in levels}
    moving: dict[int, int] = defaultdict(int)
    net: dict[int, int] = defaultdict(int)
    for move in moves:
        row, level = move.reservation, found.get(move.level_id)
        moving[row.pk] += move.quantity
        if row.state != ReservationState.OPEN:
            raise Conflict(detail=f"reservation {row.pk} is not open")
        if level is None or level.sku_id != row.sku_id or row.level_id not in found:
            raise InvalidInput(field="level", value=move.level_id, accepted="a locked level of the SKU is")
        if move.quantity <= 0 or moving[row.pk] > row.quantity:
            raise InvalidInput(field="quantity", value=move.quantity, accepted=f"1 to {row.quantity} are")
        net[move.level_id] += move.quantity
        net[row.level_id or 0] -= move.quantity
    _change(net, found)
    _write(moves, moving)


def _change(net: Mapping[int, int], levels: Mapping[int, StockLevel]) -> None:
    for pk, units in net.items():
        if units > 0 and levels[pk].free < units:
            raise NotEnoughStock(level_id=pk, free=max(0, levels[pk].free), asked=units)
    refuse_lost_units(net, list(levels.values()))
    changes = {
        pk: LevelChange(reserved=units, taken_free=max(0, units)) for pk, units in net.items() if units
    }
    if changes:
        change_levels(levels, changes)


def _write(moves: Sequence[Move], moving: Mapping[int, int]) -> None:
    """What stays of a reservation keeps its row; of one that moves entirely the first piece takes it over."""
    by_row: dict[int, list[Move]] = defaultdict(list)
    for move in moves:
        by_row[move.reservation.pk].append(move)
    changed, new = [], []
    for pk, pieces in by_row.items():
        row = pieces[0].reservation
        rest = row.quantity - moving[pk]
        taking_over = [] if rest else pieces[:1]
        new += [
            part_of(row, piece.quantity, level_id=piece.level_id, opened_at=row.opened_at)
            for piece in pieces[len(taking_over) :]
        ]
        row.quantity = rest or pieces[0].quantity
        for piece in taking_over:
            row.level_id = piece.level_id
        row.version += 1
        changed.append(row)
    Reservation.objects.bulk_update(changed, ["level", "quantity", "version"])
    Reservation.objects.bulk_create(new)
