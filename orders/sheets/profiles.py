"""Ready maps: which heading means what in the exports of shops and marketplaces.

Source: the layouts' own headings as public importers read them; columns are matched by name, not by place.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.sheets.fields import KNOWN, match_headings
from orders.sheets.plan import Rules
from orders.sheets.sniffing import name_key

_SHOPIFY = {
    "order": "Name", "external_id": "Id", "placed_at": "Created at", "currency": "Currency", "email": "Email",
    "note": "Notes", "shipping_method": "Shipping Method", "total_amount": "Total", "shipping_amount": "Shipping",
    "order_discount_amount": "Discount Amount", "discount_code": "Discount Code", "order_tax_amount": "Taxes",
    "payment_status": "Financial Status", "order_status": "Fulfillment Status", "payment_method": "Payment Method",
    "payment_reference": "Payment Reference", "refunded_amount": "Refunded Amount",
    "cancelled_at": "Cancelled at", "buyer_phone": "Phone", "sku": "Lineitem sku", "title": "Lineitem name",
    "quantity": "Lineitem quantity", "unit_amount": "Lineitem price", "requires_shipping": "Lineitem requires shipping",
    **{
        f"{use}_{name}": f"{word} {heading}"
        for use, word in (("ship", "Shipping"), ("bill", "Billing"))
        for name, heading in (
            ("name", "Name"), ("company", "Company"), ("line1", "Address1"), ("line2", "Address2"), ("city", "City"),
            ("region", "Province"), ("postal_code", "Zip"), ("country", "Country"), ("phone", "Phone"),
        )
    },
}  # fmt: skip
_AMAZON_SHIP = {
    "ship_city": "ship-city", "ship_region": "ship-state", "ship_postal_code": "ship-postal-code",
    "ship_country": "ship-country",
}  # fmt: skip
_AMAZON_PRICES = {
    "currency": "currency", "line_amount": "item-price", "line_tax_amount": "item-tax",
    "line_shipping_amount": "shipping-price", "line_shipping_tax_amount": "shipping-tax",
    "line_discount_amount": "item-promotion-discount", "line_shipping_discount_amount": "ship-promotion-discount",
    "gift_wrap_amount": "gift-wrap-price",
}  # fmt: skip
_AMAZON_PEOPLE = {
    "email": "buyer-email", "buyer_name": "buyer-name", "buyer_phone": "buyer-phone-number",
    "ship_name": "recipient-name", "ship_line1": "ship-address-1", "ship_line2": "ship-address-2",
    "ship_phone": "ship-phone-number", "line_id": "order-item-id",
}  # fmt: skip


def _ebay(*, ship: str, number: str) -> dict[str, str]:
    """2020 and later; UK files say “Post to” and write their headings in lower case."""
    return {
        "order": number, "placed_at": "Sale Date", "sent_at": "Shipped On Date",
        "email": "Buyer Email", "buyer_name": "Buyer Name",
        "note": "Buyer Note", "sku": "Custom Label", "title": "Item Title", "quantity": "Quantity",
        "unit_amount": "Sold For", "shipping_amount": "Shipping And Handling", "payment_method": "Payment Method",
        "total_amount": "Total Price", "order_tax_amount": "Seller Collected Tax",
        "shipping_method": "Shipping Service", "ship_name": f"{ship} Name", "ship_phone": f"{ship} Phone",
        "ship_line1": f"{ship} Address 1", "ship_line2": f"{ship} Address 2", "ship_city": f"{ship} City",
        "ship_region": f"{ship} State", "ship_postal_code": f"{ship} Zip", "ship_country": f"{ship} Country",
    }  # fmt: skip


# Source: the codes of the published Online Retail ledger that are no goods (carriage, manual, discount, fees).
LEDGER = Rules(
    cancel_prefix="C",
    adjust_prefix="A",
    charge_codes=re.compile(
        r"POST|DOT|C2|D|M|S|B|PADS|CRUK|BANK CHARGES|AMAZONFEE|gift_0001_\d+|DCGS\w+", re.IGNORECASE
    ),
    lists_write_offs=True,
    finest=4,
    is_loose=True,
)


@dataclass(frozen=True, slots=True)
class Profile:
    """One layout. `needs` tell it from all others; `instead` are other headings for the same field.

    `includes_tax` None leaves it to the person. `is_paid` where the platform exports paid orders only; `ignored`
    are fields that its files carry in another meaning.
    """

    code: str
    label: str | Promise
    columns: Mapping[str, str]
    needs: tuple[str, ...]
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    includes_tax: bool | None = None
    is_paid: bool = False
    rules: Rules = field(default_factory=Rules)


OWN = Profile("own", _("Bancale's own template"), {
    name: name for name in (
        "order", "placed_at", "currency", "email", "buyer_name", "ship_name", "ship_company", "ship_line1",
        "ship_line2", "ship_city", "ship_region", "ship_postal_code", "ship_country", "ship_phone", "sku", "title",
        "quantity", "unit_amount", "line_discount_amount", "tax_rate", "shipping_amount", "shipping_method",
        "total_amount", "payment_status", "payment_method", "payment_reference", "note", "line_id", "required_on",
    )
}, ("order", "placed_at", "sku", "quantity", "unit_amount"))  # fmt: skip

PROFILES: tuple[Profile, ...] = (
    OWN,
    Profile("shopify", "Shopify", _SHOPIFY, ("Name", "Lineitem quantity", "Lineitem name", "Financial Status"),
            rules=Rules(key_prefix="gid://shopify/Order/")),
    Profile("amazon", _("Amazon, all orders"), {
        "order": "amazon-order-id", "placed_at": "purchase-date", "shipping_method": "ship-service-level",
        "sku": "sku", "title": "product-name", "quantity": "quantity", "order_status": "order-status",
        **_AMAZON_SHIP, **_AMAZON_PRICES,
    }, ("amazon-order-id", "purchase-date", "item-price"), includes_tax=None, is_paid=True),
    Profile("amazon_new", _("Amazon, new orders"), {
        "order": "order-id", "placed_at": "purchase-date", "shipping_method": "ship-service-level", "sku": "sku",
        "title": "product-name", "quantity": "quantity-purchased", **_AMAZON_SHIP, **_AMAZON_PRICES, **_AMAZON_PEOPLE,
    }, ("order-id", "order-item-id", "quantity-purchased"), is_paid=True),
    Profile("ebay", "eBay", _ebay(ship="Ship To", number="Order Number"), (
        "Order Number", "Custom Label", "Sold For", "Sale Date",
    ), {
        "ship_name": ("Post to name",), "ship_phone": ("Post to phone",), "ship_line1": ("Post to address 1",),
        "ship_line2": ("Post to address 2",), "ship_city": ("Post to city",), "ship_region": ("Post to county",),
        "ship_postal_code": ("Post to postcode",), "ship_country": ("Post to country",),
        "shipping_amount": ("Postage and packaging",),
    }, is_paid=True, rules=Rules(totals_first=True)),
    Profile("etsy", _("Etsy, sold order items"), {
        "order": "Order ID", "placed_at": "Sale Date", "sent_at": "Date Shipped",
        "currency": "Currency", "buyer_name": "Buyer", "sku": "SKU",
        "title": "Item Name", "quantity": "Quantity", "unit_amount": "Price", "line_id": "Transaction ID",
        "line_discount_amount": "Discount Amount", "discount_code": "Coupon Code", "shipping_amount": "Order Shipping",
        "order_tax_amount": "Order Sales Tax", "payment_method": "Payment Type", "ship_name": "Ship Name",
        "ship_line1": "Ship Address1", "ship_line2": "Ship Address2", "ship_city": "Ship City",
        "ship_region": "Ship State", "ship_postal_code": "Ship Zipcode", "ship_country": "Ship Country",
    }, ("Order ID", "Item Name", "Transaction ID", "Sale Date"), {
        "ship_name": ("Delivery Name",), "ship_line1": ("Delivery Address1",), "ship_line2": ("Delivery Address2",),
        "ship_city": ("Delivery City",), "ship_region": ("Delivery State",),
        "ship_postal_code": ("Delivery Zipcode", "Delivery Postcode"), "ship_country": ("Delivery Country",),
    }, is_paid=True),
    Profile("woocommerce", _("WooCommerce (a line a row)"), {
        "order": "Order Number", "placed_at": "Order Date", "order_status": "Order Status", "note": "Customer Note",
        "email": "Email (Billing)", "buyer_phone": "Phone (Billing)", "payment_method": "Payment Method Title",
        "shipping_method": "Shipping Method Title", "shipping_amount": "Order Shipping Amount",
        "total_amount": "Order Total Amount", "order_tax_amount": "Order Total Tax Amount",
        "discount_code": "Coupon Code", "order_discount_amount": "Cart Discount Amount", "sku": "SKU",
        "title": "Item Name", "quantity": "Quantity (- Refund)", "unit_amount": "Item Cost",
        "ship_line1": "Address 1&2 (Shipping)", "ship_city": "City (Shipping)", "ship_region": "State Code (Shipping)",
        "ship_postal_code": "Postcode (Shipping)", "ship_country": "Country Code (Shipping)",
        "bill_name": "First Name (Billing)", "bill_line1": "Address 1&2 (Billing)", "bill_city": "City (Billing)",
        "bill_postal_code": "Postcode (Billing)", "bill_country": "Country Code (Billing)",
    }, ("Order Number", "Order Date", "Item Cost", "Item Name"), {"quantity": ("Quantity",)}, includes_tax=False),
    Profile("woocommerce_analytics", _("WooCommerce Analytics (no prices, no addresses)"), {
        "order": "Order #", "placed_at": "Date", "order_status": "Status", "buyer_name": "Customer",
        "title": "Product(s)", "quantity": "Items sold", "discount_code": "Coupon(s)",
    }, ("Order #", "Product(s)", "Items sold", "Customer type"), rules=Rules(one_cell=True)),
    Profile("prestashop", _("PrestaShop (a line a row)"), {
        "order": "reference", "placed_at": "date_add", "email": "email", "currency": "iso_code",
        "sku": "product_reference", "title": "product_name", "quantity": "product_quantity",
        "unit_amount": "unit_price_tax_incl", "shipping_amount": "total_shipping_tax_incl",
        "order_discount_amount": "total_discounts_tax_incl", "total_amount": "total_paid_tax_incl",
        "payment_method": "payment", "ship_company": "company", "ship_line1": "address1", "ship_line2": "address2",
        "ship_postal_code": "postcode", "ship_city": "city", "ship_country": "country", "ship_phone": "phone",
    }, ("reference", "date_add", "product_reference", "product_quantity"), includes_tax=True),
    Profile("magento", _("Magento (a line a row)"), {
        "order": "increment_id", "placed_at": "created_at", "order_status": "status", "email": "customer_email",
        "currency": "order_currency_code", "sku": "sku", "title": "name", "quantity": "qty_ordered",
        "unit_amount": "price", "line_discount_amount": "discount_amount", "line_tax_amount": "tax_amount",
        "tax_rate": "tax_percent", "shipping_amount": "shipping_amount", "shipping_method": "shipping_description",
        "total_amount": "grand_total", "ship_name": "shipping_name", "ship_line1": "shipping_street",
        "ship_city": "shipping_city", "ship_region": "shipping_region", "ship_postal_code": "shipping_postcode",
        "ship_country": "shipping_country_id", "ship_phone": "shipping_telephone",
    }, ("increment_id", "created_at", "qty_ordered", "sku"), includes_tax=False),
    Profile("invoice_lines", _("Invoice lines of a wholesaler's ledger"), {
        "order": "InvoiceNo", "placed_at": "InvoiceDate", "sku": "StockCode", "title": "Description",
        "quantity": "Quantity", "unit_amount": "UnitPrice", "bill_name": "CustomerID", "bill_country": "Country",
    }, ("InvoiceNo", "StockCode", "InvoiceDate", "UnitPrice"), rules=LEDGER),
)  # fmt: skip
# Exports that people bring by mistake, by headings that tell them, and what they hold.
_PRODUCTS, _STOCK = _("products, not orders"), _("stock figures, not orders")
NOT_ORDERS: tuple[tuple[tuple[str, ...], str | Promise], ...] = (
    (("_fivetran_synced",), _("one table of a data loader; an order and its lines must stand in one file")),
    (
        ("Order ID", "Order Value", "Number of Items"),
        _("orders without their items; export the sold order items"),
    ),
    (("Handle", "Variant SKU"), _PRODUCTS),
    (("Type", "SKU", "Published"), _PRODUCTS),
    (("sku", "price", "qty", "attribute_set"), _PRODUCTS),
    (("Product ID", "Price tax excluded or Price tax included"), _PRODUCTS),
    (("Product ID*", "EAN13"), _PRODUCTS),
    (("source_code", "sku", "quantity"), _STOCK),
    (("source_id", "sku", "quantity"), _STOCK),
    (("Supply Order Reference *",), _("orders to suppliers, not of buyers")),
    (("Customer ID", "Email *"), _("customers, not orders")),
    (("Alias*", "Customer e-mail*"), _("addresses, not orders")),
)
BY_CODE: Mapping[str, Profile] = {profile.code: profile for profile in PROFILES}
HEADINGS = KNOWN | {name_key(heading) for profile in PROFILES for heading in profile.columns.values()}


def recognise(header: Sequence[str]) -> Profile | None:
    """The ready map whose telling headings all stand in a file; the one that asks for most of them."""
    present = {name_key(name) for name in header}
    fitting = [one for one in PROFILES if all(name_key(name) in present for name in one.needs)]
    return max(fitting, key=lambda one: len(one.needs), default=None)


def what_instead(header: Sequence[str]) -> str | Promise:
    """What a file of this heading holds instead of orders; "" where it may hold them."""
    present = {name_key(name) for name in header}
    fitting = (says for needs, says in NOT_ORDERS if all(name_key(name) in present for name in needs))
    return next(fitting, "")


def columns_for(header: Sequence[str], profile: Profile | None) -> dict[str, str]:
    """Field → heading of this file: by the ready map, else as far as the names tell."""
    if profile is None:
        return match_headings(header)
    present = {name_key(name): name for name in header}
    found = {}
    for name, heading in profile.columns.items():
        for one in (heading, *profile.instead.get(name, ())):
            if name_key(one) in present:
                found[name] = present[name_key(one)]
                break
    return found
