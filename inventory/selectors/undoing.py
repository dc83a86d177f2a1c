"""What documents have left in the ledger, and why it cannot be taken back any more."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Case, F, Max, Q, Sum, When

from config.kernel.errors import BancaleError
from inventory.enums import CountStatus, UnsellableReason
from inventory.errors import (
    CountedSince,
    KitHoldsNoStock,
    LocationClosed,
    NotEnoughUnsellable,
    UnitsMoved,
    UnitsTaken,
    UnitsToInspect,
)
from inventory.models import Bin, BinStock, Sku, StockCountLine, StockLevel, StockMovement, UnsellableStock
from inventory.owners import Reference
from inventory.undecided import undecided_units

# Of a count that stands in one of these, the books follow what was found.
BINDING = (CountStatus.COUNTED, CountStatus.APPROVED)


@dataclass(frozen=True, slots=True)
class Posted:
    """What a document has changed in one bin of a level, all its entries of a kind together; `at` is the last one's."""

    level_id: int
    bin_id: int
    kind: str
    unsellable_reason: str
    delta: int
    unsellable_delta: int
    at: datetime


def posted_by(kind: str, ids: Iterable[int]) -> dict[int, list[Posted]]:
    """What documents of a kind have left in the ledger, by their id; what they took back themselves is left out. One
    statement."""
    found: dict[int, list[Posted]] = defaultdict(list)
    rows = StockMovement.objects.filter(reference_kind=kind, reference_id__in=list(ids)).order_by()
    columns = ("level_id", "bin_id", "kind", "unsellable_reason")
    sums = rows.values_list("reference_id", *columns).annotate(
        units=Sum("delta"), aside=Sum("unsellable_delta"), last=Max("at")
    )
    for pk, level_id, bin_id, entry_kind, reason, units, aside, last in sums.order_by(
        "reference_id", *columns
    ):
        if units or aside:
            found[pk].append(Posted(level_id, bin_id, entry_kind, reason, units, aside, last))
    return dict(found)


