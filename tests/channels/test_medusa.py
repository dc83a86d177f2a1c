import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import read_order
from channels.errors import PayloadError
from orders.enums import ChannelKind, ChargeKind, NeutralState, PaymentStatus
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
from tests.channels.bodies import medusa_item, medusa_method, medusa_order

pytestmark = pytest.mark.once


def read(body: dict[str, Any]) -> NeutralOrder:
    return read_order(ChannelKind.WEB_SHOP, json.dumps(body))


def line(number: int, sku_code: str) -> NeutralLine:
    return NeutralLine(
        external_id=f"ordli_{number}",
        sku_code=sku_code,
        title="Mug - Blue",
        quantity=3,
        unit_amount=Decimal("9.99"),
        subtotal_amount=Decimal("29.97"),
        discounts=(NeutralDiscount(Decimal("1.00"), code="ONE"),),
        taxes=(NeutralTax("IVA", Decimal("6.37"), Decimal(22)),),
    )


def test_read_own_sample_gives_exact_order() -> None:
    order = read(medusa_order())

    assert order == NeutralOrder(
        external_id="order_1",
        number="7",
        placed_at=datetime(2026, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC),
        updated_at=datetime(2026, 3, 1, 10, 5, tzinfo=UTC),
        currency="EUR",
        prices_include_tax=False,
        buyer=NeutralBuyer(external_id="cus_1", email="rosa@example.com", language="it"),
        ship_to=NeutralAddress(name="Rosa Neri", country_code="IT"),
        lines=(line(1, "MUG-BLUE"), line(2, "")),
        charges=(
            NeutralCharge(
                ChargeKind.SHIPPING,
                "ordsm_1",
                "Courier",
                Decimal("4.91"),
                taxes=(NeutralTax("IVA 22", Decimal("1.08"), Decimal(22)),),
            ),
            NeutralCharge(ChargeKind.ROUNDING, "rounding", "", Decimal("0.01")),
        ),
        payments=(
            NeutralPayment(
                "pp_card",
                "pay_1",
                PaymentStatus.CAPTURED,
                Decimal("76.68"),
                Decimal("76.68"),
                Decimal("5.50"),
            ),
        ),
        total_amount=Decimal("76.68"),
        shipping_method="Courier",
    )
    assert recompute(order).difference == 0


def test_read_parsed_floats_gives_the_same_order() -> None:
    assert read_order(ChannelKind.WEB_SHOP, medusa_order()) == read(medusa_order())


def test_read_raw_twin_wins_over_the_float() -> None:
    item = medusa_item(total=35.34, raw_total={"value": "35.3434", "precision": 20})

    assert read(medusa_order(items=[item, medusa_item(id="ordli_2")])) == read(
        medusa_order(items=[medusa_item(), medusa_item(id="ordli_2")])
    )


def test_read_after_refund_keeps_the_first_total() -> None:
    order = read(medusa_order(total=71.177, credit_line_total=5.5))

    assert order.total_amount == Decimal("76.68")
    assert recompute(order).difference == 0


def test_read_after_refund_without_credit_lines_takes_the_original_total_less_discounts() -> None:
    body = medusa_order(total=71.177)
    del body["credit_line_total"]

    assert read(body).total_amount == Decimal("76.68")


def test_read_after_return_keeps_all_ordered_units() -> None:
    returned = medusa_item(
        subtotal=19.98,
        total=23.5623,
        original_total=24.3756,
        tax_total=4.2489,
        detail={"shipped_quantity": 3, "return_received_quantity": 1},
    )
    body = medusa_order(items=[returned, medusa_item(id="ordli_2")], total=64.8959)

    order = read(body)

    assert order.lines[0].quantity == 3
    assert order.lines[0].shipped_quantity == 3
    assert order.lines[0].subtotal_amount == Decimal("29.97")
    assert order.total_amount == Decimal("76.68")
    assert recompute(order).difference == 0


def test_read_all_inclusive_prices_stay_gross() -> None:
    item = medusa_item(
        quantity=1,
        unit_price=12.20,
        is_tax_inclusive=True,
        subtotal=10,
        total=10.98,
        original_total=12.2,
        tax_total=1.98,
        adjustments=[{"code": "A", "amount": 1, "is_tax_inclusive": True}, {"code": "B", "amount": 0.22}],
    )
    method = medusa_method(is_tax_inclusive=True, total=5.99, original_total=5.99, tax_total=1.08016)

    order = read(medusa_order(items=[item], shipping_methods=[method], total=16.97))

    assert order.prices_include_tax is True
    assert order.lines[0].unit_amount == Decimal("12.20")
    assert order.lines[0].subtotal_amount == Decimal("12.20")
    assert [(share.code, share.amount) for share in order.lines[0].discounts] == [
        ("A", Decimal("1.00")),
        ("B", Decimal("0.22")),
    ]
    assert order.lines[0].taxes[0].amount == Decimal("1.98")
    assert recompute(order).difference == 0


