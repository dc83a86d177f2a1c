"""`cancel_units`: what is given back first, kits, what becomes of the order, every refusal, who may."""

from collections.abc import Mapping

import pytest

from config.kernel import outbox
from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import InvalidInput, NotAllowed, NotFound
from config.kernel.models import Event, Fact
from fulfillment.models import FulfillmentOrder
from fulfillment.services.cancelling import cancel_fulfillment_orders
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from inventory.enums import ReservationState
from inventory.models import Location, Reservation, Sku, StockLevel
from orders.admin.cancel_lines import lines_left
from orders.enums import FulfillmentStatus, OrderStatus
from orders.errors import NotEnoughLeft, OrderClosed, UnitsAtWork
from orders.models import Hold, LinePart, Order, OrderLine
from orders.services.allocating import allocate_orders
from orders.services.cancelling_lines import CancelUnits, cancel_units
from orders.services.confirming import confirm_orders
from tests.factories.fulfillment import hand
from tests.factories.inventory import make_kit, make_location, make_sku, receive
from tests.factories.orders import SYSTEM, make_order, neutral_line
from tests.fulfillment.watching import statements

pytestmark = pytest.mark.django_db

STAFF = Actor(ActorKind.USER, 1, "rosa", frozenset({"orders.cancel_order"}))
RULE = Actor.rule("tests")


@pytest.fixture
def near() -> Location:
    return make_location("NEAR")


def allocated(near: Location, stock: Mapping[str, int], **units: int) -> Order:
    for code, quantity in stock.items():
        receive(Sku.objects.filter(code=code).first() or make_sku(code), near, quantity)
    order = make_order(lines=tuple(neutral_line(code, quantity) for code, quantity in units.items()))
    allocate_orders([order.pk], actor=RULE).raise_refusals()
    return order


def cancel(order: Order, *, actor: Actor = STAFF, reason: str = "buyer asked", **units: int):
    lines = {line.sku_code: line.pk for line in order.lines.all()}
    request = CancelUnits(order.pk, {lines[code]: quantity for code, quantity in units.items()})
    return cancel_units([request], reason=reason, actor=actor)


def part_of(code: str) -> LinePart:
    return LinePart.objects.get(sku__code=code)


def live() -> list[tuple[str, int]]:
    rows = Reservation.objects.filter(state__in=["open", "waiting"]).order_by("pk")
    return list(rows.values_list("state", "quantity"))


def assert_clean() -> None:
    outbox.deliver_due("work")
    assert [found for finding in run_audit() for found in finding.violations] == []


def test_cancel_units_gives_up_waiting_ones_before_reserved_ones(near: Location) -> None:
    order = allocated(near, {"MUG": 3}, MUG=5, CUP=1)
    assert live() == [("open", 3), ("waiting", 2), ("waiting", 1)]

    assert cancel(order, MUG=3).done_ids == [order.pk]

    part = part_of("MUG")
    assert (part.cancelled, part.allocated, part.remaining) == (3, 2, 2)
    assert live() == [("open", 2), ("waiting", 1)]
    released = Reservation.objects.filter(state=ReservationState.RELEASED).order_by("quantity")
    assert list(released.values_list("quantity", "closed_reason")) == [
        (1, "units_cancelled"),
        (2, "units_cancelled"),
    ]
    assert StockLevel.objects.get(sku__code="MUG").reserved == 2
    event = Event.objects.get(kind="units_cancelled")
    assert event.facts == {"reason": "buyer asked", "units": 3, "parts": {str(part.pk): 3}}
    assert event.actor_id == 1
    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == (OrderStatus.PLACED, FulfillmentStatus.BACKORDERED)
    assert Fact.objects.filter(kind="stock.freed", subject_id=part.sku_id).exists()
    assert_clean()


def test_cancel_part_of_the_waiting_units_keeps_the_place_in_line(near: Location) -> None:
    order = allocated(near, {}, MUG=5)
    before = Reservation.objects.get()

    cancel(order, MUG=2).raise_refusals()

    after = Reservation.objects.get(state=ReservationState.WAITING)
    assert (after.pk, after.queued_at, after.quantity) == (before.pk, before.queued_at, 3)
    assert_clean()


def test_cancel_kits_cancels_whole_kits_of_every_part(near: Location) -> None:
    cup, jug = make_sku("CUP"), make_sku("JUG")
    make_kit({cup: 2, jug: 1}, code="SET")
    receive(cup, near, 8)
    receive(jug, near, 1)
    order = make_order(lines=(neutral_line("SET", 3),))
    allocate_orders([order.pk], actor=RULE).raise_refusals()

    cancel(order, SET=2).raise_refusals()

    assert (part_of("CUP").cancelled, part_of("CUP").allocated) == (4, 2)
    assert (part_of("JUG").cancelled, part_of("JUG").allocated) == (2, 1)
    order.refresh_from_db()
    assert order.fulfillment_status == FulfillmentStatus.ALLOCATED
    assert_clean()


