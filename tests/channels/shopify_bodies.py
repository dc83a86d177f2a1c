"""Small Shopify orders of our own, in both shapes; each call gives a fresh one."""

from typing import Any

Body = dict[str, Any]


def bag(amount: str, currency: str = "EUR", seen: str = "", seen_currency: str = "") -> Body:
    return {
        "shopMoney": {"amount": amount, "currencyCode": currency},
        "presentmentMoney": {"amount": seen or amount, "currencyCode": seen_currency or currency},
    }


def tax(amount: str, currency: str = "EUR", **fields: Any) -> Body:
    return {
        "title": "IVA",
        "rate": 0.22,
        "priceSet": bag(amount, currency),
        "channelLiable": False,
    } | fields


def allocation(amount: str, currency: str = "EUR") -> Body:
    return {
        "allocatedAmountSet": bag(amount, currency),
        "discountApplication": {"code": "TEN", "targetType": "LINE_ITEM"},
    }


def line(**fields: Any) -> Body:
    return {
        "id": "gid://shopify/LineItem/1",
        "name": "Mug - Blue",
        "sku": "MUG-BLUE",
        "variant": {"id": "gid://shopify/ProductVariant/1", "sku": "MUG-BLUE"},
        "quantity": 3,
        "currentQuantity": 3,
        "unfulfilledQuantity": 3,
        "requiresShipping": True,
        "isGiftCard": False,
        "originalUnitPriceSet": bag("10.00"),
        "discountAllocations": [allocation("2.00")],
        "taxLines": [tax("6.16")],
    } | fields


def shipping(**fields: Any) -> Body:
    return {
        "id": "gid://shopify/ShippingLine/1",
        "title": "Courier",
        "originalPriceSet": bag("5.00"),
        "discountedPriceSet": bag("4.00"),
        "discountAllocations": [],
        "taxLines": [tax("0.88")],
        "isRemoved": False,
    } | fields


def transaction(number: int, kind: str, amount: str, **fields: Any) -> Body:
    return {
        "id": f"gid://shopify/OrderTransaction/{number}",
        "kind": kind,
        "status": "SUCCESS",
        "gateway": "card",
        "amountSet": bag(amount),
        "parentTransaction": None,
    } | fields


def graphql_order(**fields: Any) -> Body:
    """28.00 for lines, 4.00 for shipping, 7.04 of tax beside them: 39.04 EUR, seen by the buyer as 42.94 USD."""
    return {
        "id": "gid://shopify/Order/9",
        "name": "#9",
        "createdAt": "2026-03-01T10:00:00Z",
        "processedAt": "2026-03-01T10:00:01Z",
        "updatedAt": "2026-03-01T10:05:00Z",
        "cancelledAt": None,
        "test": False,
        "edited": False,
        "email": "rosa@example.com",
        "customerLocale": "it-IT",
        "currencyCode": "EUR",
        "presentmentCurrencyCode": "USD",
        "taxesIncluded": False,
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED",
        "totalPriceSet": bag("39.04", seen="42.94", seen_currency="USD"),
        "currentTotalPriceSet": bag("39.04", seen="42.94", seen_currency="USD"),
        "taxLines": [],
        "lineItems": {"nodes": [line()], "pageInfo": {"hasNextPage": False}},
        "shippingLines": {"edges": [{"node": shipping()}]},
        "customer": {"id": "gid://shopify/Customer/3", "displayName": "Rosa Neri"},
        "shippingAddress": {"name": "Rosa Neri", "countryCodeV2": "IT", "zip": "10124", "provinceCode": "TO"},
        "billingAddress": None,
        "transactions": [transaction(1, "SALE", "39.04")],
    } | fields


def yen_order() -> Body:
    yen = "JPY"
    return graphql_order(
        currencyCode=yen,
        taxesIncluded=True,
        totalPriceSet=bag("3080.0", yen),
        currentTotalPriceSet=bag("3080.0", yen),
        lineItems=[
            line(
                originalUnitPriceSet=bag("990.0", yen),
                discountAllocations=[allocation("390.0", yen)],
                taxLines=[tax("234.0", yen, rate=0.1)],
            )
        ],
        shippingLines=[
            shipping(
                originalPriceSet=bag("500.0", yen),
                discountedPriceSet=bag("500.0", yen),
                taxLines=[tax("45.0", yen, rate=0.1)],
            )
        ],
        transactions=[transaction(1, "SALE", "3080.0", amountSet=bag("3080.0", yen))],
    )


def rest_bag(amount: str) -> Body:
    return {
        "shop_money": {"amount": amount, "currency_code": "EUR"},
        "presentment_money": {"amount": amount, "currency_code": "EUR"},
    }


def rest_line(**fields: Any) -> Body:
    return {
        "id": 1,
        "name": "Mug - Blue",
        "sku": "MUG-BLUE",
        "quantity": 3,
        "current_quantity": 3,
        "fulfillable_quantity": 3,
        "requires_shipping": True,
        "gift_card": False,
        "price": "10.00",
        "price_set": rest_bag("10.00"),
        "total_discount": "0.00",
        "discount_allocations": [
            {"amount": "2.00", "amount_set": rest_bag("2.00"), "discount_application_index": 0}
        ],
        "tax_lines": [{"title": "IVA", "rate": 0.22, "price": "6.16", "channel_liable": True}],
    } | fields


def rest_order(**fields: Any) -> Body:
    return {
        "id": 9,
        "admin_graphql_api_id": "gid://shopify/Order/9",
        "name": "#9",
        "created_at": "2026-03-01T11:00:00+01:00",
        "processed_at": None,
        "cancelled_at": None,
        "currency": "EUR",
        "taxes_included": False,
        "financial_status": "paid",
        "payment_gateway_names": ["card"],
        "total_price": "39.04",
        "total_price_set": rest_bag("39.04"),
        "current_total_price": "39.04",
        "line_items": [rest_line()],
        "discount_applications": [{"type": "discount_code", "code": "TEN", "value": "2.0"}],
        "shipping_lines": [
            {
                "id": 5,
                "title": "Courier",
                "price": "5.00",
                "discounted_price": "4.00",
                "tax_lines": [{"title": "IVA", "rate": 0.22, "price": "0.88"}],
            }
        ],
        "tax_lines": [],
        "refunds": [],
    } | fields
