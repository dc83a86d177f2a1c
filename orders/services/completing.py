"""Completing orders: all that is owed has left or arrived; and taking that back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError
from config.kernel.results import Results
from config.kernel.states import Edge, apply_transition
from orders.axes import PartState
from orders.enums import FulfillmentStatus, OrderStatus, ProposalStatus
from orders.errors import (
    ChangeUndecided,
    HistoryOrder,
    NeverConfirmed,
    NotAllShipped,
    OrderClosed,
    OrderOnHold,
)
from orders.models import Hold, Order, Proposal
from orders.selectors.holds import open_holds
from orders.services.axes import part_states
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.promises import dispatch_days
from orders.states import CLOSE, COMPLETE, ORDER, REOPEN

UNDECIDED = (ProposalStatus.OPEN, ProposalStatus.STALE)


@verb
def complete_orders(order_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """End confirmed orders of which all that is owed has left, whether or not anybody said that it arrived; one
    without goods to ship may be ended too.

    At most 200 ids. Locks the orders by ascending pk. A completed order is `unchanged`. What is told of its parcels
    later still counts; returns go on as they would after a delivery.

    Refuses: `NotAllShipped` with the units that have not left, `OrderOnHold`, `ChangeUndecided` for one with an open
    change, `OrderClosed`, `IllegalTransition` before confirm, `NotFound`. Raises `NotAllowed`.
    """
    actor.require(COMPLETE.permission)
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, actor=actor)
        refuse_unknown(results, orders)
        parts, held, changes = part_states(orders), open_holds(order_ids), _undecided(orders)
        for order in orders:
            problem = _refusal(order, parts.get(order.pk, ())) or pending(
                order, held.get(order.pk, ()), changes.get(order.pk, ())
            )
            if order.status == OrderStatus.COMPLETED:
                results.unchanged(order.pk)
            elif problem is not None:
                results.refuse(order.pk, problem)
            else:
                results.done(order.pk)
        _complete([order for order in orders if results.is_done(order.pk)], actor)
    return results


@verb
def reopen_orders(order_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Take completing back: the orders are confirmed again, can be changed, and what is added can be shipped.

    At most 200 ids. Locks the orders by ascending pk. A confirmed order is `unchanged`. The dispatch day is counted
    from today, as confirming does; they hold no stock that would be promised for it.

    Refuses: `HistoryOrder`, `IllegalTransition` for one that is not completed, `NeverConfirmed` for one that ended
    without being confirmed, `NotFound`. Raises `NotAllowed`.
    """
    actor.require(REOPEN.permission)
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, actor=actor)
        refuse_unknown(results, orders)
        for order in orders:
            if order.status == OrderStatus.CONFIRMED:
                results.unchanged(order.pk)
            elif order.is_history:
                results.refuse(order.pk, HistoryOrder(number=order.number))
            elif (problem := REOPEN.refusal(order.status)) is not None:
                results.refuse(order.pk, problem)
            elif order.confirmed_at is None:
                results.refuse(order.pk, NeverConfirmed(number=order.number))
            else:
                results.done(order.pk)
        chosen = [order for order in orders if results.is_done(order.pk)]
        also = {"completed_at": None, "dispatch_by_on": dispatch_days(chosen)}
        apply_transition(ORDER, REOPEN, chosen, actor=actor, also=also)
    return results


def complete_delivered(orders: Sequence[Order], *, actor: Actor) -> None:
    """Complete those of the locked orders of which all that is owed has arrived; what a carrier's event leads to,
    and cancelling the rest.

    No permission is asked: the goods have arrived, whoever tells.
    """
    arrived = [order for order in orders if order.fulfillment_status == FulfillmentStatus.DELIVERED]
    for edge in (COMPLETE, CLOSE):
        _complete([order for order in arrived if edge.leads_from(order.status)], actor, edge)


def pending(order: Order, holds: Iterable[Hold], changes: Iterable[Proposal]) -> BancaleError | None:
    """What somebody still has to decide about an order before it can be ended by hand, or None; no query."""
    if kinds := [hold.kind for hold in holds]:
        return OrderOnHold(order.number, kinds)
    if undecided := [change.pk for change in changes if change.status in UNDECIDED]:
        return ChangeUndecided(number=order.number, proposal=undecided[0])
    return None


def _undecided(orders: Sequence[Order]) -> Mapping[int, Sequence[Proposal]]:
    found: dict[int, list[Proposal]] = defaultdict(list)
    for row in Proposal.objects.filter(order__in=orders, status__in=UNDECIDED).order_by("-pk"):
        found[row.order_id].append(row)
    return found


def _refusal(order: Order, parts: Sequence[PartState]) -> BancaleError | None:
    if order.is_closed:
        return OrderClosed(order.number, order.status)
    if (problem := COMPLETE.refusal(order.status)) is not None:
        return problem
    missing = sum(max(0, part.owed - part.shipped) for part in parts)
    return NotAllShipped(number=order.number, missing=missing) if missing else None


def _complete(orders: Sequence[Order], actor: Actor, edge: Edge = COMPLETE) -> None:
    apply_transition(ORDER, edge, orders, actor=actor, also={"completed_at": clock.now()})
