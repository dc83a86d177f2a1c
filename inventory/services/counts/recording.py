"""What was found on the shelves, against what should have been there at that moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput
from config.kernel.results import Results
from config.kernel.states import apply_transition
from inventory.errors import CountIncomplete, UndoneSince
from inventory.models import StockCount, StockCountLine, StockLevel, StockMovement
from inventory.services.adjustments import clean_reason
from inventory.services.arrivals import MOST_UNITS
from inventory.services.counts.desk import Desk, person
from inventory.services.levels import by_place, lock_levels
from inventory.states import CANCEL_COUNT, COUNT, RECOUNT, STOCK_COUNT


@dataclass(frozen=True, slots=True)
class CountSheet:
    """Units found by line id, those set aside left out. `counted_at` is when, now if it is not given."""

    count_id: int
    counted: Mapping[int, int]
    counted_at: datetime | None = None

    @property
    def key(self) -> int:
        return self.count_id


@verb
def record_counts(sheets: Sequence[CountSheet], *, actor: Actor) -> Results[int]:
    """Write down what was counted, and what should have been for sale at that moment: movements since are taken off.

    At most 200. Locks the counts by ascending pk, then all levels of their SKUs. A counted one is `unchanged`.
    Nothing is corrected before `approve_counts`.

    Refuses: `NotFound`; `IllegalTransition`; `CountIncomplete`; `UndoneSince` for a moment that has passed;
    `InvalidInput` for a quantity outside 0 to 1,000,000 or a moment to come. Raises `NotAllowed`.
    """
    actor.require(COUNT.permission)
    results: Results[int] = Results(sheet.key for sheet in sheets)
    with batch_transaction():
        desk = Desk.of(results.keys, actor=actor)
        desk.sort_out(COUNT, results)
        told = {sheet.key: sheet for sheet in sheets}
        for pk in results.open_ids:
            if (problem := _problem(desk.lines[pk], told[pk])) is not None:
                results.refuse(pk, problem)
        chosen = [desk.counts[pk] for pk in results.open_ids]
        levels = by_place(lock_levels(line.sku_id for row in chosen for line in desk.lines[row.pk]))
        for count in chosen:
            here = [levels.get((line.sku_id, count.location_id)) for line in desk.lines[count.pk]]
            if (problem := _undone_since(told[count.pk], here)) is not None:
                results.refuse(count.pk, problem)
                continue
            results.done(count.pk)
            _record(count, desk, told[count.pk], levels, actor)
    return results


def _undone_since(sheet: CountSheet, levels: Sequence[StockLevel | None]) -> BancaleError | None:
    if sheet.counted_at is None:
        return None
    ids = [level.pk for level in levels if level is not None]
    undone = StockMovement.objects.filter(level__in=ids, at__gt=sheet.counted_at, is_undo=True)
    code = undone.values_list("level__sku__code", flat=True).first()
    return None if code is None else UndoneSince(sku=code)


def _problem(lines: Sequence[StockCountLine], sheet: CountSheet) -> BancaleError | None:
    if sheet.counted_at is not None and sheet.counted_at > clock.now():
        accepted = str(_("a moment that has passed is"))
        return InvalidInput(field=str(_("counted at")), value=sheet.counted_at, accepted=accepted)
    for line in lines:
        units = sheet.counted.get(line.pk)
        if units is None:
            return CountIncomplete(sku=line.sku.code)
        if not 0 <= units <= MOST_UNITS:
            accepted = str(_("whole units from 0 to %(most)s are") % {"most": MOST_UNITS})
            return InvalidInput(field=line.sku.code, value=units, accepted=accepted)
    return None


def _record(
    count: StockCount,
    desk: Desk,
    sheet: CountSheet,
    levels: Mapping[tuple[int, int], StockLevel],
    actor: Actor,
) -> None:
    at = sheet.counted_at or clock.now()
    lines = desk.lines[count.pk]
    here = {line.pk: levels.get((line.sku_id, count.location_id)) for line in lines}
    since = shelf_moves([level.pk for level in here.values() if level is not None], at)
    for line in lines:
        level = here[line.pk]
        now = level.on_hand - level.unsellable - since.get(level.pk, 0) if level is not None else 0
        line.expected, line.counted = max(0, now), sheet.counted[line.pk]
    StockCountLine.objects.bulk_update(lines, ["expected", "counted"])
    differing = [line for line in lines if line.variance]
    facts = desk.facts(count.pk, differing=len(differing), units=sum(line.variance for line in differing))
    also = {
        "counted_at": at,
        "tolerance": count.location.count_tolerance,
        **person(actor),
    }
    apply_transition(STOCK_COUNT, COUNT, [count], actor=actor, facts={count.pk: facts}, also=also)


def shelf_moves(level_ids: Sequence[int], after: datetime) -> dict[int, int]:
    """By how many units the stock for sale of each level has changed after a moment."""
    rows = StockMovement.objects.filter(level__in=level_ids, at__gt=after).order_by().values("level_id")
    sums = rows.annotate(units=Sum("delta"), aside=Sum("unsellable_delta"))
    return {row["level_id"]: row["units"] - row["aside"] for row in sums}


@verb
def recount(count_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Throw away what was counted, so that it is counted again. A draft comes back `unchanged`.

    Refuses: `NotFound`; `IllegalTransition`. Raises `NotAllowed`, `InvalidInput` for the reason.
    """
    actor.require(RECOUNT.permission)
    said = clean_reason(reason)
    results: Results[int] = Results(count_ids)
    with batch_transaction():
        desk = Desk.of(count_ids, actor=actor)
        desk.sort_out(RECOUNT, results)
        chosen = [desk.counts[pk] for pk in results.open_ids]
        for count in chosen:
            results.done(count.pk)
        StockCountLine.objects.filter(count__in=[count.pk for count in chosen]).update(
            expected=None, counted=None
        )
        facts = {count.pk: desk.facts(count.pk, reason=said) for count in chosen}
        also = {"counted_at": None, "counter_kind": "", "counter_id": None, "counter_label": ""}
        apply_transition(STOCK_COUNT, RECOUNT, chosen, actor=actor, facts=facts, also=also)
    return results


@verb
def cancel_counts(count_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Drop counts; nothing is corrected. A cancelled one comes back `unchanged`.

    Refuses: `NotFound`; `IllegalTransition`. Raises `NotAllowed`, `InvalidInput` for the reason.
    """
    actor.require(CANCEL_COUNT.permission)
    said = clean_reason(reason)
    results: Results[int] = Results(count_ids)
    with batch_transaction():
        desk = Desk.of(count_ids, actor=actor)
        desk.sort_out(CANCEL_COUNT, results)
        chosen = [desk.counts[pk] for pk in results.open_ids]
        for count in chosen:
            results.done(count.pk)
        facts = {count.pk: desk.facts(count.pk, reason=said) for count in chosen}
        apply_transition(STOCK_COUNT, CANCEL_COUNT, chosen, actor=actor, facts=facts)
    return results
