"""The append-only record of what happened, one table for all rooms, read back as timelines."""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, NamedTuple

from config.kernel import clock
from config.kernel.actors import Actor, ActorKind
from config.kernel.fastpath import insert_values

correlation: ContextVar[str] = ContextVar("kernel_correlation", default="")
# What a job does is correlated by its number: `job:12`.
JOB_CORRELATION = "job:"


class Thread(NamedTuple):
    """Whose timeline: ("order", 42)."""

    type: str
    id: int


class Entry(NamedTuple):
    """One event to record. `facts` hold ids, codes, counts and amounts as text; never personal data."""

    subject: tuple[str, int]
    thread: Thread
    kind: str
    from_status: str = ""
    to_status: str = ""
    facts: Mapping[str, Any] = MappingProxyType({})


_COLUMNS = (
    "subject_type", "subject_id", "thread_type", "thread_id", "kind", "from_status", "to_status", "facts",
    "at", "actor_kind", "actor_id", "actor_label", "correlation",
)  # fmt: skip


def record_events(entries: Iterable[Entry], *, actor: Actor) -> None:
    """Write events in one statement, in the caller's transaction."""
    from config.kernel.models import Event

    label = "" if actor.kind == ActorKind.USER else actor.label
    written = (clock.now(), actor.kind, actor.id, label, correlation.get())
    insert_values(
        Event,
        _COLUMNS,
        [
            (*one.subject, *one.thread, one.kind, one.from_status, one.to_status, dict(one.facts), *written)
            for one in entries
        ],
    )
