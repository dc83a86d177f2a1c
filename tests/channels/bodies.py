"""Small order bodies of our own, in the shapes that the shops send; each call gives a fresh one."""

from typing import Any

Body = dict[str, Any]


def woo_address(**fields: Any) -> Body:
    return {
        "first_name": "Rosa",
        "last_name": "Neri",
        "company": "",
        "address_1": "Via Po 3",
        "address_2": "",
        "city": "Torino",
        "state": "TO",
        "postcode": "10124",
        "country": "IT",
        "email": "rosa@example.com",
        "phone": "011 1",
    } | fields


def woo_line(**fields: Any) -> Body:
    return {
        "id": 1,
        "name": "Mug &amp; saucer",
        "quantity": 2,
        "subtotal": "20.00",
        "total": "18.00",
        "total_tax": "3.96",
        "taxes": [{"id": 7, "total": "3.96", "subtotal": "4.40"}],
        "sku": "MUG",
        "price": 9.000000001,
    } | fields


def woo_order(**fields: Any) -> Body:
    """18.00 + 4.00 shipping − 1.00 fee, 22 % of tax on all of it: 25.62."""
    return {
        "id": 501,
        "number": "B-501",
        "status": "processing",
        "currency": "EUR",
        "prices_include_tax": True,
        "date_created_gmt": "2026-03-01T10:00:00",
        "date_modified_gmt": "2026-03-01T10:05:00",
        "date_paid_gmt": "2026-03-01T10:01:00",
        "total": "25.62",
        "total_tax": "4.62",
        "customer_id": 12,
        "customer_note": "Ring twice",
        "billing": woo_address(),
        "shipping": woo_address(email="", city="Asti"),
        "payment_method": "stripe",
        "transaction_id": "pi_1",
        "line_items": [woo_line()],
        "tax_lines": [{"id": 90, "rate_id": 7, "label": "IVA", "rate_percent": 22}],
        "shipping_lines": [
            {
                "id": 2,
                "method_title": "Courier",
                "total": "4.00",
                "total_tax": "0.88",
                "taxes": [{"id": 7, "total": "0.88", "subtotal": ""}],
            }
        ],
        "fee_lines": [
            {
                "id": 3,
                "name": "Loyalty",
                "total": "-1.00",
                "total_tax": "-0.22",
                "taxes": [{"id": 7, "total": "-0.22", "subtotal": ""}],
            }
        ],
        "coupon_lines": [{"id": 4, "code": "ten", "discount": "2.00", "discount_tax": "0.44"}],
        "refunds": [],
    } | fields


def woo_yen_order() -> Body:
    return woo_order(
        currency="JPY",
        total="2970",
        total_tax="270",
        line_items=[
            woo_line(
                subtotal="2400",
                total="2200",
                total_tax="220",
                taxes=[{"id": 7, "total": "220", "subtotal": "240"}],
            )
        ],
        tax_lines=[{"rate_id": 7, "label": "消費税", "rate_percent": 10}],
        shipping_lines=[
            {
                "id": 2,
                "method_title": "Yamato",
                "total": "500",
                "total_tax": "50",
                "taxes": [{"id": 7, "total": "50"}],
            }
        ],
        fee_lines=[],
    )


def medusa_item(**fields: Any) -> Body:
    """3 × 9.99 net, 1.00 off, 22 % of tax: 28.97 and 6.3734, together 35.3434."""
    return {
        "id": "ordli_1",
        "title": "Mug",
        "product_title": "Mug",
        "variant_title": "Blue",
        "variant_sku": "MUG-BLUE",
        "quantity": 3,
        "unit_price": 9.99,
        "is_tax_inclusive": False,
        "requires_shipping": True,
        "subtotal": 29.97,
        "total": 35.3434,
        "original_total": 36.5634,
        "tax_total": 6.3734,
        "discount_subtotal": 1,
        "adjustments": [{"id": "a1", "code": "ONE", "amount": 1, "description": None}],
        "tax_lines": [{"id": "t1", "code": "IVA", "description": None, "rate": 22}],
        "detail": {"shipped_quantity": 0, "return_received_quantity": 0},
    } | fields


def medusa_method(**fields: Any) -> Body:
    """4.91 net and 22 % of tax: 5.9902."""
    return {
        "id": "ordsm_1",
        "name": "Courier",
        "amount": 4.91,
        "is_tax_inclusive": False,
        "subtotal": 4.91,
        "total": 5.9902,
        "original_total": 5.9902,
        "tax_total": 1.0802,
        "adjustments": [],
        "tax_lines": [{"id": "t2", "code": "IVA", "description": "IVA 22", "rate": 22}],
    } | fields


def medusa_order(**fields: Any) -> Body:
    """Two lines of 35.3434 and shipping of 5.9902: 76.677, where the rounded parts give 76.67."""
    return {
        "id": "order_1",
        "display_id": 7,
        "status": "pending",
        "currency_code": "eur",
        "created_at": "2026-03-01T11:00:00.250+01:00",
        "updated_at": "2026-03-01T10:05:00Z",
        "email": "rosa@example.com",
        "customer_id": "cus_1",
        "locale": "it-IT",
        "total": 76.677,
        "original_total": 79.117,
        "discount_total": 2.44,
        "credit_line_total": 0,
        "items": [medusa_item(), medusa_item(id="ordli_2", variant_sku=None)],
        "shipping_methods": [medusa_method()],
        "shipping_address": {"first_name": "Rosa", "last_name": "Neri", "country_code": "it"},
        "billing_address": None,
        "payment_collections": [
            {
                "currency_code": "eur",
                "payments": [
                    {
                        "id": "pay_1",
                        "provider_id": "pp_card",
                        "amount": 76.677,
                        "captures": [{"amount": 76.677}],
                        "refunds": [{"amount": 5.5}],
                        "captured_at": "2026-03-01T10:02:00Z",
                        "canceled_at": None,
                    }
                ],
            }
        ],
    } | fields
