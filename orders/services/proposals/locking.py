"""Proposals under the locks of their orders, which guard them too."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.kernel.actors import Actor
from config.kernel.errors import BancaleError, NotFound
from config.kernel.results import Results
from orders.enums import OrderStatus, ProposalStatus
from orders.errors import HistoryOrder, NotPlaced, OrderClosed, ProposalClosed
from orders.models import Order, Proposal
from orders.services.locking import lock_orders

OVER = frozenset({ProposalStatus.CONFIRMED, ProposalStatus.DROPPED})


@dataclass(frozen=True, slots=True)
class Case:
    """A proposal with its order, locked."""

    proposal: Proposal
    order: Order


def lock_proposals(proposal_ids: Iterable[int], results: Results[int], *, actor: Actor) -> dict[int, Case]:
    """Lock the orders of proposals by ascending pk, and read these: five statements. Unknown ids, and
    those of orders that the actor does not see, are refused.

    A proposal never changes its order, so that this can be looked up before the lock.
    """
    ids = list(proposal_ids)
    order_ids = set(Proposal.objects.filter(pk__in=ids).values_list("order_id", flat=True))
    orders = {order.pk: order for order in lock_orders(order_ids, actor=actor)}
    rows = Proposal.objects.filter(pk__in=ids, order__in=list(orders))
    found = {row.pk: Case(row, orders[row.order_id]) for row in rows}
    for pk in results.keys:
        if pk not in found:
            results.refuse(pk, NotFound())
    return found


def fixed(order: Order) -> BancaleError | None:
    """Why an order cannot be changed by a proposal, or None."""
    if order.is_history:
        return HistoryOrder(number=order.number)
    if order.is_closed:
        return OrderClosed(order.number, order.status)
    return NotPlaced(number=order.number) if order.status == OrderStatus.DRAFT else None


def over(proposal: Proposal) -> BancaleError | None:
    return ProposalClosed(proposal.pk, proposal.status) if proposal.status in OVER else None


def in_sequence(cases: Mapping[int, Case], ids: Sequence[int]) -> list[Case]:
    """The cases of these proposals, by order."""
    return sorted((cases[pk] for pk in ids), key=lambda case: (case.order.pk, case.proposal.pk))
