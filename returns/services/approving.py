"""The steps of a return before any goods are there."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput, NotFound
from config.kernel.results import Results
from config.kernel.states import Edge, apply_transition
from orders.services.texts import limit_of
from returns.models import Rma
from returns.services.locking import lock_returns
from returns.states import APPROVE, CANCEL, EXPIRE, REJECT, RMA, SEND


@verb
def approve_returns(rma_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Let the goods come back. At most 200 ids; locks orders, then returns; a second call is `unchanged`.

    Refuses: `NotFound`; `IllegalTransition` unless requested.
    """
    return _move(rma_ids, APPROVE, actor=actor)


@verb
def reject_returns(rma_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Refuse the return, with the reason for the customer. As `approve_returns` otherwise.

    Raises `InvalidInput` for a reason that is too long.
    """
    return _move(rma_ids, REJECT, actor=actor, also={"closed_reason": _fit_reason(reason)})


@verb
def cancel_returns(rma_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Call a return off before anything arrived; its units can be asked for again.

    At most 200 ids; locks orders, then returns; a second call is `unchanged`.
    Refuses: `NotFound`; `IllegalTransition` once goods were received. Raises `InvalidInput` for a reason that is too
    long.
    """
    return _move(rma_ids, CANCEL, actor=actor, also={"closed_reason": _fit_reason(reason)})


@verb
def mark_returns_in_transit(rma_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Note that the goods are on their way back. As `approve_returns`, from approved."""
    return _move(rma_ids, SEND, actor=actor)


@verb
def expire_returns(rma_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Close approved returns whose goods were never sent. As `approve_returns`, from approved."""
    return _move(rma_ids, EXPIRE, actor=actor)


def _fit_reason(reason: str) -> str:
    """The reason as it is stored: whole, or refused."""
    said, most = reason.strip(), limit_of(Rma, "closed_reason")
    if len(said) > most:
        accepted = _("up to %(most)s characters are") % {"most": most}
        raise InvalidInput(field=_("reason"), value=said[:80], accepted=accepted)
    return said


def _move(
    rma_ids: Sequence[int], edge: Edge, *, actor: Actor, also: dict[str, Any] | None = None
) -> Results[int]:
    actor.require(edge.permission)
    results: Results[int] = Results(rma_ids)
    with batch_transaction():
        rmas = lock_returns(rma_ids, actor=actor)
        for pk in results.keys:
            rma = rmas.get(pk)
            problem = NotFound() if rma is None else refusal(rma, edge)
            if problem is not None or rma is None:
                results.refuse(pk, problem or NotFound())
            elif rma.status == edge.target:
                results.unchanged(pk)
            else:
                results.done(pk)
        chosen = [rmas[pk] for pk in results.done_ids]
        facts = {rma.pk: {"number": rma.number} for rma in chosen}
        apply_transition(RMA, edge, chosen, actor=actor, facts=facts, also=also)
    return results


def refusal(rma: Rma, edge: Edge) -> BancaleError | None:
    """Why the return cannot go along an edge; None also where it has arrived."""
    return None if rma.status == edge.target else edge.refusal(rma.status)
