"""`reallocate_orders` and `override_allocation`: where reserved units ship from, chosen anew or by a person."""

from unittest import mock

import pytest

from config.kernel import outbox
from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import InvalidInput, NotAllowed, NotFound
from config.kernel.models import Event
from fulfillment.services.releasing import release_orders
from inventory.errors import LocationClosed, QueueJumped
from inventory.models import Location, Reservation, Sku
from inventory.services.policies import LevelPolicy, set_policies
from orders.errors import (
    HistoryOrder,
    LocationShort,
    NothingReserved,
    OrderClosed,
    UnitsAtWork,
)
from orders.models import AllocationDecision, LinePart, Order
from orders.services import reallocating
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.services.cancelling import cancel_orders
from orders.services.confirming import confirm_orders
from orders.services.overriding import Override, override_allocation
from orders.services.reallocating import reallocate_orders
from tests.factories.inventory import make_location, make_sku, receive
from tests.factories.orders import make_order, neutral_line
from tests.fulfillment.watching import nothing_written, statements

pytestmark = pytest.mark.django_db

STAFF = Actor(ActorKind.USER, 7, "rosa", frozenset({"orders.allocate_order"}))
BOSS = Actor(ActorKind.USER, 8, "ugo", frozenset({"orders.override_allocation"}))
RULE = Actor.rule("tests")


@pytest.fixture
def near() -> Location:
    return make_location("NEAR", preference=1)


@pytest.fixture
def far() -> Location:
    return make_location("FAR", preference=2)


def goods(place: Location, **units: int) -> None:
    for code, quantity in units.items():
        receive(Sku.objects.filter(code=code).first() or make_sku(code), place, quantity)


def order_of(**units: int) -> Order:
    order = make_order(lines=tuple(neutral_line(code, quantity) for code, quantity in units.items()))
    allocate_orders([order.pk], actor=RULE).raise_refusals()
    return order


def places(order: Order) -> dict[str, int]:
    parts = list(LinePart.objects.filter(line__order=order).values_list("pk", flat=True))
    found: dict[str, int] = {}
    for row in Reservation.objects.filter(reference_id__in=parts, state="open").select_related(
        "level__location"
    ):
        found[row.level.location.code] = found.get(row.level.location.code, 0) + row.quantity
    return found


def override(order: Order, place: Location | int, actor: Actor = BOSS, reason: str = "the van goes there"):
    pk = place if isinstance(place, int) else place.pk
    return override_allocation([Override(order.pk, pk)], reason=reason, actor=actor)


def assert_clean() -> None:
    outbox.deliver_due("work")
    assert [found for finding in run_audit() for found in finding.violations] == []


def test_reallocate_brings_a_split_order_together(near: Location, far: Location) -> None:
    goods(near, MUG=2)
    goods(far, CUP=1)
    order = order_of(MUG=2, CUP=1)
    queued = dict(Reservation.objects.values_list("pk", "queued_at"))
    assert places(order) == {"NEAR": 2, "FAR": 1}
    goods(near, CUP=5)

    assert reallocate_orders([order.pk], actor=STAFF).values == {order.pk: "whole"}

    assert places(order) == {"NEAR": 3}
    assert dict(Reservation.objects.values_list("pk", "queued_at")) == queued
    decision = AllocationDecision.objects.order_by("-pk").first()
    assert (decision.outcome, {row["location"] for row in decision.chosen}) == ("whole", {near.pk})
    assert Event.objects.get(kind="reallocated").facts["units"] == 3
    with nothing_written():
        assert reallocate_orders([order.pk], actor=STAFF).unchanged_ids == [order.pk]
    assert_clean()


def test_reallocate_loses_nobody_a_unit_while_others_wait(near: Location, far: Location) -> None:
    goods(far, MUG=3)
    first, second = order_of(MUG=3), order_of(MUG=2)
    goods(near, CUP=1)

    assert reallocate_orders([first.pk], actor=STAFF).unchanged_ids == [first.pk]

    assert isinstance(reallocate_orders([second.pk], actor=STAFF).refusals[second.pk], NothingReserved)
    assert places(first) == {"FAR": 3}
    assert_clean()


def test_reallocate_several_orders_may_change_places(near: Location, far: Location) -> None:
    goods(near, MUG=1, CUP=1)
    goods(far, MUG=1, CUP=1)
    one = order_of(MUG=1)
    other = order_of(MUG=1, CUP=1)
    Order.objects.filter(pk=one.pk).update(preferred_location=far)
    assert (places(one), places(other)) == ({"NEAR": 1}, {"FAR": 2})

    reallocate_orders([one.pk, other.pk], actor=STAFF).raise_refusals()

    assert (places(one), places(other)) == ({"FAR": 1}, {"NEAR": 2})
    assert_clean()


def test_reallocate_leaves_what_the_warehouse_was_asked_for(near: Location, far: Location) -> None:
    goods(far, MUG=2)
    order = order_of(MUG=2, CUP=1)
    confirm_orders([order.pk], actor=RULE).raise_refusals()
    release_orders([order.pk], actor=RULE).raise_refusals()
    goods(near, MUG=5, CUP=1)

    refusal = reallocate_orders([order.pk], actor=STAFF).refusals[order.pk]
    assert isinstance(refusal, UnitsAtWork)
    assert "F-" in str(refusal)

    outbox.deliver_due("work")
    goods(far, CUP=1)
    reallocate_orders([order.pk], actor=STAFF).raise_refusals()
    assert places(order) == {"FAR": 3}
    assert_clean()


