from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import read_order
from channels.errors import PayloadError
from orders.enums import ChannelKind, ChargeKind, MoneyOwner, NeutralState, PaymentStatus
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
from tests.channels import shopify_bodies as bodies

pytestmark = pytest.mark.once


def read(body: dict[str, Any]) -> NeutralOrder:
    return read_order(ChannelKind.SHOPIFY, body)


def iva(amount: str, owner: MoneyOwner = MoneyOwner.SELLER) -> NeutralTax:
    return NeutralTax("IVA", Decimal(amount), Decimal(22), owner)


def line(tax: NeutralTax, code: str = "TEN") -> NeutralLine:
    return NeutralLine(
        external_id="gid://shopify/LineItem/1",
        sku_code="MUG-BLUE",
        title="Mug - Blue",
        quantity=3,
        unit_amount=Decimal("10.00"),
        subtotal_amount=Decimal("30.00"),
        discounts=(NeutralDiscount(Decimal("2.00"), code=code),),
        taxes=(tax,),
    )


def courier(number: int) -> NeutralCharge:
    return NeutralCharge(
        ChargeKind.SHIPPING,
        f"gid://shopify/ShippingLine/{number}",
        "Courier",
        Decimal("5.00"),
        discounts=(NeutralDiscount(Decimal("1.00")),),
        taxes=(iva("0.88"),),
    )


def test_read_graphql_sample_gives_exact_order() -> None:
    order = read(bodies.graphql_order())

    assert order == NeutralOrder(
        external_id="gid://shopify/Order/9",
        number="#9",
        placed_at=datetime(2026, 3, 1, 10, 0, 1, tzinfo=UTC),
        updated_at=datetime(2026, 3, 1, 10, 5, tzinfo=UTC),
        currency="EUR",
        prices_include_tax=False,
        buyer=NeutralBuyer(
            external_id="gid://shopify/Customer/3",
            name="Rosa Neri",
            email="rosa@example.com",
            language="it",
        ),
        ship_to=NeutralAddress(name="Rosa Neri", region="TO", postal_code="10124", country_code="IT"),
        lines=(line(iva("6.16")),),
        charges=(courier(1),),
        payments=(
            NeutralPayment(
                "card",
                "gid://shopify/OrderTransaction/1",
                PaymentStatus.CAPTURED,
                Decimal("39.04"),
                Decimal("39.04"),
            ),
        ),
        total_amount=Decimal("39.04"),
        shipping_method="Courier",
        buyer_currency="USD",
        buyer_total_amount=Decimal("42.94"),
    )
    assert recompute(order).difference == 0


def test_read_webhook_sample_gives_exact_order() -> None:
    order = read(bodies.rest_order())

    assert order == NeutralOrder(
        external_id="gid://shopify/Order/9",
        number="#9",
        placed_at=datetime(2026, 3, 1, 10, tzinfo=UTC),
        currency="EUR",
        prices_include_tax=False,
        lines=(line(iva("6.16", MoneyOwner.MARKETPLACE)),),
        charges=(courier(5),),
        payments=(
            NeutralPayment(
                "card", "gid://shopify/Order/9", PaymentStatus.CAPTURED, Decimal("39.04"), Decimal("39.04")
            ),
        ),
        total_amount=Decimal("39.04"),
        shipping_method="Courier",
        buyer_currency="EUR",
        buyer_total_amount=Decimal("39.04"),
    )
    totals = recompute(order)
    assert (totals.seller_tax, totals.marketplace_tax) == (Decimal("0.88"), Decimal("6.16"))
    assert totals.difference == 0


def test_read_yen_order_has_no_decimals_and_exact_total() -> None:
    order = read(bodies.yen_order())

    assert (str(order.total_amount), str(order.lines[0].subtotal_amount)) == ("3080", "2970")
    assert order.lines[0].taxes[0] == NeutralTax("IVA", Decimal(234), Decimal(10))
    assert order.payments[0].captured_amount == Decimal(3080)
    assert recompute(order).difference == 0


