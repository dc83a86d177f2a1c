"""`allocate_orders`: units reserved or waiting, the decision kept, the second call, every refusal."""

from datetime import timedelta
from typing import Any

import pytest

from config.kernel import clock
from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import NotAllowed
from config.kernel.models import Event
from inventory.enums import ReservationState
from inventory.models import Location, Reservation, Sku, StockLevel
from orders.enums import FulfillmentStatus, HoldKind
from orders.errors import HistoryOrder, HoldOpen, NotPlaced, OrderClosed, OrderIsTest, SkuUnknown
from orders.models import AllocationDecision, LinePart, Order
from orders.neutral import NeutralLine
from orders.selectors import queues
from orders.selectors.work import to_allocate
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.services.cancelling import cancel_orders
from orders.states import HOLD_REFUSES
from tests.factories.inventory import make_kit, make_level, make_location, make_sku, receive, reserve
from tests.factories.orders import make_channel, make_order, neutral_line

pytestmark = pytest.mark.django_db

RULE = Actor.rule("tests")
OPEN, WAITING = ReservationState.OPEN, ReservationState.WAITING


@pytest.fixture
def near() -> Location:
    return make_location("NEAR", preference=1)


@pytest.fixture
def far() -> Location:
    return make_location("FAR", preference=2)


def lines(*wanted: tuple[str, int]) -> tuple[NeutralLine, ...]:
    return tuple(
        neutral_line(code, quantity, external_id=f"line-{number}")
        for number, (code, quantity) in enumerate(wanted)
    )


def claims(order: Order) -> list[tuple[str, str | None, int, str]]:
    """What an order's reservations hold: (SKU, location, units, state), by pk."""
    rows = Reservation.objects.filter(reference_kind="order_line_part").order_by("pk")
    parts = set(LinePart.objects.filter(line__order=order).values_list("pk", flat=True))
    return [
        (row.sku.code, row.level.location.code if row.level else None, row.quantity, row.state)
        for row in rows.select_related("sku", "level__location")
        if row.reference_id in parts
    ]


def allocated(order: Order) -> list[int]:
    return list(LinePart.objects.filter(line__order=order).order_by("pk").values_list("allocated", flat=True))


def allocate(*orders: Order, **given: Any) -> Any:
    return allocate_orders([order.pk for order in orders], **({"actor": RULE} | given))


def test_allocate_stock_is_there_reserves_it_and_keeps_the_decision(near: Location, frozen_clock) -> None:
    level = make_level(make_sku("MUG"), near, 5)
    order = make_order(lines=lines(("MUG", 2)))

    results = allocate(order)

    order.refresh_from_db()
    level.refresh_from_db()
    part = LinePart.objects.get()
    decision = AllocationDecision.objects.get()
    assert results.done_ids == [order.pk]
    assert results.values == {order.pk: "whole"}
    assert claims(order) == [("MUG", "NEAR", 2, OPEN)]
    assert (part.allocated, level.reserved) == (2, 2)
    assert order.fulfillment_status == FulfillmentStatus.ALLOCATED
    assert (decision.order, decision.outcome, decision.actor_kind) == (order, "whole", ActorKind.RULE)
    assert decision.decided_at == frozen_clock
    assert decision.chosen == [{"location": near.pk, "part": part.pk, "sku": part.sku_id, "quantity": 2}]
    assert decision.candidates == [{"location": near.pk, "reason": "has_all", "have": 2, "asked": 2}]
    assert decision.waiting == []
    event = Event.objects.get(kind="allocated")
    assert (event.thread_type, event.thread_id) == ("order", order.pk)
    assert event.facts == {"outcome": "whole", "units": 2, "locations": [near.pk]}


def test_allocate_some_is_missing_lets_it_wait_in_line(near: Location, frozen_clock) -> None:
    make_level(make_sku("MUG"), near, 3)
    order = make_order(channel=make_channel(priority=7), lines=lines(("MUG", 5)))

    results = allocate(order)

    order.refresh_from_db()
    part = LinePart.objects.get()
    waiting = Reservation.objects.get(state=WAITING)
    assert results.values == {order.pk: "partial"}
    assert claims(order) == [("MUG", "NEAR", 3, OPEN), ("MUG", None, 2, WAITING)]
    assert (waiting.priority, waiting.queued_at) == (7, frozen_clock)
    assert order.fulfillment_status == FulfillmentStatus.BACKORDERED
    assert AllocationDecision.objects.get().waiting == [
        {"part": part.pk, "sku": part.sku_id, "quantity": 2, "reason": "no_stock", "ahead": 0}
    ]
    assert Event.objects.get(kind="backordered").facts == {"units": 2}


