"""Which promises break when units leave that were promised."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import F

from inventory.enums import ReservationState
from inventory.models import Reservation, StockLevel
from inventory.owners import OWNERS, Loss, ids_by_kind

# Units that may no longer be promised, by (sku_id, location_id).
Cuts = Mapping[tuple[int, int], int]
LOST_FIRST = (F("promised_at").desc(nulls_first=True), "priority", "-queued_at", "-pk")


def losses(levels: Iterable[StockLevel], cuts: Cuts) -> list[Loss]:
    """What the open reservations of levels lose when so many units of each may no longer be promised.

    The latest promised lose first, those without a promise before them; of equal ones the last in the queue.
    Units that an owner is working on go last of all. One statement, and those of the owners; none when what is
    reserved stays covered.
    """
    short: dict[int, int] = {}
    place: dict[int, int] = {}
    for level in levels:
        left = level.on_hand - level.unsellable - cuts.get((level.sku_id, level.location_id), 0)
        if level.reserved > left:
            short[level.pk], place[level.pk] = level.reserved - left, level.location_id
    if not short:
        return []
    rows = list(
        Reservation.objects.filter(state=ReservationState.OPEN, level_id__in=list(short)).order_by(
            *LOST_FIRST
        )
    )
    taken = _choose(rows, short, place, _loose(rows, place))
    return [_loss(row, place[row.level_id or 0], taken[row.pk]) for row in rows if taken[row.pk]]


def _loss(row: Reservation, location_id: int, units: int) -> Loss:
    reference = (row.reference_kind, row.reference_id)
    return Loss(row.pk, row.sku_id, location_id, reference, units, row.quantity - units)


def _loose(rows: Sequence[Reservation], place: Mapping[int, int]) -> dict[tuple[str, int, int], int]:
    """Reserved units that nobody works on, by (reference kind, reference id, location id)."""
    loose: dict[tuple[str, int, int], int] = defaultdict(int)
    for row in rows:
        loose[row.reference_kind, row.reference_id, place[row.level_id or 0]] += row.quantity
    for kind, ids in ids_by_kind({(row.reference_kind, row.reference_id) for row in rows}).items():
        for owner in OWNERS.get(kind, ()):
            for (reference_id, location_id), units in owner.bound_units(ids).items():
                if (kind, reference_id, location_id) in loose:
                    loose[kind, reference_id, location_id] -= units
    return loose


def _choose(
    rows: Sequence[Reservation],
    short: dict[int, int],
    place: Mapping[int, int],
    loose: dict[tuple[str, int, int], int],
) -> dict[int, int]:
    """Units that each reservation loses: first the loose ones of all, then whatever is there."""
    taken: dict[int, int] = defaultdict(int)
    for only_loose in (True, False):
        for row in rows:
            level_id = row.level_id or 0
            key = (row.reference_kind, row.reference_id, place[level_id])
            units = min(short[level_id], row.quantity - taken[row.pk])
            units = min(units, max(0, loose[key])) if only_loose else units
            taken[row.pk] += units
            short[level_id] -= units
            loose[key] -= units
    return taken
