"""The books follow what was counted."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError
from config.kernel.fastpath import set_in_rows
from config.kernel.results import Results
from config.kernel.states import apply_transition
from inventory.enums import CountStatus, MovementKind
from inventory.errors import AdjustedSince, CountedAgain, KitHoldsNoStock, SecondPersonNeeded
from inventory.models import Sku, StockCount, StockCountLine, StockLevel
from inventory.selectors.counting import by_hand, corrections_since
from inventory.services.adjustments import Shelves
from inventory.services.counts.desk import REFERENCE, Desk, person
from inventory.services.levels import by_place, ensure_levels, lock_levels, record_freed
from inventory.services.losses import lock_owners, post_cuts, with_owners
from inventory.services.movements import Cause, Posting
from inventory.services.transfers.desk import default_bins
from inventory.states import APPROVE, STOCK_COUNT

Lines = Sequence[StockCountLine]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a person says of `units` that were corrected by hand since a line was counted, in all as they saw them.

    `is_same`: they are part of the difference, so that what was counted stands. Else they are another matter, and
    the difference is booked in full beside them.
    """

    units: int
    is_same: bool


Judgements = Mapping[int, Judged]


@verb
def approve_counts(
    count_ids: Sequence[int], *, judged: Judgements | None = None, actor: Actor
) -> Results[int]:
    """Correct what is on hand by what counts found too many or too few, as it was when they were counted.

    Units that moved since are in the ledger already, so the difference itself is posted, whatever is there now.
    Where somebody corrected a differing SKU by hand since, that may have been for the same units: `judged` says so
    or not, by line id. At most 200 ids. Locks the counts by ascending pk, the owners of promises that break, then
    all levels of the SKUs; promises beyond the rest wait again, as in `adjust_stock`. An approved count is
    `unchanged`. Records `stock.freed` where units were found or promises broke.

    Refuses: `NotFound`; `IllegalTransition`; `SecondPersonNeeded` when whoever counted approves a line that
    differs by more than the tolerance; `CountedAgain` where another count has corrected a differing SKU since;
    `AdjustedSince` where a correction by hand is not judged, or another one came after; `NotEnoughStock` when more
    is missing than is left; `KitHoldsNoStock`.
    Raises `NotAllowed`.
    """
    actor.require(APPROVE.permission)
    return with_owners(lambda: _approve(count_ids, judged or {}, actor))


def _approve(count_ids: Sequence[int], judged: Judgements, actor: Actor) -> Results[int]:
    results: Results[int] = Results(count_ids)
    with batch_transaction():
        desk = Desk.of(count_ids, actor=actor)
        desk.sort_out(APPROVE, results)
        for pk in results.open_ids:
            if (problem := second_person(desk.counts[pk], desk.lines[pk], actor)) is not None:
                results.refuse(pk, problem)
        differing = {pk: _differing(desk.counts[pk], desk.lines[pk], judged) for pk in results.open_ids}
        locked = lock_owners(cuts_of(differing))
        ensure_levels(
            (one.sku_id, one.location_id) for some in differing.values() for one in some if one.units > 0
        )
        levels = lock_levels(one.sku_id for some in differing.values() for one in some)
        shelf = _Shelf(levels, desk)
        postings: list[Posting] = []
        for pk, some in differing.items():
            if (problem := shelf.problem(desk.counts[pk], some, judged)) is not None:
                results.refuse(pk, problem)
                continue
            postings += shelf.correct(desk.counts[pk], some)
            results.done(pk)
        corrected = [one for pk in results.done_ids for one in differing[pk]]
        if postings:
            cause = Cause((REFERENCE, results.done_ids[0]), actor)
            post_cuts(postings, levels=levels, locked=locked, cause=cause)
            record_freed(one.sku_id for one in corrected if one.units > 0)
        if before := {one.line.pk: (one.by_hand,) for one in corrected if one.by_hand}:
            set_in_rows(StockCountLine, ("by_hand",), before)
        facts = {pk: desk.facts(pk, **_sums(differing[pk])) for pk in results.done_ids}
        approved = [desk.counts[pk] for pk in results.done_ids]
        also = {"approved_at": clock.now()}
        apply_transition(STOCK_COUNT, APPROVE, approved, actor=actor, facts=facts, also=also)
    return results


@dataclass(frozen=True, slots=True)
class Difference:
    """A differing line of a count: the units to book now, and those of its variance that were booked by hand."""

    line: StockCountLine
    location_id: int
    by_hand: int

    @property
    def sku_id(self) -> int:
        return int(self.line.sku_id)

    @property
    def units(self) -> int:
        return self.line.variance - self.by_hand


def _differing(count: StockCount, lines: Lines, judged: Judgements) -> list[Difference]:
    found = []
    for line in lines:
        told = judged.get(line.pk)
        if line.variance:
            by_hand = told.units if told is not None and told.is_same else 0
            found.append(Difference(line, count.location_id, by_hand))
    return found


