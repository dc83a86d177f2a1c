"""WooCommerce orders (REST v3 body) as neutral orders.

Line amounts are net with their taxes beside them whatever `prices_include_tax` says: that flag only tells how
the shop types prices. A coupon's share of a line is subtotal − total; `coupon_lines` repeat the sum.

A shop that rounds its taxes at the subtotal sends each line's tax entry unrounded (1.125 beside a `total_tax` of
1.13) and rounds their sum: what that leaves is a charge of kind rounding. Any other difference stays visible.

Source: WooCommerce 10.0.2, bodies recorded from a running shop; REST API v3 manual, section Orders.
"""

import html
from collections.abc import Mapping
from decimal import Decimal

from channels.adapters.reading import PROVIDER_LENGTH, Reader
from config.kernel.money import ZERO, coin, round_money, split_amount
from orders.enums import ChargeKind, NeutralState, PaymentStatus
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

# `refunded` is set by the shop when all the money went back: nothing is left to ship. A `failed` payment can be
# tried again by the buyer, so such an order waits. Plug-ins add statuses: an unknown one waits for a person.
_STATES = {
    "pending": NeutralState.OPEN,
    "processing": NeutralState.OPEN,
    "completed": NeutralState.OPEN,
    "on-hold": NeutralState.HELD,
    "failed": NeutralState.HELD,
    "cancelled": NeutralState.CANCELLED,
    "refunded": NeutralState.CANCELLED,
    "trash": NeutralState.CANCELLED,
}
_UNPAID = {
    "failed": PaymentStatus.FAILED,
    "cancelled": PaymentStatus.VOIDED,
    "trash": PaymentStatus.VOIDED,
}

Rates = Mapping[str, tuple[str, Decimal | None]]


def parse_order(order: Reader) -> NeutralOrder:
    """A neutral order from one order body; raises `PayloadError` for a needed field that is missing or wrong."""
    external_id = order.identifier("id")
    currency = order.currency("currency")
    status = order.maybe_text("status")
    total = order.amount("total", currency)
    rates = _rates(order)
    lines, charges = _lines(order, currency, rates), _charges(order, currency, rates)
    return NeutralOrder(
        external_id=external_id,
        number=order.maybe_text("number") or external_id,
        placed_at=order.utc("date_created_gmt", naive_is_utc=True),
        updated_at=order.maybe_utc("date_modified_gmt", naive_is_utc=True),
        currency=currency,
        prices_include_tax=False,
        state=_STATES.get(status, NeutralState.HELD),
        buyer=_buyer(order),
        ship_to=_address(order.maybe_child("shipping")),
        bill_to=_address(order.maybe_child("billing")),
        lines=lines,
        charges=(*charges, *_rounding(order, currency, (*lines, *charges))),
        payments=_payments(order, currency, total),
        total_amount=total,
        shipping_method=_shipping_method(order),
        note=order.maybe_text("customer_note"),
    )


def _rates(order: Reader) -> Rates:
    return {
        line.identifier("rate_id"): (
            line.first_text("label", "rate_code"),
            line.maybe_decimal("rate_percent"),
        )
        for line in order.maybe_children("tax_lines")
    }


def _lines(order: Reader, currency: str, rates: Rates) -> tuple[NeutralLine, ...]:
    codes = ", ".join(coupon.maybe_text("code") for coupon in order.maybe_children("coupon_lines"))
    is_completed = order.maybe_text("status") == "completed"
    return tuple(_line(line, currency, rates, codes, is_completed) for line in order.children("line_items"))


def _line(line: Reader, currency: str, rates: Rates, codes: str, is_completed: bool) -> NeutralLine:
    quantity = line.quantity("quantity", least=1)
    total = line.amount("total", currency)
    # A total above the subtotal is a price raised by hand, no discount.
    subtotal = max(line.maybe_amount("subtotal", currency) or total, total)
    discount = subtotal - total
    return NeutralLine(
        external_id=line.identifier("id"),
        sku_code=line.maybe_text("sku"),
        title=html.unescape(line.maybe_text("name")),
        quantity=quantity,
        unit_amount=round_money(subtotal / quantity, currency),
        subtotal_amount=subtotal,
        discounts=(NeutralDiscount(discount, code=codes),) if discount else (),
        taxes=_taxes(line, currency, rates),
        shipped_quantity=quantity if is_completed else 0,
    )


def _taxes(part: Reader, currency: str, rates: Rates) -> tuple[NeutralTax, ...]:
    stated = part.maybe_amount("total_tax", currency)
    entries = tuple(entry for entry in part.maybe_children("taxes") if entry.has("total"))
    amounts = [entry.maybe_decimal("total") or ZERO for entry in entries]
    if not entries:
        return (NeutralTax("", stated),) if stated else ()
    shares = _whole_coins(amounts, stated, currency)
    named = [rates.get(entry.identifier("id"), ("", None)) for entry in entries]
    return tuple(NeutralTax(title, share, rate) for (title, rate), share in zip(named, shares, strict=True))


