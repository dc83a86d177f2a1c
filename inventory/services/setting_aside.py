"""Units that cannot be sold: set aside for a reason or for another one, put back for sale, or written off."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import InvalidInput
from config.kernel.results import Results
from inventory.enums import AdjustmentKind, BinKind, MovementKind, UnsellableReason
from inventory.models import StockLevel
from inventory.owners import Reference
from inventory.services.adjustments import Shelves, bin_problem, clean_reason, open_adjustment
from inventory.services.arrivals import Places, new_lines
from inventory.services.correcting import ADJUST
from inventory.services.levels import by_place, lock_levels
from inventory.services.losses import lock_owners, post_cuts, with_owners
from inventory.services.movements import Cause, Posting, keep_keys
from inventory.services.returning import Because, ReturnedGoods, nothing_kept, out_of_sale
from inventory.undecided import undecided_units

SET_ASIDE = "inventory.set_aside_stock"
POSTED = "set_aside"


@dataclass(frozen=True, slots=True)
class Aside:
    """Units that cannot be sold. `key` names the source line for ever; without `bin_id` they are taken from the
    default bin first, then the fullest."""

    key: str
    sku_id: int
    location_id: int
    quantity: int
    bin_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Why:
    reason: UnsellableReason
    note: str
    reference: Reference | None
    actor: Actor

    def cause(self, kind: AdjustmentKind) -> Cause:
        reference = self.reference or open_adjustment(kind, self.note, self.actor)
        return Cause(reference, self.actor, self.note)

    def leaving(self, kind: AdjustmentKind, becomes: UnsellableReason | None = None) -> Because:
        """Of quarantine only what no return has yet to decide."""
        kept = undecided_units if self.reason == UnsellableReason.QUARANTINE else nothing_kept
        return Because(self.reason, lambda: self.cause(kind), kept, becomes)


@verb
def set_aside(
    goods: Sequence[Aside],
    *,
    reason: UnsellableReason,
    note: str,
    actor: Actor,
    reference: Reference | None = None,
) -> Results[str]:
    """Take units off sale into the quarantine bin: still on hand, unsellable for a reason.

    At most 200. Locks the owners of promises that break, then all levels of the SKUs; what is promised beyond
    the rest waits again, as in `adjust_stock`. Without `reference` one `StockAdjustment` is the document. A key
    set aside before comes back `unchanged`.

    Refuses: `NotFound`; `KitHoldsNoStock`; `BinMissing`; `NotEnoughStock`, `NotEnoughInBin`; `InvalidInput`.
    Raises `NotAllowed`, `InvalidInput` for the note (1 to 120 characters).
    """
    actor.require(SET_ASIDE)
    why = _Why(reason, clean_reason(note), reference, actor)
    return with_owners(lambda: _set_aside(goods, why))


def _set_aside(goods: Sequence[Aside], why: _Why) -> Results[str]:
    results: Results[str] = Results(line.key for line in goods)
    with batch_transaction():
        places = Places.of(goods, [line.bin_id for line in goods if line.bin_id is not None], actor=why.actor)
        fit = [line for line in goods if _fits(line, places, results)]
        locked = lock_owners(cuts_of(fit))
        levels = lock_levels(line.sku_id for line in fit)
        fresh = new_lines(fit, POSTED, results)
        shelves, at = Shelves(levels), by_place(levels)
        postings: list[Posting] = []
        for line in fresh:
            level = at.get((line.sku_id, line.location_id))
            problem = shelves.problem(level, line.quantity, line.bin_id)
            if problem is not None or level is None:
                results.refuse(line.key, problem or shelves.missing(line.quantity))
                continue
            postings += _entries(
                line, level, shelves, places.bin_of[line.location_id, BinKind.QUARANTINE], why
            )
            results.done(line.key)
        if postings:
            post_cuts(postings, levels=levels, locked=locked, cause=why.cause(AdjustmentKind.SET_ASIDE))
            keep_keys(f"{POSTED}:{line.key}" for line in fresh if results.is_done(line.key))
    return results


def cuts_of(goods: Sequence[Aside]) -> dict[tuple[int, int], int]:
    """Units that may at most be no longer promised, by place."""
    cuts: dict[tuple[int, int], int] = defaultdict(int)
    for line in goods:
        cuts[line.sku_id, line.location_id] += line.quantity
    return cuts


def _fits(line: Aside, places: Places, results: Results[str]) -> bool:
    problem = places.problem(line, bins=(BinKind.QUARANTINE,), opens=False)
    problem = problem or bin_problem(line, [line.bin_id], places)
    if problem is not None:
        results.refuse(line.key, problem)
    return problem is None


def _entries(
    line: Aside, level: StockLevel, shelves: Shelves, quarantine_id: int, why: _Why
) -> Iterator[Posting]:
    """Out of the bins, and into quarantine with the reason."""
    for bin_id, taken in shelves.take(level, line.quantity, line.bin_id):
        yield Posting(level.pk, bin_id, MovementKind.SET_ASIDE, delta=-taken)
    yield Posting(
        level.pk,
        quarantine_id,
        MovementKind.SET_ASIDE,
        delta=line.quantity,
        unsellable_delta=line.quantity,
        unsellable_reason=why.reason,
    )


@verb
def put_back(
    goods: Sequence[ReturnedGoods],
    *,
    reason: UnsellableReason,
    note: str,
    actor: Actor,
    reference: Reference | None = None,
) -> Results[str]:
    """Move units set aside for a reason to the default bin, free again for whoever is first in line.

    Locks, answers and refusals are those of `put_back_for_sale`, further `UnitsToInspect` for units of a return about
    which nobody has decided; the document is as in `set_aside`.
    """
    actor.require(SET_ASIDE)
    why = _Why(reason, clean_reason(note), reference, actor)
    lines = {MovementKind.PUT_BACK: goods}
    return out_of_sale(lines, because=why.leaving(AdjustmentKind.PUT_BACK), actor=actor)


@verb
def write_off(
    goods: Sequence[ReturnedGoods],
    *,
    reason: UnsellableReason,
    note: str,
    actor: Actor,
    reference: Reference | None = None,
) -> Results[str]:
    """Take units set aside for a reason out of the books: they are no longer on hand.

    Locks, answers and refusals are those of `scrap_unsellable`, further `UnitsToInspect` as in `put_back`; the document
    is as in `set_aside`.
    """
    actor.require(ADJUST)
    why = _Why(reason, clean_reason(note), reference, actor)
    lines = {MovementKind.SCRAP: goods}
    return out_of_sale(lines, because=why.leaving(AdjustmentKind.SCRAP), actor=actor)


@verb
def change_reason(
    goods: Sequence[ReturnedGoods],
    *,
    reason: UnsellableReason,
    becomes: UnsellableReason,
    note: str,
    actor: Actor,
    reference: Reference | None = None,
) -> Results[str]:
    """Set units that stand aside for a reason aside for another one: they stay in quarantine and are for sale at no
    moment. Two ledger entries a line, one a reason; no figure of the level changes.

    Locks, answers and refusals are those of `put_back`, as is the document; needs no default bin. Raises further
    `InvalidInput` for the same reason twice.
    """
    actor.require(SET_ASIDE)
    if becomes == reason:
        raise same_reason(becomes)
    why = _Why(reason, clean_reason(note), reference, actor)
    lines = {MovementKind.OTHER_REASON: goods}
    return out_of_sale(lines, because=why.leaving(AdjustmentKind.OTHER_REASON, becomes), actor=actor)


def same_reason(becomes: UnsellableReason) -> InvalidInput:
    """The refusal of a reason for which the units stand aside already."""
    accepted = _("another reason than the present one is")
    return InvalidInput(field=str(_("From now on as")), value=str(becomes.label), accepted=str(accepted))