def second_person(count: StockCount, lines: Lines, actor: Actor) -> BancaleError | None:
    """Why this person may not approve: it is whoever counted, and a line differs by more than the tolerance."""
    if any(getattr(count, name) != value for name, value in person(actor).items()):
        return None
    for line in lines:
        if abs(line.variance) > count.tolerance:
            return SecondPersonNeeded(sku=line.sku.code, variance=line.variance, tolerance=count.tolerance)
    return None


def approval_problem(count: StockCount, lines: Lines, judged: Judgements) -> BancaleError | None:
    """Why the stock would refuse this approval as it looks now, without a lock; whoever may approve, and what is yet to
    be judged, is not asked."""
    differing = _differing(count, lines, judged)
    rows = StockLevel.objects.filter(sku__in={one.sku_id for one in differing}).select_related("location")
    shelf = _Shelf(list(rows), Desk({count.pk: count}, {count.pk: lines}))
    problem = shelf.problem(count, differing, judged)
    return None if isinstance(problem, AdjustedSince) else problem


def cuts_of(differing: Mapping[int, Sequence[Difference]]) -> dict[tuple[int, int], int]:
    """Units that may at most be no longer promised, by place."""
    cuts: dict[tuple[int, int], int] = defaultdict(int)
    for some in differing.values():
        for one in some:
            cuts[one.sku_id, one.location_id] += max(0, -one.units)
    return cuts


class _Shelf:
    """The shelves of counted places, as counts correct them one after the other."""

    def __init__(self, levels: Sequence[StockLevel], desk: Desk) -> None:
        self.at = by_place(levels)
        self.shelves = Shelves(levels)
        self.bins = default_bins({count.location_id for count in desk.counts.values()})
        sku_ids = {line.sku_id for lines in desk.lines.values() for line in lines}
        self.kits = set(Sku.objects.filter(pk__in=sku_ids, is_kit=True).values_list("pk", flat=True))
        lines = [line for some in desk.lines.values() for line in some if line.variance]
        self.since = corrections_since(lines, desk.counts)
        others = {row.reference_id for rows in self.since.values() for row in rows if not by_hand([row])}
        standing = StockCount.objects.only("number").exclude(status=CountStatus.UNDONE)
        self.number_of = standing.in_bulk(others) if others else {}
        self.booked: dict[tuple[int, int], str] = {}

    def problem(
        self, count: StockCount, differing: Sequence[Difference], judged: Judgements
    ) -> BancaleError | None:
        for one in differing:
            code = one.line.sku.code
            if one.sku_id in self.kits:
                return KitHoldsNoStock(sku=code)
            if other := self._other_count(one):
                return CountedAgain(sku=code, other=other)
            units = sum(row.delta for row in by_hand(self.since.get(one.line.pk, ())))
            told = judged.get(one.line.pk)
            if (told.units if told is not None else 0) != units:
                return AdjustedSince(sku=code, units=f"{units:+d}")
            level = self.at.get((one.sku_id, count.location_id))
            if one.units < 0 and (problem := self.shelves.problem(level, -one.units)):
                return problem
        return None

    def _other_count(self, one: Difference) -> str:
        """The number of the last standing count that has corrected this SKU since, in this call or before."""
        if number := self.booked.get((one.sku_id, one.location_id)):
            return number
        rows = self.since.get(one.line.pk, ())
        standing = [
            row.reference_id for row in rows if not by_hand([row]) and row.reference_id in self.number_of
        ]
        return self.number_of[standing[-1]].number if standing else ""

    def correct(self, count: StockCount, differing: Sequence[Difference]) -> Iterator[Posting]:
        document = (REFERENCE, count.pk)
        for one in differing:
            self.booked[one.sku_id, one.location_id] = count.number
            if not one.units:
                continue
            level = self.at[one.sku_id, one.location_id]
            if one.units > 0:
                bin_id = self.bins[count.location_id]
                self.shelves.put(level, bin_id, one.units)
                yield Posting(level.pk, bin_id, MovementKind.CORRECTION, delta=one.units, document=document)
                continue
            for bin_id, taken in self.shelves.take(level, -one.units):
                yield Posting(level.pk, bin_id, MovementKind.CORRECTION, delta=-taken, document=document)


def _sums(differing: Sequence[Difference]) -> dict[str, int]:
    sums = {
        "differing": len(differing),
        "found": sum(one.line.variance for one in differing if one.line.variance > 0),
        "missing": -sum(one.line.variance for one in differing if one.line.variance < 0),
    }
    by_hand_before = sum(one.by_hand for one in differing)
    return {**sums, "by_hand": by_hand_before} if by_hand_before else sums
