"""Each hold of the table: what raises it on acceptance, and what does not."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from config.kernel.models import Event
from orders.enums import HoldKind, NeutralState, PaymentStatus
from orders.models import Hold, Order
from orders.neutral import NeutralBuyer
from orders.services.accepting import Incoming, accept_orders
from orders.services.holds import release_holds
from tests.factories.orders import (
    PLACED_AT,
    SYSTEM,
    make_channel,
    make_kit,
    make_order,
    neutral_address,
    neutral_line,
    neutral_order,
    neutral_payment,
)

pytestmark = pytest.mark.django_db

NOTHING_PAID = neutral_payment(
    status=PaymentStatus.PENDING, authorised_amount=Decimal(0), captured_amount=Decimal(0)
)
DIGITAL = (neutral_line(requires_shipping=False),)


def holds_of(order: Order) -> dict[str, Any]:
    return {hold.kind: hold.facts for hold in order.holds.all()}


RAISED = [
    ({"total_amount": None}, {"awaiting_details": {"missing": ["total"]}}),
    ({"ship_to": None}, {"awaiting_details": {"missing": ["address"]}}),
    ({"state": NeutralState.HELD}, {"awaiting_details": {"missing": ["channel_release"]}}),
    (
        {"lines": (neutral_line(unit=None),), "total_amount": Decimal(20), "payments": (neutral_payment(),)},
        {"awaiting_details": {"missing": ["amounts"]}},
    ),
    ({"payments": ()}, {"unpaid": {}}),
    ({"payments": (NOTHING_PAID,)}, {"unpaid": {}}),
    ({"payments": (replace(NOTHING_PAID, status=PaymentStatus.FAILED),)}, {"unpaid": {}}),
    ({"payments": (replace(NOTHING_PAID, status=PaymentStatus.CAPTURED),)}, {"unpaid": {}}),
    ({"payments": (replace(NOTHING_PAID, status=PaymentStatus.AUTHORISED),)}, {"unpaid": {}}),
    (
        {"total_amount": Decimal("20.01")},
        {"totals": {"sent": "20.01", "computed": "20.00", "difference": "0.01", "currency": "EUR"}},
    ),
    ({"ship_to": neutral_address(country_code="")}, {"address": {"missing": ["country_code"]}}),
    ({"ship_to": neutral_address(line1=" ", city="")}, {"address": {"missing": ["line1", "city"]}}),
    ({"ship_to": neutral_address(line1="x" * 201)}, {"address": {"cut": ["line1"]}}),
    ({"is_test": True}, {"manual": {"cause": "test_order"}}),
    ({"skus": False}, {"unknown_sku": {"skus": ["MUG"]}}),
    ({"skus": False, "lines": (neutral_line(""),)}, {"unknown_sku": {"skus": ["A"]}}),
]


@pytest.mark.parametrize(("fields", "holds"), RAISED)
def test_accept_orders_raises_hold(fields: dict[str, Any], holds: dict[str, Any]) -> None:
    order = make_order(**fields)

    assert order.status == "placed"
    assert holds_of(order) == holds


NOT_RAISED: list[dict[str, Any]] = [
    {},
    {"ship_to": neutral_address(postal_code="")},
    {"ship_to": None, "lines": DIGITAL},
    {"ship_to": neutral_address(country_code=""), "lines": DIGITAL},
    {"lines": (neutral_line(unit="0.00"),), "payments": ()},
    {"payments": (replace(NOTHING_PAID, status=PaymentStatus.AUTHORISED, authorised_amount=Decimal(20)),)},
    {
        "lines": (neutral_line(unit="0.00"),),
        "payments": (replace(NOTHING_PAID, status=PaymentStatus.CAPTURED),),
    },
]


@pytest.mark.parametrize("fields", NOT_RAISED)
def test_accept_orders_raises_no_hold(fields: dict[str, Any]) -> None:
    assert holds_of(make_order(**fields)) == {}


def test_accept_orders_several_holds_stand_side_by_side() -> None:
    order = make_order(payments=(), ship_to=neutral_address(city=""), total_amount=Decimal(21), skus=False)

    assert set(holds_of(order)) == {"unpaid", "address", "totals", "unknown_sku"}
    placed = Event.objects.filter(thread_id=order.pk, kind="hold_placed").values_list("facts", flat=True)
    assert {facts["kind"] for facts in placed} == set(holds_of(order))


def test_accept_orders_kit_without_parts_is_unknown() -> None:
    make_kit("GIFT")

    assert holds_of(make_order(lines=(neutral_line("GIFT"),))) == {"unknown_sku": {"skus": ["GIFT"]}}


ROSA = NeutralBuyer(name="Rosa", email="Rosa@Example.com")


def repeat(**fields: Any) -> Order:
    return make_order(**{"buyer": ROSA, **fields})


def test_accept_orders_repeated_within_a_day_is_held_as_duplicate() -> None:
    first = repeat()

    second = repeat(placed_at=PLACED_AT + timedelta(hours=24))

    assert holds_of(first) == {}
    assert holds_of(second) == {"duplicate": {"order": first.number}}


@pytest.mark.parametrize(
    "fields",
    [
        {"placed_at": PLACED_AT + timedelta(hours=24, seconds=1)},
        {"buyer": NeutralBuyer(email="other@example.com")},
        {"buyer": NeutralBuyer()},
        {"lines": (neutral_line("CUP"),)},
        {"lines": (neutral_line(unit="10.50"),)},
        {"currency": "USD"},
        {"channel": "other"},
        {"is_history": True},
    ],
)
def test_accept_orders_unlike_is_no_duplicate(fields: dict[str, Any]) -> None:
    repeat()
    if "channel" in fields:
        fields = {"channel": make_channel(code="other")}

    assert holds_of(repeat(**fields)) == {}


def test_accept_orders_after_a_cancelled_one_is_no_duplicate() -> None:
    repeat(state=NeutralState.CANCELLED)

    assert holds_of(repeat()) == {}


def test_accept_orders_duplicate_within_one_batch() -> None:
    make_order()
    orders = [neutral_order(key, buyer=ROSA) for key in ("B-1", "B-2")]

    results = accept_orders(
        [Incoming(order) for order in orders], sales_channel_id=make_channel().pk, actor=SYSTEM
    )

    held = Hold.objects.filter(kind=HoldKind.DUPLICATE).values_list("order_id", "facts")
    assert list(held) == [(results.values["B-2"], {"order": "B-1"})]


def test_accept_orders_later_order_of_the_same_buyer_is_compared_by_lines() -> None:
    first = repeat(lines=(neutral_line("A", 1), neutral_line("B", 1)))

    assert holds_of(repeat(lines=(neutral_line("B", 1), neutral_line("A", 1)))) == {
        "duplicate": {"order": first.number}
    }
    assert holds_of(repeat(lines=(neutral_line("A", 2),))) == {}


def test_release_holds_of_accepted_order_leaves_the_others() -> None:
    order = make_order(payments=(), ship_to=neutral_address(city=""))

    release_holds([order.pk], kind=HoldKind.ADDRESS, actor=SYSTEM).only()

    assert [hold.kind for hold in order.holds.filter(lifted_at=None)] == ["unpaid"]
