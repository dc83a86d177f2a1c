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
from tests.channels import bodies

pytestmark = pytest.mark.once


def read(body: dict[str, Any]) -> NeutralOrder:
    return read_order(ChannelKind.WOOCOMMERCE, body)


def iva(amount: str) -> NeutralTax:
    return NeutralTax("IVA", Decimal(amount), Decimal(22))


def test_read_own_sample_gives_exact_order() -> None:
    address = NeutralAddress(
        name="Rosa Neri",
        line1="Via Po 3",
        city="Torino",
        region="TO",
        postal_code="10124",
        country_code="IT",
        phone="011 1",
        email="rosa@example.com",
    )

    order = read(bodies.woo_order())

    assert order == NeutralOrder(
        external_id="501",
        number="B-501",
        placed_at=datetime(2026, 3, 1, 10, tzinfo=UTC),
        updated_at=datetime(2026, 3, 1, 10, 5, tzinfo=UTC),
        currency="EUR",
        prices_include_tax=False,
        state=NeutralState.OPEN,
        buyer=NeutralBuyer(external_id="12", name="Rosa Neri", email="rosa@example.com", phone="011 1"),
        bill_to=address,
        ship_to=NeutralAddress(
            name="Rosa Neri",
            line1="Via Po 3",
            city="Asti",
            region="TO",
            postal_code="10124",
            country_code="IT",
            phone="011 1",
        ),
        lines=(
            NeutralLine(
                external_id="1",
                sku_code="MUG",
                title="Mug & saucer",
                quantity=2,
                unit_amount=Decimal("10.00"),
                subtotal_amount=Decimal("20.00"),
                discounts=(NeutralDiscount(Decimal("2.00"), code="ten"),),
                taxes=(iva("3.96"),),
            ),
        ),
        charges=(
            NeutralCharge(ChargeKind.SHIPPING, "2", "Courier", Decimal("4.00"), taxes=(iva("0.88"),)),
            NeutralCharge(ChargeKind.FEE, "3", "Loyalty", Decimal("-1.00"), taxes=(iva("-0.22"),)),
        ),
        payments=(
            NeutralPayment(
                "stripe", "501", PaymentStatus.CAPTURED, Decimal("25.62"), Decimal("25.62"), Decimal(0)
            ),
        ),
        total_amount=Decimal("25.62"),
        shipping_method="Courier",
        note="Ring twice",
    )
    assert recompute(order).difference == 0


def test_read_yen_order_has_no_decimals_and_exact_total() -> None:
    order = read(bodies.woo_yen_order())

    assert order.total_amount == Decimal("2970")
    assert str(order.lines[0].subtotal_amount) == "2400"
    assert order.lines[0].discounts[0].amount == Decimal("200")
    assert recompute(order).seller_tax == Decimal("270")
    assert recompute(order).difference == 0


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", NeutralState.OPEN),
        ("processing", NeutralState.OPEN),
        ("completed", NeutralState.OPEN),
        ("on-hold", NeutralState.HELD),
        ("failed", NeutralState.HELD),
        ("cancelled", NeutralState.CANCELLED),
        ("refunded", NeutralState.CANCELLED),
        ("trash", NeutralState.CANCELLED),
        ("wc-plugin-made-it-up", NeutralState.HELD),
    ],
)
def test_read_status_gives_state(status: str, state: NeutralState) -> None:
    assert read(bodies.woo_order(status=status)).state is state


@pytest.mark.parametrize(
    ("status", "payment_status"),
    [
        ("pending", PaymentStatus.PENDING),
        ("on-hold", PaymentStatus.PENDING),
        ("failed", PaymentStatus.FAILED),
        ("cancelled", PaymentStatus.VOIDED),
    ],
)
def test_read_without_payment_date_is_unpaid(status: str, payment_status: PaymentStatus) -> None:
    payment = read(bodies.woo_order(status=status, date_paid_gmt=None)).payments[0]

    assert (payment.status, payment.captured_amount) == (payment_status, Decimal(0))


def test_read_completed_order_counts_its_units_as_shipped() -> None:
    assert read(bodies.woo_order(status="completed")).lines[0].shipped_quantity == 2
    assert read(bodies.woo_order()).lines[0].shipped_quantity == 0


def test_read_refunds_add_up_and_keep_the_total() -> None:
    order = read(bodies.woo_order(refunds=[{"id": 8, "total": "-5.00"}, {"id": 9, "total": "-1.50"}]))

    assert order.payments[0].refunded_amount == Decimal("6.50")
    assert order.total_amount == Decimal("25.62")


