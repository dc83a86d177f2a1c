"""What there is to sell."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import F, Sum, Value
from django.db.models.functions import Greatest

from config.kernel.compiled_reads import CompiledRead
from inventory.enums import ReservationState
from inventory.models import KitPart, Location, Reservation, StockLevel

all_locations = CompiledRead(Location.objects.all)
FREE = F("on_hand") - F("reserved") - F("unsellable") - F("buffer")


def available_to_sell(sku_ids: Iterable[int]) -> dict[int, int]:
    """Units of each SKU for the last in the queue: free units at locations that sell − waiting, never below 0.

    A kit has as many as its scarcest part allows. An answer for every id asked; three statements.
    """
    asked = set(sku_ids)
    parts = kit_parts(asked)
    single = asked | {part_id for needs in parts.values() for part_id in needs}
    free, waiting = free_units(single), waiting_quantity(single)
    ats = {pk: max(0, free[pk] - waiting[pk]) for pk in single}
    for kit_id, needs in parts.items():
        ats[kit_id] = min(ats[part_id] // per_unit for part_id, per_unit in needs.items())
    return {pk: ats[pk] for pk in asked}


def kit_parts(sku_ids: Iterable[int]) -> Mapping[int, dict[int, int]]:
    """Of the kits among SKUs: units of each part that one kit takes, {kit: {part: units}}."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    rows = KitPart.objects.filter(kit_id__in=set(sku_ids), kit__is_kit=True).order_by("id")
    for kit_id, part_id, per_unit in rows.values_list("kit_id", "part_id", "per_unit"):
        found[kit_id][part_id] = per_unit
    return found


def free_units(sku_ids: Iterable[int]) -> dict[int, int]:
    """Free units of each SKU over the locations that sell; a level below zero counts as 0."""
    ids = set(sku_ids)
    rows = (
        StockLevel.objects.filter(sku_id__in=ids, location__is_active=True, location__can_ship=True)
        .order_by()
        .values("sku_id")
        .annotate(units=Sum(Greatest(FREE, Value(0))))
    )
    return dict.fromkeys(ids, 0) | dict(rows.values_list("sku_id", "units"))


def waiting_quantity(sku_ids: Iterable[int]) -> dict[int, int]:
    """Units that wait for each SKU, over its whole queue."""
    ids = set(sku_ids)
    rows = (
        Reservation.objects.filter(sku_id__in=ids, state=ReservationState.WAITING)
        .values("sku_id")
        .annotate(units=Sum("quantity"))
    )
    return dict.fromkeys(ids, 0) | dict(rows.values_list("sku_id", "units"))
