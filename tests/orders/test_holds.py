"""Holds stop named steps, and are placed and lifted one kind at a time."""

from datetime import datetime
from decimal import Decimal

import pytest

from config.kernel import clock
from config.kernel.actors import Actor, ActorKind
from config.kernel.admin import admin_url
from config.kernel.errors import InvalidInput, NotAllowed, NotFound
from config.kernel.models import Event
from fulfillment.services.tracking import record_tracking
from orders.changes import SetPrice
from orders.enums import HoldKind, NeutralState, Step
from orders.errors import OrderClosed
from orders.models import Hold, Order
from orders.selectors.holds import open_holds, refusing
from orders.services.holding_again import hold_again
from orders.services.holds import place_hold, release_holds
from orders.services.mapping import SkuMapping, map_skus
from orders.services.payments import PaymentReport, report_payments
from orders.services.reviving import revive_orders
from orders.states import HOLD_REFUSES
from tests.factories.fulfillment import make_shipped, told
from tests.factories.inventory import make_sku
from tests.factories.orders import SYSTEM, make_order, neutral_line, neutral_payment
from tests.factories.proposals import change
from tests.kernel.visitor import text_of, visitor

pytestmark = pytest.mark.django_db

STAFF = Actor(ActorKind.USER, 7, "rosa", frozenset({"orders.hold_order"}))
OTHERS = Actor(ActorKind.USER, 8, "max", frozenset({"orders.confirm_order"}))


def test_place_hold_writes_row_event_and_version(frozen_clock: datetime) -> None:
    order = make_order()

    results = place_hold([order.pk], kind=HoldKind.FRAUD, facts={"score": "91"}, actor=STAFF)

    hold = Hold.objects.get()
    assert results.done_ids == [order.pk]
    assert (hold.kind, hold.facts, hold.opened_at, hold.opened_by) == (
        "fraud",
        {"score": "91"},
        frozen_clock,
        "user",
    )
    event = Event.objects.get(kind="hold_placed")
    assert (event.thread_id, event.actor_id, event.facts) == (
        order.pk,
        7,
        {"hold": hold.pk, "kind": "fraud", "score": "91"},
    )
    assert Order.objects.get().version == order.version + 1


def test_place_hold_twice_is_unchanged() -> None:
    order = make_order()
    place_hold([order.pk], kind=HoldKind.FRAUD, actor=STAFF)

    results = place_hold([order.pk], kind=HoldKind.FRAUD, reason="again", actor=STAFF)

    assert results.unchanged_ids == [order.pk]
    assert (Hold.objects.count(), Event.objects.filter(kind="hold_placed").count()) == (1, 1)


def test_place_hold_manual_is_the_same_only_with_its_reason() -> None:
    order = make_order()
    for reason in ("wait", "wait", "call first"):
        place_hold([order.pk], kind=HoldKind.MANUAL, reason=reason, actor=STAFF)

    assert [hold.reason for hold in open_holds([order.pk])[order.pk]] == ["wait", "call first"]


LENIENT = {"allows": ["confirm"]}


@pytest.mark.parametrize(("first", "second"), [(LENIENT, None), (None, LENIENT), (LENIENT, LENIENT)])
def test_place_hold_of_two_manual_ones_with_one_reason_keeps_the_stricter(
    first: dict | None, second: dict | None
) -> None:
    order = make_order()
    place_hold([order.pk], kind=HoldKind.MANUAL, reason="wait", facts=first, actor=STAFF).only()

    results = place_hold([order.pk], kind=HoldKind.MANUAL, reason="wait", facts=second, actor=STAFF)

    holds = open_holds([order.pk])[order.pk]
    is_stricter = (first, second) == (LENIENT, None)
    assert bool(results.done_ids) == is_stricter
    assert len(holds) == Event.objects.filter(kind="hold_placed").count() == (2 if is_stricter else 1)
    assert bool(refusing(holds, Step.CONFIRM)) == (None in (first, second))
    release_holds([order.pk], kind=HoldKind.MANUAL, reason="wait", actor=STAFF).only()
    assert open_holds([order.pk]) == {}


