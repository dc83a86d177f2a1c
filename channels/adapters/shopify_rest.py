"""Shopify's order in the shape of webhooks and the old REST API: snake case, prices as text.

A hazard: this shape has no transactions, so its one payment has the order's key. Storing an order from here and
again from GraphQL with transactions would count the same money twice: read each order in one shape.
"""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from channels.adapters.reading import Reader
from channels.adapters.shopify_parts import (
    ShopifyLine,
    payment_by_status,
    shipping_charge,
    spread_order_taxes,
    tax_owner,
)
from config.kernel.money import ZERO, round_money
from orders.enums import NeutralState
from orders.neutral import (
    NeutralAddress,
    NeutralBuyer,
    NeutralCharge,
    NeutralDiscount,
    NeutralOrder,
    NeutralPayment,
    NeutralTax,
)


def parse_order(order: Reader) -> NeutralOrder:
    """A neutral order from one order object (the value of `order` in a REST answer, the whole webhook body)."""
    currency = order.currency("currency")
    is_cancelled = order.has("cancelled_at")
    quantities = _asked_quantities(order)
    is_edited = not is_cancelled and any(asked != ordered for ordered, asked in quantities)
    total_name = "current_total_price" if is_edited else "total_price"
    lines = tuple(
        _line(row, order, currency).at(asked if is_edited else ordered, currency)
        for row, (ordered, asked) in zip(order.children("line_items"), quantities, strict=True)
        if (asked if is_edited else ordered)
    )
    charges = _charges(order, currency, is_edited)
    return NeutralOrder(
        external_id=_gid(order, "Order"),
        number=order.first_text("name", "order_number"),
        placed_at=order.utc("processed_at" if order.has("processed_at") else "created_at"),
        updated_at=order.maybe_utc("updated_at"),
        currency=currency,
        prices_include_tax=order.boolean("taxes_included"),
        state=NeutralState.CANCELLED if is_cancelled else NeutralState.OPEN,
        buyer=_buyer(order),
        ship_to=_address(order.maybe_child("shipping_address")),
        bill_to=_address(order.maybe_child("billing_address")),
        lines=spread_order_taxes(lines, charges, _taxes(order, currency), currency),
        charges=charges,
        payments=_payments(order, currency),
        total_amount=_money(order, total_name, currency),
        shipping_method=", ".join(charge.title for charge in charges if charge.title),
        note=order.maybe_text("note"),
        is_test=order.maybe_boolean("test", otherwise=False),
        **_seen_by_buyer(order, total_name),  # type: ignore[arg-type]
    )


def _seen_by_buyer(order: Reader, total_name: str) -> dict[str, object]:
    total = order.maybe_child(f"{total_name}_set")
    presentment = total.maybe_child("presentment_money") if total else None
    if presentment is None:
        return {}
    currency = presentment.currency("currency_code")
    return {"buyer_currency": currency, "buyer_total_amount": presentment.amount("amount", currency)}


def _gid(part: Reader, kind: str) -> str:
    return part.maybe_text("admin_graphql_api_id") or f"gid://shopify/{kind}/{part.identifier('id')}"


def _exact(part: Reader, name: str) -> Decimal:
    """The amount in the shop's currency: `<name>_set.shop_money`, which the oldest bodies do not have."""
    bag = part.maybe_child(f"{name}_set")
    return bag.child("shop_money").decimal("amount") if bag else part.decimal(name)


def _money(part: Reader, name: str, currency: str) -> Decimal:
    return round_money(_exact(part, name), currency)


def _has_money(part: Reader, name: str) -> bool:
    return part.has(name) or part.has(f"{name}_set")


# Lines


def _asked_quantities(order: Reader) -> list[tuple[int, int]]:
    """Ordered and asked units of each line: asked leaves out what an edit removed, but not what was refunded.

    This shape has no flag for an edited order; units that are gone without money going back were edited away.
    """
    refunded: dict[str, int] = {}
    for refund in order.maybe_children("refunds"):
        if not refund.maybe_children("transactions"):
            continue
        for row in refund.maybe_children("refund_line_items"):
            line_id = row.identifier("line_item_id")
            refunded[line_id] = refunded.get(line_id, 0) + row.quantity("quantity")
    found = []
    for line in order.children("line_items"):
        ordered = line.quantity("quantity")
        current = line.maybe_quantity("current_quantity", otherwise=ordered)
        found.append((ordered, min(ordered, current + refunded.get(line.identifier("id"), 0))))
    return found