def test_read_edited_order_takes_current_quantities_and_total() -> None:
    removed = bodies.line(id="gid://shopify/LineItem/2", currentQuantity=0)
    kept = bodies.line(currentQuantity=2, unfulfilledQuantity=2)
    body = bodies.graphql_order(
        edited=True, lineItems=[kept, removed], currentTotalPriceSet=bodies.bag("27.66")
    )

    order = read(body)

    assert [(row.external_id, row.quantity) for row in order.lines] == [("gid://shopify/LineItem/1", 2)]
    assert order.lines[0].subtotal_amount == Decimal("20.00")
    assert order.lines[0].discounts[0].amount == Decimal("1.33")
    assert order.lines[0].taxes[0].amount == Decimal("4.11")
    assert order.total_amount == Decimal("27.66")
    assert recompute(order).difference == 0


def test_read_edited_order_leaves_out_removed_shipping() -> None:
    body = bodies.graphql_order(
        edited=True,
        shippingLines=[bodies.shipping(isRemoved=True)],
        currentTotalPriceSet=bodies.bag("34.16"),
    )

    assert read(body).charges == ()
    assert recompute(read(body)).difference == 0


def test_read_refunded_order_keeps_ordered_quantities_and_first_total() -> None:
    body = bodies.graphql_order(
        lineItems=[bodies.line(currentQuantity=1, unfulfilledQuantity=0)],
        currentTotalPriceSet=bodies.bag("13.00"),
        transactions=[
            bodies.transaction(1, "SALE", "39.04"),
            bodies.transaction(
                2, "REFUND", "26.04", parentTransaction={"id": "gid://shopify/OrderTransaction/1"}
            ),
        ],
    )

    order = read(body)

    assert (order.lines[0].quantity, order.lines[0].shipped_quantity) == (3, 3)
    assert order.total_amount == Decimal("39.04")
    assert order.payments[0].refunded_amount == Decimal("26.04")
    assert recompute(order).difference == 0


def test_read_cancelled_order_keeps_its_lines() -> None:
    body = bodies.graphql_order(
        cancelledAt="2026-03-01T11:00:00Z", edited=True, lineItems=[bodies.line(currentQuantity=0)]
    )

    assert read(body).state is NeutralState.CANCELLED
    assert read(body).lines[0].quantity == 3


def test_read_order_on_hold_at_the_channel_is_held() -> None:
    assert read(bodies.graphql_order(displayFulfillmentStatus="ON_HOLD")).state is NeutralState.HELD
    assert read(bodies.graphql_order(displayFulfillmentStatus="NEW_WORD")).state is NeutralState.OPEN


def test_read_gift_card_and_custom_line_stay_without_sku() -> None:
    body = bodies.graphql_order(
        lineItems=[
            bodies.line(sku=None, variant=None, isGiftCard=True),
            bodies.line(id="gid://shopify/LineItem/2", sku="", variant=None),
            bodies.line(id="gid://shopify/LineItem/3", sku=None, requiresShipping=False),
        ]
    )

    assert [(row.sku_code, row.requires_shipping) for row in read(body).lines] == [
        ("", False),
        ("", True),
        ("MUG-BLUE", False),
    ]


def test_read_list_with_another_page_refused() -> None:
    lines = {"nodes": [bodies.line()], "pageInfo": {"hasNextPage": True}}

    with pytest.raises(PayloadError, match=r"lineItems\.pageInfo\.hasNextPage"):
        read(bodies.graphql_order(lineItems=lines))


def test_read_channel_liable_tax_is_the_marketplace_s() -> None:
    body = bodies.graphql_order(lineItems=[bodies.line(taxLines=[bodies.tax("6.16", channelLiable=True)])])

    totals = recompute(read(body))

    assert (totals.marketplace_tax, totals.difference) == (Decimal("6.16"), 0)


def test_read_taxes_of_the_order_alone_are_spread_over_its_lines() -> None:
    lines = [
        bodies.line(id=f"gid://shopify/LineItem/{number}", taxLines=[], discountAllocations=[])
        for number in (1, 2, 3)
    ]
    body = bodies.graphql_order(
        lineItems=lines,
        shippingLines=[],
        taxLines=[bodies.tax("10.00")],
        totalPriceSet=bodies.bag("100.00"),
    )

    order = read(body)

    assert [row.taxes[0].amount for row in order.lines] == [Decimal(x) for x in ("3.34", "3.33", "3.33")]
    assert recompute(order).difference == 0


