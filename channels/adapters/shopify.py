"""Shopify orders as neutral orders, from the Admin GraphQL shape or the webhook (REST) shape.

Both shapes give the same keys (`gid://shopify/…`): numeric ids lose digits on their way through JavaScript.
Amounts are in the shop's currency; what the buyer saw goes to `buyer_currency` and `buyer_total_amount`.

An order nobody edited keeps its ordered quantities and its first total; refunds count on its payments. An edited
order has its current quantities, each line's discounts and taxes in proportion, and the current total.

Source: Admin GraphQL 2026-10 (Order, LineItem, ShippingLine, OrderTransaction); webhook samples 2026-07.
"""

from channels.adapters import shopify_graphql, shopify_rest
from channels.adapters.reading import Reader
from orders.neutral import NeutralOrder


def parse_order(order: Reader) -> NeutralOrder:
    """A neutral order from either shape; raises `PayloadError` for a needed field that is missing or wrong."""
    is_graphql = "lineItems" in order.body or "currencyCode" in order.body
    return shopify_graphql.parse_order(order) if is_graphql else shopify_rest.parse_order(order)
