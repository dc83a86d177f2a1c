"""The steps of a return before any goods are there, and closing it afterwards."""

from collections.abc import Callable

import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.admin import ReasonForm
from config.kernel.errors import IllegalTransition, InvalidInput, NotAllowed, NotFound
from config.kernel.results import Results
from config.kernel.states import Machine
from returns.enums import RmaStatus
from returns.models import Rma
from returns.services import approving
from returns.services.inspecting import resolve_returns
from returns.states import DISPOSITION, RECEPTION, RMA
from tests.factories.fulfillment import ACTOR
from tests.factories.returns import make_approved, make_inspected, make_received, make_requested, units_of
from tests.fulfillment.matrix import cases, walk_every_edge
from tests.fulfillment.watching import nothing_written, statements

pytestmark = pytest.mark.django_db

Verb = Callable[..., Results]
STEPS = [
    (approving.approve_returns, {}, make_requested, RmaStatus.APPROVED, "returns.approve_rma"),
    (approving.reject_returns, {"reason": "worn"}, make_requested, RmaStatus.REJECTED, "returns.approve_rma"),
    (approving.cancel_returns, {"reason": "kept"}, make_approved, RmaStatus.CANCELLED, "returns.approve_rma"),
    (approving.mark_returns_in_transit, {}, make_approved, RmaStatus.IN_TRANSIT, "returns.receive_rma"),
    (approving.expire_returns, {}, make_approved, RmaStatus.EXPIRED, "returns.approve_rma"),
    (resolve_returns, {}, make_inspected, RmaStatus.RESOLVED, "returns.inspect_rma"),
]
every_step = pytest.mark.parametrize(
    ("verb", "given", "make", "target", "permission"), STEPS, ids=[step[0].__name__ for step in STEPS]
)


@every_step
def test_step_is_taken_once(verb: Verb, given: dict, make: Callable, target: str, permission: str) -> None:
    rma = make()

    done = verb([rma.pk], actor=ACTOR, **given)
    with nothing_written():
        again = verb([rma.pk], actor=ACTOR, **given)

    rma.refresh_from_db()
    assert (done.done_ids, again.unchanged_ids) == ([rma.pk], [rma.pk])
    assert rma.status == target
    assert rma.closed_reason == given.get("reason", "")


@every_step
def test_step_from_elsewhere_is_refused(
    verb: Verb, given: dict, make: Callable, target: str, permission: str
) -> None:
    rma = make_received()

    with nothing_written():
        results = verb([rma.pk, 987654], actor=ACTOR, **given)

    assert {key: type(error) for key, error in results.refusals.items()} == {
        rma.pk: IllegalTransition,
        987654: NotFound,
    }


@every_step
def test_step_needs_its_permission(
    verb: Verb, given: dict, make: Callable, target: str, permission: str
) -> None:
    rma = make()

    with nothing_written(), pytest.raises(NotAllowed):
        verb([rma.pk], actor=Actor(ActorKind.USER, 1, "x", frozenset({"returns.request_rma"})), **given)

    may = Actor(ActorKind.USER, 1, "x", frozenset({permission}))
    assert verb([rma.pk], actor=may, **given).done_ids == [rma.pk]


@pytest.mark.parametrize(
    ("verb", "make"), [(approving.reject_returns, make_requested), (approving.cancel_returns, make_approved)]
)
def test_reason_is_kept_whole_or_refused(verb: Verb, make: Callable) -> None:
    rma, most = make(), ReasonForm().fields["reason"].max_length

    with nothing_written(), pytest.raises(InvalidInput):
        verb([rma.pk], reason="x" * (most + 1), actor=ACTOR)
    verb([rma.pk], reason="x" * most, actor=ACTOR).raise_refusals()

    assert Rma.objects.get(pk=rma.pk).closed_reason == "x" * most


def test_resolved_return_says_when() -> None:
    rma = make_inspected()

    resolve_returns([rma.pk], actor=ACTOR).raise_refusals()

    assert Rma.objects.get(pk=rma.pk).resolved_at is not None


def test_approve_takes_as_many_statements_for_three_as_for_one() -> None:
    rmas = [make_requested().pk for _rma in range(4)]

    few = statements(lambda: approving.approve_returns(rmas[:1], actor=ACTOR))
    many = statements(lambda: approving.approve_returns(rmas[1:], actor=ACTOR))

    assert many == few


@pytest.mark.parametrize(("machine", "status"), cases(RMA))
def test_rma_leaves_a_state_by_its_edges_only(machine: Machine, status: str) -> None:
    walk_every_edge(machine, make_requested(), status)


@pytest.mark.parametrize(("machine", "status"), cases(RECEPTION))
def test_unit_is_received_by_its_edges_only(machine: Machine, status: str) -> None:
    walk_every_edge(machine, units_of(make_approved())[0], status)


@pytest.mark.parametrize(("machine", "status"), cases(DISPOSITION))
def test_unit_is_disposed_of_by_its_edges_only(machine: Machine, status: str) -> None:
    walk_every_edge(machine, units_of(make_received())[0], status)
