"""Part of a promise given back."""

from collections.abc import Sequence
from dataclasses import dataclass

from config.kernel.actors import Actor
from config.kernel.errors import Conflict, InvalidInput
from inventory.enums import LIVE_RESERVATION
from inventory.models import Reservation, StockLevel
from inventory.services.additions import add_to_rows
from inventory.services.reservations.quantities import part_of
from inventory.services.reservations.releasing import release_reservations

_LIVE = "', '".join(sorted(LIVE_RESERVATION))
STILL_LIVE = f"{Reservation._meta.db_table}.state IN ('{_LIVE}')"


@dataclass(frozen=True, slots=True)
class Cut:
    """Units of one live reservation to give back, all of it or part."""

    reservation: Reservation
    quantity: int


def cut_reservations(cuts: Sequence[Cut], *, reason: str, levels: Sequence[StockLevel], actor: Actor) -> None:
    """Give units of open and waiting reservations back; what stays of one keeps its row and its place in line.

    Two statements more than `release_reservations` where some are cut in part; as that verb otherwise. Raises
    `InvalidInput` for a quantity outside its reservation, and `Conflict` for one that is closed or cut twice; nothing
    is written then.
    """
    if len({cut.reservation.pk for cut in cuts}) < len(cuts):
        raise Conflict(detail="a reservation is cut once a call")
    for cut in cuts:
        if not 0 < cut.quantity <= cut.reservation.quantity:
            accepted = f"1 to {cut.reservation.quantity} are"
            raise InvalidInput(field="quantity", value=cut.quantity, accepted=accepted)
        if cut.reservation.state not in LIVE_RESERVATION:
            raise Conflict(detail=f"reservation {cut.reservation.pk} is closed")
    parts = [cut for cut in cuts if cut.quantity < cut.reservation.quantity]
    whole = [cut.reservation for cut in cuts if cut.quantity == cut.reservation.quantity]
    pieces = split_off(parts)
    if whole or pieces:
        release_reservations([*whole, *pieces], reason=reason, levels=levels, actor=actor)


def split_off(cuts: Sequence[Cut]) -> list[Reservation]:
    """Rows of their own, in the same state and place in line, for part of live reservations' units. Two statements,
    none for none. Raises `Conflict` where one was closed meanwhile."""
    if not cuts:
        return []
    numbers = {cut.reservation.pk: (-cut.quantity,) for cut in cuts}
    also = "version = version + 1"
    if add_to_rows(Reservation, ("quantity",), numbers, condition=STILL_LIVE, also=also) != len(numbers):
        raise Conflict(detail="a reservation was closed meanwhile")
    for cut in cuts:
        cut.reservation.quantity -= cut.quantity
        cut.reservation.version += 1
    return Reservation.objects.bulk_create([_piece(cut) for cut in cuts])


def _piece(cut: Cut) -> Reservation:
    row = cut.reservation
    return part_of(row, cut.quantity, level_id=row.level_id, opened_at=row.opened_at, state=row.state)