def test_read_shipping_allocation_that_explains_the_reduction_keeps_its_code() -> None:
    allocated = bodies.shipping(discountAllocations=[bodies.allocation("1.00")])

    charge = read(bodies.graphql_order(shippingLines=[allocated])).charges[0]

    assert charge.discounts == (NeutralDiscount(Decimal("1.00"), code="TEN"),)


def test_read_duties_and_additional_fees_are_charges() -> None:
    duty = {"id": "gid://shopify/Duty/1", "price": bodies.bag("3.00"), "taxLines": []}
    fee = {"id": "gid://shopify/AdditionalFee/1", "name": "Eco", "price": bodies.bag("0.50"), "taxLines": []}
    body = bodies.graphql_order(
        lineItems=[bodies.line(duties=[duty])], additionalFees=[fee], totalPriceSet=bodies.bag("42.54")
    )

    order = read(body)

    assert [(charge.kind, charge.amount) for charge in order.charges[1:]] == [
        (ChargeKind.FEE, Decimal("0.50")),
        (ChargeKind.FEE, Decimal("3.00")),
    ]
    assert recompute(order).difference == 0


def test_read_unknown_fields_change_nothing() -> None:
    body = bodies.graphql_order(brandNew={"a": 1}, displayFinancialStatus="BARTERED")
    body["lineItems"]["nodes"][0]["lineItemGroup"] = {"id": "x"}

    assert read(body) == read(bodies.graphql_order())


def test_read_webhook_key_comes_from_the_gid_and_not_from_the_number() -> None:
    body = bodies.rest_order(
        id=820982911946154500, admin_graphql_api_id="gid://shopify/Order/820982911946154508"
    )

    assert read(body).external_id == "gid://shopify/Order/820982911946154508"
    assert read(body | {"admin_graphql_api_id": None}).external_id == "gid://shopify/Order/820982911946154500"


def test_read_webhook_units_edited_away_are_not_asked_for() -> None:
    body = bodies.rest_order(
        line_items=[bodies.rest_line(current_quantity=2)],
        current_total_price="28.66",
        current_total_price_set=bodies.rest_bag("28.66"),
    )

    assert read(body).lines[0].quantity == 2
    assert read(body).total_amount == Decimal("28.66")


def test_read_webhook_units_refunded_stay_ordered() -> None:
    refund = {
        "refund_line_items": [{"line_item_id": 1, "quantity": 1}],
        "transactions": [{"kind": "refund", "status": "success", "amount": "11.39"}],
    }
    body = bodies.rest_order(
        line_items=[bodies.rest_line(current_quantity=2)],
        refunds=[refund],
        financial_status="partially_refunded",
    )

    order = read(body)

    assert order.lines[0].quantity == 3
    assert order.payments[0].refunded_amount == Decimal("11.39")
    assert recompute(order).difference == 0


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("id", "graphql"),
        ("lineItems", "graphql"),
        ("taxesIncluded", "graphql"),
        ("totalPriceSet", "graphql"),
        ("currency", "rest"),
        ("line_items", "rest"),
        ("taxes_included", "rest"),
        ("created_at", "rest"),
    ],
)
def test_read_missing_field_is_named(name: str, shape: str) -> None:
    body = bodies.graphql_order() if shape == "graphql" else bodies.rest_order()
    del body[name]

    with pytest.raises(PayloadError) as refused:
        read(body)

    assert (refused.value.facts["field"], refused.value.facts["value"]) == (name, "missing")


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("originalUnitPriceSet", {"shopMoney": {"amount": "free"}}, "originalUnitPriceSet.shopMoney.amount"),
        ("originalUnitPriceSet", {"presentmentMoney": {}}, "originalUnitPriceSet.shopMoney"),
        ("quantity", "3 pieces", "quantity"),
        ("taxLines", [{"title": "IVA"}], "taxLines[0].priceSet"),
        ("requiresShipping", "yes", "requiresShipping"),
    ],
)
def test_read_wrong_line_field_is_named_with_its_place(name: str, value: object, place: str) -> None:
    with pytest.raises(PayloadError) as refused:
        read(bodies.graphql_order(lineItems=[bodies.line(**{name: value})]))

    assert refused.value.facts["field"] == f"lineItems[0].{place}"