def test_place_hold_refuses_closed_and_unknown_and_does_the_rest() -> None:
    live, closed = make_order(), make_order(state=NeutralState.CANCELLED)

    results = place_hold([live.pk, closed.pk, 999], kind=HoldKind.FRAUD, actor=STAFF)

    assert results.done_ids == [live.pk]
    assert isinstance(results.refusals[closed.pk], OrderClosed)
    assert results.refusals[closed.pk].facts["status_code"] == "cancelled"
    assert isinstance(results.refusals[999], NotFound)
    assert Hold.objects.count() == 1


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301])
def test_place_hold_manual_without_a_fitting_reason_raises(reason: str) -> None:
    order = make_order()

    with pytest.raises(InvalidInput):
        place_hold([order.pk], kind=HoldKind.MANUAL, reason=reason, actor=STAFF)

    assert Hold.objects.count() == 0


def test_release_holds_lifts_one_kind_and_leaves_the_other() -> None:
    order = make_order(payments=())
    place_hold([order.pk], kind=HoldKind.MANUAL, reason="a", actor=STAFF)
    place_hold([order.pk], kind=HoldKind.MANUAL, reason="b", actor=STAFF)

    results = release_holds([order.pk], kind=HoldKind.MANUAL, actor=STAFF)

    assert results.done_ids == [order.pk]
    assert [hold.kind for hold in open_holds([order.pk])[order.pk]] == ["unpaid"]
    assert Hold.objects.filter(kind="manual", lifted_by="user").count() == 2
    assert Event.objects.filter(kind="hold_lifted").count() == 2


def test_release_holds_twice_is_unchanged() -> None:
    order = make_order(payments=())
    release_holds([order.pk], kind=HoldKind.UNPAID, actor=STAFF)
    lifted_at = Hold.objects.get().lifted_at

    results = release_holds([order.pk], kind=HoldKind.UNPAID, actor=STAFF)

    assert results.unchanged_ids == [order.pk]
    assert Hold.objects.get().lifted_at == lifted_at
    assert Event.objects.filter(kind="hold_lifted").count() == 1


def test_release_holds_lifts_what_stayed_open_when_the_order_was_completed() -> None:
    """A carrier's word completes an order, whatever holds it: nobody is to be stuck with the hold."""
    parcel = make_shipped()
    order = parcel.order
    place_hold([order.pk], kind=HoldKind.FRAUD, actor=STAFF).raise_refusals()
    record_tracking([told(parcel, "delivered")], actor=SYSTEM).raise_refusals()
    order.refresh_from_db()
    assert (order.status, len(open_holds([order.pk])[order.pk])) == ("completed", 1)
    clerk = visitor("Support")
    (notice,) = clerk.get(admin_url(Order, "change", order.pk)).context["page"]["notices"]
    asked = text_of(clerk.get(notice["url"]))
    assert "The order is over, so it cannot be held again." in asked
    assert "It can be held again at any time." not in asked

    assert clerk.press(notice["url"], kind="fraud").status_code == 302

    assert open_holds([order.pk]) == {}
    assert (
        release_holds([order.pk], kind=HoldKind.FRAUD, actor=STAFF).refusals[order.pk].code == "order_closed"
    )


def test_release_holds_refuses_closed_and_unknown() -> None:
    closed = make_order(is_history=True)

    results = release_holds([closed.pk, 999], kind=HoldKind.UNPAID, actor=STAFF)

    assert {pk: error.code for pk, error in results.refusals.items()} == {
        closed.pk: "order_closed",
        999: "not_found",
    }


def test_place_and_release_again_opens_a_second_row() -> None:
    order = make_order()
    for _turn in range(2):
        place_hold([order.pk], kind=HoldKind.FRAUD, actor=STAFF)
        release_holds([order.pk], kind=HoldKind.FRAUD, actor=STAFF)

    assert Hold.objects.filter(kind="fraud").exclude(lifted_at=None).count() == 2


