"""Shopify's Admin GraphQL order; connections may be plain lists, `nodes` or `edges`."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from channels.adapters.reading import Reader
from channels.adapters.shopify_parts import (
    ShopifyLine,
    Transaction,
    payment_by_status,
    payments_of,
    shipping_charge,
    spread_order_taxes,
    tax_owner,
)
from config.kernel.money import ZERO
from orders.enums import ChargeKind, NeutralState
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


def parse_order(order: Reader) -> NeutralOrder:
    """A neutral order from one GraphQL order object."""
    currency = order.currency("currencyCode")
    is_cancelled = order.has("cancelledAt")
    # A cancelled order's current quantities are 0: what was ordered stays readable instead.
    is_edited = not is_cancelled and order.maybe_boolean("edited", otherwise=False)
    total_field = "currentTotalPriceSet" if is_edited else "totalPriceSet"
    lines = _lines(order, currency, is_edited)
    charges = _charges(order, currency, is_edited)
    taxes = _taxes(order, "currentTaxLines" if is_edited else "taxLines", currency)
    total = _money(order, total_field, currency)
    return NeutralOrder(
        external_id=order.identifier("id"),
        number=order.maybe_text("name"),
        placed_at=order.utc("processedAt" if order.has("processedAt") else "createdAt"),
        updated_at=order.maybe_utc("updatedAt"),
        currency=currency,
        prices_include_tax=order.boolean("taxesIncluded"),
        state=_state(order, is_cancelled),
        buyer=_buyer(order),
        ship_to=_address(order.maybe_child("shippingAddress")),
        bill_to=_address(order.maybe_child("billingAddress")),
        lines=spread_order_taxes(lines, charges, taxes, currency),
        charges=charges,
        payments=_payments(order, currency),
        total_amount=total,
        shipping_method=", ".join(
            charge.title for charge in charges if charge.kind == ChargeKind.SHIPPING and charge.title
        ),
        note=order.maybe_text("note"),
        is_test=order.maybe_boolean("test", otherwise=False),
        **_seen_by_buyer(order, total_field),  # type: ignore[arg-type]
    )


def _seen_by_buyer(order: Reader, total_field: str) -> dict[str, object]:
    presentment = order.child(total_field).maybe_child("presentmentMoney")
    if presentment is None:
        return {}
    currency = presentment.currency("currencyCode")
    return {"buyer_currency": currency, "buyer_total_amount": presentment.amount("amount", currency)}


def _state(order: Reader, is_cancelled: bool) -> NeutralState:
    if is_cancelled:
        return NeutralState.CANCELLED
    is_held = order.maybe_text("displayFulfillmentStatus") == "ON_HOLD"
    return NeutralState.HELD if is_held else NeutralState.OPEN


def _money(part: Reader, name: str, currency: str) -> Decimal:
    return part.child(name).child("shopMoney").amount("amount", currency)


def _maybe_money(part: Reader, name: str, currency: str) -> Decimal | None:
    return _money(part, name, currency) if part.has(name) else None


def _rows(part: Reader, name: str) -> tuple[Reader, ...]:
    """All rows of a list or connection; a connection that has another page is refused, since a missing line
    would make a smaller order of it."""
    if not isinstance(part.body.get(name), dict):
        return part.children(name)
    connection = part.child(name)
    page = connection.maybe_child("pageInfo")
    if page is not None and page.maybe_boolean("hasNextPage", otherwise=False):
        raise page.refuse("hasNextPage", _("accepted is an order with all pages of this list read"))
    if connection.has("nodes"):
        return connection.children("nodes")
    return tuple(edge.child("node") for edge in connection.children("edges"))


def _maybe_rows(part: Reader, name: str) -> tuple[Reader, ...]:
    return _rows(part, name) if part.has(name) else ()


# Lines


def _lines(order: Reader, currency: str, is_edited: bool) -> tuple[NeutralLine, ...]:
    """Lines at the quantity that is asked for; a line that an edit removed asks for nothing and is left out."""
    found = [(_line(row, currency), row) for row in _rows(order, "lineItems")]
    at = [
        (line, row.maybe_quantity("currentQuantity", otherwise=line.ordered) if is_edited else line.ordered)
        for line, row in found
    ]
    return tuple(line.at(quantity, currency) for line, quantity in at if quantity)


def _line(row: Reader, currency: str) -> ShopifyLine:
    ordered = row.quantity("quantity")
    variant = row.maybe_child("variant")
    is_gift_card = row.maybe_boolean("isGiftCard", otherwise=False)
    return ShopifyLine(
        external_id=row.identifier("id"),
        sku_code=row.maybe_text("sku") or (variant.maybe_text("sku") if variant else ""),
        title=row.first_text("name", "title"),
        ordered=ordered,
        unit_amount=row.child("originalUnitPriceSet").child("shopMoney").decimal("amount"),
        discounts=_discounts(row, currency),
        taxes=_taxes(row, "taxLines", currency),
        requires_shipping=not is_gift_card and row.maybe_boolean("requiresShipping", otherwise=True),
        unfulfilled=row.maybe_quantity("unfulfilledQuantity", otherwise=ordered),
    )


def _discounts(row: Reader, currency: str) -> tuple[NeutralDiscount, ...]:
    found = []
    for allocation in row.maybe_children("discountAllocations"):
        application = allocation.maybe_child("discountApplication") or Reader({})
        amount = _money(allocation, "allocatedAmountSet", currency)
        if amount:
            found.append(
                NeutralDiscount(amount, application.maybe_text("code"), application.maybe_text("title"))
            )
    return tuple(found)


def _taxes(part: Reader, name: str, currency: str) -> tuple[NeutralTax, ...]:
    return tuple(
        NeutralTax(
            title=line.maybe_text("title"),
            amount=_money(line, "priceSet", currency),
            rate=_rate(line),
            owner=tax_owner(line.maybe_boolean("channelLiable", otherwise=False)),
        )
        for line in part.maybe_children(name)
    )


def _rate(line: Reader) -> Decimal | None:
    percent, fraction = line.maybe_decimal("ratePercentage"), line.maybe_decimal("rate")
    return percent if percent is not None or fraction is None else fraction * 100


# Charges


def _charges(order: Reader, currency: str, is_edited: bool) -> tuple[NeutralCharge, ...]:
    shipping = [
        _shipping(row, currency, is_edited)
        for row in _maybe_rows(order, "shippingLines")
        if not (is_edited and row.maybe_boolean("isRemoved", otherwise=False))
    ]
    fees = [_fee(row, row.maybe_text("name"), currency) for row in order.maybe_children("additionalFees")]
    if not order.maybe_boolean("dutiesIncluded", otherwise=False):
        fees += [
            _fee(duty, "Duty", currency)
            for line in _rows(order, "lineItems")
            for duty in line.maybe_children("duties")
        ]
    return (*shipping, *fees)


def _shipping(row: Reader, currency: str, is_edited: bool) -> NeutralCharge:
    discounted = _money(row, "discountedPriceSet", currency)
    taxes = _taxes(row, "taxLines", currency)
    price = _maybe_money(row, "originalPriceSet", currency)
    current = _maybe_money(row, "currentDiscountedPriceSet", currency) if is_edited else None
    if current is not None and current != discounted:
        # Part of the shipping was given back: its original price and discount no longer apply.
        price = discounted = current
    return shipping_charge(
        external_id=row.maybe_text("id"),
        title=row.first_text("title", "code"),
        price=discounted if price is None else price,
        discounted=discounted,
        allocations=_discounts(row, currency),
        taxes=taxes,
    )


def _fee(row: Reader, title: str, currency: str) -> NeutralCharge:
    return NeutralCharge(
        kind=ChargeKind.FEE,
        external_id=row.identifier("id"),
        title=title,
        amount=_money(row, "price", currency),
        taxes=_taxes(row, "taxLines", currency),
    )


# Payments


def _payments(order: Reader, currency: str) -> tuple[NeutralPayment, ...]:
    """From the transactions where they were asked for, else from the financial status and the sums beside it."""
    status = order.maybe_text("displayFinancialStatus")
    if order.has("transactions"):
        rows = _rows(order, "transactions")
        return payments_of([_transaction(row, currency) for row in rows], is_expired=status == "EXPIRED")
    total = _money(order, "totalPriceSet", currency)
    gateways = order.body.get("paymentGatewayNames")
    return payment_by_status(
        status,
        (str(gateways[0]) if isinstance(gateways, list) and gateways else "", order.identifier("id")),
        total=total,
        received=_maybe_money(order, "totalReceivedSet", currency) or total,
        refunded=_maybe_money(order, "totalRefundedSet", currency) or ZERO,
    )


def _transaction(row: Reader, currency: str) -> Transaction:
    parent = row.maybe_child("parentTransaction")
    return Transaction(
        external_id=row.identifier("id"),
        kind=row.maybe_text("kind").upper(),
        status=row.maybe_text("status").upper(),
        gateway=row.maybe_text("gateway"),
        amount=_money(row, "amountSet", currency),
        parent_id=parent.maybe_text("id") if parent else "",
    )


# People


def _buyer(order: Reader) -> NeutralBuyer:
    customer = order.maybe_child("customer") or Reader({})
    address = customer.maybe_child("defaultEmailAddress") or Reader({})
    phone = customer.maybe_child("defaultPhoneNumber") or Reader({})
    locale = order.maybe_text("customerLocale") or customer.maybe_text("locale")
    return NeutralBuyer(
        external_id=customer.maybe_text("id"),
        name=customer.maybe_text("displayName") or _name(customer),
        email=order.maybe_text("email") or address.maybe_text("emailAddress"),
        phone=order.maybe_text("phone") or phone.maybe_text("phoneNumber"),
        language=locale.split("-")[0].lower(),
    )


def _address(address: Reader | None) -> NeutralAddress | None:
    if address is None:
        return None
    return NeutralAddress(
        name=address.maybe_text("name") or _name(address),
        company=address.maybe_text("company"),
        line1=address.maybe_text("address1"),
        line2=address.maybe_text("address2"),
        city=address.maybe_text("city"),
        region=address.first_text("provinceCode", "province"),
        postal_code=address.maybe_text("zip"),
        country_code=address.maybe_country("countryCodeV2", "countryCode"),
        phone=address.maybe_text("phone"),
    )


def _name(person: Reader) -> str:
    return f"{person.maybe_text('firstName')} {person.maybe_text('lastName')}".strip()
