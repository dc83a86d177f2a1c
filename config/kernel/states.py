"""Edge tables and the one writer of every status.

A machine is its table of edges. Buttons, permissions, the matrix test and the audit are generated from it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import F
from django.utils.functional import Promise

from config.kernel.actors import Actor
from config.kernel.errors import Conflict, IllegalTransition
from config.kernel.events import Entry, Thread, record_events
from config.kernel.fastpath import Among


@dataclass(frozen=True, slots=True)
class Edge:
    """One way from any of `sources` to `target`. `label` is the words on the button."""

    name: str
    sources: frozenset[str]
    target: str
    permission: str
    label: str | Promise
    tone: str = "plain"

    def leads_from(self, status: str) -> bool:
        return status in self.sources

    def refusal(self, status: str) -> IllegalTransition | None:
        if status in self.sources:
            return None
        return IllegalTransition(edge=self.label, status=self._word(status))

    def _word(self, status: str) -> str | Promise:
        """What people call a status."""
        words: dict[str, str | Promise] = dict(getattr(type(self.target), "choices", ()))
        return words.get(status, status)


@dataclass(frozen=True, slots=True)
class Machine:
    """`thread` names the attributes that say on whose timeline an object's events stand: (type, id attribute).

    `initial` are the statuses an object may be created in. `writes_events` is False only where another
    append-only record tells the same story (a delivery's attempts, a reservation's closing).
    """

    name: str
    model: str
    statuses: type[models.TextChoices]
    initial: frozenset[str]
    edges: tuple[Edge, ...]
    thread: tuple[str, str]
    field: str = "status"
    writes_events: bool = True
    by_name: Mapping[str, Edge] = attribute(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {edge.name: edge for edge in self.edges})

    def edges_from(self, status: str) -> tuple[Edge, ...]:
        return tuple(edge for edge in self.edges if status in edge.sources)

    def thread_of(self, row: Any) -> Thread:
        return Thread(self.thread[0], getattr(row, self.thread[1]))

    def created_entry(self, row: Any, facts: Mapping[str, Any] | None = None) -> Entry:
        """The event that an object begins with."""
        return Entry(
            subject=(self.name, row.pk),
            thread=self.thread_of(row),
            kind="created",
            to_status=getattr(row, self.field),
            facts=facts or {},
        )


MACHINES: dict[str, Machine] = {}


def register(machine: Machine) -> Machine:
    """Enter a machine into the table of tables, once a process."""
    MACHINES[machine.name] = machine
    return machine


def apply_transition(
    machine: Machine,
    edge: Edge,
    rows: Sequence[Any],
    *,
    actor: Actor,
    facts: Mapping[int, Mapping[str, Any]] | None = None,
    also: Mapping[str, Any] | None = None,
) -> None:
    """Move locked rows along one edge: one UPDATE and one INSERT of events, whatever their number.

    `facts` are codes and ids for the events by pk, `also` further columns for the same UPDATE. The rows in
    memory are brought up to date. Raises `IllegalTransition` or `Conflict` and writes nothing when a row
    does not stand where the edge begins; verbs refuse such rows before.
    """
    if not rows:
        return
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("apply_transition needs a transaction")
    for row in rows:
        if (problem := edge.refusal(getattr(row, machine.field))) is not None:
            raise problem
    _write(machine, edge, rows, also or {})
    entries = [
        Entry(
            subject=(machine.name, row.pk),
            thread=machine.thread_of(row),
            kind=edge.name,
            from_status=getattr(row, machine.field),
            to_status=edge.target,
            facts=(facts or {}).get(row.pk, {}),
        )
        for row in rows
    ]
    _bring_up_to_date(machine, edge, rows, also or {})
    if machine.writes_events:
        record_events(entries, actor=actor)


def each(values: Mapping[int, Any], field: "models.Field[Any, Any]") -> models.Case:
    """A column for `also` whose value differs by row, by pk."""
    whens = (models.When(pk=pk, then=models.Value(value)) for pk, value in values.items())
    return models.Case(*whens, output_field=field)


def _write(machine: Machine, edge: Edge, rows: Sequence[Any], also: Mapping[str, Any]) -> None:
    model = apps.get_model(machine.model)
    columns: dict[str, Any] = {machine.field: edge.target, **also}
    if _has_version(model):
        columns["version"] = F("version") + 1
    legal = model._default_manager.filter(
        Among("pk", [row.pk for row in rows]), **{f"{machine.field}__in": sorted(edge.sources)}
    )
    if legal.update(**columns) != len({row.pk for row in rows}):
        raise Conflict(detail=f"{machine.name} is no longer in {sorted(edge.sources)}")


def _bring_up_to_date(machine: Machine, edge: Edge, rows: Iterable[Any], also: Mapping[str, Any]) -> None:
    plain = {name: value for name, value in also.items() if not hasattr(value, "resolve_expression")}
    is_versioned = _has_version(apps.get_model(machine.model))
    for row in rows:
        setattr(row, machine.field, edge.target)
        for name, value in plain.items():
            setattr(row, name, value)
        if is_versioned:
            row.version += 1


def _has_version(model: type[models.Model]) -> bool:
    return any(column.name == "version" for column in model._meta.concrete_fields)


def legal_values(column: str, statuses: type[models.TextChoices], name: str) -> models.CheckConstraint:
    """The check constraint that names a status column's legal values."""
    return models.CheckConstraint(condition=models.Q(**{f"{column}__in": sorted(statuses.values)}), name=name)
