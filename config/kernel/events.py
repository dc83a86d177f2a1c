"""The append-only record of what happened, one table for all rooms, read back as timelines."""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from config.kernel import clock
from config.kernel.actors import Actor, ActorKind

correlation: ContextVar[str] = ContextVar("kernel_correlation", default="")


class Thread(NamedTuple):
    """Whose timeline: ("order", 42)."""

    type: str
    id: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One event to record. `facts` hold ids, codes, counts and amounts as text; never personal data."""

    subject: tuple[str, int]
    thread: Thread
    kind: str
    from_status: str = ""
    to_status: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def record_events(entries: Iterable[Entry], *, actor: Actor) -> None:
    """Write events in one statement, in the caller's transaction."""
    from config.kernel.models import Event

    at = clock.now()
    Event.objects.bulk_create(
        Event(
            subject_type=entry.subject[0],
            subject_id=entry.subject[1],
            thread_type=entry.thread.type,
            thread_id=entry.thread.id,
            kind=entry.kind,
            from_status=entry.from_status,
            to_status=entry.to_status,
            facts=dict(entry.facts),
            at=at,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_label="" if actor.kind == ActorKind.USER else actor.label,
            correlation=correlation.get(),
        )
        for entry in entries
    )