def test_allocate_sku_without_any_level_waits(near: Location) -> None:
    order = make_order(lines=lines(("MUG", 2)))

    assert allocate(order).values == {order.pk: "backordered"}
    assert claims(order) == [("MUG", None, 2, WAITING)]
    assert StockLevel.objects.count() == 0


def test_allocate_one_location_has_all_is_whole(near: Location, far: Location) -> None:
    mug, tee = make_sku("MUG"), make_sku("TEE")
    make_level(mug, near, 9)
    make_level(mug, far, 2)
    make_level(tee, far, 1)
    order = make_order(lines=lines(("MUG", 2), ("TEE", 1)))

    assert allocate(order).values == {order.pk: "whole"}
    assert claims(order) == [("MUG", "FAR", 2, OPEN), ("TEE", "FAR", 1, OPEN)]


def test_allocate_none_has_all_splits(near: Location, far: Location) -> None:
    mug = make_sku("MUG")
    make_level(mug, near, 2)
    make_level(mug, far, 2)
    order = make_order(lines=lines(("MUG", 3)))

    assert allocate(order).values == {order.pk: "split"}
    assert claims(order) == [("MUG", "NEAR", 2, OPEN), ("MUG", "FAR", 1, OPEN)]
    assert allocated(order) == [3]


def test_allocate_order_prefers_a_location_of_its_own(near: Location, far: Location) -> None:
    mug = make_sku("MUG")
    make_level(mug, near, 2)
    make_level(mug, far, 2)
    order = make_order(lines=lines(("MUG", 1)))
    Order.objects.update(preferred_location=far)

    allocate(order)

    assert claims(order) == [("MUG", "FAR", 1, OPEN)]


def test_allocate_kit_reserves_its_parts_and_counts_shared_ones_together(near: Location) -> None:
    mug, lid = make_sku("MUG"), make_sku("LID")
    make_kit({mug: 2, lid: 1}, code="SET")
    make_level(mug, near, 6)
    make_level(lid, near, 9)
    order = make_order(lines=lines(("SET", 2), ("MUG", 3)))

    results = allocate(order)

    assert results.values == {order.pk: "partial"}
    assert claims(order) == [
        ("MUG", "NEAR", 4, OPEN),
        ("LID", "NEAR", 2, OPEN),
        ("MUG", "NEAR", 2, OPEN),
        ("MUG", None, 1, WAITING),
    ]
    assert allocated(order) == [4, 2, 2]


def test_allocate_many_serves_priority_then_age(near: Location) -> None:
    make_level(make_sku("MUG"), near, 3)
    shop, market = make_channel(), make_channel(code="market", priority=5)
    now = clock.now()
    young = make_order(channel=shop, lines=lines(("MUG", 2)), placed_at=now)
    old = make_order(channel=shop, lines=lines(("MUG", 2)), placed_at=now - timedelta(days=1))
    first = make_order(channel=market, lines=lines(("MUG", 2)), placed_at=now)

    results = allocate(young, old, first)

    assert results.values == {first.pk: "whole", old.pk: "partial", young.pk: "backordered"}
    waiting = Reservation.objects.filter(state=WAITING).order_by("pk").values_list("reference_id", flat=True)
    assert [LinePart.objects.get(pk=pk).line.order_id for pk in waiting] == [old.pk, young.pk]


def test_allocate_leaves_what_the_queue_is_owed(near: Location) -> None:
    mug = make_sku("MUG")
    make_level(mug, near)
    reserve(mug, None, 3)
    receive(mug, near, 4)
    order = make_order(lines=lines(("MUG", 2)))

    assert allocate(order).values == {order.pk: "partial"}
    assert claims(order) == [("MUG", "NEAR", 1, OPEN), ("MUG", None, 1, WAITING)]
    assert AllocationDecision.objects.get().waiting[0]["reason"] == "queue_ahead"
    assert AllocationDecision.objects.get().waiting[0]["ahead"] == 3


def test_allocate_second_call_changes_nothing(near: Location) -> None:
    make_level(make_sku("MUG"), near, 3)
    order = make_order(lines=lines(("MUG", 5)))
    allocate(order)
    before = (claims(order), Event.objects.count(), AllocationDecision.objects.count())
    version = Order.objects.get().version

    results = allocate(order)

    assert results.unchanged_ids == [order.pk]
    assert (claims(order), Event.objects.count(), AllocationDecision.objects.count()) == before
    assert Order.objects.get().version == version


