"""Opening changes to orders, going on with overtaken ones, and dropping them."""

from collections.abc import Iterable, Sequence

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import InvalidInput
from config.kernel.events import record_events
from config.kernel.fastpath import Among, set_in_rows
from config.kernel.models import Event
from config.kernel.results import Results
from config.kernel.states import apply_transition
from config.kernel.texts import storable
from orders.enums import ProposalStatus
from orders.models import Proposal
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.proposals.locking import Case, fixed, in_sequence, lock_proposals, over
from orders.services.texts import limit_of
from orders.states import DROP, PROPOSAL, PROPOSE, RENEW


@verb
def open_proposals(order_ids: Sequence[int], *, reason: str = "", actor: Actor) -> Results[int]:
    """Open an empty change to each of these orders; the order itself stays as it is. Values: proposal ids.

    At most 200 ids. Locks the orders by ascending pk. Any number may be open on one order: the first that is
    confirmed overtakes the others. A second call opens another: the door makes a press count once. `reason` (at
    most 120 characters, no personal data) stands on the timeline.

    Refuses: `OrderClosed`, `HistoryOrder`, `NotPlaced` (a draft), `NotFound`. Raises `NotAllowed`, `InvalidInput`.
    """
    actor.require(PROPOSE)
    reason = storable(reason).strip()
    if len(reason) > limit_of(Proposal, "reason"):
        raise InvalidInput(field="reason", value=reason[:80], accepted=_("accepted are up to 120 characters"))
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, actor=actor)
        refuse_unknown(results, orders)
        for order in orders:
            if (problem := fixed(order)) is not None:
                results.refuse(order.pk, problem)
        newest = newest_events(results.open_ids)
        rows = Proposal.objects.bulk_create(
            Proposal(
                order=order,
                status=ProposalStatus.OPEN,
                base_version=order.version,
                base_event=newest.get(order.pk, 0),
                reason=reason,
                opened_at=clock.now(),
                actor_kind=actor.kind,
                actor_id=actor.id,
            )
            for order in orders
            if order.pk not in results.refusals
        )
        facts = {"reason": reason} if reason else {}
        record_events([PROPOSAL.created_entry(row, facts) for row in rows], actor=actor)
        for row in rows:
            results.done(row.order_id, row.pk)
    return results


def newest_events(order_ids: Iterable[int]) -> dict[int, int]:
    """The newest event of orders' timelines: one statement."""
    rows = Event.objects.filter(Among("thread_id", order_ids), thread_type="order")
    return dict(rows.order_by().values_list("thread_id").annotate(newest=Max("id")))


@verb
def renew_proposals(proposal_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Go on with changes that the order has moved away from: they are worked out on the order as it is now.

    At most 200 ids. Locks the orders by ascending pk. One that is up to date is `unchanged`, as is a second call.

    Refuses: `ProposalClosed`; as `open_proposals` for the order; `NotFound`. Raises `NotAllowed`.
    """
    actor.require(PROPOSE)
    results: Results[int] = Results(proposal_ids)
    with batch_transaction():
        cases = lock_proposals(proposal_ids, results, actor=actor)
        for pk, case in cases.items():
            problem = over(case.proposal) or fixed(case.order)
            if problem is not None:
                results.refuse(pk, problem)
            elif is_current(case):
                results.unchanged(pk)
            else:
                results.done(pk)
        chosen = in_sequence(cases, results.done_ids)
        stale = [case.proposal for case in chosen if case.proposal.status == ProposalStatus.STALE]
        apply_transition(PROPOSAL, RENEW, stale, actor=actor)
        newest = newest_events(case.order.pk for case in chosen)
        bases = {
            case.proposal.pk: (case.order.version, newest.get(case.order.pk, 0), case.proposal.version + 1)
            for case in chosen
        }
        set_in_rows(Proposal, ("base_version", "base_event", "version"), bases)
    return results


def is_current(case: Case) -> bool:
    """Whether the order still is as it was when the change was worked out."""
    proposal = case.proposal
    return proposal.status == ProposalStatus.OPEN and proposal.base_version == case.order.version


@verb
def drop_proposals(proposal_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Drop changes; nothing of their orders moves. A dropped one is `unchanged`.

    At most 200 ids. Locks the orders by ascending pk. Refuses: `ProposalClosed` for a confirmed one, `NotFound`.
    Raises `NotAllowed`.
    """
    actor.require(PROPOSE)
    results: Results[int] = Results(proposal_ids)
    with batch_transaction():
        cases = lock_proposals(proposal_ids, results, actor=actor)
        for pk, case in cases.items():
            if case.proposal.status == ProposalStatus.DROPPED:
                results.unchanged(pk)
            elif (problem := over(case.proposal)) is not None:
                results.refuse(pk, problem)
            else:
                results.done(pk)
        chosen = [case.proposal for case in in_sequence(cases, results.done_ids)]
        apply_transition(PROPOSAL, DROP, chosen, actor=actor, also={"closed_at": clock.now()})
    return results