class Standing:
    """What of the stock is left as documents are taken back one after the other: four statements, whatever their
    number. Under the levels' locks it is the truth; without, as it looks."""

    def __init__(self, levels: Sequence[StockLevel], bin_ids: Iterable[int]) -> None:
        self.levels = {level.pk: level for level in levels}
        self.unpromised = {level.pk: level.unpromised for level in levels}
        self.bins: dict[tuple[int, int], int] = defaultdict(int)
        for level_id, bin_id, units in BinStock.objects.filter(level__in=self.levels).values_list(
            "level_id", "bin_id", "quantity"
        ):
            self.bins[level_id, bin_id] = units
        self.asides: dict[tuple[int, str], int] = defaultdict(int)
        for level_id, reason, units in UnsellableStock.objects.filter(level__in=self.levels).values_list(
            "level_id", "reason", "quantity"
        ):
            self.asides[level_id, reason] = units
        self.skus = Sku.objects.in_bulk({level.sku_id for level in levels})
        self.bin_codes = dict(Bin.objects.filter(pk__in=set(bin_ids)).values_list("pk", "code"))
        self.counts = _counts_of(levels)

    def problem(self, reference: Reference, posted: Sequence[Posted]) -> BancaleError | None:
        """Why what a document posted cannot be taken back as things stand; None when it can."""
        leaving = _leaving(posted)
        for level_id, last in _last_by_level(posted).items():
            # Counted is what is for sale, whatever its bins and whatever is set aside beside it.
            if not leaving[level_id]:
                continue
            for count_id, number, counted_at in self.counts.get(level_id, ()):
                if counted_at >= last and reference != ("stock_count", count_id):
                    return CountedSince(sku=self._code(level_id), count=number)
        for one in posted:
            if (problem := self._entry_problem(one)) is not None:
                return problem
        for level_id, units in leaving.items():
            free = self.unpromised[level_id]
            if units > 0 and units > free:
                place = self.levels[level_id].location.name
                return UnitsTaken(sku=self._code(level_id), place=place, asked=units, free=max(0, free))
        return None

    def _entry_problem(self, one: Posted) -> BancaleError | None:
        level = self.levels[one.level_id]
        if one.delta < 0 and self.skus[level.sku_id].is_kit:
            return KitHoldsNoStock(sku=self._code(level.pk))
        if one.delta < 0 and not level.location.is_active:
            return LocationClosed(location=level.location.code)
        if one.unsellable_delta > 0 and (problem := self._aside_problem(one, level)) is not None:
            return problem
        found = self.bins[level.pk, one.bin_id]
        if one.delta > found:
            code = self.bin_codes[one.bin_id]
            return UnitsMoved(sku=self._code(level.pk), bin=code, found=found, asked=one.delta)
        return None

    def _aside_problem(self, one: Posted, level: StockLevel) -> BancaleError | None:
        held, asked = self.asides[level.pk, one.unsellable_reason], one.unsellable_delta
        if asked > held:
            return NotEnoughUnsellable(found=held, asked=asked)
        kept = self._undecided.get((level.sku_id, level.location_id), 0)
        if one.unsellable_reason == UnsellableReason.QUARANTINE and asked > held - kept:
            return UnitsToInspect(sku=self._code(level.pk), kept=kept, found=max(0, held - kept), asked=asked)
        return None

    @cached_property
    def _undecided(self) -> Mapping[tuple[int, int], int]:
        """Asked only where set-aside units would leave: one statement a room."""
        return undecided_units({level.sku_id for level in self.levels.values()})

    def take_back(self, posted: Iterable[Posted]) -> None:
        """Count what was posted as gone, for the documents that follow."""
        for one in posted:
            self.bins[one.level_id, one.bin_id] -= one.delta
            self.asides[one.level_id, one.unsellable_reason] -= one.unsellable_delta
            self.unpromised[one.level_id] -= one.delta - one.unsellable_delta

    def _code(self, level_id: int) -> str:
        return self.skus[self.levels[level_id].sku_id].code


def undo_problem(reference: Reference) -> BancaleError | None:
    """Why a document cannot be taken back, as it looks now; without a lock."""
    posted = posted_by(reference[0], [reference[1]]).get(reference[1], [])
    levels = StockLevel.objects.filter(pk__in={one.level_id for one in posted}).select_related("location")
    return Standing(list(levels), {one.bin_id for one in posted}).problem(reference, posted)


def _leaving(posted: Iterable[Posted]) -> Mapping[int, int]:
    """Units for sale that taking back takes from each level; below 0 where it brings some."""
    units: dict[int, int] = defaultdict(int)
    for one in posted:
        units[one.level_id] += one.delta - one.unsellable_delta
    return units


def _last_by_level(posted: Iterable[Posted]) -> Mapping[int, datetime]:
    last: dict[int, datetime] = {}
    for one in posted:
        last[one.level_id] = max(one.at, last.get(one.level_id, one.at))
    return last


def _counts_of(levels: Iterable[StockLevel]) -> dict[int, list[tuple[int, str, datetime]]]:
    """Counts that bind, by level: (id, number, when it was counted). One statement.

    Where an approval took corrections by hand for part of the difference, the count binds those before it too.
    """
    at = {(level.sku_id, level.location_id): level.pk for level in levels}
    rows = StockCountLine.objects.filter(
        sku__in={sku_id for sku_id, _place in at},
        count__location__in={place for _sku, place in at},
        count__status__in=BINDING,
    )
    found: dict[int, list[tuple[int, str, datetime]]] = defaultdict(list)
    moment = Case(When(~Q(by_hand=0), then=F("count__approved_at")), default=F("count__counted_at"))
    columns = ("sku_id", "count__location_id", "count_id", "count__number")
    for sku_id, place, pk, number, counted_at in rows.values_list(*columns, moment):
        if (level_id := at.get((sku_id, place))) is not None and counted_at is not None:
            found[level_id].append((pk, number, counted_at))
    return found
