"""Promises given back."""

from collections.abc import Sequence

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.errors import Conflict, InvalidInput
from config.kernel.states import apply_transition
from inventory.enums import LIVE_RESERVATION, ReservationState
from inventory.models import Reservation, StockLevel
from inventory.services.levels import LevelChange, change_levels, record_freed
from inventory.services.reservations.quantities import sum_by_level
from inventory.states import RELEASE, RESERVATION


def release_reservations(
    reservations: Sequence[Reservation], *, reason: str, levels: Sequence[StockLevel], actor: Actor
) -> None:
    """Give open and waiting reservations back: closed with the reason, their units free again. Two statements.

    Records `stock.freed` for the SKUs whose open units came back, and for those whose waiting ones left the
    line. Raises `IllegalTransition` for one that is closed already, `Conflict` for one that is named twice and
    `InvalidInput` without a reason; nothing is written then.
    """
    if not reason:
        raise InvalidInput(field="reason", value="", accepted="a reason is needed")
    if len({row.pk for row in reservations}) < len(reservations):
        raise Conflict(detail="a reservation is given back once a call")
    for row in reservations:
        if row.state not in LIVE_RESERVATION:
            raise RELEASE.refusal(row.state) or Conflict(detail="closed")
    found = {level.pk: level for level in levels}
    held = [row for row in reservations if row.state == ReservationState.OPEN]
    freed = sum_by_level((row.level_id, row.quantity) for row in held)
    if not set(freed) <= set(found):
        raise InvalidInput(
            field="levels", value=sorted(set(freed) - set(found)), accepted="all must be locked"
        )
    sku_ids = {row.sku_id for row in reservations}
    also = {"closed_at": clock.now(), "closed_reason": reason[:40]}
    apply_transition(RESERVATION, RELEASE, reservations, actor=actor, also=also)
    change_levels(found, {pk: LevelChange(reserved=-n) for pk, n in freed.items()})
    record_freed(sku_ids)
