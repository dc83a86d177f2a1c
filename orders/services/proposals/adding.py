"""Adding wishes to open changes, and taking them back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput, NotFound
from config.kernel.fastpath import set_in_rows
from config.kernel.results import Results
from orders.change_planner import plan_change
from orders.change_shapes import Shape
from orders.changes import Action, write_action
from orders.enums import ProposalStatus
from orders.errors import ProposalOvertaken
from orders.models import Proposal, ProposalAction
from orders.selectors.proposals import actions_by_proposal, read_shapes
from orders.services.proposals.locking import Case, fixed, lock_proposals, over
from orders.services.proposals.wishes import Frozen, Wish, freeze, write_addresses
from orders.states import PROPOSE

MOST_ACTIONS = 200


@dataclass(frozen=True, slots=True)
class NewActions:
    """Wishes for one proposal, in sequence."""

    proposal_id: int
    wishes: tuple[Wish, ...]

    @property
    def key(self) -> int:
        return self.proposal_id


@verb
def add_actions(requests: Sequence[NewActions], *, actor: Actor) -> Results[int]:
    """Add wishes to open changes, each frozen as it is now: titles, kit parts, taxes, addresses.

    At most 200 requests. Locks the orders by ascending pk. All wishes of a request or none. The value is the number
    of actions that the change has then. A second call adds again: the door makes a press count once.

    Refuses: what the planner refuses (`BelowLeast`, `InvalidInput`); `ProposalClosed`; `ProposalOvertaken` for a
    stale one; as `open_proposals` for the order; `NotFound`. Raises `NotAllowed`.
    """
    actor.require(PROPOSE)
    results: Results[int] = Results(one.key for one in requests)
    with batch_transaction():
        cases = lock_proposals(results.keys, results, actor=actor)
        known = actions_by_proposal(cases)
        shapes = read_shapes([case.order for case in cases.values()])
        frozen = freeze(
            {one.key: one.wishes for one in requests if one.key in cases}, shapes_of(cases, shapes)
        )
        written: dict[int, Mapping[int, Action]] = {}
        for pk, case in cases.items():
            actions = _numbered(case, frozen[pk])
            problem = _refusal(case, frozen[pk], {**known[pk], **actions}, shapes[case.order.pk])
            if problem is not None:
                results.refuse(pk, problem)
            else:
                written[pk] = actions
                results.done(pk, len(known[pk]) + len(actions))
        write_addresses((frozen[pk], cases[pk].order) for pk in written)
        _write(written, actor)
    return results


def shapes_of(cases: Mapping[int, Case], shapes: Mapping[int, Shape]) -> dict[int, Shape]:
    """The orders as values, by proposal."""
    return {pk: shapes[case.order.pk] for pk, case in cases.items()}


def _numbered(case: Case, frozen: Frozen) -> dict[int, Action]:
    return dict(enumerate(frozen.actions, case.proposal.next_position))


def _refusal(case: Case, frozen: Frozen, actions: Mapping[int, Action], shape: Shape) -> BancaleError | None:
    problem = over(case.proposal) or fixed(case.order) or frozen.problem
    if problem is not None:
        return problem
    if case.proposal.status == ProposalStatus.STALE:
        return overtaken(case)
    if not frozen.actions or len(actions) > MOST_ACTIONS:
        accepted = _("accepted are 1 to %(most)s") % {"most": MOST_ACTIONS}
        return InvalidInput(field="actions", value=len(actions), accepted=accepted)
    new = range(max(actions) - len(frozen.actions) + 1, max(actions) + 1)
    refusals = plan_change(shape, actions).refusals
    return next((refusals[position] for position in new if position in refusals), None)


def overtaken(case: Case) -> ProposalOvertaken:
    return ProposalOvertaken(
        proposal=case.proposal.pk, seen=case.proposal.base_version, current=case.order.version
    )


def _write(written: Mapping[int, Mapping[int, Action]], actor: Actor) -> None:
    at = clock.now()
    rows = []
    for pk, actions in sorted(written.items()):
        for position, action in actions.items():
            kind, payload = write_action(action)
            rows.append(
                ProposalAction(
                    proposal_id=pk,
                    position=position,
                    kind=kind,
                    payload=payload,
                    added_at=at,
                    actor_kind=actor.kind,
                    actor_id=actor.id,
                )
            )
    ProposalAction.objects.bulk_create(rows)
    ends = {pk: (max(actions) + 1,) for pk, actions in written.items()}
    set_in_rows(Proposal, ("next_position",), ends, also="version = version + 1")


@verb
def withdraw_actions(action_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Take wishes back out of changes that are not over; the row is gone. One that is gone is refused `NotFound`.

    At most 200 ids. Locks the orders by ascending pk. Refuses: `ProposalClosed`. Raises `NotAllowed`.
    """
    actor.require(PROPOSE)
    results: Results[int] = Results(action_ids)
    with batch_transaction():
        owners = ProposalAction.objects.filter(pk__in=results.keys).values_list("proposal_id", flat=True)
        cases = lock_proposals(set(owners), Results(), actor=actor)
        found = dict(ProposalAction.objects.filter(pk__in=results.keys).values_list("pk", "proposal_id"))
        for pk in results.keys:
            if pk not in found or found[pk] not in cases:
                results.refuse(pk, NotFound())
            elif (problem := over(cases[found[pk]].proposal)) is not None:
                results.refuse(pk, problem)
            else:
                results.done(pk)
        ProposalAction.objects.filter(pk__in=results.done_ids).delete()
        touched = {found[pk] for pk in results.done_ids}
        Proposal.objects.filter(pk__in=touched).update(version=F("version") + 1)
    return results