@pytest.mark.parametrize("verb", [place_hold, release_holds])
def test_holds_need_the_right_to_hold(verb) -> None:
    order = make_order(payments=())

    with pytest.raises(NotAllowed):
        verb([order.pk], kind=HoldKind.UNPAID, actor=OTHERS)

    assert open_holds([order.pk])[order.pk][0].kind == "unpaid"


@pytest.mark.parametrize("kind", HoldKind)
def test_refusing_every_hold_refuses_release_label_and_ship(kind: HoldKind) -> None:
    hold = Hold(kind=kind)

    assert all(refusing([hold], step) == [hold] for step in (Step.RELEASE, Step.LABEL, Step.SHIP))
    assert bool(refusing([hold], Step.CONFIRM)) == (kind not in {HoldKind.UNPAID, HoldKind.UNKNOWN_SKU})
    assert refusing([hold], Step.ALLOCATE) == []
    assert set(HOLD_REFUSES) == set(HoldKind)


def test_refusing_manual_hold_may_allow_confirm() -> None:
    hold = Hold(kind=HoldKind.MANUAL, facts={"allows": ["confirm", "ship"]})

    assert refusing([hold], Step.CONFIRM) == []
    assert refusing([hold], Step.SHIP) == [hold]


def lift(orders: list[Order], kind: HoldKind) -> datetime:
    since = clock.now()
    release_holds([order.pk for order in orders], kind=kind, actor=STAFF).raise_refusals()
    return since


def test_hold_again_holds_no_order_as_unpaid_that_was_paid_meanwhile() -> None:
    paid, free, due = orders = [make_order(payments=()) for _time in range(3)]
    since = lift(orders, HoldKind.UNPAID)
    report_payments([PaymentReport(paid.pk, (neutral_payment(),))], actor=SYSTEM).raise_refusals()
    change(free, SetPrice(free.lines.get().pk, Decimal(0)))

    results = hold_again([one.pk for one in orders], kind=HoldKind.UNPAID, since=since, actor=STAFF)

    assert (results.done_ids, results.unchanged_ids) == ([due.pk], [paid.pk, free.pk])
    assert list(Hold.objects.filter(lifted_at=None).values_list("order", flat=True)) == [due.pk]


def test_hold_again_holds_no_order_for_a_sku_that_became_known_meanwhile() -> None:
    known, unknown = orders = [
        make_order(lines=(neutral_line(code, 1),), skus=False) for code in ("OLD", "ODD")
    ]
    since = lift(orders, HoldKind.UNKNOWN_SKU)
    mug = make_sku("MUG")
    map_skus([SkuMapping(known.sales_channel_id, "OLD", mug.pk)], actor=SYSTEM).raise_refusals()
    revive_orders([known.pk], actor=SYSTEM)

    results = hold_again([one.pk for one in orders], kind=HoldKind.UNKNOWN_SKU, since=since, actor=STAFF)

    assert (results.done_ids, results.unchanged_ids) == ([unknown.pk], [known.pk])


def test_open_holds_of_many_orders_in_one_statement(django_assert_num_queries) -> None:
    orders = [make_order(payments=()), make_order(payments=()), make_order()]

    with django_assert_num_queries(1):
        held = open_holds([order.pk for order in orders])

    assert sorted(held) == [orders[0].pk, orders[1].pk]


def test_list_tells_holds_that_stand_from_those_that_are_lifted() -> None:
    stands, lifted = make_order(), make_order()
    place_hold([stands.pk, lifted.pk], kind="fraud", actor=SYSTEM)
    release_holds([lifted.pk], kind="fraud", actor=SYSTEM)
    seen = visitor(superuser=True)

    def listed(state: str) -> list[int]:
        page = seen.get(admin_url(Hold, "changelist"), {"state": state})
        assert "Not empty" not in text_of(page)
        return sorted(row.order_id for row in page.context["cl"].result_list)

    assert listed("open") == [stands.pk]
    assert listed("lifted") == [lifted.pk]
    assert listed("odd") == [stands.pk, lifted.pk]
