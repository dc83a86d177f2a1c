"""Receipts and changes by hand are taken back."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db.models import QuerySet

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, Conflict, NotAllowed, NotFound
from config.kernel.events import Entry, Thread, record_events
from config.kernel.locks import lock_rows
from config.kernel.results import Results
from config.kernel.visibility import seen_by
from inventory.enums import AdjustmentKind
from inventory.errors import AlreadyUndone
from inventory.models import StockAdjustment, StockReceipt
from inventory.services import receipts
from inventory.services.adjustment_booking import PERMISSIONS
from inventory.services.adjustments import REFERENCE as ADJUSTMENT
from inventory.services.adjustments import clean_reason
from inventory.services.undoing.reversing import reverse, units_of

RECEIPT = receipts.REFERENCE
UNDO_RECEIPT = "inventory.undo_stockreceipt"
UNDO_ADJUSTMENT = "inventory.undo_stockadjustment"
UNDONE = "undone"


@verb
def undo_receipts(receipt_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Take receipts back that should not have been booked: the opposite of each entry is posted, in the same bin.

    At most 200 ids. Locks the receipts by ascending pk, then all levels of their SKUs. One event a receipt.

    Refuses: `NotFound`; `AlreadyUndone`; `UnitsTaken` where units are promised or gone; `UnitsMoved` where they lie in
    another bin; `CountedSince`; `NotYourPlace`. Raises `NotAllowed`, `InvalidInput` for the reason.
    """
    actor.require(UNDO_RECEIPT)
    return _undo(StockReceipt, RECEIPT, receipt_ids, _anybody, clean_reason(reason), actor)


@verb
def undo_adjustments(adjustment_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Take changes by hand back: corrections, units set aside, for another reason too, put back, written
    off or moved between bins.

    Locks, events and refusals are those of `undo_receipts`; further `NotAllowed` for a kind that the actor may not
    book, `NotEnoughUnsellable`, `KitHoldsNoStock` and `LocationClosed` where units would come back. Records
    `stock.freed` where units become free.
    """
    actor.require(UNDO_ADJUSTMENT)
    return _undo(
        StockAdjustment, ADJUSTMENT, adjustment_ids, _whoever_may_book(actor), clean_reason(reason), actor
    )


Refusal = Callable[[Any], BancaleError | None]


def _anybody(_document: StockReceipt) -> BancaleError | None:
    return None


def _whoever_may_book(actor: Actor) -> Refusal:
    def refusal(document: StockAdjustment) -> BancaleError | None:
        permission = PERMISSIONS[AdjustmentKind(document.kind)]
        return None if actor.may(permission) else NotAllowed(permission=permission)

    return refusal


def _undo(
    model: type[StockReceipt] | type[StockAdjustment],
    kind: str,
    ids: Sequence[int],
    refusal: Refusal,
    reason: str,
    actor: Actor,
) -> Results[int]:
    results: Results[int] = Results(ids)
    with batch_transaction():
        rows = seen_by(actor, model._default_manager.filter(pk__in=list(ids)))
        documents: dict[int, Any] = {row.pk: row for row in lock_rows(kind, rows)}
        for pk in results.keys:
            document = documents.get(pk)
            if document is None:
                results.refuse(pk, NotFound())
            elif document.undone_at is not None:
                results.refuse(pk, AlreadyUndone(number=document.number))
            elif (problem := refusal(document)) is not None:
                results.refuse(pk, problem)
        undone = reverse(kind, results.open_ids, results, reason=reason, actor=actor)
        if undone and _standing(model, undone).update(undone_at=clock.now()) != len(undone):
            raise Conflict(detail="a document has been undone already")
        entries = [
            Entry((kind, pk), Thread(kind, pk), UNDONE, facts={"reason": reason, "units": units_of(posted)})
            for pk, posted in undone.items()
        ]
        record_events(entries, actor=actor)
    return results


def _standing(model: type[StockReceipt] | type[StockAdjustment], pks: Iterable[int]) -> QuerySet[Any]:
    """Those that nobody has undone, asked by the statement that marks them: it refuses even where a lock failed."""
    return model._default_manager.filter(pk__in=list(pks), undone_at=None)
