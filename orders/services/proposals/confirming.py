"""Confirming changes: all that they say is done in one transaction, or nothing."""

from collections.abc import Mapping, Sequence

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError
from config.kernel.results import Results
from config.kernel.states import apply_transition
from orders.change_planner import plan_change
from orders.changes import Action
from orders.enums import ProposalStatus
from orders.errors import NothingProposed
from orders.models import Proposal
from orders.previews import follow_changes
from orders.selectors.proposals import actions_by_proposal, read_shapes
from orders.services.axes import refresh_axes
from orders.services.completing import complete_delivered
from orders.services.proposals.adding import overtaken
from orders.services.proposals.applying import apply_rows
from orders.services.proposals.foreseeing import Planned, foresee
from orders.services.proposals.holds import follow_holds
from orders.services.proposals.locking import Case, fixed, in_sequence, lock_proposals, over
from orders.services.proposals.opening import is_current
from orders.services.proposals.stock import claim_units, give_back
from orders.services.proposals.telling import confirmed_facts, tell
from orders.services.versions import count_up_once
from orders.states import CONFIRM_CHANGE, OVERTAKE, PROPOSAL, PROPOSE


@verb
def confirm_proposals(proposal_ids: Sequence[int], *, is_told: bool = True, actor: Actor) -> Results[int]:
    """Do what open changes say: lines, parts, prices, taxes, address, stock, holds, axes and totals.

    At most 200 ids. Locks the orders by ascending pk, then what other rooms lock to follow (live fulfillment
    orders), then the stock of the orders' SKUs. Units that go are given back in the sequence of `cancel_units`;
    where all units of an order were decided, new ones are reserved or wait in line at once. Each order's version
    moves by one; its other open changes are stale then. Records the fact `order.changed`. Values: order ids. A
    confirmed change is `unchanged`, so a second call does nothing. Buyers get no mail without `is_told`.

    Refuses: `ProposalOvertaken` when the order's version is another one than was planned on, `NothingProposed`,
    `ProposalClosed`; `BelowLeast`, `NothingLeft` and the planner's other refusals; `UnitsAtWork` and what else the
    rooms refuse; as `open_proposals` for the order; `NotFound`. Raises `NotAllowed`.
    """
    actor.require(PROPOSE)
    results: Results[int] = Results(proposal_ids)
    with batch_transaction():
        cases = lock_proposals(proposal_ids, results, actor=actor)
        actions = actions_by_proposal(cases)
        _decide(cases, actions, results)
        planned = _plan(in_sequence(cases, results.open_ids), actions)
        for one in planned:
            if (problem := one.refusal) is not None:
                results.refuse(one.proposal.pk, problem)
        chosen = [one for one in planned if one.proposal.pk not in results.refusals]
        if chosen:
            _apply(chosen, actions, actor, is_told=is_told)
        for one in chosen:
            results.done(one.proposal.pk, one.order.pk)
    return results


def _decide(
    cases: Mapping[int, Case], actions: Mapping[int, Mapping[int, Action]], results: Results[int]
) -> None:
    """Of two changes to one order in a batch the second is overtaken by the first."""
    taken: set[int] = set()
    for case in in_sequence(cases, [pk for pk in results.keys if pk in cases]):
        proposal = case.proposal
        if proposal.status == ProposalStatus.CONFIRMED:
            results.unchanged(proposal.pk)
            continue
        problem: BancaleError | None = over(proposal) or fixed(case.order)
        if problem is None and (not is_current(case) or case.order.pk in taken):
            problem = overtaken(case)
        if problem is None and not actions.get(proposal.pk):
            problem = NothingProposed(proposal=proposal.pk)
        if problem is not None:
            results.refuse(proposal.pk, problem)
        else:
            taken.add(case.order.pk)


def _plan(cases: Sequence[Case], actions: Mapping[int, Mapping[int, Action]]) -> list[Planned]:
    if not cases:
        return []
    shapes = read_shapes([case.order for case in cases])
    return foresee(
        [
            (case.proposal, case.order, plan_change(shapes[case.order.pk], actions[case.proposal.pk]))
            for case in cases
        ]
    )


def _apply(
    chosen: Sequence[Planned], actions: Mapping[int, Mapping[int, Action]], actor: Actor, *, is_told: bool
) -> None:
    orders = [one.order for one in chosen]
    versions = [(order.pk, order.version) for order in orders]
    follow_changes([one.change for one in chosen], actor=actor)
    stock = give_back(chosen, actor=actor)
    apply_rows(chosen)
    claim_units([one.order for one in chosen if one.plan.growing], stock, actor=actor)
    follow_holds(chosen, actor=actor)
    refresh_axes(orders)
    complete_delivered(orders, actor=actor)
    _close(chosen, actor)
    tell(chosen, actions, actor=actor, is_told=is_told)
    count_up_once(orders, versions)


def _close(chosen: Sequence[Planned], actor: Actor) -> None:
    """Confirm these, and let them overtake the other open changes of their orders."""
    proposals = [one.proposal for one in chosen]
    by_order = {one.order.pk: one.proposal.pk for one in chosen}
    facts = {one.proposal.pk: confirmed_facts(one) for one in chosen}
    apply_transition(
        PROPOSAL, CONFIRM_CHANGE, proposals, actor=actor, facts=facts, also={"closed_at": clock.now()}
    )
    others = list(
        Proposal.objects.filter(order__in=list(by_order), status=ProposalStatus.OPEN).order_by("pk")
    )
    by = {row.pk: {"by": by_order[row.order_id]} for row in others}
    apply_transition(PROPOSAL, OVERTAKE, others, actor=actor, facts=by)
