"""What is written down is not what is there: units added or taken off, with a reason."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.results import Results
from inventory.enums import AdjustmentKind, BinKind, MovementKind
from inventory.models import StockLevel
from inventory.owners import Reference
from inventory.services.adjustments import Shelves, bin_problem, clean_reason, open_adjustment
from inventory.services.arrivals import Places, new_lines
from inventory.services.levels import by_place, ensure_levels, lock_levels, record_freed
from inventory.services.losses import lock_owners, post_cuts, with_owners
from inventory.services.movements import Cause, Posting, keep_keys

ADJUST = "inventory.adjust_stock"
POSTED = "adjust"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Units that are there and were not written down (`delta` above 0), or the other way round. `key` names the
    source line for ever; without `bin_id` units come to the default bin, and leave it first, then the fullest."""

    key: str
    sku_id: int
    location_id: int
    delta: int
    bin_id: int | None = None

    @property
    def quantity(self) -> int:
        return abs(self.delta)


@verb
def adjust_stock(
    adjustments: Sequence[Adjustment], *, reason: str, actor: Actor, reference: Reference | None = None
) -> Results[str]:
    """Correct what is on hand. Without `reference` one `StockAdjustment` is written as the movements' document.

    At most 200. Locks the owners of promises that break, makes missing levels where units are added, locks all
    levels of the SKUs. A loss below what is reserved turns the latest promised units into waiting ones, and their
    owners hear of it in this transaction. A key posted before comes back `unchanged`. Records `stock.freed`
    where units were added or promises broke. Set-aside units are not touched: `write_off` is for them.

    Refuses: `NotFound`; `KitHoldsNoStock`; `LocationClosed` for added units; `BinMissing`; `NotEnoughStock`,
    `NotEnoughInBin` for more than is there; `InvalidInput` for 0, more than 1,000,000 or a bin that is not for
    sale. Raises `NotAllowed`, `InvalidInput` for the reason.
    """
    actor.require(ADJUST)
    said = clean_reason(reason)
    return with_owners(lambda: _adjust(adjustments, said, reference, actor))


def _adjust(
    adjustments: Sequence[Adjustment], reason: str, reference: Reference | None, actor: Actor
) -> Results[str]:
    results: Results[str] = Results(line.key for line in adjustments)
    with batch_transaction():
        places = Places.of(
            adjustments, [line.bin_id for line in adjustments if line.bin_id is not None], actor=actor
        )
        fit = [line for line in adjustments if _fits(line, places, results)]
        locked = lock_owners(cuts_of(fit))
        ensure_levels((line.sku_id, line.location_id) for line in fit if line.delta > 0)
        levels = lock_levels(line.sku_id for line in fit)
        fresh = new_lines(fit, POSTED, results)
        shelves, at = Shelves(levels), by_place(levels)
        postings: list[Posting] = []
        for line in fresh:
            level = at.get((line.sku_id, line.location_id))
            if line.delta < 0 and (problem := shelves.problem(level, -line.delta, line.bin_id)):
                results.refuse(line.key, problem)
            elif level is not None:
                postings += _entries(line, level, shelves, places)
                results.done(line.key)
        if postings:
            reference = reference or open_adjustment(AdjustmentKind.CORRECTION, reason, actor)
            post_cuts(postings, levels=levels, locked=locked, cause=Cause(reference, actor, reason))
            posted = [line for line in fresh if results.is_done(line.key)]
            keep_keys(f"{POSTED}:{line.key}" for line in posted)
            record_freed(line.sku_id for line in posted if line.delta > 0)
    return results


def cuts_of(adjustments: Sequence[Adjustment]) -> dict[tuple[int, int], int]:
    """Units that may at most be no longer promised, by place: what is added at the same time may be refused."""
    cuts: dict[tuple[int, int], int] = defaultdict(int)
    for line in adjustments:
        cuts[line.sku_id, line.location_id] += max(0, -line.delta)
    return cuts


def _fits(line: Adjustment, places: Places, results: Results[str]) -> bool:
    needed = (BinKind.DEFAULT,) if line.bin_id is None else ()
    problem = places.problem(line, bins=needed, opens=line.delta > 0) or bin_problem(
        line, [line.bin_id], places
    )
    if problem is not None:
        results.refuse(line.key, problem)
    return problem is None


def _entries(line: Adjustment, level: StockLevel, shelves: Shelves, places: Places) -> Iterator[Posting]:
    if line.delta > 0:
        bin_id = line.bin_id or places.bin_of[line.location_id, BinKind.DEFAULT]
        shelves.put(level, bin_id, line.delta)
        yield Posting(level.pk, bin_id, MovementKind.CORRECTION, delta=line.delta)
        return
    for bin_id, taken in shelves.take(level, -line.delta, line.bin_id):
        yield Posting(level.pk, bin_id, MovementKind.CORRECTION, delta=-taken)
