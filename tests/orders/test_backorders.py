"""`fill_backorders`: strictly in queue order, split on part, nobody overtaken, its two triggers."""

from datetime import UTC, datetime, timedelta

import pytest

from config.kernel import clock, outbox
from config.kernel.actors import Actor
from config.kernel.audit import run_audit
from config.kernel.errors import Conflict
from config.kernel.models import Delivery, Event
from inventory.enums import ReservationState
from inventory.models import Location, Reservation, Sku
from inventory.selectors.previews import Change, preview
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.tasks import sweep_reservations
from orders.enums import FulfillmentStatus
from orders.models import AllocationDecision, LinePart, Order
from orders.selectors.queues import fillable_sku_ids
from orders.services import backorders
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.tasks import sweep_backorders
from tests.factories.inventory import make_level, make_location, make_sku, receive, reserve
from tests.factories.orders import make_channel, make_order, neutral_line

pytestmark = pytest.mark.django_db

RULE = Actor.rule("tests")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def near(db: None) -> Location:
    return make_location("NEAR", preference=1)


@pytest.fixture
def mug(near: Location) -> Sku:
    sku = make_sku("MUG")
    make_level(sku, near)
    return sku


def new_order(quantity: int, *, priority: int = 0) -> Order:
    channel = make_channel(code=f"shop-{priority}", priority=priority)
    return make_order(channel=channel, lines=(neutral_line("MUG", quantity),))


def wait(order: Order, *, minute: int = 0) -> Order:
    with clock.frozen(NOON + timedelta(minutes=minute)):
        allocate_orders([order.pk], actor=RULE).raise_refusals()
    return order


def waiting_order(quantity: int, *, minute: int = 0, priority: int = 0) -> Order:
    return wait(new_order(quantity, priority=priority), minute=minute)


def allocated(*orders: Order) -> list[int]:
    return [LinePart.objects.get(line__order=order).allocated for order in orders]


def fill(*skus: Sku) -> dict[int, int]:
    return fill_backorders([sku.pk for sku in skus], actor=RULE).values


def test_fill_backorders_serves_the_queue_and_splits_the_last(near: Location, mug: Sku) -> None:
    third, first, second = new_order(2), new_order(2), new_order(3)
    for minute, order in enumerate((first, second, third), 1):
        wait(order, minute=minute)
    receive(mug, near, 4)

    results = fill_backorders([mug.pk], actor=RULE)

    assert results.done_ids == [mug.pk]
    assert results.values == {mug.pk: 4}
    assert allocated(first, second, third) == [2, 2, 0]
    second.refresh_from_db()
    first.refresh_from_db()
    assert first.fulfillment_status == FulfillmentStatus.ALLOCATED
    assert second.fulfillment_status == FulfillmentStatus.BACKORDERED
    part = LinePart.objects.get(line__order=second)
    rows = Reservation.objects.filter(reference_id=part.pk).order_by("state").values_list("state", "quantity")
    assert list(rows) == [("open", 2), ("waiting", 1)]
    queued = Reservation.objects.filter(reference_id=part.pk).values_list("queued_at", flat=True)
    assert set(queued) == {NOON + timedelta(minutes=2)}
    events = Event.objects.filter(kind="backorder_filled").order_by("id")
    assert [(event.thread_id, event.facts["units"]) for event in events] == [(first.pk, 2), (second.pk, 2)]
    decision = AllocationDecision.objects.filter(order=second).latest("id")
    assert decision.outcome == "partial"
    assert decision.chosen == [{"location": near.pk, "part": part.pk, "sku": mug.pk, "quantity": 2}]


