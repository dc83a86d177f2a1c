"""What upper rooms report of goods: counters, axes, timeline, and the order that completes itself."""

from collections.abc import Callable, Mapping

import pytest
from django.db import transaction

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import Conflict
from config.kernel.models import Event
from orders.enums import FulfillmentStatus, OrderStatus
from orders.models import LinePart, Order
from orders.services.allocating import allocate_orders
from orders.services.confirming import confirm_orders
from orders.services.locking import lock_orders
from orders.services.progress import record_delivered, record_returned, record_shipped
from tests.factories.inventory import make_level, make_location, make_sku
from tests.factories.orders import make_order, neutral_line

pytestmark = pytest.mark.django_db

RULE = Actor.rule("tests")
CARRIER = Actor(ActorKind.CHANNEL, 1, "carrier", frozenset())


@pytest.fixture
def order() -> Order:
    place = make_location("NEAR")
    for code in ("MUG", "TEE"):
        make_level(make_sku(code), place, 9)
    order = make_order(lines=(neutral_line("MUG", 3), neutral_line("TEE", 1)))
    allocate_orders([order.pk], actor=RULE).raise_refusals()
    confirm_orders([order.pk], actor=RULE).raise_refusals()
    return order


def parts() -> list[LinePart]:
    return list(LinePart.objects.order_by("pk"))


def report(verb: Callable[..., None], order: Order, *units: int, actor: Actor = CARRIER) -> None:
    quantities = {part.pk: number for part, number in zip(parts(), units, strict=True) if number}
    call(verb, order, quantities, actor)


def call(
    verb: Callable[..., None], order: Order, quantities: Mapping[int, int], actor: Actor = CARRIER
) -> None:
    with transaction.atomic():
        lock_orders([order.pk])
        verb([order.pk], quantities, actor=actor)
    order.refresh_from_db()


def counters(name: str) -> list[int]:
    return [getattr(part, name) for part in parts()]


def test_record_shipped_moves_units_from_allocated_to_shipped(order: Order) -> None:
    LinePart.objects.filter(pk=parts()[0].pk).update(picked=1, packed=1)

    report(record_shipped, order, 2, 0)

    assert (counters("allocated"), counters("shipped")) == ([1, 1], [2, 0])
    assert (counters("packed"), counters("picked")) == ([0, 0], [0, 0])
    assert order.fulfillment_status == FulfillmentStatus.PARTLY_SHIPPED
    event = Event.objects.get(kind="shipped")
    assert event.facts == {"units": 2, "parts": {str(parts()[0].pk): 2}}
    assert (event.thread_id, event.actor_kind) == (order.pk, ActorKind.CHANNEL)


def test_record_shipped_all_is_shipped(order: Order) -> None:
    report(record_shipped, order, 3, 1)

    assert order.fulfillment_status == FulfillmentStatus.SHIPPED
    assert order.status == OrderStatus.CONFIRMED


def test_record_delivered_some_leaves_the_order_open(order: Order) -> None:
    report(record_shipped, order, 3, 1)

    report(record_delivered, order, 3, 0)

    assert order.fulfillment_status == FulfillmentStatus.SHIPPED
    assert order.status == OrderStatus.CONFIRMED


def test_record_delivered_all_completes_the_order_without_a_permission(order: Order, frozen_clock) -> None:
    report(record_shipped, order, 3, 1)

    report(record_delivered, order, 3, 1)

    assert order.fulfillment_status == FulfillmentStatus.DELIVERED
    assert (order.status, order.completed_at) == (OrderStatus.COMPLETED, frozen_clock)
    assert Event.objects.get(kind="complete").actor_label == "carrier"


def test_record_returned_counts_and_leaves_the_axis(order: Order) -> None:
    report(record_shipped, order, 3, 1)
    report(record_delivered, order, 3, 1)

    report(record_returned, order, 2, 0)

    assert counters("returned") == [2, 0]
    assert order.fulfillment_status == FulfillmentStatus.DELIVERED
    assert Event.objects.get(kind="returned").facts["units"] == 2


@pytest.mark.parametrize(
    ("verb", "units"),
    [(record_shipped, 4), (record_delivered, 3), (record_returned, 3), (record_shipped, -1)],
)
def test_record_more_than_there_is_conflicts_and_writes_nothing(
    order: Order, verb: Callable[..., None], units: int
) -> None:
    if verb is not record_shipped:
        report(record_shipped, order, 2, 0)
    before, events = list(LinePart.objects.order_by("pk").values()), Event.objects.count()

    with pytest.raises(Conflict):
        call(verb, order, {parts()[0].pk: units})
    assert list(LinePart.objects.order_by("pk").values()) == before
    assert Event.objects.count() == events


def test_record_part_of_another_order_conflicts(order: Order) -> None:
    other = make_order()

    with pytest.raises(Conflict):
        call(record_shipped, other, {parts()[0].pk: 1})


def test_record_nothing_writes_nothing(order: Order) -> None:
    events = Event.objects.count()

    call(record_shipped, order, {})

    assert Event.objects.count() == events
