"""New promises."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from config.kernel import clock
from config.kernel.errors import InvalidInput
from config.kernel.fastpath import Values, insert_values
from inventory.enums import ReservationState
from inventory.errors import KitHoldsNoStock
from inventory.models import Reservation, StockLevel
from inventory.services.levels import LevelChange, change_levels, kits_among
from inventory.services.queueing import Wish, lines_of, overtaking, refuse_overtaking
from inventory.services.reservations.quantities import refuse_claimed, refuse_more_than_free, sum_by_level


class Claim(NamedTuple):
    """Units that a reference wants from a level; without a level it stands in line. Given up at `expires_at`."""

    sku_id: int
    level_id: int | None
    quantity: int
    reference_id: int
    priority: int
    queued_at: datetime
    promised_at: datetime | None = None
    expires_at: datetime | None = None


COLUMNS = ("reference_kind", *Claim._fields, "state", "opened_at", "waiting_since")


def place_reservations(
    reference_kind: str,
    claims: Sequence[Claim],
    *,
    levels: Sequence[StockLevel],
    kits: Mapping[int, str] | None = None,
) -> None:
    """Write claims as reservations, open or waiting, in the order given: two statements, three with waiting ones.

    `levels` are all levels of the SKUs, locked; the objects follow. Whoever has looked under the same locks which
    SKUs are `kits` says so, and saves the third statement. Raises and has written nothing:
    `NotEnoughStock` where a level has fewer free units, `QueueJumped` where those ahead in line wait for them,
    `KitHoldsNoStock`, `InvalidInput`. Raises `Conflict` where the locks failed: roll back then.
    """
    found = {level.pk: level for level in levels}
    _refuse_claims(claims, found)
    _refuse_kits({claim.sku_id for claim in claims if claim.level_id is None}, kits)
    taken = sum_by_level((claim.level_id, claim.quantity) for claim in claims)
    refuse_more_than_free(taken, found)
    wishes = [_wish(reference_kind, claim) for claim in claims if claim.level_id is not None]
    refuse_overtaking(wishes, levels)
    change_levels(found, {pk: LevelChange(reserved=n, taken_free=n) for pk, n in taken.items()})
    at = clock.now()
    insert_values(Reservation, COLUMNS, [_reservation(reference_kind, claim, at) for claim in claims])


def placeable(
    reference_kind: str,
    claims: Sequence[Claim],
    *,
    levels: Sequence[StockLevel],
    kits: Mapping[int, str],
) -> list[Claim]:
    """Those of some claims that `place_reservations` would write, each after the ones before it; one query.

    A waiting one always stands in line, unless its SKU is one of `kits`.
    """
    free = {level.pk: level.free for level in levels}
    lines = lines_of(claim.sku_id for claim in claims)
    wishes: dict[int, list[Wish]] = defaultdict(list)
    chosen: list[Claim] = []
    for claim in claims:
        if claim.sku_id in kits:
            continue
        if claim.level_id is not None:
            wanted = [*wishes[claim.sku_id], _wish(reference_kind, claim)]
            if free[claim.level_id] < claim.quantity or overtaking(wanted, levels, lines) is not None:
                continue
            wishes[claim.sku_id] = wanted
            free[claim.level_id] -= claim.quantity
        chosen.append(claim)
    return chosen


def _wish(reference_kind: str, claim: Claim) -> Wish:
    reference = (reference_kind, claim.reference_id)
    return Wish(claim.sku_id, claim.level_id, claim.quantity, claim.priority, claim.queued_at, reference)


def _refuse_claims(claims: Sequence[Claim], levels: Mapping[int, StockLevel]) -> None:
    for claim in claims:
        if (problem := refuse_claimed(claim.quantity)) is not None:
            raise problem
        if claim.level_id is not None:
            level = levels.get(claim.level_id)
            if level is None or level.sku_id != claim.sku_id:
                raise InvalidInput(
                    field="level", value=claim.level_id, accepted="a locked level of the SKU is"
                )


def _refuse_kits(waiting: set[int], kits: Mapping[int, str] | None) -> None:
    found = kits_among(waiting) if kits is None else kits
    for sku_id in sorted(waiting & found.keys()):
        raise KitHoldsNoStock(sku=found[sku_id])


def _reservation(reference_kind: str, claim: Claim, at: datetime) -> Values:
    is_open = claim.level_id is not None
    return (
        reference_kind,
        *claim,
        ReservationState.OPEN.value if is_open else ReservationState.WAITING.value,
        at if is_open else None,
        None if is_open else at,
    )