def test_fill_backorders_answers_for_rounds_that_were_committed_before_a_later_one_broke(
    near: Location, mug: Sku, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backorders, "MAX_BATCH", 1)
    tin = make_sku("TIN")
    make_level(tin, near)
    served = waiting_order(2, minute=1)
    half = make_order(lines=(neutral_line("TIN", 1),))
    broken = make_order(lines=(neutral_line("TIN", 2),))
    for minute, order in enumerate((half, broken), 2):
        with clock.frozen(NOON + timedelta(minutes=minute)):
            allocate_orders([order.pk], actor=RULE).raise_refusals()
    # More waits than was ordered: the database refuses the counter.
    Reservation.objects.filter(reference_id=LinePart.objects.get(line__order=broken).pk).update(quantity=3)
    receive(mug, near, 2)
    receive(tin, near, 4)

    results = fill_backorders([mug.pk, tin.pk], actor=RULE)

    assert allocated(served, half, broken) == [2, 1, 0]
    assert results.done_ids == [mug.pk]
    assert isinstance(results.refusals[tin.pk], Conflict)
    assert results.values == {mug.pk: 2, tin.pk: 1}


def test_fill_backorders_higher_priority_goes_first(near: Location, mug: Sku) -> None:
    old, market = waiting_order(2, minute=1), waiting_order(2, minute=9, priority=5)
    receive(mug, near, 3)

    fill(mug)

    assert allocated(old, market) == [1, 2]


def test_fill_backorders_second_call_changes_nothing(near: Location, mug: Sku) -> None:
    waiting_order(5)
    receive(mug, near, 3)
    fill(mug)
    events = Event.objects.count()

    results = fill_backorders([mug.pk], actor=RULE)

    assert results.unchanged_ids == [mug.pk]
    assert Event.objects.count() == events


def test_fill_backorders_leaves_units_of_those_it_does_not_serve(near: Location, mug: Sku) -> None:
    reserve(mug, None, 2, queued_at=NOON - timedelta(days=1))
    order = waiting_order(3)
    receive(mug, near, 4)

    fill(mug)

    assert allocated(order) == [2]


def test_fill_backorders_one_reservation_from_two_locations(near: Location, mug: Sku) -> None:
    far = make_location("FAR", preference=2)
    order = waiting_order(5)
    receive(mug, near, 2)
    receive(mug, far, 3)

    assert fill(mug) == {mug.pk: 5}

    rows = Reservation.objects.filter(state=ReservationState.OPEN).order_by("level__location__code")
    assert [(row.level.location.code, row.quantity) for row in rows] == [("FAR", 3), ("NEAR", 2)]
    assert allocated(order) == [5]


def test_fill_backorders_favours_the_location_that_holds_the_rest(near: Location, mug: Sku) -> None:
    far = make_location("FAR", preference=2)
    receive(mug, far, 1)
    order = waiting_order(3)
    receive(mug, near, 2)
    receive(mug, far, 2)

    fill(mug)

    rows = Reservation.objects.filter(state=ReservationState.OPEN)
    assert {row.level.location.code for row in rows} == {"FAR"}
    assert allocated(order) == [3]


def test_fill_backorders_location_does_not_sell_fills_nobody(mug: Sku) -> None:
    waiting_order(1)
    receive(mug, make_location("SHOWROOM", can_ship=False), 5)

    assert fillable_sku_ids() == []
    assert fill_backorders([mug.pk], actor=RULE).unchanged_ids == [mug.pk]


def test_fill_backorders_more_orders_than_a_round(
    near: Location, mug: Sku, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backorders, "MAX_BATCH", 2)
    orders = [waiting_order(1, minute=number) for number in range(5)]
    receive(mug, near, 4)

    assert fill(mug) == {mug.pk: 4}
    assert allocated(*orders) == [1, 1, 1, 1, 0]


def test_units_for_one_whose_time_has_run_out_go_to_whoever_stands_behind(near: Location, mug: Sku) -> None:
    channel = make_channel(code="slow", unpaid_hold_hours=1)
    lines = (neutral_line("MUG", 2),)
    unpaid = wait(make_order(external_id="U-1", channel=channel, lines=lines, payments=()))
    paid = waiting_order(2, minute=1)

    with clock.frozen(NOON + timedelta(hours=5)):
        receive(mug, near, 3)
        assert fill_backorders([mug.pk], actor=RULE).values == {mug.pk: 1}
        assert allocated(unpaid, paid) == [0, 1]

        sweep_reservations()
        fill_backorders([mug.pk], actor=RULE).raise_refusals()

    assert allocated(unpaid, paid) == [0, 2]
    assert [finding.violations for finding in run_audit(["stock.queue"])] == [()]