def test_read_refund_without_payment_date_was_paid_at_least_that_much() -> None:
    payment = read(bodies.woo_order(date_paid_gmt=None, refunds=[{"id": 8, "total": "-5.00"}])).payments[0]

    assert (payment.status, payment.captured_amount) == (PaymentStatus.CAPTURED, Decimal("5.00"))


def test_read_payment_keeps_its_key_when_it_is_paid() -> None:
    waiting = read(bodies.woo_order(date_paid_gmt=None, transaction_id="", payment_method="")).payments[0]
    paid = read(bodies.woo_order(payment_method="")).payments[0]

    assert (
        (waiting.provider, waiting.external_id) == (paid.provider, paid.external_id) == ("woocommerce", "501")
    )


def test_read_order_worth_nothing_has_no_payment() -> None:
    order = read(bodies.woo_order(total="0.00", line_items=[], shipping_lines=[], fee_lines=[]))

    assert order.payments == ()
    assert recompute(order).difference == 0


def test_read_line_without_sku_stays() -> None:
    body = bodies.woo_order(line_items=[bodies.woo_line(sku=""), bodies.woo_line(id=2, sku=None)])

    assert [line.sku_code for line in read(body).lines] == ["", ""]


def test_read_price_raised_by_hand_is_no_discount() -> None:
    line = read(bodies.woo_order(line_items=[bodies.woo_line(subtotal="20.00", total="25.00")])).lines[0]

    assert (line.subtotal_amount, line.discounts) == (Decimal("25.00"), ())


def test_read_quantity_edited_without_total_leaves_the_difference() -> None:
    order = read(bodies.woo_order(line_items=[bodies.woo_line(total="90.00")]))

    assert recompute(order).difference == Decimal("-72.00")
    assert all(charge.kind != ChargeKind.ROUNDING for charge in order.charges)


def test_read_taxes_rounded_at_the_subtotal_leave_a_rounding_charge() -> None:
    lines = [
        bodies.woo_line(
            id=number, subtotal="10.00", total="10.00", total_tax="0.13", taxes=[{"id": 7, "total": "0.125"}]
        )
        for number in (1, 2)
    ]
    body = bodies.woo_order(
        line_items=lines, shipping_lines=[], fee_lines=[], total="20.25", total_tax="0.25"
    )

    order = read(body)

    assert order.charges == (NeutralCharge(ChargeKind.ROUNDING, "rounding", "", Decimal("-0.01")),)
    assert recompute(order).difference == 0


def test_read_two_rates_on_a_line_sum_to_its_tax() -> None:
    line = bodies.woo_line(total_tax="0.25", taxes=[{"id": 7, "total": "0.125"}, {"id": 8, "total": "0.125"}])
    taxes = read(bodies.woo_order(line_items=[line])).lines[0].taxes

    assert [(tax.title, tax.amount, tax.rate) for tax in taxes] == [
        ("IVA", Decimal("0.13"), Decimal(22)),
        ("", Decimal("0.12"), None),
    ]


def test_read_tax_without_entries_is_kept() -> None:
    taxes = read(bodies.woo_order(line_items=[bodies.woo_line(taxes=[])])).lines[0].taxes

    assert taxes == (NeutralTax("", Decimal("3.96")),)


def test_read_empty_addresses_are_none_and_guest_has_no_key() -> None:
    empty = dict.fromkeys(bodies.woo_address(), "")

    order = read(bodies.woo_order(shipping=empty, billing=[], customer_id=0))

    assert (order.ship_to, order.bill_to) == (None, None)
    assert order.buyer == NeutralBuyer()


def test_read_unknown_fields_change_nothing() -> None:
    body = bodies.woo_order(brand_new={"deep": [1]}, meta_data=[{"key": "x", "value": None}])
    body["line_items"][0]["bundled_by"] = "77"

    assert read(body) == read(bodies.woo_order())


@pytest.mark.parametrize("name", ["id", "currency", "date_created_gmt", "total", "line_items"])
def test_read_missing_field_is_named(name: str) -> None:
    body = bodies.woo_order()
    del body[name]

    with pytest.raises(PayloadError) as refused:
        read(body)

    assert (refused.value.facts["field"], refused.value.facts["value"]) == (name, "missing")


@pytest.mark.parametrize(
    ("name", "value"),
    [("id", None), ("quantity", "many"), ("quantity", 1.5), ("total", "1,50"), ("taxes", "none")],
)
def test_read_wrong_line_field_is_named_with_its_place(name: str, value: object) -> None:
    body = bodies.woo_order(line_items=[bodies.woo_line(), bodies.woo_line(id=2) | {name: value}])

    with pytest.raises(PayloadError) as refused:
        read(body)

    assert refused.value.facts["field"] == f"line_items[1].{name}"
