"""Every state of every registered machine against every edge, as the tables say."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.db.models import Q, TextChoices
from django.test.utils import CaptureQueriesContext

from config.kernel.errors import Conflict, IllegalTransition
from config.kernel.events import Thread
from config.kernel.models import Event
from config.kernel.states import MACHINES, Edge, Machine, apply_transition, each, legal_values, register
from orders.models import Order
from tests.factories.orders import make_order
from tests.kernel.rows import ACTOR, ROWS, columns_for

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MATRIX = [
    pytest.param(machine, status, edge, id=f"{machine.name}-{status or 'none'}-{edge.name}")
    for machine in MACHINES.values()
    for status in machine.statuses.values
    for edge in machine.edges
]


def as_stored(row: Any) -> dict[str, Any]:
    return dict(type(row).objects.filter(pk=row.pk).values().get())


@pytest.mark.parametrize(("machine", "status", "edge"), MATRIX)
def test_edge_moves_only_from_its_sources(machine: Machine, status: str, edge: Edge) -> None:
    row = ROWS[machine.name](status)
    before, events = as_stored(row), Event.objects.count()

    if status in edge.sources:
        with transaction.atomic():
            apply_transition(machine, edge, [row], actor=ACTOR, also=columns_for(machine, edge, row))
        after = as_stored(row)
        assert after[machine.field] == getattr(row, machine.field) == edge.target
        if "version" in before:
            assert after["version"] == row.version == before["version"] + 1
        written = list(Event.objects.order_by("pk")[events:])
        assert len(written) == (1 if machine.writes_events else 0)
        for event in written:
            assert (event.subject_type, event.subject_id) == (machine.name, row.pk)
            assert (event.thread_type, event.thread_id) == tuple(machine.thread_of(row))
            assert (event.kind, event.from_status, event.to_status) == (edge.name, status, edge.target)
            assert (event.actor_kind, event.actor_label) == ("system", "tests")
    else:
        with pytest.raises(IllegalTransition), transaction.atomic():
            apply_transition(machine, edge, [row], actor=ACTOR)
        assert as_stored(row) == before
        assert Event.objects.count() == events


def test_matrix_builds_a_row_of_every_machine() -> None:
    assert set(ROWS) == set(MACHINES)


class Lamp(TextChoices):
    OFF = "off", "Off"
    ON = "on", "On"


SWITCH_ON = Edge("switch_on", frozenset({Lamp.OFF}), Lamp.ON, "lamps.switch_lamp", "Switch on")


def test_machine_knows_its_edges_by_name_and_whose_timeline_it_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.kernel.states.MACHINES", {})
    lamp = Machine("lamp", "lamps.Lamp", Lamp, frozenset({Lamp.OFF}), (SWITCH_ON,), ("room", "room_id"))

    assert register(lamp) is lamp
    assert dict(lamp.by_name) == {"switch_on": SWITCH_ON}
    assert (SWITCH_ON.leads_from("off"), SWITCH_ON.leads_from("on")) == (True, False)
    assert SWITCH_ON.refusal("off") is None
    assert getattr(SWITCH_ON.refusal("on"), "facts", None) == {"edge": "Switch on", "status": "On"}
    assert getattr(SWITCH_ON.refusal("gone"), "facts", None) == {"edge": "Switch on", "status": "gone"}
    assert lamp.thread_of(SimpleNamespace(pk=1, room_id=7)) == Thread("room", 7)


def test_legal_values_are_the_machines_statuses() -> None:
    constraint = legal_values("status", Lamp, "lamp_status_legal")

    assert (constraint.name, constraint.condition) == ("lamp_status_legal", Q(status__in=["off", "on"]))


def test_each_writes_a_value_of_its_own_to_every_row() -> None:
    orders = [make_order(external_id=str(number)) for number in range(3)]
    names = {order.pk: f"N{order.pk}" for order in orders[:2]}
    rows = Order.objects.filter(pk__in=names)

    rows.update(external_number=each(names, Order._meta.get_field("external_number")))

    assert dict(rows.values_list("pk", "external_number")) == names


@pytest.mark.parametrize("machine", MACHINES.values(), ids=lambda machine: machine.name)
def test_table_is_whole(machine: Machine) -> None:
    statuses = set(machine.statuses.values)
    reached = set(machine.initial) | {edge.target for edge in machine.edges}

    assert reached == statuses, "every status is initial or the target of an edge, and no other is named"
    assert all(edge.sources <= statuses for edge in machine.edges)
    assert len(machine.by_name) == len(machine.edges)
    assert apps.get_model(machine.model)._meta.get_field(machine.field)


@pytest.mark.parametrize("machine", MACHINES.values(), ids=lambda machine: machine.name)
def test_permissions_of_edges_exist(machine: Machine) -> None:
    known = {
        f"{row.content_type.app_label}.{row.codename}"
        for row in Permission.objects.select_related("content_type")
    }

    assert {edge.permission for edge in machine.edges} - known == set()


def test_apply_transition_outside_a_transaction_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = MACHINES["order"]
    row = ROWS["order"]("placed")
    monkeypatch.setattr("config.kernel.states.connection", SimpleNamespace(in_atomic_block=False))

    with pytest.raises(transaction.TransactionManagementError):
        apply_transition(machine, machine.by_name["confirm"], [row], actor=ACTOR)


def test_apply_transition_with_a_stale_row_conflicts_and_writes_nothing() -> None:
    machine = MACHINES["order"]
    row, stale = ROWS["order"]("placed"), None
    stale = type(row).objects.get(pk=row.pk)
    apply_transition(machine, machine.by_name["cancel"], [row], actor=ACTOR)
    events = Event.objects.count()

    with pytest.raises(Conflict), transaction.atomic():
        apply_transition(machine, machine.by_name["confirm"], [stale], actor=ACTOR)

    assert as_stored(row)["status"] == "cancelled"
    assert Event.objects.count() == events


def test_apply_transition_further_columns_stand_on_the_rows_in_memory() -> None:
    machine = MACHINES["order"]
    row = ROWS["order"]("placed")

    apply_transition(machine, machine.by_name["cancel"], [row], actor=ACTOR, also={"cancelled_at": AT})

    assert row.cancelled_at == AT
    assert as_stored(row)["cancelled_at"] == AT


def test_apply_transition_of_many_takes_two_statements() -> None:
    machine = MACHINES["order"]
    rows = [ROWS["order"]("placed") for _ in range(7)]

    with CaptureQueriesContext(
        connection,
    ) as queries:
        apply_transition(machine, machine.by_name["confirm"], rows, actor=ACTOR)

    assert len(queries) == 2
    assert {row.version for row in rows} == {as_stored(rows[0])["version"]}


def test_created_entry_tells_where_an_object_begins_and_with_what() -> None:
    order = make_order()

    entry, bare = (
        MACHINES["order"].created_entry(order, {"source": "file"}),
        MACHINES["order"].created_entry(order),
    )

    assert (entry.subject, entry.kind, entry.to_status) == (("order", order.pk), "created", order.status)
    assert (entry.facts, bare.facts) == ({"source": "file"}, {})
