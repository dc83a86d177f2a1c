import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import NotAllowed, NotFound
from config.kernel.models import Event
from orders.enums import HoldKind
from orders.errors import OrderClosed
from orders.models import Order
from orders.services.cancelling import cancel_orders
from orders.services.holds import place_hold
from orders.services.lifting import lift_and_confirm_orders
from tests.factories.orders import SYSTEM, make_order

pytestmark = pytest.mark.django_db


def held(*kinds: HoldKind) -> Order:
    order = make_order()
    for kind in kinds:
        place_hold([order.pk], kind=kind, reason="ask", actor=SYSTEM).only()
    return order


def open_kinds(order: Order) -> set[str]:
    return set(order.holds.filter(lifted_at=None).values_list("kind", flat=True))


def test_lift_and_confirm_lifts_what_refuses_and_keeps_the_rest() -> None:
    both = held(HoldKind.FRAUD, HoldKind.ADDRESS, HoldKind.UNPAID)
    one = held(HoldKind.MANUAL)
    free = make_order()

    results = lift_and_confirm_orders([both.pk, one.pk, free.pk], actor=SYSTEM)

    assert results.done_ids == [both.pk, one.pk, free.pk]
    assert set(Order.objects.values_list("status", flat=True)) == {"confirmed"}
    assert (open_kinds(both), open_kinds(one)) == ({"unpaid"}, set())
    assert Event.objects.filter(kind="hold_lifted").count() == 3


def test_lift_and_confirm_keeps_the_manual_hold_that_lets_it_be_confirmed() -> None:
    order = held(HoldKind.MANUAL)
    later = {"allows": ["confirm"]}
    place_hold([order.pk], kind=HoldKind.MANUAL, reason="card first", facts=later, actor=SYSTEM).only()

    assert lift_and_confirm_orders([order.pk], actor=SYSTEM).done_ids == [order.pk]

    assert list(order.holds.filter(lifted_at=None).values_list("reason", flat=True)) == ["card first"]
    assert Event.objects.filter(kind="hold_lifted").count() == 1


def test_lift_and_confirm_again_is_unchanged() -> None:
    order = held(HoldKind.FRAUD)
    lift_and_confirm_orders([order.pk], actor=SYSTEM).only()
    place_hold([order.pk], kind=HoldKind.FRAUD, actor=SYSTEM).only()
    events = Event.objects.count()

    assert lift_and_confirm_orders([order.pk], actor=SYSTEM).unchanged_ids == [order.pk]
    assert open_kinds(order) == {"fraud"}
    assert Event.objects.count() == events


def test_lift_and_confirm_refuses_closed_and_unknown_orders_and_writes_nothing_of_them() -> None:
    closed = make_order()
    cancel_orders([closed.pk], reason="twice", actor=SYSTEM).only()
    events = Event.objects.count()

    results = lift_and_confirm_orders([closed.pk, closed.pk + 99], actor=SYSTEM)

    assert isinstance(results.refusals[closed.pk], OrderClosed)
    assert isinstance(results.refusals[closed.pk + 99], NotFound)
    assert Event.objects.count() == events


@pytest.mark.parametrize("right", ["orders.confirm_order", "orders.hold_order"])
def test_lift_and_confirm_wants_both_rights(right: str) -> None:
    order = held(HoldKind.FRAUD)

    with pytest.raises(NotAllowed):
        lift_and_confirm_orders([order.pk], actor=Actor(ActorKind.USER, 1, "anna", frozenset({right})))

    assert open_kinds(order) == {"fraud"}
