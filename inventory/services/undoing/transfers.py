"""Transfers that never left are drafts again."""

from collections.abc import Sequence

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import Conflict, NotFound, NotYourPlace
from config.kernel.results import Results
from config.kernel.states import apply_transition
from inventory.models import TransferLine
from inventory.services.additions import add_to_rows
from inventory.services.adjustments import clean_reason
from inventory.services.transfers.desk import REFERENCE, Desk
from inventory.services.undoing.reversing import reverse
from inventory.states import TRANSFER, UNDO_SEND

TABLE = TransferLine._meta.db_table
ALL_IN_TRANSIT = f"{TABLE}.sent = -change.sent AND {TABLE}.received + {TABLE}.lost + {TABLE}.returned = 0"


@verb
def undo_sending(transfer_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Put the units of transfers that are on their way back into the bins that they came from: drafts again.

    For goods that never left: what did leave comes back by `cancel_transfers`. At most 200 ids. Locks the transfers by
    ascending pk, then all levels of their SKUs. Records `stock.freed`.

    Refuses: `NotFound`; `NotYourPlace`; `IllegalTransition` for one that is not on its way; `CountedSince`,
    `KitHoldsNoStock`, `LocationClosed`. Raises `NotAllowed`, `InvalidInput` for the reason.
    """
    actor.require(UNDO_SEND.permission)
    said = clean_reason(reason)
    results: Results[int] = Results(transfer_ids)
    with batch_transaction():
        desk = Desk.of(transfer_ids, actor=actor)
        for pk in results.keys:
            transfer = desk.transfers.get(pk)
            if transfer is None:
                results.refuse(pk, NotFound())
            elif not actor.sees_place(transfer.origin_id):
                results.refuse(pk, NotYourPlace(location=transfer.origin.name))
            elif (problem := UNDO_SEND.refusal(transfer.status)) is not None:
                results.refuse(pk, problem)
        undone = reverse(REFERENCE, results.open_ids, results, reason=said, actor=actor)
        facts = {pk: desk.facts(pk, reason=said) for pk in undone}
        lines = [line for pk in undone for line in desk.lines[pk]]
        back = {line.pk: (-line.sent,) for line in lines}
        if back and add_to_rows(TransferLine, ("sent",), back, condition=ALL_IN_TRANSIT) != len(back):
            raise Conflict(detail="units of a line are no longer in transit")
        rows = [desk.transfers[pk] for pk in undone]
        apply_transition(TRANSFER, UNDO_SEND, rows, actor=actor, facts=facts, also={"sent_at": None})
    return results
