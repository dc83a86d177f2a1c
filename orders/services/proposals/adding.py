"""Adding wishes to open changes, and taking them back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput, NotFound
from config.kernel.events import Entry, record_events
from config.kernel.fastpath import set_in_rows
from config.kernel.languages import filled
from config.kernel.results import Results
from orders.change_planner import plan_change
from orders.change_shapes import Shape
from orders.changes import KINDS, Action, write_action
from orders.enums import ProposalStatus
from orders.errors import ProposalOvertaken
from orders.models import Proposal, ProposalAction
from orders.selectors.proposals import actions_by_proposal, read_shapes
from orders.services.proposals.locking import Case, fixed, lock_proposals, over
from orders.services.proposals.wishes import Frozen, Wish, freeze, write_addresses
from orders.states import PROPOSAL, PROPOSE

MOST_ACTIONS = 200
ACTIONS_ADDED, ACTIONS_WITHDRAWN = "actions_added", "actions_withdrawn"


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
        said = [(pk, KINDS[type(one)].value) for pk, actions in written.items() for one in actions.values()]
        _tell(ACTIONS_ADDED, cases, said, actor)
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
        accepted = filled(_("accepted are 1 to %(most)s"), {"most": MOST_ACTIONS})
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


def _tell(kind: str, cases: Mapping[int, Case], rows: Iterable[tuple[int, str]], actor: Actor) -> None:
    """An event a proposal on its order's timeline, with the kinds of its wishes; rows are (proposal id, kind)."""
    kinds: dict[int, list[str]] = defaultdict(list)
    for pk, action_kind in rows:
        kinds[pk].append(action_kind)
    record_events(
        [
            Entry(("proposal", pk), PROPOSAL.thread_of(cases[pk].proposal), kind, facts={"kinds": some})
            for pk, some in sorted(kinds.items())
        ],
        actor=actor,
    )


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
        found = ProposalAction.objects.in_bulk(results.keys)
        for pk in results.keys:
            case = cases.get(found[pk].proposal_id) if pk in found else None
            if case is None:
                results.refuse(pk, NotFound())
            elif (problem := over(case.proposal)) is not None:
                results.refuse(pk, problem)
            else:
                results.done(pk)
        gone = [found[pk] for pk in results.done_ids]
        ProposalAction.objects.filter(pk__in=results.done_ids).delete()
        Proposal.objects.filter(pk__in={one.proposal_id for one in gone}).update(version=F("version") + 1)
        _tell(ACTIONS_WITHDRAWN, cases, [(one.proposal_id, one.kind) for one in gone], actor)
    return results
