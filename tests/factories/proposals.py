"""Changes to orders, made through their verbs."""

from typing import Any

from config.kernel.actors import Actor
from orders.models import Order, Proposal
from orders.services.proposals.adding import NewActions, add_actions
from orders.services.proposals.confirming import confirm_proposals
from orders.services.proposals.opening import open_proposals

ACTOR = Actor.system("tests")


def propose(order: Order, *wishes: Any, reason: str = "") -> Proposal:
    """An open change that says so much."""
    pk = open_proposals([order.pk], reason=reason, actor=ACTOR).only()
    if wishes:
        add_actions([NewActions(pk, wishes)], actor=ACTOR).only()
    return Proposal.objects.get(pk=pk)


def change(order: Order, *wishes: Any) -> Order:
    """The order after a confirmed change."""
    confirm_proposals([propose(order, *wishes).pk], actor=ACTOR).only()
    order.refresh_from_db()
    return order
