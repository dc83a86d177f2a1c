"""This room's machines, state by state."""

import pytest

from config.kernel.states import Machine
from fulfillment.states import FULFILLMENT_ORDER, PARCEL
from tests.factories.fulfillment import make_released, make_shipped
from tests.fulfillment.matrix import cases, walk_every_edge

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("machine", "status"), cases(FULFILLMENT_ORDER))
def test_fulfillment_order_leaves_a_state_by_its_edges_only(machine: Machine, status: str) -> None:
    work = make_released()
    at = work.released_at
    if status == "shipped":
        type(work).objects.filter(pk=work.pk).update(status=status, shipped_at=at)

    walk_every_edge(
        machine, work, status, lambda edge: {"shipped_at": at} if edge.target == "shipped" else None
    )


@pytest.mark.parametrize(("machine", "status"), cases(PARCEL))
def test_parcel_leaves_a_state_by_its_edges_only(machine: Machine, status: str) -> None:
    walk_every_edge(machine, make_shipped(), status)


def test_terminal_states_have_no_way_out() -> None:
    assert FULFILLMENT_ORDER.edges_from("shipped") == ()
    assert FULFILLMENT_ORDER.edges_from("cancelled") == ()
    assert PARCEL.edges_from("delivered") == ()