def sent_unevenly(near: Location, *, kits: int) -> Order:
    """Kits of two mugs and a lid; two mugs and two lids have left: a kit, and the lid of another."""
    mug, lid = make_sku("MUG"), make_sku("LID")
    make_kit({mug: 2, lid: 1}, code="SET")
    receive(mug, near, 2)
    receive(lid, near, 2)
    order = make_order(lines=(neutral_line("SET", kits),))
    allocate_orders([order.pk], actor=RULE).raise_refusals()
    confirm_orders([order.pk], actor=RULE).raise_refusals()
    (work_id,) = release_orders([order.pk], actor=RULE).only()
    ship_by_hand([hand(FulfillmentOrder.objects.get(pk=work_id))], actor=SYSTEM).raise_refusals()
    return order


def test_cancel_a_kit_of_which_a_part_has_left_cancels_the_rest_of_it(near: Location) -> None:
    order = sent_unevenly(near, kits=2)

    assert cancel(order, SET=1).done_ids == [order.pk]

    mug, lid = part_of("MUG"), part_of("LID")
    assert [(part.shipped, part.cancelled, part.remaining) for part in (mug, lid)] == [(2, 2, 0), (2, 0, 0)]
    assert Event.objects.get(kind="units_cancelled").facts["parts"] == {str(mug.pk): 2}
    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == (OrderStatus.CONFIRMED, FulfillmentStatus.SHIPPED)
    assert isinstance(cancel(order, SET=1).refusals[order.pk], NotEnoughLeft)
    assert_clean()


def test_cancel_kits_takes_whole_ones_before_the_one_of_which_a_part_has_left(near: Location) -> None:
    order = sent_unevenly(near, kits=3)

    cancel(order, SET=1).raise_refusals()

    assert [(part_of(code).cancelled, part_of(code).remaining) for code in ("MUG", "LID")] == [(2, 2), (1, 0)]
    assert cancel(order, SET=2).refusals[order.pk].facts["left"] == 1
    cancel(order, SET=1).raise_refusals()
    assert [part_of(code).remaining for code in ("MUG", "LID")] == [0, 0]
    assert_clean()


def test_cancel_a_kit_whose_missing_part_is_at_work_is_refused(near: Location) -> None:
    order = sent_unevenly(near, kits=2)
    receive(Sku.objects.get(code="MUG"), near, 2)
    outbox.deliver_due("work")
    (work_id,) = release_orders([order.pk], actor=RULE).only()

    problem = cancel(order, SET=1).refusals[order.pk]

    assert isinstance(problem, UnitsAtWork)
    assert (problem.facts["left"], problem.facts["asked"]) == (0, 1)
    assert [(one.left, one.loose) for one in lines_left(order)] == [(1, 0)]
    cancel_fulfillment_orders([work_id], actor=RULE).raise_refusals()
    assert [(one.left, one.loose) for one in lines_left(Order.objects.get())] == [(1, 1)]
    assert cancel(order, SET=1).done_ids == [order.pk]
    assert_clean()


def test_cancel_every_unit_cancels_the_order(near: Location, frozen_clock) -> None:
    order = allocated(near, {"MUG": 2}, MUG=2, CUP=1)
    cancel(order, MUG=2).raise_refusals()

    cancel(order, CUP=1, reason="the rest too").raise_refusals()

    order.refresh_from_db()
    assert (order.status, order.cancelled_at) == (OrderStatus.CANCELLED, frozen_clock)
    assert Event.objects.get(kind="cancel").facts == {"reason": "the rest too"}
    assert Fact.objects.filter(kind="order.cancelled", subject_id=order.pk).count() == 1
    assert_clean()


def test_cancel_the_last_unknown_line_lifts_its_hold(near: Location) -> None:
    order = make_order(
        lines=(neutral_line("MUG", 1), neutral_line("ODD", 1), neutral_line("ELSE", 1)), skus=False
    )

    cancel(order, ODD=1).raise_refusals()
    assert Hold.objects.get(lifted_at=None).facts == {"skus": ["MUG", "ELSE"]}

    cancel(order, ELSE=1, MUG=1).raise_refusals()
    assert not Hold.objects.filter(lifted_at=None).exists()


