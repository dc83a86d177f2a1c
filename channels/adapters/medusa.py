"""Medusa orders (Admin API v2 body) as neutral orders.

Amounts come as JSON floats, and exactly as text in a `raw_` twin, with more digits than the currency has. Each
line and charge is rounded once, on what the buyer pays for it; the order's total is rounded once; what the
roundings leave between them is a charge of kind rounding, so that the stored parts add up to the total.

Prices are given gross when every line and shipping method is tax-inclusive, otherwise all of them net.

Source: Medusa 2.21.2, an order recorded from a running shop.
"""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from channels.adapters.medusa_amounts import (
    Worth,
    exact_of,
    first_total,
    is_inclusive,
    returned_quantity,
    round_exact,
    rounding_charge,
    worth_of,
)
from channels.adapters.reading import PROVIDER_LENGTH, Reader
from config.kernel.money import ZERO
from orders.enums import ChargeKind, NeutralState, PaymentStatus
from orders.neutral import (
    NeutralAddress,
    NeutralBuyer,
    NeutralCharge,
    NeutralLine,
    NeutralOrder,
    NeutralPayment,
)

# A shop's order stays `pending` to its end. An unknown status waits for a person.
_STATES = {
    "pending": NeutralState.OPEN,
    "completed": NeutralState.OPEN,
    "archived": NeutralState.OPEN,
    "canceled": NeutralState.CANCELLED,
    "draft": NeutralState.HELD,
    "requires_action": NeutralState.HELD,
}


def parse_order(order: Reader) -> NeutralOrder:
    """A neutral order from one order body; raises `PayloadError` for a needed field that is missing or wrong.

    The total is the first one: refunds (credit lines in the body) and returned units do not lower it.
    """
    currency = _currency(order)
    items, methods = order.children("items"), order.maybe_children("shipping_methods")
    is_gross = bool(items) and all(map(is_inclusive, (*items, *methods)))
    line_worths = [worth_of(item, currency, is_gross, returned_quantity(item)) for item in items]
    method_worths = [worth_of(method, currency, is_gross) for method in methods]
    worths = [*line_worths, *method_worths]
    charges = [_shipping(method, worth) for method, worth in zip(methods, method_worths, strict=True)]
    customer = order.maybe_child("customer") or Reader({})
    billing = order.maybe_child("billing_address")
    return NeutralOrder(
        external_id=order.identifier("id"),
        number=order.first_text("custom_display_id", "display_id", "id"),
        placed_at=order.utc("created_at"),
        updated_at=order.maybe_utc("updated_at"),
        currency=currency,
        prices_include_tax=is_gross,
        state=_STATES.get(order.maybe_text("status"), NeutralState.HELD),
        buyer=NeutralBuyer(
            external_id=order.maybe_text("customer_id"),
            name=_name(customer) or (_name(billing) if billing else ""),
            email=order.maybe_text("email") or customer.maybe_text("email"),
            phone=customer.maybe_text("phone"),
            language=order.maybe_text("locale").replace("_", "-").split("-")[0].lower(),
        ),
        ship_to=_address(order.maybe_child("shipping_address")),
        bill_to=_address(billing),
        lines=tuple(
            _line(item, worth, currency, is_gross) for item, worth in zip(items, line_worths, strict=True)
        ),
        charges=(*charges, *rounding_charge(worths, currency)),
        payments=_payments(order, currency),
        total_amount=round_exact(first_total(order, items, line_worths), currency),
        shipping_method=", ".join(charge.title for charge in charges if charge.title),
    )


def _currency(order: Reader) -> str:
    """The order's own code; an API call that did not ask for it gets null, so its payments may tell."""
    if order.has("currency_code"):
        return order.currency("currency_code")
    told = {
        collection.currency("currency_code") for collection in order.maybe_children("payment_collections")
    }
    if len(told) != 1:
        raise order.refuse(
            "currency_code",
            _("accepted is a currency code of three letters: ask the shop for the field currency_code"),
        )
    return told.pop()


# Parts


def _line(item: Reader, worth: Worth, currency: str, is_gross: bool) -> NeutralLine:
    quantity = item.quantity("quantity", least=1)
    is_as_typed = is_gross or not is_inclusive(item)
    unit = exact_of(item, "unit_price") if is_as_typed else worth.subtotal / quantity
    variant, detail = item.maybe_child("variant"), item.maybe_child("detail")
    title, variant_title = item.first_text("product_title", "title"), item.maybe_text("variant_title")
    shipped = detail.maybe_quantity("shipped_quantity", otherwise=0) if detail else 0
    return NeutralLine(
        external_id=item.identifier("id"),
        sku_code=item.maybe_text("variant_sku") or (variant.maybe_text("sku") if variant else ""),
        title=f"{title} - {variant_title}" if variant_title and variant_title != title else title,
        quantity=quantity,
        unit_amount=round_exact(unit, currency),
        subtotal_amount=worth.subtotal,
        discounts=worth.discounts,
        taxes=worth.taxes,
        requires_shipping=item.maybe_boolean("requires_shipping", otherwise=True),
        shipped_quantity=min(shipped, quantity),
    )


def _shipping(method: Reader, worth: Worth) -> NeutralCharge:
    return NeutralCharge(
        kind=ChargeKind.SHIPPING,
        external_id=method.identifier("id"),
        title=method.maybe_text("name"),
        amount=worth.subtotal,
        discounts=worth.discounts,
        taxes=worth.taxes,
    )


def _payments(order: Reader, currency: str) -> tuple[NeutralPayment, ...]:
    return tuple(
        _payment(payment, currency)
        for collection in order.maybe_children("payment_collections")
        for payment in collection.maybe_children("payments")
    )


def _payment(payment: Reader, currency: str) -> NeutralPayment:
    """The shop makes a payment when it is authorised; captures and refunds are rows of it."""
    amount = round_exact(exact_of(payment, "amount"), currency)
    captured = _sum_of(payment, "captures", currency)
    if payment.has("captured_at") and not captured:
        captured = amount
    if captured:
        status = PaymentStatus.CAPTURED
    elif payment.has("canceled_at"):
        status = PaymentStatus.VOIDED
    else:
        status = PaymentStatus.AUTHORISED
    return NeutralPayment(
        provider=(payment.maybe_text("provider_id") or "medusa")[:PROVIDER_LENGTH],
        external_id=payment.identifier("id"),
        status=status,
        authorised_amount=amount,
        captured_amount=captured,
        refunded_amount=_sum_of(payment, "refunds", currency),
    )


def _sum_of(payment: Reader, name: str, currency: str) -> Decimal:
    rows = payment.maybe_children(name)
    return round_exact(sum((exact_of(row, "amount") for row in rows), ZERO), currency)


def _address(address: Reader | None) -> NeutralAddress | None:
    if address is None:
        return None
    return NeutralAddress(
        name=_name(address),
        company=address.maybe_text("company"),
        line1=address.maybe_text("address_1"),
        line2=address.maybe_text("address_2"),
        city=address.maybe_text("city"),
        region=address.maybe_text("province"),
        postal_code=address.maybe_text("postal_code"),
        country_code=address.maybe_country("country_code"),
        phone=address.maybe_text("phone"),
    )


def _name(person: Reader) -> str:
    return f"{person.maybe_text('first_name')} {person.maybe_text('last_name')}".strip()
