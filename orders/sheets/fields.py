"""What a column can mean, and the headings by which it is found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from orders.sheets.sniffing import name_key

ORDER, LINE, ADDRESS = "order", "line", "address"


@dataclass(frozen=True, slots=True)
class Field:
    """`place` says whether a value belongs to the order or to its line; `also` are headings besides the name."""

    name: str
    label: Any
    place: str = ORDER
    also: tuple[str, ...] = ()
    is_needed: bool = False


def _addresses() -> tuple[Field, ...]:
    parts = (
        ("name", _("name"), ("name", "full name", "recipient")),
        ("company", _("company"), ("company",)),
        ("line1", _("street"), ("address", "address 1", "address1", "street", "street 1")),
        ("line2", _("more"), ("address 2", "address2", "street 2")),
        ("city", _("city"), ("city", "town")),
        ("region", _("region"), ("province", "state", "county", "region")),
        ("postal_code", _("post code"), ("zip", "zipcode", "postcode", "postal code", "zip code")),
        ("country", _("country"), ("country", "country code")),
        ("phone", _("phone"), ("phone", "phone number", "telephone")),
    )
    uses = (
        ("ship", _("Ship to"), ("shipping", "ship", "delivery", "ship to", "ship-", "post to", "recipient")),
        ("bill", _("Bill to"), ("billing", "bill", "invoice", "bill to", "buyer")),
    )
    return tuple(
        Field(
            f"{use}_{name}",
            format_lazy("{}: {}", title, label),
            ADDRESS,
            tuple(f"{word} {one}" for word in words for one in also)
            + (also if use == "ship" and name not in {"name", "phone", "company", "region"} else ()),
        )
        for use, title, words in uses
        for name, label, also in parts
    )


FIELDS: tuple[Field, ...] = (
    Field("order", _("Order number"), ORDER, (
        "order number", "order no", "order id", "order", "order name", "reference", "invoice no", "invoice number",
        "numero ordine", "ordine", "increment id", "order reference",
    ), is_needed=True),
    Field("external_id", _("The platform's own id"), ORDER, ("channel reference",)),
    Field("placed_at", _("Date of the order"), ORDER, (
        "date", "order date", "created at", "purchase date", "sale date", "invoice date", "date added", "data",
        "data ordine", "placed at", "order created date",
    ), is_needed=True),
    Field("currency", _("Currency"), ORDER, ("currency", "currency code", "valuta", "order currency")),
    Field("email", _("E-mail"), ORDER, ("email", "e-mail", "customer email", "buyer email", "billing email")),
    Field("buyer_name", _("Buyer"), ORDER, ("customer", "customer name", "buyer name", "cliente", "buyer")),
    Field("buyer_phone", _("Buyer's phone"), ORDER, ("phone", "buyer phone number", "customer phone", "telefono")),
    Field("buyer_language", _("Buyer's language"), ORDER, ("language", "lingua")),
    Field("note", _("Note"), ORDER, ("note", "notes", "customer note", "buyer note", "nota", "comment")),
    Field("shipping_method", _("Shipping method"), ORDER, (
        "shipping method", "shipping service", "ship service level", "carrier", "delivery method",
    )),
    Field("required_on", _("Wanted by"), ORDER, ("required date", "wanted by", "delivery date")),
    Field("total_amount", _("Order total"), ORDER, (
        "total", "order total", "grand total", "total price", "totale", "order total amount",
    )),
    Field("shipping_amount", _("Shipping of the order"), ORDER, (
        "shipping", "shipping amount", "order shipping", "shipping total", "shipping cost", "spedizione",
        "shipping and handling", "order shipping amount", "postage",
    )),
    Field("shipping_tax_amount", _("Tax on that shipping"), ORDER, ("shipping tax amount",)),
    Field("order_discount_amount", _("Discount of the order"), ORDER, (
        "discount", "discount amount", "order discount", "cart discount amount", "sconto",
    )),
    Field("discount_code", _("Discount code"), ORDER, ("discount code", "coupon code", "coupon")),
    Field("order_tax_amount", _("Tax of the order"), ORDER, (
        "taxes", "tax", "tax amount", "order tax", "sales tax", "order sales tax", "order total tax amount", "iva",
    )),
    Field("payment_status", _("Payment"), ORDER, ("financial status", "payment status", "paid", "pagamento")),
    Field("payment_method", _("Paid by"), ORDER, ("payment method", "payment type", "payment method title")),
    Field("payment_reference", _("Payment reference"), ORDER, ("payment reference", "transaction id")),
    Field("refunded_amount", _("Refunded"), ORDER, ("refunded amount",)),
    Field("order_status", _("How far it has come"), ORDER, (
        "order status", "status", "fulfillment status", "fulfilment status", "stato", "stato ordine",
    )),
    Field("sent_at", _("Sent at"), ORDER, ("date shipped", "shipped on date", "shipped at", "shipped date")),
    Field("cancelled_at", _("Cancelled at"), ORDER, ("cancelled at", "canceled at")),
    Field("sku", _("SKU"), LINE, (
        "sku", "lineitem sku", "item sku", "product sku", "custom label", "stock code", "stockcode", "codice",
        "articolo", "product reference", "seller sku", "variant sku",
    )),
    Field("title", _("Title"), LINE, (
        "title", "product name", "item name", "lineitem name", "item title", "description", "product", "descrizione",
        "name", "item",
    )),
    Field("quantity", _("Quantity"), LINE, (
        "quantity", "qty", "lineitem quantity", "quantity purchased", "item quantity", "qty ordered", "quantità",
        "product quantity", "quantity (- refund)",
    ), is_needed=True),
    Field("unit_amount", _("Unit price"), LINE, (
        "unit price", "price", "lineitem price", "item cost", "unit amount", "prezzo", "item price", "sold for",
        "product price", "unitprice",
    )),
    Field("line_amount", _("Price of the line"), LINE, (
        "line total", "row total", "item total", "line amount", "item subtotal", "order line subtotal",
    )),
    Field("line_discount_amount", _("Discount of the line"), LINE, ("lineitem discount", "item promotion discount")),
    Field("line_tax_amount", _("Tax of the line"), LINE, ("item tax", "line tax", "item tax amount", "order line tax")),
    Field("tax_rate", _("Tax %"), LINE, ("tax rate", "tax %", "tax percent", "vat rate", "aliquota", "iva %")),
    Field("line_shipping_amount", _("Shipping of the line"), LINE, ("shipping price",)),
    Field("line_shipping_tax_amount", _("Tax on it"), LINE, ("shipping tax",)),
    Field("line_shipping_discount_amount", _("Discount on it"), LINE, ("ship promotion discount",)),
    Field("gift_wrap_amount", _("Gift wrap of the line"), LINE, ("gift wrap price",)),
    Field("line_id", _("Line reference"), LINE, ("order item id", "line id", "item id", "transaction id")),
    Field("requires_shipping", _("Is shipped"), LINE, ("lineitem requires shipping", "requires shipping")),
    *_addresses(),
)  # fmt: skip
BY_NAME: Mapping[str, Field] = {field.name: field for field in FIELDS}
NUMBERS = frozenset(name for name in BY_NAME if name.endswith("_amount")) | {"quantity", "tax_rate"}
DATES = frozenset({"placed_at", "sent_at", "cancelled_at", "required_on"})
_HEADINGS: dict[str, str] = {}
for _field in FIELDS:
    for _name in (_field.name, *_field.also):
        _HEADINGS.setdefault(name_key(_name), _field.name)
KNOWN = frozenset(_HEADINGS)


def match_headings(header: Sequence[str]) -> dict[str, str]:
    """Field by heading as far as the names tell; the first column wins a field."""
    found: dict[str, str] = {}
    for name in header:
        field = _HEADINGS.get(name_key(name))
        if field and field not in found:
            found[field] = name
    return found
