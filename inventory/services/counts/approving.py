"""The books follow what was counted."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError
from config.kernel.results import Results
from config.kernel.states import apply_transition
from inventory.enums import CountStatus, MovementKind
from inventory.errors import CountedAgain, KitHoldsNoStock, SecondPersonNeeded
from inventory.models import Sku, StockCount, StockCountLine, StockLevel, StockMovement
from inventory.services.adjustments import Shelves
from inventory.services.counts.desk import REFERENCE, Desk, person
from inventory.services.levels import by_place, ensure_levels, lock_levels, record_freed
from inventory.services.losses import lock_owners, post_cuts, with_owners
from inventory.services.movements import Cause, Posting
from inventory.services.transfers.desk import default_bins
from inventory.states import APPROVE, STOCK_COUNT

Lines = Sequence[StockCountLine]


@verb
def approve_counts(count_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Correct what is on hand by what counts found too many or too few, as it was when they were counted.

    Units that moved since are in the ledger already, so the difference itself is posted, whatever is there now.
    At most 200 ids. Locks the counts by ascending pk, the owners of promises that break, then all levels of the
    SKUs; promises beyond the rest wait again, as in `adjust_stock`. An approved count is `unchanged`. Records
    `stock.freed` where units were found or promises broke.

    Refuses: `NotFound`; `IllegalTransition`; `SecondPersonNeeded` when whoever counted approves a line that
    differs by more than the tolerance; `CountedAgain` where another count has corrected a differing SKU since;
    `NotEnoughStock` when more is missing than is left; `KitHoldsNoStock`.
    Raises `NotAllowed`.
    """
    actor.require(APPROVE.permission)
    return with_owners(lambda: _approve(count_ids, actor))


def _approve(count_ids: Sequence[int], actor: Actor) -> Results[int]:
    results: Results[int] = Results(count_ids)
    with batch_transaction():
        desk = Desk.of(count_ids, actor=actor)
        desk.sort_out(APPROVE, results)
        for pk in results.open_ids:
            if (problem := second_person(desk.counts[pk], desk.lines[pk], actor)) is not None:
                results.refuse(pk, problem)
        differing = {pk: [line for line in desk.lines[pk] if line.variance] for pk in results.open_ids}
        locked = lock_owners(cuts_of(desk.counts, differing))
        found = [
            (line.sku_id, desk.counts[pk].location_id)
            for pk in differing
            for line in differing[pk]
            if line.variance > 0
        ]
        ensure_levels(found)
        levels = lock_levels(line.sku_id for lines in differing.values() for line in lines)
        shelf = _Shelf(levels, desk)
        postings: list[Posting] = []
        for pk, lines in differing.items():
            if (problem := shelf.problem(desk.counts[pk], lines)) is not None:
                results.refuse(pk, problem)
                continue
            postings += shelf.correct(desk.counts[pk], lines)
            results.done(pk)
        if postings:
            cause = Cause((REFERENCE, results.done_ids[0]), actor)
            post_cuts(postings, levels=levels, locked=locked, cause=cause)
            record_freed(
                line.sku_id for pk in results.done_ids for line in differing[pk] if line.variance > 0
            )
        facts = {pk: desk.facts(pk, **_sums(differing[pk])) for pk in results.done_ids}
        approved = [desk.counts[pk] for pk in results.done_ids]
        also = {"approved_at": clock.now()}
        apply_transition(STOCK_COUNT, APPROVE, approved, actor=actor, facts=facts, also=also)
    return results


def second_person(count: StockCount, lines: Lines, actor: Actor) -> BancaleError | None:
    """Why this person may not approve: it is whoever counted, and a line differs by more than the tolerance."""
    if any(getattr(count, name) != value for name, value in person(actor).items()):
        return None
    for line in lines:
        if abs(line.variance) > count.tolerance:
            return SecondPersonNeeded(sku=line.sku.code, variance=line.variance, tolerance=count.tolerance)
    return None


def cuts_of(counts: Mapping[int, StockCount], lines: Mapping[int, Lines]) -> dict[tuple[int, int], int]:
    """Units that may at most be no longer promised, by place."""
    cuts: dict[tuple[int, int], int] = defaultdict(int)
    for pk, some in lines.items():
        for line in some:
            cuts[line.sku_id, counts[pk].location_id] += max(0, -line.variance)
    return cuts


class _Shelf:
    """The shelves of counted places, as counts correct them one after the other."""

    def __init__(self, levels: Sequence[StockLevel], desk: Desk) -> None:
        self.at = by_place(levels)
        self.shelves = Shelves(levels)
        self.bins = default_bins({count.location_id for count in desk.counts.values()})
        sku_ids = {line.sku_id for lines in desk.lines.values() for line in lines}
        self.kits = set(Sku.objects.filter(pk__in=sku_ids, is_kit=True).values_list("pk", flat=True))
        self.corrected = _corrections(levels, desk.counts.values())

    def problem(self, count: StockCount, lines: Lines) -> BancaleError | None:
        for line in lines:
            level = self.at.get((line.sku_id, count.location_id))
            if line.sku_id in self.kits:
                return KitHoldsNoStock(sku=line.sku.code)
            last = self.corrected.get(level.pk) if level is not None else None
            if last is not None and last[1] > (count.counted_at or last[1]):
                return CountedAgain(sku=line.sku.code, other=last[0])
            if line.variance < 0 and (problem := self.shelves.problem(level, -line.variance)):
                return problem
        return None

    def correct(self, count: StockCount, lines: Lines) -> Iterator[Posting]:
        document = (REFERENCE, count.pk)
        for line in lines:
            level = self.at[line.sku_id, count.location_id]
            self.corrected[level.pk] = (count.number, clock.now())
            if line.variance > 0:
                bin_id = self.bins[count.location_id]
                self.shelves.put(level, bin_id, line.variance)
                yield Posting(
                    level.pk, bin_id, MovementKind.CORRECTION, delta=line.variance, document=document
                )
                continue
            for bin_id, taken in self.shelves.take(level, -line.variance):
                yield Posting(level.pk, bin_id, MovementKind.CORRECTION, delta=-taken, document=document)


def _corrections(
    levels: Sequence[StockLevel], counts: Iterable[StockCount]
) -> dict[int, tuple[str, datetime]]:
    """By level the last count, undone ones aside, that has corrected it since the first of these was taken, and
    when: two statements."""
    first = min((count.counted_at for count in counts if count.counted_at is not None), default=None)
    if first is None:
        return {}
    rows = StockMovement.objects.filter(level__in=levels, at__gt=first, reference_kind=REFERENCE)
    found = list(rows.order_by("pk").values_list("level_id", "reference_id", "at"))
    standing = StockCount.objects.only("number").exclude(status=CountStatus.UNDONE)
    number_of = standing.in_bulk({count_id for _level, count_id, _at in found})
    return {
        level_id: (number_of[count_id].number, at)
        for level_id, count_id, at in found
        if count_id in number_of
    }


def _sums(lines: Lines) -> dict[str, int]:
    return {
        "differing": len(lines),
        "found": sum(line.variance for line in lines if line.variance > 0),
        "missing": -sum(line.variance for line in lines if line.variance < 0),
    }