def test_allocate_unknown_sku_leaves_out_that_line_only(near: Location) -> None:
    make_level(make_sku("MUG"), near, 3)
    order = make_order(lines=lines(("MUG", 1), ("ODD", 2)), skus=False)
    unknown = LinePart.objects.get(sku=None)

    results = allocate(order)

    order.refresh_from_db()
    assert results.values == {order.pk: "whole"}
    assert claims(order) == [("MUG", "NEAR", 1, OPEN)]
    assert order.fulfillment_status == FulfillmentStatus.PARTLY_ALLOCATED
    assert AllocationDecision.objects.get().waiting == [
        {"part": unknown.pk, "sku": None, "quantity": 2, "reason": "unknown_sku", "ahead": 0}
    ]


def test_allocate_line_is_not_shipped_is_not_asked_for(near: Location) -> None:
    line = neutral_line("GIFTCARD", 1, requires_shipping=False)

    results = allocate(make_order(lines=(line,)))

    assert results.counts() == {"done": 0, "unchanged": 1, "refused": 0}
    assert Reservation.objects.count() == 0


@pytest.mark.parametrize("kind", HoldKind)
def test_allocate_no_hold_of_the_table_refuses_it(kind: HoldKind) -> None:
    assert "allocate" not in HOLD_REFUSES[kind]


def refusal(order: Order) -> Exception:
    before = (Reservation.objects.count(), Event.objects.count(), AllocationDecision.objects.count())
    results = allocate(order)
    assert (Reservation.objects.count(), Event.objects.count(), AllocationDecision.objects.count()) == before
    return results.refusals[order.pk]


def test_allocate_closed_order_is_refused() -> None:
    order = make_order()
    cancel_orders([order.pk], reason="changed my mind", actor=RULE).raise_refusals()

    assert isinstance(refusal(order), OrderClosed)


def test_allocate_history_is_refused() -> None:
    assert isinstance(refusal(make_order(is_history=True)), HistoryOrder)


def test_allocate_test_order_is_refused_and_takes_no_stock() -> None:
    order = make_order(is_test=True)
    sku = Sku.objects.get(code="MUG")
    receive(sku, make_location(), 2)

    assert isinstance(refusal(order), OrderIsTest)

    assert (Reservation.objects.count(), StockLevel.objects.get(sku=sku).reserved) == (0, 0)
    assert [list(to_allocate(Order.objects.all())), list(queues.to_allocate())] == [[], []]


def test_allocate_draft_is_refused() -> None:
    order = make_order()
    Order.objects.update(status="draft")

    assert isinstance(refusal(order), NotPlaced)


def test_allocate_only_unknown_skus_is_refused_with_their_names() -> None:
    problem = refusal(make_order(lines=lines(("ODD", 1)), skus=False))

    assert isinstance(problem, SkuUnknown)
    assert problem.facts["sent"] == "ODD"


def test_allocate_hold_refuses_the_step_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    order = make_order(lines=lines(("ODD", 1)), skus=False)
    monkeypatch.setitem(HOLD_REFUSES, HoldKind.UNKNOWN_SKU, frozenset({"allocate"}))  # type: ignore[arg-type]

    assert isinstance(refusal(order), HoldOpen)


def test_allocate_unknown_id_is_refused() -> None:
    assert allocate_orders([404], actor=RULE).refusals[404].code == "not_found"


def test_allocate_without_permission_is_not_allowed() -> None:
    order = make_order()

    with pytest.raises(NotAllowed):
        allocate(order, actor=Actor(ActorKind.USER, 1, "guest", frozenset()))
    assert Reservation.objects.count() == 0


def test_allocate_one_is_refused_the_others_are_done(near: Location) -> None:
    make_level(make_sku("MUG"), near, 9)
    good, bad = make_order(), make_order(is_history=True)

    assert allocate(good, bad).counts() == {"done": 1, "unchanged": 0, "refused": 1}
    assert allocated(good) == [2]


def test_allocate_orders_of_more_units_than_are_taken_in_today_wait_and_spoil_no_other(
    near: Location,
) -> None:
    receive(make_sku("MUG"), near, 10)
    make_sku("CUP")
    large, order = make_order(lines=lines(("CUP", 3))), make_order(lines=lines(("MUG", 2)))
    LinePart.objects.filter(line__order=large).update(ordered=2**31 - 1)

    results = allocate_orders([large.pk, order.pk], actor=RULE)

    assert results.done_ids == [large.pk, order.pk]
    assert claims(order) == [("MUG", "NEAR", 2, OPEN)]
    assert claims(large) == [("CUP", None, 2**31 - 1, WAITING)]
    receive(Sku.objects.get(code="CUP"), near, 1_000_000)
    fill_backorders(Sku.objects.filter(code="CUP").values_list("pk", flat=True), actor=RULE)
    assert claims(large) == [("CUP", None, 2**31 - 1_000_001, WAITING), ("CUP", "NEAR", 1_000_000, OPEN)]
