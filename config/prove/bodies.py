"""A shop's order as it comes over the wire, for the doors that read bodies."""

import json

_ADDRESS = {
    "first_name": "Rosa",
    "last_name": "Neri",
    "address_1": "Via Po 3",
    "city": "Torino",
    "postcode": "10124",
    "country": "IT",
    "email": "rosa@example.com",
}


def body_of(external_id: str, sku_code: str) -> str:
    """One unit for 10 EUR, paid, in WooCommerce's format."""
    return json.dumps(
        {
            "id": int(external_id),
            "number": external_id,
            "status": "processing",
            "currency": "EUR",
            "prices_include_tax": True,
            "date_created_gmt": "2026-03-01T10:00:00",
            "date_modified_gmt": "2026-03-01T10:05:00",
            "date_paid_gmt": "2026-03-01T10:01:00",
            "total": "10.00",
            "total_tax": "0.00",
            "customer_id": 12,
            "customer_note": "",
            "billing": _ADDRESS,
            "shipping": _ADDRESS,
            "payment_method": "stripe",
            "transaction_id": f"pi_{external_id}",
            "line_items": [
                {
                    "id": 1,
                    "name": sku_code,
                    "sku": sku_code,
                    "quantity": 1,
                    "subtotal": "10.00",
                    "total": "10.00",
                    "total_tax": "0.00",
                    "taxes": [],
                    "price": 10,
                }
            ],
            "tax_lines": [],
            "shipping_lines": [],
            "fee_lines": [],
            "coupon_lines": [],
            "refunds": [],
        }
    )
