"""What was found on the shelves, against what should have been there at that moment."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    F,
    IntegerField,
    Max,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput
from config.kernel.fastpath import set_in_rows
from config.kernel.quantities import MOST_UNITS
from config.kernel.results import Results
from config.kernel.states import Edge, apply_transition, each
from inventory.errors import CountIncomplete, UndoneSince
from inventory.models import StockCountLine, StockLevel, StockMovement
from inventory.services.adjustments import clean_reason
from inventory.services.counts.desk import Desk, person
from inventory.services.levels import lock_levels
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
        chosen = results.open_ids
        if chosen:
            lock_levels(line.sku_id for pk in chosen for line in desk.lines[pk])
            undone = _undone_since([line for pk in chosen for line in desk.lines[pk]], told)
            for pk in chosen:
                if pk in undone:
                    results.refuse(pk, undone[pk])
                else:
                    results.done(pk)
        if results.done_ids:
            _record(desk, told, results.done_ids, actor)
    return results


def _undone_since(lines: Sequence[StockCountLine], told: Mapping[int, CountSheet]) -> dict[int, BancaleError]:
    """The counts of moments since which a booking of a SKU on their list was undone; one statement, none for now."""
    moments = {pk: at for pk, sheet in told.items() if (at := sheet.counted_at) is not None}
    if not moments:
        return {}
    undone = StockMovement.objects.filter(
        level__sku=OuterRef("sku"), level__location=OuterRef("count__location"), is_undo=True,
        at__gt=OuterRef("moment"),
    )  # fmt: skip
    rows = _at_moments(lines, moments).filter(Exists(undone), count__in=moments)
    return {
        count_id: UndoneSince(sku=code)
        for count_id, code in rows.order_by("-pk").values_list("count_id", "sku__code")
    }


def _at_moments(lines: Iterable[StockCountLine], at: Mapping[int, datetime]) -> QuerySet[StockCountLine]:
    """Lines with the `moment` they are counted at, by count."""
    moments = (When(count=pk, then=Value(moment)) for pk, moment in at.items())
    rows = StockCountLine.objects.filter(pk__in=[line.pk for line in lines])
    return rows.annotate(moment=Case(*moments, output_field=DateTimeField()))


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


def _record(desk: Desk, told: Mapping[int, CountSheet], count_ids: Sequence[int], actor: Actor) -> None:
    """Write counts down, however many: a fixed number of statements. The levels of their SKUs are locked."""
    lines = [line for pk in count_ids for line in desk.lines[pk]]
    places = {desk.counts[pk].location_id for pk in count_ids if told[pk].counted_at is None}
    now = _now(lines, places)
    at = {pk: told[pk].counted_at or now for pk in count_ids}
    expected = expected_units(lines, at)
    for line in lines:
        line.expected, line.counted = expected[line.pk], told[line.count_id].counted[line.pk]
    set_in_rows(
        StockCountLine, ("expected", "counted"), {line.pk: (line.expected, line.counted) for line in lines}
    )
    facts = {}
    for pk in count_ids:
        differing = [line for line in desk.lines[pk] if line.variance]
        units = sum(line.variance for line in differing)
        facts[pk] = desk.facts(pk, differing=len(differing), units=units)
    tolerances = {pk: desk.counts[pk].location.count_tolerance for pk in count_ids}
    also = {
        "counted_at": each(at, DateTimeField()),
        "tolerance": each(tolerances, IntegerField()),
        **person(actor),
    }
    counts = [desk.counts[pk] for pk in count_ids]
    apply_transition(STOCK_COUNT, COUNT, counts, actor=actor, facts=facts, also=also)


def _now(lines: Iterable[StockCountLine], places: Collection[int]) -> datetime:
    """This moment at places that are counted now, never before a movement that was booked there already: processes
    have clocks of their own, and what stands in the books under the levels' locks is on the shelves. One statement,
    none without places."""
    now = clock.now()
    if not places:
        return now
    booked = StockMovement.objects.filter(
        level__sku__in={line.sku_id for line in lines}, level__location__in=places, at__gt=now
    )
    return booked.aggregate(last=Max("at"))["last"] or now


def expected_units(lines: Iterable[StockCountLine], at: Mapping[int, datetime]) -> dict[int, int]:
    """Units that should have been for sale at the moment of each line's count, by line; one statement.

    What has moved since is taken off what is there now.
    """
    level = StockLevel.objects.filter(sku=OuterRef("sku"), location=OuterRef("count__location"))
    for_sale = level.annotate(units=F("on_hand") - F("unsellable")).values("units")
    since = StockMovement.objects.filter(
        level__sku=OuterRef("sku"), level__location=OuterRef("count__location"), at__gt=OuterRef("moment")
    )
    moved = since.order_by().values("level").annotate(units=Sum(F("delta") - F("unsellable_delta")))
    rows = _at_moments(lines, at).annotate(
        units=Coalesce(Subquery(for_sale), 0) - Coalesce(Subquery(moved.values("units")), 0)
    )
    return {pk: max(0, units) for pk, units in rows.values_list("pk", "units")}


@verb
def recount(count_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Throw away what was counted, so that it is counted again. A draft comes back `unchanged`.

    Refuses: `NotFound`; `IllegalTransition`. Raises `NotAllowed`, `InvalidInput` for the reason.
    """
    also = {"counted_at": None, "counter_kind": "", "counter_id": None, "counter_label": ""}
    with batch_transaction():
        results = _give_up(RECOUNT, count_ids, reason=reason, actor=actor, also=also)
        StockCountLine.objects.filter(count__in=results.done_ids).update(expected=None, counted=None)
    return results


@verb
def cancel_counts(count_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Drop counts; nothing is corrected. A cancelled one comes back `unchanged`.

    Refuses: `NotFound`; `IllegalTransition`. Raises `NotAllowed`, `InvalidInput` for the reason.
    """
    return _give_up(CANCEL_COUNT, count_ids, reason=reason, actor=actor)


def _give_up(
    edge: Edge,
    count_ids: Sequence[int],
    *,
    reason: str,
    actor: Actor,
    also: Mapping[str, Any] | None = None,
) -> Results[int]:
    """Move counts along an edge that corrects nothing and wants a reason."""
    actor.require(edge.permission)
    said = clean_reason(reason)
    results: Results[int] = Results(count_ids)
    with batch_transaction():
        desk = Desk.of(count_ids, actor=actor)
        desk.sort_out(edge, results)
        chosen = [desk.counts[pk] for pk in results.open_ids]
        for count in chosen:
            results.done(count.pk)
        facts = {count.pk: desk.facts(count.pk, reason=said) for count in chosen}
        apply_transition(STOCK_COUNT, edge, chosen, actor=actor, facts=facts, also=also)
    return results
