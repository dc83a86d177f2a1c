"""`cancel_orders`: units given back, holds lifted, the fact told, every refusal, the second call."""

import pytest

from config.kernel import outbox
from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import InvalidInput, NotAllowed
from config.kernel.models import Event, Fact
from inventory.enums import ReservationState
from inventory.models import Location, Reservation, StockLevel
from orders.enums import FulfillmentStatus, HoldKind, OrderStatus
from orders.errors import AlreadyShipped, OrderClosed
from orders.models import Hold, LinePart, Order
from orders.services.allocating import allocate_orders
from orders.services.cancelling import cancel_orders
from orders.services.holds import place_hold
from tests.factories.inventory import make_level, make_location, make_sku
from tests.factories.orders import make_order, neutral_line

pytestmark = pytest.mark.django_db

STAFF = Actor(ActorKind.USER, 1, "rosa", frozenset({"orders.cancel_order"}))
RULE = Actor.rule("tests")


@pytest.fixture
def near() -> Location:
    return make_location("NEAR")


def allocated_order(near: Location, *, stock: int = 5, quantity: int = 2) -> Order:
    make_level(make_sku("MUG"), near, stock)
    order = make_order(lines=(neutral_line("MUG", quantity),))
    allocate_orders([order.pk], actor=RULE).raise_refusals()
    return order


def cancel(*orders: Order, reason: str = "buyer asked", actor: Actor = STAFF):
    return cancel_orders([order.pk for order in orders], reason=reason, actor=actor)


def test_cancel_allocated_order_gives_its_units_back(near: Location, frozen_clock) -> None:
    order = allocated_order(near, stock=3, quantity=5)
    place_hold([order.pk], kind=HoldKind.MANUAL, reason="ask", actor=RULE).raise_refusals()
    LinePart.objects.update(picked=2, packed=1)

    assert cancel(order).done_ids == [order.pk]

    order.refresh_from_db()
    part, level = LinePart.objects.get(), StockLevel.objects.get()
    assert (order.status, order.cancelled_at) == (OrderStatus.CANCELLED, frozen_clock)
    assert order.fulfillment_status == FulfillmentStatus.NOTHING_TO_SHIP
    assert (part.cancelled, part.allocated, part.picked, part.packed) == (5, 0, 0, 0)
    assert level.reserved == 0
    closed = Reservation.objects.order_by("pk").values_list("state", "closed_reason")
    assert list(closed) == [(ReservationState.RELEASED, "order_cancelled")] * 2
    assert Hold.objects.get().lifted_at == frozen_clock
    event = Event.objects.get(kind="cancel")
    assert (event.from_status, event.to_status, event.facts) == (
        "placed",
        "cancelled",
        {"reason": "buyer asked"},
    )
    assert event.actor_id == 1
    assert Fact.objects.filter(kind="order.cancelled", subject_id=order.pk).count() == 1
    assert Fact.objects.filter(kind="stock.freed", subject_id=part.sku_id).exists()


def test_cancel_order_without_reservations(near: Location) -> None:
    order = make_order(lines=(neutral_line("ODD", 1),), skus=False)

    assert cancel(order).done_ids == [order.pk]
    assert LinePart.objects.get().cancelled == 1


def test_cancel_second_call_changes_nothing(near: Location) -> None:
    order = allocated_order(near)
    cancel(order)
    before = (Event.objects.count(), Fact.objects.count())

    assert cancel(order).unchanged_ids == [order.pk]
    assert (Event.objects.count(), Fact.objects.count()) == before


def test_cancel_what_was_shipped_whole_is_refused_with_the_way_back(near: Location) -> None:
    order = allocated_order(near)
    LinePart.objects.update(shipped=2, allocated=0)

    problem = cancel(order).refusals[order.pk]

    assert isinstance(problem, AlreadyShipped)
    assert problem.facts == {"number": order.number, "shipped": 2}
    assert "return" in str(problem)
    assert Order.objects.get().status == OrderStatus.PLACED
    assert Reservation.objects.get().state == ReservationState.OPEN


def test_cancel_completed_order_is_refused() -> None:
    order = make_order(is_history=True)

    assert isinstance(cancel(order).refusals[order.pk], OrderClosed)


def test_cancel_unknown_id_is_refused() -> None:
    assert cancel_orders([404], reason="x", actor=STAFF).refusals[404].code == "not_found"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 121])
def test_cancel_without_a_fit_reason_is_refused(reason: str) -> None:
    order = make_order()

    with pytest.raises(InvalidInput):
        cancel(order, reason=reason)
    assert Order.objects.get().status == OrderStatus.PLACED


def test_cancel_without_permission_is_not_allowed() -> None:
    order = make_order()

    with pytest.raises(NotAllowed):
        cancel(order, actor=Actor(ActorKind.USER, 1, "guest", frozenset()))
    assert Order.objects.get().status == OrderStatus.PLACED


def test_cancel_one_is_refused_the_others_are_done(near: Location) -> None:
    good, bad = allocated_order(near), make_order(is_history=True)

    assert cancel(good, bad).counts() == {"done": 1, "unchanged": 0, "refused": 1}


def test_cancel_units_reach_the_next_in_line_through_the_outbox(near: Location) -> None:
    first = allocated_order(near, stock=2)
    second = make_order(lines=(neutral_line("MUG", 2),))
    allocate_orders([second.pk], actor=RULE).raise_refusals()
    outbox.deliver_due("work")

    cancel(first)
    outbox.deliver_due("work")

    second.refresh_from_db()
    assert second.fulfillment_status == FulfillmentStatus.ALLOCATED
    assert LinePart.objects.get(line__order=second).allocated == 2