def _whole_coins(amounts: list[Decimal], stated: Decimal | None, currency: str) -> tuple[Decimal, ...]:
    """Entries in whole coins.

    Only `total_tax` is rounded by the shop; its entries may carry more digits, and then each rounded alone can
    miss the stated sum by a coin.
    """
    rounded = tuple(round_money(amount, currency) for amount in amounts)
    exact = sum(amounts, ZERO)
    if stated is None or sum(rounded) == stated or round_money(exact, currency) != stated:
        return rounded
    return split_amount(stated, [abs(amount) for amount in amounts], currency)


def _rounding(
    order: Reader, currency: str, parts: tuple[NeutralLine | NeutralCharge, ...]
) -> tuple[NeutralCharge, ...]:
    """The shop's tax minus the parts' taxes, where only rounding can have made it."""
    stated = order.maybe_amount("total_tax", currency)
    exact = [
        entry.maybe_decimal("total") or ZERO
        for name in ("line_items", "shipping_lines", "fee_lines")
        for part in order.maybe_children(name)
        for entry in part.maybe_children("taxes")
    ]
    is_finer = any(amount != round_money(amount, currency) for amount in exact)
    # Each rate is rounded twice, over lines and over shipping, by at most half a coin.
    reach = coin(currency) * max(1, len(order.maybe_children("tax_lines")))
    if stated is None or not is_finer or abs(stated - sum(exact, ZERO)) > reach:
        return ()
    left = stated - sum((tax.amount or ZERO for part in parts for tax in part.taxes), ZERO)
    return (NeutralCharge(ChargeKind.ROUNDING, "rounding", "", left),) if left else ()


def _charges(order: Reader, currency: str, rates: Rates) -> tuple[NeutralCharge, ...]:
    shipping = [
        _charge(line, ChargeKind.SHIPPING, "method_title", currency, rates)
        for line in order.maybe_children("shipping_lines")
    ]
    fees = [
        _charge(line, ChargeKind.FEE, "name", currency, rates) for line in order.maybe_children("fee_lines")
    ]
    return (*shipping, *fees)


def _charge(line: Reader, kind: ChargeKind, title: str, currency: str, rates: Rates) -> NeutralCharge:
    return NeutralCharge(
        kind=kind,
        external_id=line.identifier("id"),
        title=html.unescape(line.maybe_text(title)),
        amount=line.amount("total", currency),
        taxes=_taxes(line, currency, rates),
    )


def _payments(order: Reader, currency: str, total: Decimal) -> tuple[NeutralPayment, ...]:
    """The one payment an order has; a refund is listed with a negative total. None for an order worth nothing."""
    if total == 0:
        return ()
    refunds = order.maybe_children("refunds")
    refunded = sum((abs(refund.amount("total", currency)) for refund in refunds), ZERO)
    is_paid = order.has("date_paid_gmt") or order.has("date_paid")
    # What went back must have come in, even where the shop has no date for it.
    paid = max(total if is_paid else ZERO, refunded)
    status = _UNPAID.get(order.maybe_text("status"), PaymentStatus.PENDING)
    return (
        NeutralPayment(
            provider=(order.maybe_text("payment_method") or "woocommerce")[:PROVIDER_LENGTH],
            # Not the gateway's transaction: that is empty until paid, and a payment keeps its key.
            external_id=order.identifier("id"),
            status=PaymentStatus.CAPTURED if paid else status,
            authorised_amount=paid,
            captured_amount=paid,
            refunded_amount=refunded,
        ),
    )


def _buyer(order: Reader) -> NeutralBuyer:
    # Customer 0 is a guest.
    customer = order.maybe_text("customer_id")
    billing = order.maybe_child("billing") or Reader({})
    return NeutralBuyer(
        external_id="" if customer == "0" else customer,
        name=_name(billing) or billing.maybe_text("company"),
        email=billing.maybe_text("email"),
        phone=billing.maybe_text("phone"),
    )


def _address(address: Reader | None) -> NeutralAddress | None:
    """None when every field is empty, as the shop sends it for orders without shipping."""
    if address is None:
        return None
    found = NeutralAddress(
        name=_name(address),
        company=address.maybe_text("company"),
        line1=address.maybe_text("address_1"),
        line2=address.maybe_text("address_2"),
        city=address.maybe_text("city"),
        region=address.maybe_text("state"),
        postal_code=address.maybe_text("postcode"),
        country_code=address.maybe_country("country"),
        phone=address.maybe_text("phone"),
        email=address.maybe_text("email"),
    )
    return None if found == NeutralAddress() else found


def _name(address: Reader) -> str:
    return f"{address.maybe_text('first_name')} {address.maybe_text('last_name')}".strip()


def _shipping_method(order: Reader) -> str:
    titles = (
        html.unescape(line.maybe_text("method_title")) for line in order.maybe_children("shipping_lines")
    )
    return ", ".join(title for title in titles if title)
