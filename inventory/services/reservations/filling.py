"""Those in line get their units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Value, When

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.errors import Conflict, InvalidInput
from config.kernel.states import apply_transition
from inventory.enums import ReservationState
from inventory.models import Reservation, StockLevel
from inventory.services.additions import add_to_rows
from inventory.services.levels import LevelChange, change_levels
from inventory.services.queueing import Wish, refuse_overtaking
from inventory.services.reservations.quantities import (
    part_of,
    refuse_claimed,
    refuse_more_than_free,
    sum_by_level,
)
from inventory.states import FILL, RESERVATION

STOCK = Actor.system("stock")
STILL_WAITING = f"{Reservation._meta.db_table}.state = '{ReservationState.WAITING.value}'"


@dataclass(frozen=True, slots=True)
class Fill:
    """Units of a level for a waiting reservation, all of it or part."""

    reservation: Reservation
    level_id: int
    quantity: int


def fill_reservations(fills: Sequence[Fill], *, levels: Sequence[StockLevel]) -> list[Reservation]:
    """Give units to waiting reservations; returns the open ones, in the order given. At most six statements.

    A part-filled reservation keeps its row and its place for the rest; the open part is a new row with the same
    `queued_at`. Raises as `place_reservations` does, and `Conflict` for a reservation that no longer waits.
    """
    found = {level.pk: level for level in levels}
    _refuse_fills(fills, found)
    taken = sum_by_level((fill.level_id, fill.quantity) for fill in fills)
    refuse_more_than_free(taken, found)
    refuse_overtaking([_wish(fill) for fill in fills], levels)
    change_levels(found, {pk: LevelChange(reserved=n, taken_free=n) for pk, n in taken.items()})
    at = clock.now()
    whole = [fill for fill in fills if fill.quantity == fill.reservation.quantity]
    _open_whole(whole, at)
    parts = [fill for fill in fills if fill.quantity < fill.reservation.quantity]
    _shrink({fill.reservation.pk: fill.quantity for fill in parts}, parts)
    opened = {id(fill): fill.reservation for fill in whole}
    rows = Reservation.objects.bulk_create([_open_part(fill, at) for fill in parts])
    opened |= {id(fill): row for fill, row in zip(parts, rows, strict=True)}
    return [opened[id(fill)] for fill in fills]


def _refuse_fills(fills: Sequence[Fill], levels: Mapping[int, StockLevel]) -> None:
    if len({fill.reservation.pk for fill in fills}) < len(fills):
        raise Conflict(detail="a reservation is filled once a call")
    for fill in fills:
        row, level = fill.reservation, levels.get(fill.level_id)
        if (problem := FILL.refusal(row.state) or refuse_claimed(fill.quantity)) is not None:
            raise problem
        if level is None or level.sku_id != row.sku_id:
            raise InvalidInput(field="level", value=fill.level_id, accepted="a locked level of the SKU is")
        if fill.quantity > row.quantity:
            raise InvalidInput(field="quantity", value=fill.quantity, accepted=f"at most {row.quantity} wait")


def _wish(fill: Fill) -> Wish:
    row = fill.reservation
    reference = (row.reference_kind, row.reference_id)
    return Wish(row.sku_id, fill.level_id, fill.quantity, row.priority, row.queued_at, reference, row.pk)


def _open_whole(fills: Sequence[Fill], at: datetime) -> None:
    if not fills:
        return
    level_of = Case(*(When(pk=fill.reservation.pk, then=Value(fill.level_id)) for fill in fills))
    rows = [fill.reservation for fill in fills]
    apply_transition(RESERVATION, FILL, rows, actor=STOCK, also={"level_id": level_of, "opened_at": at})
    for fill in fills:
        fill.reservation.level_id = fill.level_id


def _shrink(by: Mapping[int, int], fills: Sequence[Fill]) -> None:
    if not by:
        return
    numbers = {pk: (-units,) for pk, units in by.items()}
    also = "version = version + 1"
    if add_to_rows(Reservation, ("quantity",), numbers, condition=STILL_WAITING, also=also) != len(by):
        raise Conflict(detail="a reservation no longer waits")
    for fill in fills:
        fill.reservation.quantity -= fill.quantity
        fill.reservation.version += 1


def _open_part(fill: Fill, at: datetime) -> Reservation:
    return part_of(fill.reservation, fill.quantity, level_id=fill.level_id, opened_at=at)
