"""Orders recorded from running shops, or published by their makers, against what must come out of them."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from channels.adapters import read_order
from channels.errors import PayloadError
from orders.enums import ChannelKind, ChargeKind, NeutralState, PaymentStatus
from orders.intake_rules import refusal_of
from orders.neutral import (
    NeutralAddress,
    NeutralBuyer,
    NeutralCharge,
    NeutralDiscount,
    NeutralLine,
    NeutralOrder,
    NeutralPayment,
    NeutralTax,
)
from orders.totals import recompute

pytestmark = pytest.mark.once

Finder = Callable[..., Path]

ADA = NeutralAddress(
    name="Ada Example", line1="Teststr. 1", city="Berlin", postal_code="10115", country_code="DE"
)
VAT = ("VAT", Decimal(19))
REDUCED = ("VAT reduced", Decimal(7))


def load(real_data: Finder, *parts: str) -> Any:
    return json.loads(real_data("channels", *parts).read_bytes(), parse_float=Decimal)


def woo(real_data: Finder, scenario: str) -> NeutralOrder:
    body = load(real_data, "woocommerce", "recorded_orders", f"{scenario}.json")["order"]
    return read_order(ChannelKind.WOOCOMMERCE, body)


def tax(named: tuple[str, Decimal], amount: str) -> NeutralTax:
    return NeutralTax(named[0], Decimal(amount), named[1])


def line(
    external_id: str,
    sku: tuple[str, str],
    quantity: int,
    amounts: tuple[str, str],
    taxed: NeutralTax,
    off: str = "",
) -> NeutralLine:
    return NeutralLine(
        external_id=external_id,
        sku_code=sku[0],
        title=sku[1],
        quantity=quantity,
        unit_amount=Decimal(amounts[0]),
        subtotal_amount=Decimal(amounts[1]),
        discounts=(NeutralDiscount(Decimal(off), code="ten"),) if off else (),
        taxes=(taxed,),
    )


def test_read_woo_coupon_over_mixed_taxes(real_data: Finder) -> None:
    order = woo(real_data, "paid_mixed_tax_coupon")

    paid = Decimal("116.87")
    assert order == NeutralOrder(
        external_id="40",
        number="40",
        placed_at=datetime(2026, 11, 22, 8, 42, 12, tzinfo=UTC),
        updated_at=datetime(2026, 11, 22, 8, 42, 12, tzinfo=UTC),
        currency="EUR",
        prices_include_tax=False,
        buyer=NeutralBuyer(name="Ada Example", email="ada@example.test"),
        ship_to=ADA,
        bill_to=replace(ADA, email="ada@example.test"),
        lines=(
            line("48", ("MUG-1", "Mug"), 3, ("11.90", "35.70"), tax(VAT, "6.10"), off="3.57"),
            line("49", ("SHIRT-S", "Shirt - S"), 2, ("25.00", "50.00"), tax(VAT, "8.55"), off="5.00"),
            line("50", ("BOOK-1", "Book"), 1, ("20.00", "20.00"), tax(REDUCED, "1.26"), off="2.00"),
        ),
        charges=(
            NeutralCharge(ChargeKind.SHIPPING, "51", "Parcel", Decimal("4.90"), taxes=(tax(VAT, "0.93"),)),
        ),
        payments=(NeutralPayment("woocommerce", "40", PaymentStatus.CAPTURED, paid, paid),),
        total_amount=paid,
        shipping_method="Parcel",
    )
    totals = recompute(order)
    assert (totals.discounts, totals.seller_tax) == (Decimal("10.57"), Decimal("16.84"))
    assert totals.difference == 0


def test_read_woo_negative_fee(real_data: Finder) -> None:
    order = woo(real_data, "negative_fee")

    assert order.charges == (
        NeutralCharge(ChargeKind.SHIPPING, "60", "Parcel", Decimal("4.90"), taxes=(tax(VAT, "0.93"),)),
        NeutralCharge(ChargeKind.FEE, "61", "Loyalty credit", Decimal("-5.00"), taxes=(tax(VAT, "-0.95"),)),
        NeutralCharge(ChargeKind.FEE, "62", "Gift wrap", Decimal("2.50"), taxes=(tax(VAT, "0.48"),)),
    )
    assert recompute(order).seller_tax == Decimal("9.50")


@pytest.mark.parametrize(
    ("scenario", "state", "payment", "shipped"),
    [
        ("paid_simple", NeutralState.OPEN, (PaymentStatus.CAPTURED, "19.99", "0"), 0),
        ("on_hold_unpaid", NeutralState.HELD, (PaymentStatus.PENDING, "0", "0"), 0),
        ("partial_line_refund", NeutralState.OPEN, (PaymentStatus.CAPTURED, "48.31", "14.16"), 0),
        ("cancelled_before_shipping", NeutralState.CANCELLED, (PaymentStatus.CAPTURED, "14.16", "0"), 0),
        ("completed_with_tracking_meta", NeutralState.OPEN, (PaymentStatus.CAPTURED, "14.16", "0"), 1),
    ],
)
def test_read_woo_state_and_payment(
    real_data: Finder,
    scenario: str,
    state: NeutralState,
    payment: tuple[PaymentStatus, str, str],
    shipped: int,
) -> None:
    order = woo(real_data, scenario)

    reported = order.payments[0]
    assert order.state is state
    assert (reported.status, str(reported.captured_amount), str(reported.refunded_amount)) == payment
    assert order.lines[0].shipped_quantity == shipped


@pytest.mark.parametrize(
    ("kind", "parts", "key"),
    [
        (ChannelKind.WOOCOMMERCE, ("woocommerce", "recorded_orders", "paid_mixed_tax_coupon.json"), "order"),
        (ChannelKind.WOOCOMMERCE, ("woocommerce", "recorded_orders", "partial_line_refund.json"), "order"),
        (ChannelKind.WOOCOMMERCE, ("woocommerce", "recorded_orders", "on_hold_unpaid.json"), "order"),
        (ChannelKind.SHOPIFY, ("shopify", "webhook_samples", "orders__create.json"), "response"),
        (ChannelKind.SHOPIFY, ("shopify", "rest_fixtures", "order.json"), "order"),
        (ChannelKind.WEB_SHOP, ("webshop_medusa", "recorded_order_open.json"), ""),
    ],
)
def test_read_recorded_order_is_nothing_that_intake_refuses(
    real_data: Finder, kind: ChannelKind, parts: tuple[str, ...], key: str
) -> None:
    body = load(real_data, *parts)

    assert refusal_of(read_order(kind, body[key] if key else body)) is None


def test_read_woo_payment_provider(real_data: Finder) -> None:
    assert woo(real_data, "on_hold_unpaid").payments[0].provider == "bacs"


@pytest.mark.parametrize(
    ("scenario", "total"),
    [
        ("paid_simple", "19.99"),
        ("paid_mixed_tax_coupon", "116.87"),
        ("negative_fee", "59.50"),
        ("on_hold_unpaid", "42.80"),
        ("partial_line_refund", "48.31"),
        ("cancelled_before_shipping", "14.16"),
        ("completed_with_tracking_meta", "14.16"),
    ],
)
def test_recompute_woo_recorded_total_is_exact(real_data: Finder, scenario: str, total: str) -> None:
    totals = recompute(woo(real_data, scenario))

    assert (str(totals.computed_total), totals.difference) == (total, 0)


def test_recompute_woo_recorded_webhooks_are_exact(real_data: Finder) -> None:
    deliveries = load(real_data, "woocommerce", "recorded_webhooks.json")["deliveries"]
    orders = [
        read_order(ChannelKind.WOOCOMMERCE, delivery["raw_body"])
        for delivery in deliveries
        if delivery["headers"].get("x-wc-webhook-topic", "").startswith("order.")
    ]

    assert [str(order.total_amount) for order in orders] == ["196.29", "196.29", "0.00"]
    assert orders[0].payments[0].refunded_amount == Decimal("17.74")
    assert [recompute(order).difference for order in orders] == [0, 0, 0]


def test_recompute_woo_manual_examples_are_exact(real_data: Finder) -> None:
    """Order 728 is rounded at the subtotal: 1.125 + 0.225 + 0.90 are 2.25, its lines say 1.13 + 0.23 + 0.90."""
    bodies = [
        body
        for example in load(real_data, "woocommerce", "docs_examples", "orders.json")
        for body in _orders_in(example["json"])
    ]

    orders = [read_order(ChannelKind.WOOCOMMERCE, body) for body in bodies]

    assert len(orders) == 10
    assert [recompute(order).difference for order in orders] == [0] * 10
    rounded = [
        (order.external_id, charge.amount)
        for order in orders
        for charge in order.charges
        if charge.kind == ChargeKind.ROUNDING
    ]
    assert rounded == [("728", Decimal("-0.01"))]


def _orders_in(answer: Any) -> list[Any]:
    """An answer is an order, a list of them, or lists of them by batch verb."""
    if isinstance(answer, list):
        return answer
    return [answer] if "id" in answer else [order for orders in answer.values() for order in orders]


def test_read_medusa_recorded_order(real_data: Finder) -> None:
    """Its `currency_code` was not asked for and stands with the payments only."""
    body = real_data("channels", "webshop_medusa", "recorded_order_open.json").read_bytes()

    order = read_order(ChannelKind.WEB_SHOP, body)

    address = NeutralAddress(
        name="Ada T", line1="Hauptstr 1", city="Berlin", postal_code="10115", country_code="DE"
    )
    placed_at = datetime(2026, 11, 22, 8, 33, 14, 277_000, tzinfo=UTC)
    assert order == NeutralOrder(
        external_id="order_01M8166NGZNRGT0Z2M95RTM21N",
        number="1",
        placed_at=placed_at,
        updated_at=placed_at,
        currency="EUR",
        prices_include_tax=False,
        buyer=NeutralBuyer(name="Ada T"),
        ship_to=address,
        bill_to=address,
        lines=(
            line(
                "ordli_01M8166NH29A0KBTVJBK0X44YW",
                ("MUG-S", "Mug - S"),
                2,
                ("11.90", "23.80"),
                tax(VAT, "4.52"),
            ),
            line(
                "ordli_01M8166NH2FD1EZK5AJK0FR2V0",
                ("MUG-M", "Mug - M"),
                1,
                ("11.90", "11.90"),
                tax(VAT, "2.26"),
            ),
        ),
        charges=(
            NeutralCharge(
                ChargeKind.SHIPPING,
                "ordsm_01M8166NGYRMFFTNF239JVXQ7Y",
                "DHL",
                Decimal("4.90"),
                taxes=(tax(VAT, "0.93"),),
            ),
        ),
        payments=(
            NeutralPayment(
                "pp_system_default",
                "pay_01M8166NQ1MJM415BEGJ5E3G7F",
                PaymentStatus.AUTHORISED,
                Decimal("48.31"),
                Decimal(0),
            ),
        ),
        total_amount=Decimal("48.31"),
        shipping_method="DHL",
    )
    assert recompute(order).difference == 0


def test_read_shopify_graphql_orders(real_data: Finder) -> None:
    sample = load(real_data, "shopify", "graphql_store_small.json")

    plain, discounted = (read_order(ChannelKind.SHOPIFY, body) for body in sample["orders"])

    expected = sample["expect"]["#1001"]
    assert (plain.number, str(plain.total_amount)) == ("#1001", expected["grand_total"])
    assert {row.sku_code: row.quantity for row in plain.lines} == expected["lines"]
    assert plain.prices_include_tax is True
    assert plain.placed_at == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert plain.lines[0].taxes == (tax(VAT, "6.35"),)
    assert plain.charges[0].amount == Decimal("4.90")
    assert plain.payments == (
        NeutralPayment(
            "manual",
            "gid://shopify/OrderTransaction/5001001",
            PaymentStatus.CAPTURED,
            Decimal("44.70"),
            Decimal("44.70"),
        ),
    )
    assert recompute(plain).difference == 0

    expected = sample["expect"]["#1002"]
    totals = recompute(discounted)
    assert (str(discounted.total_amount), str(totals.discounts)) == (
        expected["grand_total"],
        expected["discount"],
    )
    assert [row.discounts for row in discounted.lines] == [
        (NeutralDiscount(Decimal("1.99"), code="TEN", title="Auto"),),
        (NeutralDiscount(Decimal("3.00"), code="TEN", title="Auto"),),
    ]
    assert totals.difference == 0


@pytest.mark.parametrize("topic", ["orders__create", "orders__cancelled"])
def test_read_shopify_webhook_sample_leaves_its_own_difference(real_data: Finder, topic: str) -> None:
    """The vendor's sample does not add up: lines of 414.95, and free shipping, against a total of 404.95."""
    body = load(real_data, "shopify", "webhook_samples", f"{topic}.json")["response"]

    order = read_order(ChannelKind.SHOPIFY, body)

    assert order.external_id == "gid://shopify/Order/820982911946154508"
    assert (order.state, order.is_test) == (NeutralState.CANCELLED, True)
    assert [row.sku_code for row in order.lines] == [
        "SKU2006-001",
        "LENS-PROTECT-2YR",
        "CASE-LEATHER-PREM",
        "SKU2006-020",
        "SKU2006-035",
    ]
    assert order.charges[0].discounts == (NeutralDiscount(Decimal("10.00")),)
    assert recompute(order).computed_total == Decimal("414.95")
    assert recompute(order).difference == Decimal("-10.00")


def test_read_shopify_old_fixture_leaves_its_own_difference(real_data: Finder) -> None:
    """The old fixture lists three lines of 199.00 and sums two; its tax stands on the order alone."""
    body = load(real_data, "shopify", "rest_fixtures", "order.json")["order"]

    order = read_order(ChannelKind.SHOPIFY, body)

    assert [row.taxes[0].amount for row in order.lines] == [Decimal("3.98")] * 3
    assert order.payments[0].status is PaymentStatus.AUTHORISED
    assert (order.total_amount, recompute(order).difference) == (Decimal("409.94"), Decimal("-199.00"))


def test_read_shopify_list_without_lines_refused(real_data: Finder) -> None:
    body = load(real_data, "shopify", "rest_fixtures", "orders.json")["orders"][0]

    with pytest.raises(PayloadError) as refused:
        read_order(ChannelKind.SHOPIFY, body)

    assert refused.value.facts["field"] == "line_items"
