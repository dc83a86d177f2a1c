"""Completing orders: everything owed has arrived."""

from collections.abc import Mapping, Sequence

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.results import Results
from config.kernel.states import Edge, apply_transition
from orders.axes import PartState
from orders.enums import FulfillmentStatus, OrderStatus
from orders.errors import NotDelivered, OrderClosed
from orders.models import Order
from orders.services.axes import part_states
from orders.services.locking import lock_orders, refuse_unknown
from orders.states import CLOSE, COMPLETE, ORDER


@verb
def complete_orders(order_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Close confirmed orders whose owed units have all been delivered; one without goods to ship may be closed.

    At most 200 ids. Locks the orders by ascending pk. A completed order is `unchanged`.

    Refuses: `NotDelivered` with the missing units, `OrderClosed`, `IllegalTransition` before confirm,
    `NotFound`. Raises `NotAllowed`.
    """
    actor.require(COMPLETE.permission)
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, actor=actor)
        refuse_unknown(results, orders)
        parts = part_states(orders)
        for order in orders:
            _decide(order, parts, results)
        _complete([order for order in orders if results.is_done(order.pk)], actor)
    return results


def complete_delivered(orders: Sequence[Order], *, actor: Actor) -> None:
    """Complete those of the locked orders of which all that is owed has arrived; what a carrier's event leads to,
    and cancelling the rest.

    No permission is asked: the goods have arrived, whoever tells.
    """
    arrived = [order for order in orders if order.fulfillment_status == FulfillmentStatus.DELIVERED]
    for edge in (COMPLETE, CLOSE):
        _complete([order for order in arrived if edge.leads_from(order.status)], actor, edge)


def _decide(order: Order, parts: Mapping[int, Sequence[PartState]], results: Results[int]) -> None:
    missing = sum(max(0, part.owed - part.delivered) for part in parts.get(order.pk, ()))
    if order.status == OrderStatus.COMPLETED:
        results.unchanged(order.pk)
    elif order.is_closed:
        results.refuse(order.pk, OrderClosed(order.number, order.status))
    elif (problem := COMPLETE.refusal(order.status)) is not None:
        results.refuse(order.pk, problem)
    elif missing:
        results.refuse(order.pk, NotDelivered(number=order.number, missing=missing))
    else:
        results.done(order.pk)


def _complete(orders: Sequence[Order], actor: Actor, edge: Edge = COMPLETE) -> None:
    apply_transition(ORDER, edge, orders, actor=actor, also={"completed_at": clock.now()})