def _line(row: Reader, order: Reader, currency: str) -> ShopifyLine:
    ordered = row.quantity("quantity")
    is_gift_card = row.maybe_boolean("gift_card", otherwise=False)
    return ShopifyLine(
        external_id=_gid(row, "LineItem"),
        sku_code=row.maybe_text("sku"),
        title=row.first_text("name", "title"),
        ordered=ordered,
        unit_amount=_exact(row, "price"),
        discounts=_discounts(row, order, currency),
        taxes=_taxes(row, currency),
        requires_shipping=not is_gift_card and row.maybe_boolean("requires_shipping", otherwise=True),
        unfulfilled=row.maybe_quantity("fulfillable_quantity", otherwise=ordered),
    )


def _discounts(row: Reader, order: Reader, currency: str) -> tuple[NeutralDiscount, ...]:
    if not row.has("discount_allocations"):
        total = _money(row, "total_discount", currency) if _has_money(row, "total_discount") else ZERO
        return (NeutralDiscount(total),) if total else ()
    applications = order.maybe_children("discount_applications")
    found = []
    for allocation in row.children("discount_allocations"):
        index = allocation.maybe_quantity("discount_application_index", otherwise=len(applications))
        application = applications[index] if index < len(applications) else Reader({})
        amount = _money(allocation, "amount", currency)
        if amount:
            found.append(
                NeutralDiscount(amount, application.maybe_text("code"), application.maybe_text("title"))
            )
    return tuple(found)


def _taxes(part: Reader, currency: str) -> tuple[NeutralTax, ...]:
    return tuple(
        NeutralTax(
            title=line.maybe_text("title"),
            amount=_money(line, "price", currency),
            rate=None if (rate := line.maybe_decimal("rate")) is None else rate * 100,
            owner=tax_owner(line.maybe_boolean("channel_liable", otherwise=False)),
        )
        for line in part.maybe_children("tax_lines")
    )


def _charges(order: Reader, currency: str, is_edited: bool) -> tuple[NeutralCharge, ...]:
    return tuple(
        _shipping(row, order, currency)
        for row in order.maybe_children("shipping_lines")
        if not (is_edited and row.maybe_boolean("is_removed", otherwise=False))
    )


def _shipping(row: Reader, order: Reader, currency: str) -> NeutralCharge:
    price = _money(row, "price", currency)
    allocations = _discounts(row, order, currency)
    has_discounted = _has_money(row, "discounted_price")
    allocated = sum((allocation.amount for allocation in allocations), ZERO)
    return shipping_charge(
        external_id=_gid(row, "ShippingLine") if row.has("id") else "",
        title=row.first_text("title", "code"),
        price=price,
        discounted=_money(row, "discounted_price", currency) if has_discounted else price - allocated,
        allocations=allocations,
        taxes=_taxes(row, currency),
    )


# Payments


def _payments(order: Reader, currency: str) -> tuple[NeutralPayment, ...]:
    """From the financial status: this shape carries refunds' transactions, no others."""
    status = order.maybe_text("financial_status")
    total = _money(order, "total_price", currency)
    outstanding = _money(order, "total_outstanding", currency) if order.has("total_outstanding") else ZERO
    gateways = order.body.get("payment_gateway_names")
    gateway = str(gateways[0]) if isinstance(gateways, list) and gateways else order.maybe_text("gateway")
    return payment_by_status(
        status,
        (gateway, _gid(order, "Order")),
        total=total,
        received=total - outstanding if status == "partially_paid" else total,
        refunded=_refunded(order, status, total, currency),
    )


def _refunded(order: Reader, status: str, total: Decimal, currency: str) -> Decimal:
    refunded = sum(
        (
            _money(transaction, "amount", currency)
            for refund in order.maybe_children("refunds")
            for transaction in refund.maybe_children("transactions")
            if transaction.maybe_text("kind") == "refund" and transaction.maybe_text("status") == "success"
        ),
        ZERO,
    )
    if refunded or status not in {"refunded", "partially_refunded"}:
        return refunded
    if status == "partially_refunded":
        raise order.refuse(
            "refunds", _("accepted are the refunds with their transactions, as part was refunded")
        )
    return total


# People


def _buyer(order: Reader) -> NeutralBuyer:
    customer = order.maybe_child("customer") or Reader({})
    has_key = customer.has("admin_graphql_api_id") or customer.has("id")
    return NeutralBuyer(
        external_id=_gid(customer, "Customer") if has_key else "",
        name=_name(customer),
        email=order.first_text("email", "contact_email") or customer.maybe_text("email"),
        phone=order.maybe_text("phone") or customer.maybe_text("phone"),
        language=order.maybe_text("customer_locale").split("-")[0].lower(),
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
        region=address.first_text("province_code", "province"),
        postal_code=address.maybe_text("zip"),
        country_code=address.maybe_country("country_code"),
        phone=address.maybe_text("phone"),
    )


def _name(person: Reader) -> str:
    return f"{person.maybe_text('first_name')} {person.maybe_text('last_name')}".strip()