def test_reallocate_leaves_a_closed_place_only_where_nobody_waits(near: Location, far: Location) -> None:
    goods(near, MUG=3)
    first, second = order_of(MUG=3), order_of(MUG=4)
    goods(far, MUG=3)
    Location.objects.filter(pk=near.pk).update(is_active=False)

    refusal = reallocate_orders([first.pk], actor=STAFF).refusals[first.pk]
    assert isinstance(refusal, LocationClosed)
    assert refusal.facts == {"location": "NEAR"}
    assert isinstance(override(first, far).refusals[first.pk], QueueJumped)

    cancel_orders([second.pk], reason="no", actor=RULE).raise_refusals()
    assert reallocate_orders([first.pk], actor=STAFF).done_ids == [first.pk]
    assert places(first) == {"FAR": 3}


def test_units_owed_to_somebody_are_not_taken_for_units_that_vanish_into_a_buffer(
    near: Location, far: Location
) -> None:
    goods(near, MUG=5)
    goods(far, CUP=1)
    holder = order_of(MUG=5, CUP=1)
    mug = Sku.objects.get(code="MUG")
    set_policies([LevelPolicy(mug.pk, near.pk, buffer=5)], actor=RULE).raise_refusals()
    waiter = order_of(MUG=5)
    goods(far, MUG=5)

    with nothing_written():
        assert reallocate_orders([holder.pk], actor=STAFF).unchanged_ids == [holder.pk]
        refusal = override(holder, far).refusals[holder.pk]
    assert isinstance(refusal, QueueJumped)
    assert (refusal.facts["waiting"], refusal.facts["free"]) == (5, 5)
    with mock.patch.object(reallocating, "may_give_nothing", return_value=False), pytest.raises(QueueJumped):
        reallocate_orders([holder.pk], actor=STAFF)

    fill_backorders([mug.pk], actor=RULE).raise_refusals()
    assert (places(holder), places(waiter)) == ({"NEAR": 5, "FAR": 1}, {"FAR": 5})
    assert_clean()


def test_reallocate_of_closed_and_unknown_is_refused() -> None:
    history, cancelled = make_order(is_history=True), make_order()
    cancel_orders([cancelled.pk], reason="no", actor=RULE).raise_refusals()

    refusals = reallocate_orders([history.pk, cancelled.pk, 404], actor=STAFF).refusals

    assert [type(refusals[pk]) for pk in (history.pk, cancelled.pk, 404)] == [
        HistoryOrder,
        OrderClosed,
        NotFound,
    ]
    with pytest.raises(NotAllowed):
        reallocate_orders([history.pk], actor=BOSS)


def test_override_moves_everything_and_says_who_and_why(near: Location, far: Location) -> None:
    goods(near, MUG=2, CUP=1)
    goods(far, MUG=9, CUP=9)
    order = order_of(MUG=2, CUP=1)

    assert override(order, far).done_ids == [order.pk]

    assert places(order) == {"FAR": 3}
    decision = AllocationDecision.objects.order_by("-pk").first()
    assert (decision.actor_kind, decision.actor_id, decision.reason) == ("user", 8, "the van goes there")
    assert {row["location"] for row in decision.chosen} == {far.pk}
    event = Event.objects.get(kind="allocation_overridden")
    assert event.facts == {"reason": "the van goes there", "location": far.pk}
    with nothing_written():
        assert override(order, far).unchanged_ids == [order.pk]
    assert_clean()


def test_override_may_choose_a_place_that_ships_nothing_by_itself(near: Location) -> None:
    shop = make_location("SHOP", can_ship=False)
    goods(near, MUG=2)
    goods(shop, MUG=2)
    order = order_of(MUG=2)

    override(order, shop).raise_refusals()

    assert places(order) == {"SHOP": 2}
    assert_clean()


def test_override_is_refused_where_it_cannot_be(near: Location, far: Location) -> None:
    goods(near, MUG=4)
    goods(far, MUG=1)
    order, other = order_of(MUG=2), order_of(MUG=2)
    closed = make_location("SHUT", is_active=False)

    with nothing_written():
        assert isinstance(override(order, closed).refusals[order.pk], LocationClosed)
        assert isinstance(override(order, 404).refusals[order.pk], NotFound)
        short = override(order, far).refusals[order.pk]
        with pytest.raises(InvalidInput):
            override(order, far, reason=" ")
        with pytest.raises(NotAllowed):
            override(order, far, actor=STAFF)
    assert isinstance(short, LocationShort)
    assert (short.facts["free"], short.facts["asked"]) == (1, 2)

    goods(far, MUG=2)
    both = override_allocation(
        [Override(order.pk, far.pk), Override(other.pk, far.pk)], reason="x", actor=BOSS
    )
    assert both.done_ids == [order.pk]
    assert both.refusals[other.pk].facts["free"] == 1
    assert_clean()


@pytest.mark.postgres
def test_both_take_as_many_statements_for_twenty_as_for_two(near: Location, far: Location) -> None:
    goods(far, MUG=100)
    orders = [order_of(MUG=2).pk for _number in range(22)]
    goods(near, MUG=100)

    few = statements(lambda: reallocate_orders(orders[:2], actor=STAFF))
    assert statements(lambda: reallocate_orders(orders[2:], actor=STAFF)) == few
    assert AllocationDecision.objects.count() == 44

    def back(pks: list[int]) -> int:
        requests = [Override(pk, far.pk) for pk in pks]
        return statements(lambda: override_allocation(requests, reason="x", actor=BOSS).raise_refusals())

    assert back(orders[:2]) == back(orders[2:])
