"""What a person may decide about a delivery that the workers did not bring home."""

from collections.abc import Mapping, Sequence
from typing import Any

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.enums import DeliveryState
from config.kernel.errors import Conflict, NotFound
from config.kernel.events import Entry, Thread, record_events
from config.kernel.machines import DELIVER, DELIVERY, RETRY, SUPPRESS
from config.kernel.models import Delivery
from config.kernel.outbox import nudge
from config.kernel.results import Results
from config.kernel.states import Edge, apply_transition


@verb
def retry_deliveries(ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Make deliveries due now, once more; what is due already comes back unchanged.

    Refuses `NotAllowed`, `NotFound`, `IllegalTransition` for one delivered or suppressed.
    """
    return _settle(ids, RETRY, actor, {"due_at": clock.now(), "settled_at": None})


@verb
def suppress_deliveries(ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Say that nothing is owed any more, and why; the reason stands as the delivery's last word.

    Refuses `NotAllowed`, `NotFound`, `Conflict` while a worker is on it, `IllegalTransition`.
    """
    return _settle(ids, SUPPRESS, actor, {"settled_at": clock.now(), "last_error": reason}, reason)


@verb
def mark_delivered(ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Say that the effect has happened, as a person found out outside.

    Refuses `NotAllowed`, `NotFound`, `Conflict` while a worker is on it, `IllegalTransition`.
    """
    return _settle(ids, DELIVER, actor, {"settled_at": clock.now()}, reason)


def _settle(
    ids: Sequence[int], edge: Edge, actor: Actor, also: Mapping[str, Any], reason: str = ""
) -> Results[int]:
    actor.require(edge.permission)
    results: Results[int] = Results(ids)
    with batch_transaction():
        rows = {
            row.pk: row
            for row in Delivery.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")
        }
        moving = []
        for pk in results.keys:
            row = rows.get(pk)
            if row is None:
                results.refuse(pk, NotFound())
            elif row.state == edge.target:
                results.unchanged(pk)
            elif row.state == DeliveryState.IN_FLIGHT:
                results.refuse(pk, Conflict(detail="a worker is on it right now"))
            elif (problem := edge.refusal(row.state)) is not None:
                results.refuse(pk, problem)
            else:
                moving.append(row)
                results.done(pk)
        facts = {"reason": reason} if reason else {}
        entries = [
            Entry(("delivery", row.pk), Thread("delivery", row.pk), edge.name, row.state, edge.target, facts)
            for row in moving
        ]
        apply_transition(DELIVERY, edge, moving, actor=actor, also=also)
        # Attempts tell what workers did; what a person decided needs its own event.
        record_events(entries, actor=actor)
        if edge is RETRY:
            nudge({row.lane for row in moving})
    return results
