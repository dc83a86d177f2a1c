"""How many units each claimant could order now: the waterfall's last rows, by place in line."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Sum

from inventory.claimants import Claimant, all_claimants
from inventory.enums import ReservationState
from inventory.models import Reservation
from inventory.selectors.stock import free_units, kit_parts


@dataclass(frozen=True, slots=True)
class ClaimantRow:
    """`available` = `free` − `ahead` − what the floor adds; of a kit, all three are the scarcest part's, in kits:
    `ahead` are those for which the units that wait ahead leave no part."""

    claimant: Claimant
    free: int
    ahead: int
    available: int


def available_by_claimant(sku_id: int) -> list[ClaimantRow]:
    """Units of a SKU for the last in line of each claimant's priority; three statements beside the claimants' own.

    Whoever waits with a lower priority is not ahead, so that a claimant of higher priority may find more than is
    available to all.
    """
    claimants = all_claimants()
    if not claimants:
        return []
    needs = kit_parts([sku_id]).get(sku_id) or {sku_id: 1}
    free, waiting = free_units(needs), _waiting(list(needs))
    return [_row(one, needs, free, waiting) for one in claimants]


def _waiting(sku_ids: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
    """(priority, units that wait) by SKU."""
    rows = Reservation.objects.filter(sku_id__in=sku_ids, state=ReservationState.WAITING)
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for sku_id, priority, units in rows.values_list("sku_id", "priority").annotate(units=Sum("quantity")):
        found[sku_id].append((priority, units))
    return found


def _row(
    one: Claimant, needs: dict[int, int], free: dict[int, int], waiting: dict[int, list[tuple[int, int]]]
) -> ClaimantRow:
    parts = []
    for sku_id, per_unit in needs.items():
        ahead = sum(units for priority, units in waiting[sku_id] if priority >= one.priority)
        rest, kits = free[sku_id] - ahead, free[sku_id] // per_unit
        # Whole kits less whole kits, which no division of the units ahead gives alone; below 0 as many as they ask.
        left = max(0, rest) // per_unit
        parts.append((left, kits, kits - left if rest >= 0 else -(-ahead // per_unit)))
    left, units, ahead = min(parts)
    return ClaimantRow(one, units, ahead, left)
