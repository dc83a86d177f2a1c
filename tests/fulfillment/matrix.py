"""Every state of a machine against every edge, as its table says."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.db import transaction

from config.kernel.errors import IllegalTransition
from config.kernel.models import Event
from config.kernel.states import Edge, Machine, apply_transition
from tests.factories.fulfillment import ACTOR

Also = Callable[[Edge], Mapping[str, Any] | None]


def cases(*machines: Machine) -> list[Any]:
    return [
        pytest.param(machine, status, id=f"{machine.name}-{status or 'none'}")
        for machine in machines
        for status in machine.statuses.values
    ]


def walk_every_edge(machine: Machine, row: Any, status: str, also: Also = lambda _edge: None) -> None:
    """Put the row into a status and try all edges, each from there."""
    for edge in machine.edges:
        with transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(**{machine.field: status})
            fresh = type(row).objects.get(pk=row.pk)
            if status in edge.sources:
                _goes(machine, edge, fresh, also)
            else:
                _refuses(machine, edge, fresh)
            transaction.set_rollback(True)


def _goes(machine: Machine, edge: Edge, row: Any, also: Also) -> None:
    before, version = getattr(row, machine.field), row.version
    apply_transition(machine, edge, [row], actor=ACTOR, also=also(edge))

    fresh = type(row).objects.get(pk=row.pk)
    event = Event.objects.filter(subject_type=machine.name, subject_id=row.pk).latest("id")
    assert (getattr(fresh, machine.field), fresh.version) == (edge.target, version + 1)
    assert (event.kind, event.from_status, event.to_status) == (edge.name, before, edge.target)


def _refuses(machine: Machine, edge: Edge, row: Any) -> None:
    events, version = Event.objects.count(), row.version
    with pytest.raises(IllegalTransition):
        apply_transition(machine, edge, [row], actor=ACTOR)

    fresh = type(row).objects.get(pk=row.pk)
    assert (getattr(fresh, machine.field), fresh.version) == (getattr(row, machine.field), version)
    assert Event.objects.count() == events
