"""Orders are stored whole, exactly, and once."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import InvalidInput, NotAllowed, NotFound, TooMany
from config.kernel.languages import readers_words
from config.kernel.models import DocumentCounter, Event, Fact
from inventory.models import Sku
from orders.enums import ChargeKind, MoneyOwner, NeutralState, PaymentStatus
from orders.models import (
    Address,
    Customer,
    Hold,
    LinePart,
    Order,
    OrderLine,
    Payment,
    RawOrder,
)
from orders.neutral import NeutralCharge, NeutralDiscount, NeutralOrder, NeutralTax
from orders.services.accepting import Incoming, accept_orders
from orders.services.raw import RawEntry, store_raw_orders
from tests.factories.orders import (
    PLACED_AT,
    SYSTEM,
    assert_sums_up,
    make_channel,
    make_kit,
    make_order,
    neutral_address,
    neutral_line,
    neutral_order,
    neutral_payment,
)

pytestmark = pytest.mark.django_db

VAT = NeutralTax("IVA", Decimal("4.40"), Decimal(22))
SHIPPING = NeutralCharge(ChargeKind.SHIPPING, "ship", "Courier", Decimal(5))


def accept(*orders: NeutralOrder, **given: Any) -> Any:
    incoming = [Incoming(order, **given) for order in orders]
    return accept_orders(incoming, sales_channel_id=make_channel().pk, actor=SYSTEM)


def test_accept_orders_stores_the_whole_order(frozen_clock: datetime) -> None:
    order = make_order(
        external_id="W-1",
        number="#1",
        note="Ring",
        shipping_method="Courier",
        lines=(neutral_line(taxes=(VAT,), discounts=(NeutralDiscount(Decimal("2.00"), "ten", "Ten off"),)),),
        charges=(NeutralCharge(ChargeKind.SHIPPING, "s1", "Courier", Decimal("5.00"), taxes=(VAT,)),),
        prices_include_tax=False,
        total_amount=Decimal("31.80"),
        payments=(neutral_payment("31.80"),),
    )

    assert (order.number, order.external_id, order.external_number) == ("10001", "W-1", "#1")
    assert (order.status, order.fulfillment_status, order.payment_status) == ("placed", "unallocated", "paid")
    assert (order.email, order.language, order.exchange_rate) == ("w-1@example.com", "it", Decimal(1))
    assert (order.placed_at, order.accepted_at) == (PLACED_AT, frozen_clock)
    assert (order.ship_to.city, order.bill_to, order.customer.name) == ("Torino", None, "Rosa Neri")
    line, part = OrderLine.objects.get(), LinePart.objects.get()
    assert (line.position, line.sku.code, line.unit_amount, line.total_amount) == (1, "MUG", 10, 18)
    assert (part.sku_id, part.per_unit, part.ordered, part.value_amount) == (line.sku_id, 1, 2, 18)
    assert order.discount_shares.get().code == "ten"
    assert [(tax.rate, tax.owner) for tax in order.tax_lines.all()] == [(22, "seller"), (22, "seller")]
    assert (order.total_sent_amount, order.total_difference_amount) == (Decimal("31.80"), 0)
    assert_sums_up(order)


def test_accept_orders_tells_timeline_and_outbox() -> None:
    order = make_order()

    events = Event.objects.filter(thread_type="order", thread_id=order.pk).values_list(
        "subject_type", "kind", "to_status", "actor_kind"
    )
    assert list(events) == [
        ("order", "created", "placed", ActorKind.SYSTEM),
        ("payment", "created", "captured", ActorKind.SYSTEM),
    ]
    assert list(Fact.objects.values_list("kind", "subject_id")) == [("order.accepted", order.pk)]
    assert [finding.violations for finding in run_audit(["events.header", "events.edges"])] == [(), ()]


def test_accept_orders_kit_with_discount_is_split_to_the_coin() -> None:
    make_kit("GIFT", CUP=(2, 3), TIN=(1, 5), CARD=(1, 0))

    order = make_order(
        lines=(
            neutral_line("GIFT", 3, "33.33", discounts=(NeutralDiscount(Decimal("9.99"), "GIFT10"),)),
            neutral_line("TIN", 1, "12.00"),
        ),
        total_amount=Decimal("102.00"),
        payments=(neutral_payment("102.00"),),
    )

    kit, tin = order.lines.all()
    assert (kit.total_amount, tin.total_amount) == (Decimal("90.00"), Decimal("12.00"))
    parts = kit.parts.order_by("pk").values_list("sku__code", "per_unit", "ordered", "value_amount")
    assert list(parts) == [
        ("CUP", 2, 6, Decimal("49.09")),
        ("TIN", 1, 3, Decimal("40.91")),
        ("CARD", 1, 3, Decimal("0.00")),
    ]
    assert_sums_up(order)
    assert list(order.holds.all()) == []


def test_accept_orders_yen_has_no_fractions() -> None:
    make_kit("GIFT", CUP=(1, 1), TIN=(1, 1), CARD=(1, 1))
    tax = NeutralTax("消費税", Decimal(45), Decimal(10))

    order = make_order(
        currency="JPY",
        lines=(neutral_line("GIFT", 1, "500", discounts=(NeutralDiscount(Decimal(50)),), taxes=(tax,)),),
        prices_include_tax=False,
        total_amount=Decimal(495),
        payments=(neutral_payment("495"),),
    )

    assert [part.value_amount for part in order.lines.get().parts.order_by("pk")] == [150, 150, 150]
    assert order.exchange_rate is None
    assert_sums_up(order)


def test_accept_orders_tax_of_marketplace_stands_beside_the_sellers() -> None:
    taxes = (replace(VAT, amount=Decimal("1.00")), replace(VAT, owner=MoneyOwner.MARKETPLACE))

    order = make_order(lines=(neutral_line(taxes=taxes),))

    assert sorted(order.tax_lines.values_list("owner", "amount")) == [
        ("marketplace", Decimal("4.40")),
        ("seller", 1),
    ]
    assert order.tax_amount == Decimal("5.40")


def test_accept_orders_unstated_amounts_stay_unknown() -> None:
    order = make_order(
        lines=(neutral_line(unit=None, taxes=(replace(VAT, amount=None),)),), total_amount=None, payments=()
    )

    line = order.lines.get()
    assert (line.unit_amount, line.total_amount, line.tax_amount) == (None, None, None)
    assert line.parts.get().value_amount is None
    assert (order.total_sent_amount, order.total_computed_amount, order.lines_amount) == (None, None, None)
    assert order.payment_status == "unpaid"


def test_accept_orders_unknown_sku_keeps_its_part() -> None:
    order = make_order(lines=(neutral_line("WHAT", 3),), skus=False)

    part = LinePart.objects.get()
    assert (part.sku, part.ordered, part.value_amount, part.line.sku_code) == (None, 3, 30, "WHAT")
    assert order.fulfillment_status == "unallocated"


def test_accept_orders_history_is_completed_from_the_start() -> None:
    order = make_order(
        is_history=True,
        lines=(neutral_line(), neutral_line("EBOOK", 1, "5.00", requires_shipping=False)),
        payments=(),
        total_amount=Decimal("99.00"),
    )

    assert (order.status, order.fulfillment_status, order.is_history) == ("completed", "delivered", True)
    assert (order.confirmed_at, order.completed_at) == (PLACED_AT, PLACED_AT)
    assert list(LinePart.objects.order_by("pk").values_list("shipped", "delivered")) == [(2, 2), (0, 0)]
    assert (Hold.objects.count(), Fact.objects.count()) == (0, 0)
    assert [event.to_status for event in Event.objects.all()] == ["completed"]


def test_accept_orders_history_with_an_unknown_sku_is_delivered_too() -> None:
    order = make_order(is_history=True, skus=False)

    assert (order.status, order.fulfillment_status) == ("completed", "delivered")


@pytest.mark.parametrize(("is_history", "facts"), [(False, ["order.cancelled"]), (True, [])])
def test_accept_orders_cancelled_before_it_was_seen(is_history: bool, facts: list[str]) -> None:
    order = make_order(state=NeutralState.CANCELLED, is_history=is_history, skus=False, payments=())

    assert (order.status, order.fulfillment_status) == ("cancelled", "nothing_to_ship")
    assert order.cancelled_at is not None
    assert LinePart.objects.get().cancelled == 2
    steps = Event.objects.filter(subject_type="order").order_by("pk").values_list("kind", "to_status")
    assert list(steps) == [("created", "placed"), ("cancel", "cancelled")]
    assert (Hold.objects.count(), list(Fact.objects.values_list("kind", flat=True))) == (0, facts)
    assert [finding.violations for finding in run_audit(["events.chain", "events.header"])] == [(), ()]


def test_accept_orders_units_that_left_before_are_not_owed() -> None:
    order = make_order(lines=(neutral_line(quantity=3, shipped_quantity=2),))

    part = LinePart.objects.get()
    assert (part.ordered, part.shipped, part.delivered, part.remaining) == (3, 2, 2, 1)
    assert (order.status, order.fulfillment_status) == ("placed", "partly_shipped")


@pytest.mark.parametrize("state", [NeutralState.OPEN, NeutralState.CANCELLED])
@pytest.mark.parametrize("is_history", [False, True])
def test_accept_orders_of_which_nothing_is_left_is_completed(
    state: NeutralState, is_history: bool, frozen_clock: datetime
) -> None:
    left = 2 if state == NeutralState.OPEN else 1
    lines = (neutral_line(quantity=2, shipped_quantity=left),)
    order = make_order(state=state, is_history=is_history, lines=lines, payments=(), total_amount=Decimal(99))

    part = LinePart.objects.get()
    assert (order.status, order.fulfillment_status) == ("completed", "delivered")
    assert (part.shipped, part.delivered, part.cancelled, part.remaining) == (left, left, 2 - left, 0)
    is_past = is_history and state == NeutralState.OPEN
    assert (order.confirmed_at, order.completed_at) == (
        (PLACED_AT, PLACED_AT) if is_past else (None, frozen_clock)
    )
    assert [event.to_status for event in Event.objects.all()] == ["completed"]
    assert Event.objects.get().facts.get("left_before", False) is not is_history
    assert (Hold.objects.count(), Fact.objects.count()) == (0, 0)
    assert [one for finding in run_audit() for one in finding.violations] == []


def test_accept_orders_twice_is_unchanged() -> None:
    first = accept(neutral_order("A-1"))
    facts = Fact.objects.count()

    second = accept(replace(neutral_order("A-1"), note="changed"))

    assert second.unchanged_ids == ["A-1"]
    assert second.values == first.values
    assert (Order.objects.count(), Fact.objects.count(), Order.objects.get().note) == (1, facts, "")


def test_accept_orders_known_and_refused_orders_take_no_number() -> None:
    accept(neutral_order("A-1"))

    accept(neutral_order("A-1"), neutral_order("A-2", lines=()), neutral_order("A-3"))

    assert list(Order.objects.order_by("pk").values_list("number", flat=True)) == ["10001", "10002"]


def test_accept_orders_too_many_at_once_raises_before_anything() -> None:
    with pytest.raises(TooMany):
        accept(*(neutral_order(f"A-{number}") for number in range(201)))

    assert (Order.objects.count(), DocumentCounter.objects.count()) == (0, 0)


def test_accept_orders_same_key_on_another_channel_is_another_order() -> None:
    make_order(external_id="A-1")

    make_order(external_id="A-1", channel=make_channel(code="other"))

    assert list(Order.objects.order_by("pk").values_list("number", flat=True)) == ["10001", "10002"]


BAD = [
    ({"external_id": ""}, "external_id"),
    ({"external_id": "x" * 121}, "external_id"),
    ({"currency": "euro"}, "currency"),
    ({"placed_at": datetime(2026, 3, 1)}, "placed_at"),  # noqa: DTZ001
    ({"lines": ()}, "lines"),
    ({"lines": (neutral_line(quantity=0),)}, "lines[0].quantity"),
    ({"lines": (neutral_line(), neutral_line("B", -1))}, "lines[1].quantity"),
    ({"lines": (neutral_line("MUG", 1_000_001, "0.01"),)}, "lines[0].quantity"),
    ({"lines": (neutral_line(), neutral_line())}, "lines"),
    ({"lines": (neutral_line(external_id=""),)}, "lines[0].external_id"),
    ({"lines": (neutral_line(shipped_quantity=3),)}, "lines[0].shipped_quantity"),
    ({"lines": (neutral_line(taxes=(replace(VAT, rate=Decimal("NaN")),)),)}, "lines[0].taxes.rate"),
    ({"lines": (neutral_line(discounts=(NeutralDiscount(Decimal(-1)),)),)}, "lines[0].discounts"),
    ({"total_amount": Decimal("1e14")}, "total_amount"),
    ({"total_amount": Decimal("NaN")}, "total_amount"),
    ({"payments": (neutral_payment(refunded_amount=Decimal(21)),)}, "payments[0].refunded_amount"),
    ({"payments": (neutral_payment(authorised_amount=Decimal(19)),)}, "payments[0].captured_amount"),
    ({"payments": (neutral_payment(), neutral_payment())}, "payments"),
    ({"payments": (neutral_payment(external_id=""),)}, "payments[0].external_id"),
    ({"payments": (neutral_payment(external_id="pi\0"),)}, "payments[0].external_id"),
    ({"payments": (neutral_payment(Decimal("1e14")),)}, "payments[0]"),
    ({"external_id": "A\0"}, "external_id"),
    ({"lines": (neutral_line(external_id="1\0"),)}, "lines[0].external_id"),
    ({"lines": (neutral_line("MUG", 1, "4e13"), neutral_line("CUP", 1, "4e13"))}, "amounts"),
    ({"charges": (replace(SHIPPING, taxes=(replace(VAT, rate=Decimal("1e5")),)),)}, "charges[0].taxes.rate"),
    ({"charges": (replace(SHIPPING, discounts=(NeutralDiscount(Decimal(-1)),)),)}, "charges[0].discounts"),
    ({"total_amount": Decimal("20.00001")}, "total_amount"),
    ({"lines": (neutral_line(subtotal_amount=Decimal("0.00005")),)}, "lines[0].subtotal_amount"),
    ({"lines": (neutral_line(taxes=(replace(VAT, amount=Decimal("0.12345")),)),)}, "taxes of line-MUG"),
    (
        {"lines": (neutral_line(discounts=(NeutralDiscount(Decimal("0.12345")),)),)},
        "discounts of line-MUG",
    ),
    ({"charges": (replace(SHIPPING, amount=Decimal("-0.00001")),)}, "charges[0].amount"),
    ({"payments": (neutral_payment(refunded_amount=Decimal("0.00001")),)}, "payments[0]"),
]


@pytest.mark.parametrize(("fields", "field"), BAD)
def test_accept_orders_refused_names_the_field_and_writes_nothing(fields: dict[str, Any], field: str) -> None:
    Sku.objects.create(code="MUG", title="Mug", created_at=PLACED_AT)
    neutral = neutral_order(**{"total_amount": Decimal("20.00"), **fields})

    results = accept(neutral)

    refusal = results.refusals[neutral.external_id]
    assert isinstance(refusal, InvalidInput)
    assert refusal.facts["field"] == field
    assert "(" not in refusal.facts["value"]  # the value, not how the program writes it down
    for model in (Order, Customer, Address, Payment, Hold, Event, Fact):
        assert model.objects.count() == 0, model


def test_accept_orders_prices_finer_than_they_are_kept_are_rounded_and_trailing_zeros_are_nothing() -> None:
    line = neutral_line("MUG", 3, unit_amount=Decimal("3.333333"), subtotal_amount=Decimal("10.0000000"))
    paid = neutral_payment(Decimal("10.0000000"))

    results = accept(neutral_order("A-1", lines=(line,), total_amount=Decimal("10.00000"), payments=(paid,)))

    assert results.done_ids == ["A-1"]
    assert OrderLine.objects.get().unit_amount == Decimal("3.3333")
    assert [one for finding in run_audit() for one in finding.violations] == []


def test_accept_orders_kit_of_more_units_than_a_line_may_have_refused_alone() -> None:
    make_kit("GIFT", CUP=(3, 1))
    many = neutral_line("GIFT", 333_334, "0.01")

    results = accept(neutral_order("A-1"), neutral_order("A-2", lines=(many,)))

    assert results.done_ids == ["A-1"]
    facts = results.refusals["A-2"].facts
    assert (facts["field"], facts["value"]) == ("lines[0].quantity", "333334")
    assert str(facts["accepted"]) == "accepted are at most 333333 units"


def test_accept_orders_more_units_than_an_order_can_count_refused_alone() -> None:
    """Each line has as many as it may; all of them are counted on the order."""
    make_kit("SET", CUP=(1, 1), LID=(1, 1), BOX=(1, 1))
    lines = [neutral_line("SET", 1_000_000, "0.01", external_id=f"l{number}") for number in range(716)]

    results = accept(
        neutral_order("A-1", lines=tuple(lines[:715])), neutral_order("A-2", lines=tuple(lines)),
        neutral_order("A-3"),
    )  # fmt: skip

    assert results.done_ids == ["A-1", "A-3"]
    assert Order.objects.get(external_id="A-1").undecided_quantity == 2_145_000_000
    facts = results.refusals["A-2"].facts
    assert (facts["field"], facts["value"]) == ("lines", "2148000000")
    assert str(facts["accepted"]) == "accepted are at most 2147483647 units together"


def test_accept_orders_bad_one_in_the_middle_spoils_no_other() -> None:
    raws = store_raw_orders(
        [RawEntry(key, "test", key, f"body {key}") for key in ("A-1", "A-2", "A-3")],
        sales_channel_id=make_channel().pk,
    ).values
    orders = [neutral_order(key) for key in raws]
    orders[1] = replace(orders[1], lines=())

    results = accept_orders(
        [Incoming(order, raw_id=raws[order.external_id]) for order in orders],
        sales_channel_id=make_channel().pk,
        actor=SYSTEM,
    )

    assert results.done_ids == ["A-1", "A-3"]
    settled = [
        (raw.order_id, readers_words(raw.problem), raw.settled_at is None)
        for raw in RawOrder.objects.order_by("external_id")
    ]
    assert settled == [
        (results.values["A-1"], "", False),
        (None, str(results.refusals["A-2"]), True),
        (results.values["A-3"], "", False),
    ]
    assert "lines" in str(results.refusals["A-2"])


def test_accept_orders_conflict_in_the_database_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from orders.services import accepting

    monkeypatch.setattr(accepting, "refusal_of", lambda order: None)
    good = [neutral_order(f"A-{number}") for number in range(5)]
    twice = neutral_order("A-9", lines=(neutral_line(), neutral_line()))

    results = accept(*good[:2], twice, *good[2:])

    assert results.counts() == {"done": 5, "unchanged": 0, "refused": 1}
    assert results.refusals["A-9"].code == "conflict"
    assert OrderLine.objects.count() == 5


def test_accept_orders_key_twice_in_one_call_links_both_bodies() -> None:
    raws = store_raw_orders(
        [RawEntry("1", "test", "A-1", "one"), RawEntry("2", "test", "A-1", "two")],
        sales_channel_id=make_channel().pk,
    ).values

    results = accept_orders(
        [Incoming(neutral_order("A-1"), raw_id=raw) for raw in raws.values()],
        sales_channel_id=make_channel().pk,
        actor=SYSTEM,
    )

    assert results.counts() == {"done": 1, "unchanged": 0, "refused": 0}
    assert set(RawOrder.objects.values_list("order_id", flat=True)) == {results.values["A-1"]}
    assert RawOrder.objects.filter(settled_at=None).count() == 0


def test_accept_orders_long_and_hostile_texts_fit() -> None:
    order = make_order(
        note="a\x00b",
        number="n" * 500,
        shipping_method="m" * 500,
        lines=(neutral_line("X" * 300, external_id="1", title="t\x00" * 500),),
        skus=False,
    )

    line = order.lines.get()
    assert (order.note, len(order.external_number), len(order.shipping_method)) == ("ab", 120, 120)
    assert (len(line.sku_code), line.title) == (120, "t" * 255)


def test_accept_orders_halves_of_characters_fit() -> None:
    half = "a\ud83db"
    place = neutral_address(name=half, line1=half, city=half, phone=half, email=half)

    order = make_order(
        note=half, number=half, shipping_method=half, ship_to=place,
        lines=(neutral_line(half, external_id="1", title=half),), skus=False,
    )  # fmt: skip

    line = order.lines.get()
    assert order.ship_to is not None
    kept = (order.note, order.external_number, order.shipping_method, order.ship_to.name, order.ship_to.email)
    assert {*kept, line.title, line.sku_code} == {"a?b"}


def test_accept_orders_key_with_half_a_character_is_refused() -> None:
    results = accept_orders(
        [Incoming(neutral_order("A\ud83d")), Incoming(neutral_order("A-1"))],
        sales_channel_id=make_channel().pk,
        actor=SYSTEM,
    )

    assert results.counts() == {"done": 1, "unchanged": 0, "refused": 1}
    assert str(results.refusals["A\ud83d"]).startswith("external_id: “A?” is not accepted")


def test_accept_orders_status_of_payment_follows_what_is_reported() -> None:
    authorised = neutral_payment(status=PaymentStatus.AUTHORISED, captured_amount=Decimal(0))

    order = make_order(payments=(authorised,))

    assert order.payment_status == "authorised"
    assert Payment.objects.get().currency == "EUR"
    assert Payment.objects.get().reported_at.tzinfo == UTC


def test_accept_orders_needs_the_right_to_place() -> None:
    clerk = Actor(ActorKind.USER, 1, "clerk", frozenset({"orders.hold_order"}))

    with pytest.raises(NotAllowed):
        accept_orders([Incoming(neutral_order())], sales_channel_id=make_channel().pk, actor=clerk)

    assert Order.objects.count() == 0


def test_accept_orders_unknown_channel_raises() -> None:
    with pytest.raises(NotFound):
        accept_orders([Incoming(neutral_order())], sales_channel_id=99, actor=SYSTEM)