def test_read_mixed_prices_are_all_net() -> None:
    inclusive = medusa_item(
        quantity=1,
        unit_price=10,
        is_tax_inclusive=True,
        subtotal=8.196721311475409,
        total=10,
        tax_total=1.8032786885245902,
        adjustments=[],
    )

    order = read(medusa_order(items=[inclusive], total=15.9902))

    assert order.prices_include_tax is False
    assert order.lines[0].unit_amount == Decimal("8.20")
    assert order.lines[0].taxes[0].amount == Decimal("1.80")
    assert recompute(order).difference == 0


def test_read_three_decimals_of_dinars_need_no_rounding() -> None:
    order = read(medusa_order(currency_code="kwd", items=[medusa_item()], total=41.333, shipping_methods=[
        medusa_method(total=5.99, tax_total=1.08)
    ]))  # fmt: skip

    assert order.lines[0].taxes[0].amount == Decimal("6.373")
    assert recompute(order).difference == 0


def test_read_wrong_total_of_the_shop_leaves_the_difference() -> None:
    order = read(medusa_order(total=80))

    assert recompute(order).difference == Decimal("3.32")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", NeutralState.OPEN),
        ("completed", NeutralState.OPEN),
        ("canceled", NeutralState.CANCELLED),
        ("requires_action", NeutralState.HELD),
        ("something_new", NeutralState.HELD),
    ],
)
def test_read_status_gives_state(status: str, state: NeutralState) -> None:
    assert read(medusa_order(status=status)).state is state


@pytest.mark.parametrize(
    ("fields", "status", "captured"),
    [
        ({"captures": [], "captured_at": None, "refunds": []}, PaymentStatus.AUTHORISED, "0.00"),
        (
            {"captures": [], "captured_at": None, "refunds": [], "canceled_at": "x"},
            PaymentStatus.VOIDED,
            "0.00",
        ),
        ({"captures": None}, PaymentStatus.CAPTURED, "76.68"),
        ({"captures": [{"amount": 10}, {"amount": 2.5}]}, PaymentStatus.CAPTURED, "12.50"),
    ],
)
def test_read_payment_status_follows_its_rows(
    fields: dict[str, Any], status: PaymentStatus, captured: str
) -> None:
    body = medusa_order()
    body["payment_collections"][0]["payments"][0].update(fields)

    payment = read(body).payments[0]

    assert (payment.status, payment.captured_amount) == (status, Decimal(captured))


def test_read_currency_null_is_taken_from_the_payments() -> None:
    assert read(medusa_order(currency_code=None)).currency == "EUR"


@pytest.mark.parametrize("collections", [[], None, [{"currency_code": "eur"}, {"currency_code": "usd"}]])
def test_read_currency_nowhere_says_what_to_ask_for(collections: object) -> None:
    with pytest.raises(PayloadError, match=r"currency_code.*ask the shop for the field currency_code"):
        read(medusa_order(currency_code=None, payment_collections=collections))


def test_read_unknown_fields_change_nothing() -> None:
    body = medusa_order(brand_new=[{}], fulfillment_status="teleported")
    body["items"][0]["metadata"] = {"engraving": "R"}

    assert read(body) == read(medusa_order())


@pytest.mark.parametrize("name", ["id", "created_at", "total", "items"])
def test_read_missing_field_is_named(name: str) -> None:
    body = medusa_order()
    del body[name]

    with pytest.raises(PayloadError) as refused:
        read(body)

    assert (refused.value.facts["field"], refused.value.facts["value"]) == (name, "missing")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", None),
        ("quantity", 0),
        ("unit_price", "x"),
        ("subtotal", None),
        ("total", []),
        ("tax_total", None),
    ],
)
def test_read_wrong_line_field_is_named_with_its_place(name: str, value: object) -> None:
    with pytest.raises(PayloadError) as refused:
        read(medusa_order(items=[medusa_item(), medusa_item(id="ordli_2") | {name: value}]))

    assert refused.value.facts["field"] == f"items[1].{name}"