def test_preview_gives_nothing_to_one_whose_time_has_run_out(near: Location, mug: Sku) -> None:
    channel = make_channel(code="slow", unpaid_hold_hours=1)
    wait(make_order(channel=channel, lines=(neutral_line("MUG", 2),), payments=()))
    place = (mug.pk, near.pk)

    with clock.frozen(NOON):
        assert [one.units for one in preview({place: Change(on_hand=1)}).served] == [1]
    with clock.frozen(NOON + timedelta(hours=5)):
        assert preview({place: Change(on_hand=1)}).served == ()


def test_fill_backorders_unknown_sku_is_refused() -> None:
    assert fill_backorders([404], actor=RULE).refusals[404].code == "not_found"


def test_fill_backorders_part_of_one_of_two_that_joined_together_overtakes_nobody(
    near: Location, mug: Sku
) -> None:
    first, second = (make_order(lines=(neutral_line("MUG", 2),)) for _number in range(2))
    allocate_orders([first.pk, second.pk], actor=RULE).raise_refusals()
    receive(mug, near, 1)

    fill(mug)

    assert allocated(first, second) == [1, 0]
    assert [finding.violations for finding in run_audit(["stock.queue"])] == [()]


def test_part_that_was_served_and_lost_keeps_its_place_among_those_who_joined_together(
    near: Location, mug: Sku
) -> None:
    first, second = (make_order(lines=(neutral_line("MUG", 2),)) for _number in range(2))
    allocate_orders([first.pk, second.pk], actor=RULE).raise_refusals()
    receive(mug, near, 1)
    fill(mug)
    adjust_stock([Adjustment("broken", mug.pk, near.pk, -1)], reason="Broken", actor=RULE).raise_refusals()
    receive(mug, near, 2)

    fill(mug)

    assert allocated(first, second) == [2, 0]


def test_sweep_backorders_fills_what_no_news_told(near: Location, mug: Sku) -> None:
    order = waiting_order(2)
    receive(mug, near, 2)

    sweep_backorders()
    sweep_backorders()

    assert allocated(order) == [2]
    assert Event.objects.filter(kind="backorder_filled").count() == 1


def test_received_stock_reaches_the_queue_through_the_outbox(near: Location, mug: Sku) -> None:
    order = waiting_order(2)
    receive(mug, near, 2)

    outbox.deliver_due("work")

    assert allocated(order) == [2]
    delivery = Delivery.objects.filter(fact__kind="stock.freed", subscriber="orders.fill_backorders").latest(
        "id"
    )
    assert delivery.state == "delivered"


def test_accepted_order_is_allocated_through_the_outbox(near: Location, mug: Sku) -> None:
    receive(mug, near, 2)
    order = make_order(lines=(neutral_line("MUG", 2),))

    outbox.deliver_due("work")

    assert allocated(order) == [2]


def test_accepted_order_is_refused_leaves_no_failed_delivery(near: Location) -> None:
    make_order(lines=(neutral_line("ODD", 2),), skus=False)

    outbox.deliver_due("work")

    delivery = Delivery.objects.get(subscriber="orders.allocate_accepted")
    assert delivery.state == "suppressed"


@pytest.mark.parametrize("is_counted", [False, True])
def test_worker_whose_clock_is_behind_lets_its_order_join_behind_those_who_wait(
    near: Location, mug: Sku, is_counted: bool
) -> None:
    """Of another priority too: somebody may be moved to it."""
    first = waiting_order(2, minute=1)
    if is_counted:
        receive(mug, near, 2)

    second, third = waiting_order(2), waiting_order(2, priority=-1)

    assert allocated(first, second, third) == [0, 0, 0]
    joined = dict(Reservation.objects.values_list("reference_id", "queued_at"))
    places = [joined[LinePart.objects.get(line__order=order).pk] for order in (first, second, third)]
    moment = timedelta(microseconds=1)
    assert places == [NOON + timedelta(minutes=1) + moment * step for step in range(3)]
    fill(mug)
    assert allocated(first, second, third) == [2 * is_counted, 0, 0]