def test_cancel_units_at_work_is_refused_with_the_work_to_call_back(near: Location) -> None:
    order = allocated(near, {"MUG": 3}, MUG=4)
    confirm_orders([order.pk], actor=RULE).raise_refusals()
    (work_id,) = release_orders([order.pk], actor=RULE).only()

    problem = cancel(order, MUG=2).refusals[order.pk]

    assert isinstance(problem, UnitsAtWork)
    assert (problem.facts["left"], problem.facts["asked"]) == (1, 2)
    assert "F-" in problem.facts["work"]
    assert live() == [("open", 3), ("waiting", 1)]
    assert not Event.objects.filter(kind="units_cancelled").exists()

    cancel(order, MUG=1).raise_refusals()
    assert live() == [("open", 3)]
    cancel_fulfillment_orders([work_id], actor=RULE).raise_refusals()
    assert cancel(order, MUG=2).done_ids == [order.pk]
    assert live() == [("open", 1)]
    assert_clean()


def test_cancel_more_than_is_left_is_refused(near: Location) -> None:
    order = allocated(near, {"MUG": 2}, MUG=2)

    problem = cancel(order, MUG=3).refusals[order.pk]

    assert isinstance(problem, NotEnoughLeft)
    assert problem.facts == {"number": order.number, "line": "MUG", "asked": 3, "left": 2}
    assert part_of("MUG").cancelled == 0


def test_cancel_units_second_call_is_refused_when_nothing_is_left(near: Location) -> None:
    order = allocated(near, {"MUG": 2}, MUG=2, CUP=1)
    cancel(order, MUG=2).raise_refusals()

    assert isinstance(cancel(order, MUG=2).refusals[order.pk], NotEnoughLeft)


def test_cancel_units_of_closed_unknown_or_foreign_is_refused(near: Location) -> None:
    order, other, history = make_order(), make_order(), make_order(is_history=True)
    foreign = OrderLine.objects.get(order=other).pk
    requests = [
        CancelUnits(order.pk, {foreign: 1}),
        CancelUnits(history.pk, {OrderLine.objects.get(order=history).pk: 1}),
        CancelUnits(404, {1: 1}),
        CancelUnits(other.pk, {}),
    ]

    refusals = cancel_units(requests, reason="no", actor=STAFF).refusals

    assert [type(refusals[pk]) for pk in (order.pk, history.pk, 404, other.pk)] == [
        InvalidInput,
        OrderClosed,
        NotFound,
        InvalidInput,
    ]
    assert isinstance(cancel(order, MUG=0).refusals[order.pk], InvalidInput)
    assert not LinePart.objects.filter(cancelled__gt=0).exists()


def test_cancel_units_without_reason_or_right_is_raised(near: Location) -> None:
    order = make_order()

    with pytest.raises(InvalidInput):
        cancel(order, MUG=1, reason=" ")
    with pytest.raises(NotAllowed):
        cancel(order, MUG=1, actor=Actor(ActorKind.USER, 1, "guest", frozenset()))
    assert Order.objects.get().version == order.version


def test_cancel_one_is_refused_the_others_are_done(near: Location) -> None:
    good, bad = allocated(near, {"MUG": 9}, MUG=2), make_order(is_history=True)
    lines = {order.pk: {OrderLine.objects.get(order=order).pk: 1} for order in (good, bad)}

    results = cancel_units([CancelUnits(*pair) for pair in lines.items()], reason="no", actor=STAFF)

    assert results.counts() == {"done": 1, "unchanged": 0, "refused": 1}


def test_cancel_units_of_one_order_asked_twice_does_neither(near: Location) -> None:
    order = allocated(near, {"MUG": 2}, MUG=2, CUP=1)
    wishes = [CancelUnits(order.pk, {line.pk: 1}) for line in order.lines.order_by("pk")]

    results = cancel_units(wishes, reason="no", actor=STAFF)

    assert results.refusals[order.pk].code == "asked_twice"
    assert not LinePart.objects.filter(cancelled__gt=0).exists()
    assert not Event.objects.filter(kind="units_cancelled").exists()


@pytest.mark.postgres
def test_cancel_units_takes_as_many_statements_for_thirty_as_for_three(near: Location) -> None:
    receive(make_sku("MUG"), near, 50)
    orders = [make_order(lines=(neutral_line("MUG", 3), neutral_line("CUP", 2))) for _number in range(33)]
    ids = [order.pk for order in orders]
    allocate_orders(ids, actor=RULE).raise_refusals()
    lines = {order.pk: {line.pk: 1 for line in order.lines.all()} for order in orders}

    def call(some: list[int]) -> int:
        requests = [CancelUnits(pk, lines[pk]) for pk in some]
        return statements(lambda: cancel_units(requests, reason="no", actor=RULE).raise_refusals())

    assert call(ids[:3]) == call(ids[3:])
