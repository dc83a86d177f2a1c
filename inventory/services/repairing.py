"""Stock figures that are not what the ledger says are set to it; the ledger itself is never touched."""

from collections.abc import Sequence

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import NotFound
from config.kernel.events import Entry, Thread, record_events
from config.kernel.results import Results
from config.kernel.visibility import seen_by
from inventory.errors import LedgerTooLow
from inventory.models import BinStock, StockLevel, UnsellableStock
from inventory.selectors.health import ASIDE, BIN, Difference, Figures, differences, true_figures
from inventory.services.adjustments import clean_reason
from inventory.services.levels import lock_levels, record_crossed, record_freed

REPAIR = "inventory.repair_stock"
STOCK_LEVEL, REPAIRED = "stock_level", "repaired"


@verb
def repair_levels(level_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Set levels, their bins and their set-aside units to the sums of the ledger, and reserved to the sum of the open
    reservations. Values: how many numbers were wrong.

    At most 200 ids. Locks all levels of their SKUs. One event a level says each number before and after. A level
    whose figures are right comes back `unchanged`. Records `stock.freed`, and the news of a crossed reorder point.

    Refuses: `NotFound`; `LedgerTooLow` where the ledger has fewer units than are promised and set aside. Raises
    `NotAllowed`, and `InvalidInput` for the reason.
    """
    actor.require(REPAIR)
    said = clean_reason(reason)
    results: Results[int] = Results(level_ids)
    with batch_transaction():
        seen = dict(
            seen_by(actor, StockLevel.objects.filter(pk__in=results.keys)).values_list("pk", "sku_id")
        )
        levels = {level.pk: level for level in lock_levels(seen.values()) if level.pk in seen}
        wrong, true = differences(list(levels.values())), true_figures(levels)
        for pk in results.keys:
            if pk not in levels:
                results.refuse(pk, NotFound(level_id=pk))
            elif pk not in wrong:
                results.unchanged(pk)
            elif (problem := _problem(true[pk])) is not None:
                results.refuse(pk, problem)
            else:
                results.done(pk, len(wrong[pk]))
        repaired = [levels[pk] for pk in results.done_ids]
        crossed = _write_levels(repaired, true)
        _write_parts(repaired, wrong)
        record_events([_entry(level.pk, wrong[level.pk], said) for level in repaired], actor=actor)
        record_crossed(crossed)
        if repaired:
            record_freed(level.sku_id for level in repaired)
    return results


def repair_problem(level_id: int) -> LedgerTooLow | None:
    """Why a level could not be set to its ledger, as both look now, without a lock."""
    return _problem(true_figures([level_id])[level_id])


def _problem(true: Figures) -> LedgerTooLow | None:
    numbers = (true.on_hand, true.unsellable, *true.bins.values(), *true.asides.values())
    if min(numbers) < 0 or true.on_hand < true.reserved + true.unsellable:
        return LedgerTooLow(on_hand=true.on_hand, reserved=true.reserved, unsellable=true.unsellable)
    return None


def _write_levels(levels: Sequence[StockLevel], true: dict[int, Figures]) -> list[int]:
    """One statement; returns who crossed their reorder point."""
    crossed = []
    for level in levels:
        was_low, figures = level.is_low, true[level.pk]
        level.on_hand, level.reserved, level.unsellable = (
            figures.on_hand,
            figures.reserved,
            figures.unsellable,
        )
        level.version += 1
        if level.is_low != was_low:
            crossed.append(level.pk)
    StockLevel.objects.bulk_update(levels, ["on_hand", "reserved", "unsellable", "version"])
    return crossed


def _write_parts(levels: Sequence[StockLevel], wrong: dict[int, list[Difference]]) -> None:
    """Bins and reasons that differ: rows that are there are set, missing ones made."""
    bins = [
        BinStock(level=level, bin_id=int(one.key), quantity=one.found)
        for level in levels
        for one in wrong[level.pk]
        if one.what == BIN
    ]
    BinStock.objects.bulk_create(
        bins, update_conflicts=True, update_fields=["quantity"], unique_fields=["level", "bin"]
    )
    asides = [
        UnsellableStock(level=level, reason=str(one.key), quantity=one.found)
        for level in levels
        for one in wrong[level.pk]
        if one.what == ASIDE
    ]
    UnsellableStock.objects.bulk_create(
        asides, update_conflicts=True, update_fields=["quantity"], unique_fields=["level", "reason"]
    )


def _entry(level_id: int, wrong: Sequence[Difference], reason: str) -> Entry:
    numbers = [[one.what, one.key, one.stored, one.found] for one in wrong]
    facts = {"numbers": numbers, "reason": reason}
    return Entry((STOCK_LEVEL, level_id), Thread(STOCK_LEVEL, level_id), REPAIRED, facts=facts)
