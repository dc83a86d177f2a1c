"""What a level's figures should be by the ledger and by its reservations, and where they are not that."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Sum

from inventory.enums import ReservationState
from inventory.models import BinStock, Reservation, StockLevel, StockMovement, UnsellableStock

ON_HAND, RESERVED, UNSELLABLE, BIN, ASIDE = "on_hand", "reserved", "unsellable", "bin", "aside"


@dataclass(slots=True)
class Figures:
    """One level's numbers: its own three, units by bin id and by reason for setting aside; zeros are left out."""

    on_hand: int = 0
    reserved: int = 0
    unsellable: int = 0
    bins: dict[int, int] = field(default_factory=dict)
    asides: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One number that is not what it should be. `what` is one of the kinds above, `key` a bin id or a reason."""

    what: str
    stored: int
    found: int
    key: int | str = ""


def stored_figures(levels: Iterable[StockLevel]) -> dict[int, Figures]:
    """What the rows say, by level id: two statements."""
    found = {level.pk: Figures(level.on_hand, level.reserved, level.unsellable) for level in levels}
    for level_id, bin_id, units in BinStock.objects.filter(level__in=found, quantity__gt=0).values_list(
        "level_id", "bin_id", "quantity"
    ):
        found[level_id].bins[bin_id] = units
    asides = UnsellableStock.objects.filter(level__in=found, quantity__gt=0)
    for level_id, reason, units in asides.values_list("level_id", "reason", "quantity"):
        found[level_id].asides[reason] = units
    return found


def true_figures(level_ids: Iterable[int]) -> dict[int, Figures]:
    """What the ledger and the open reservations sum to, by level id: three statements."""
    found: dict[int, Figures] = {pk: Figures() for pk in level_ids}
    moved = StockMovement.objects.filter(level__in=found).order_by()
    for level_id, bin_id, units in moved.values_list("level_id", "bin_id").annotate(units=Sum("delta")):
        found[level_id].on_hand += units
        if units:
            found[level_id].bins[bin_id] = units
    aside = moved.values_list("level_id", "unsellable_reason").annotate(units=Sum("unsellable_delta"))
    for level_id, reason, units in aside:
        found[level_id].unsellable += units
        if units:
            found[level_id].asides[reason] = units
    held = Reservation.objects.filter(level__in=found, state=ReservationState.OPEN).order_by()
    for level_id, units in held.values_list("level_id").annotate(units=Sum("quantity")):
        found[level_id].reserved = units
    return found


def differences(levels: Sequence[StockLevel]) -> dict[int, list[Difference]]:
    """By level id where rows and ledger differ; a sound level is left out. Five statements."""
    stored, true = stored_figures(levels), true_figures(level.pk for level in levels)
    found = {pk: list(_compare(stored[pk], true[pk])) for pk in stored}
    return {pk: some for pk, some in found.items() if some}


def _compare(stored: Figures, true: Figures) -> Iterable[Difference]:
    for name in (ON_HAND, RESERVED, UNSELLABLE):
        if getattr(stored, name) != getattr(true, name):
            yield Difference(name, getattr(stored, name), getattr(true, name))
    yield from _compare_parts(BIN, stored.bins, true.bins)
    yield from _compare_parts(ASIDE, stored.asides, true.asides)


def _compare_parts(what: str, stored: Mapping[Any, int], true: Mapping[Any, int]) -> Iterable[Difference]:
    for key in sorted({*stored, *true}):
        if stored.get(key, 0) != true.get(key, 0):
            yield Difference(what, stored.get(key, 0), true.get(key, 0), key)


def levels_behind(subjects: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The levels that violations of the kinds stock_level, bin_stock and unsellable_stock are about: two statements."""
    wanted: dict[str, list[int]] = defaultdict(list)
    for kind, pk in subjects:
        wanted[kind].append(pk)
    found = {("stock_level", pk): pk for pk in wanted["stock_level"]}
    for kind, model in (("bin_stock", BinStock), ("unsellable_stock", UnsellableStock)):
        rows = model._default_manager.filter(pk__in=wanted[kind]).values_list("pk", "level_id")
        found |= {(kind, pk): level_id for pk, level_id in rows}
    return found
