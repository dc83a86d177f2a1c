"""`complete_orders`: by hand, when everything owed has arrived."""

import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import IllegalTransition, NotAllowed
from config.kernel.models import Event
from orders.enums import OrderStatus
from orders.errors import NotDelivered, OrderClosed
from orders.models import LinePart, Order
from orders.services.cancelling import cancel_orders
from orders.services.completing import complete_orders
from orders.services.confirming import confirm_orders
from tests.factories.orders import make_order, neutral_line

pytestmark = pytest.mark.django_db

STAFF = Actor(ActorKind.USER, 1, "rosa", frozenset({"orders.complete_order"}))
RULE = Actor.rule("tests")


def confirmed(**fields) -> Order:
    order = make_order(**fields)
    confirm_orders([order.pk], actor=RULE).raise_refusals()
    return order


def complete(order: Order):
    return complete_orders([order.pk], actor=STAFF)


def test_complete_delivered_order_is_done(frozen_clock) -> None:
    order = confirmed()
    LinePart.objects.update(shipped=2, delivered=2)

    assert complete(order).done_ids == [order.pk]

    order.refresh_from_db()
    assert (order.status, order.completed_at) == (OrderStatus.COMPLETED, frozen_clock)
    assert Event.objects.get(kind="complete").actor_id == 1


def test_complete_order_without_goods_is_done() -> None:
    order = confirmed(lines=(neutral_line("GIFTCARD", 1, requires_shipping=False),))

    assert complete(order).done_ids == [order.pk]


def test_complete_second_call_is_unchanged() -> None:
    order = confirmed(lines=(neutral_line("GIFTCARD", 1, requires_shipping=False),))
    complete(order)
    events = Event.objects.count()

    assert complete(order).unchanged_ids == [order.pk]
    assert Event.objects.count() == events


def test_complete_units_are_missing_is_refused() -> None:
    order = confirmed()
    LinePart.objects.update(shipped=2, delivered=1)

    problem = complete(order).refusals[order.pk]

    assert isinstance(problem, NotDelivered)
    assert problem.facts == {"number": order.number, "missing": 1}
    assert Order.objects.get().status == OrderStatus.CONFIRMED


def test_complete_before_confirm_is_refused() -> None:
    order = make_order()

    assert isinstance(complete(order).refusals[order.pk], IllegalTransition)


def test_complete_cancelled_order_is_refused() -> None:
    order = make_order()
    cancel_orders([order.pk], reason="test", actor=RULE).raise_refusals()

    assert isinstance(complete(order).refusals[order.pk], OrderClosed)


def test_complete_unknown_id_is_refused() -> None:
    assert complete_orders([404], actor=STAFF).refusals[404].code == "not_found"


def test_complete_without_permission_is_not_allowed() -> None:
    with pytest.raises(NotAllowed):
        complete_orders([make_order().pk], actor=Actor(ActorKind.USER, 1, "guest", frozenset()))
