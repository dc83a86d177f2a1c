"""Units move between bins of one location."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput
from config.kernel.results import Results
from inventory.enums import AdjustmentKind, MovementKind
from inventory.models import StockLevel
from inventory.owners import Reference
from inventory.services.adjustments import Shelves, bin_problem, open_adjustment
from inventory.services.arrivals import Places, new_lines
from inventory.services.levels import by_place, lock_levels
from inventory.services.movements import Cause, Posting, keep_keys, post_movements

MOVE = "inventory.move_stock"
POSTED = "move"


@dataclass(frozen=True, slots=True)
class BinMove:
    """Units of a SKU from one bin to another of the same location. `key` names the source line for ever."""

    key: str
    sku_id: int
    location_id: int
    from_bin_id: int
    to_bin_id: int
    quantity: int


@verb
def move_bin(
    moves: Sequence[BinMove], *, actor: Actor, reason: str = "", reference: Reference | None = None
) -> Results[str]:
    """Move units between bins; the level's figures stay as they are.

    At most 200. Locks all levels of the SKUs; two ledger entries a move. Without `reference` one
    `StockAdjustment` is the document. A key moved before comes back `unchanged`.

    Refuses: `NotFound`; `KitHoldsNoStock`; `NotEnoughInBin`; `InvalidInput` for a quantity, the same bin twice,
    and a bin that is not for sale or elsewhere. Raises `NotAllowed`.
    """
    actor.require(MOVE)
    results: Results[str] = Results(move.key for move in moves)
    with batch_transaction():
        places = Places.of(
            moves, [pk for move in moves for pk in (move.from_bin_id, move.to_bin_id)], actor=actor
        )
        fit = [move for move in moves if _fits(move, places, results)]
        levels = lock_levels(move.sku_id for move in fit)
        fresh = new_lines(fit, POSTED, results)
        shelves, at = Shelves(levels), by_place(levels)
        postings: list[Posting] = []
        for move in fresh:
            level = at.get((move.sku_id, move.location_id))
            problem = shelves.problem(level, move.quantity, move.from_bin_id)
            if problem is not None or level is None:
                results.refuse(move.key, problem or shelves.missing(move.quantity))
                continue
            postings += _entries(move, level, shelves)
            results.done(move.key)
        if postings:
            reference = reference or open_adjustment(AdjustmentKind.MOVE, reason[:120], actor)
            post_movements(postings, levels=levels, cause=Cause(reference, actor, reason))
            keep_keys(f"{POSTED}:{move.key}" for move in fresh if results.is_done(move.key))
    return results


def _fits(move: BinMove, places: Places, results: Results[str]) -> bool:
    problem: BancaleError | None = places.problem(move, bins=(), opens=False)
    problem = problem or bin_problem(move, [move.from_bin_id, move.to_bin_id], places)
    if problem is None and move.from_bin_id == move.to_bin_id:
        accepted = _("another bin than the first is")
        problem = InvalidInput(field=str(_("bin")), value=move.to_bin_id, accepted=str(accepted))
    if problem is not None:
        results.refuse(move.key, problem)
    return problem is None


def _entries(move: BinMove, level: StockLevel, shelves: Shelves) -> Iterator[Posting]:
    for bin_id, taken in shelves.take(level, move.quantity, move.from_bin_id):
        yield Posting(level.pk, bin_id, MovementKind.MOVE, delta=-taken)
    shelves.put(level, move.to_bin_id, move.quantity)
    yield Posting(level.pk, move.to_bin_id, MovementKind.MOVE, delta=move.quantity)
