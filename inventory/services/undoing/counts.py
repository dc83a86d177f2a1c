"""Approved counts are taken back."""

from collections.abc import Sequence

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import NotFound
from config.kernel.results import Results
from config.kernel.states import apply_transition
from inventory.enums import CountStatus
from inventory.errors import AlreadyUndone
from inventory.services.adjustments import clean_reason
from inventory.services.counts.desk import REFERENCE, Desk
from inventory.services.undoing.reversing import reverse, units_of
from inventory.states import STOCK_COUNT, UNDO_COUNT


@verb
def undo_counts(count_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Take back what approved counts corrected; the lines still say what was found. The count is over.

    At most 200 ids. Locks the counts by ascending pk, then all levels of the SKUs that differed. Records `stock.freed`
    where units become free.

    Refuses: `NotFound`; `AlreadyUndone`; `IllegalTransition` for one that is not approved; `UnitsTaken`, `UnitsMoved`,
    `CountedSince`, `KitHoldsNoStock`, `LocationClosed` as in `undo_adjustments`. Raises `NotAllowed`, `InvalidInput`
    for the reason.
    """
    actor.require(UNDO_COUNT.permission)
    said = clean_reason(reason)
    results: Results[int] = Results(count_ids)
    with batch_transaction():
        desk = Desk.of(count_ids, actor=actor)
        for pk in results.keys:
            count = desk.counts.get(pk)
            if count is None:
                results.refuse(pk, NotFound())
            elif count.status == CountStatus.UNDONE:
                results.refuse(pk, AlreadyUndone(number=count.number))
            elif (problem := UNDO_COUNT.refusal(count.status)) is not None:
                results.refuse(pk, problem)
        undone = reverse(REFERENCE, results.open_ids, results, reason=said, actor=actor)
        facts = {pk: desk.facts(pk, reason=said, units=units_of(posted)) for pk, posted in undone.items()}
        rows = [desk.counts[pk] for pk in undone]
        apply_transition(STOCK_COUNT, UNDO_COUNT, rows, actor=actor, facts=facts)
    return results
