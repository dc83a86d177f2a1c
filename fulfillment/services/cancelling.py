"""Taking work back from the warehouse before it has left."""

from collections.abc import Sequence

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import NotFound
from config.kernel.results import Results
from config.kernel.states import apply_transition
from fulfillment.enums import FulfillmentOrderStatus
from fulfillment.services.asking import count_asked
from fulfillment.services.locking import lock_work
from fulfillment.states import CANCEL, FULFILLMENT_ORDER


@verb
def cancel_fulfillment_orders(fulfillment_order_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Call work back; its units stay reserved for the order and can be released again.

    At most 200 ids. Locks the orders, then the fulfillment orders, each by ascending pk. One that is cancelled
    already comes back `unchanged`.

    Refuses: `NotFound`; `IllegalTransition` for one that has shipped.
    """
    actor.require(CANCEL.permission)
    results: Results[int] = Results(fulfillment_order_ids)
    with batch_transaction():
        _orders, work = lock_work(fulfillment_order_ids, actor=actor)
        for pk in results.keys:
            if pk not in work:
                results.refuse(pk, NotFound())
            elif work[pk].status == FulfillmentOrderStatus.CANCELLED:
                results.unchanged(pk)
            elif (problem := CANCEL.refusal(work[pk].status)) is not None:
                results.refuse(pk, problem)
            else:
                results.done(pk)
        chosen = [work[pk] for pk in results.done_ids]
        apply_transition(
            FULFILLMENT_ORDER,
            CANCEL,
            chosen,
            actor=actor,
            facts={one.pk: {"number": one.number, "location_id": one.location_id} for one in chosen},
        )
        count_asked(chosen)
    return results
