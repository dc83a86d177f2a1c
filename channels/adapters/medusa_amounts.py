"""A Medusa order's amounts in whole coins.

Source: `packages/core/utils/src/totals` of Medusa 2: subtotal is net before discounts, total is with tax and after
discounts, original_total with tax and before discounts; all leave returned units out.
"""

from dataclasses import dataclass
from decimal import Decimal

from channels.adapters.reading import Reader, to_decimal
from config.kernel.money import ZERO, round_money, split_amount
from orders.enums import ChargeKind
from orders.neutral import NeutralCharge, NeutralDiscount, NeutralTax

_NOISE = Decimal("1E-8")


@dataclass(frozen=True, slots=True)
class Worth:
    """A line's or shipping method's amounts: `exact` as the shop computes it, the rest in whole coins."""

    exact: Decimal
    paid: Decimal
    subtotal: Decimal
    discounts: tuple[NeutralDiscount, ...]
    taxes: tuple[NeutralTax, ...]


def exact_of(part: Reader, name: str) -> Decimal:
    """The unrounded amount, from its `raw_` twin where that is sent."""
    raw = part.body.get(f"raw_{name}")
    exact = to_decimal(raw.get("value")) if isinstance(raw, dict) else None
    return part.decimal(name) if exact is None else exact


def maybe_exact(part: Reader, name: str) -> Decimal:
    return exact_of(part, name) if part.has(name) or part.has(f"raw_{name}") else ZERO


def round_exact(amount: Decimal, currency: str) -> Decimal:
    """Whole coins, after dropping what floats leave in the last digits: 5.004999999999999 was 5.005 in the shop."""
    return round_money(amount.quantize(_NOISE), currency)


def is_inclusive(part: Reader) -> bool:
    return part.maybe_boolean("is_tax_inclusive", otherwise=False)


def worth_of(part: Reader, currency: str, is_gross: bool, returned: int = 0) -> Worth:
    """Amounts for all ordered units: the shop leaves returned ones out of what it states."""
    before, tax, exact = _ordered(part, is_gross) if returned else _stated(part, is_gross)
    after = exact if is_gross else exact - tax
    paid, rounded = round_exact(exact, currency), round_exact(after, currency)
    # Net prices: the tax is what lies between two rounded amounts, which keeps the paid amount exact and no tax
    # below zero, since rounding is monotonous.
    tax_amount = round_exact(tax, currency) if is_gross else paid - rounded
    discount = max(ZERO, round_exact(before - after, currency))
    return Worth(
        exact=exact,
        paid=paid,
        subtotal=rounded + discount,
        discounts=_discounts(part, discount, currency),
        taxes=_taxes(part, tax_amount, currency),
    )


def _stated(part: Reader, is_gross: bool) -> tuple[Decimal, Decimal, Decimal]:
    """The amount before discounts, net or gross, the tax, and what is paid."""
    before = exact_of(part, "original_total" if is_gross else "subtotal")
    return before, exact_of(part, "tax_total"), exact_of(part, "total")


def _ordered(item: Reader, is_gross: bool) -> tuple[Decimal, Decimal, Decimal]:
    """The same three for all units of a line, by the shop's own arithmetic."""
    rate = sum((exact_of(line, "rate") for line in item.maybe_children("tax_lines")), ZERO) / 100
    price = exact_of(item, "unit_price") * item.quantity("quantity")
    subtotal = price / (1 + rate) if is_inclusive(item) else price
    discount = sum(
        (
            exact_of(adjustment, "amount") / (1 + rate if is_inclusive(adjustment) else 1)
            for adjustment in item.maybe_children("adjustments")
        ),
        ZERO,
    )
    tax = (subtotal - discount) * rate
    return price if is_gross else subtotal, tax, subtotal - discount + tax


def returned_quantity(item: Reader) -> int:
    detail = item.maybe_child("detail")
    if detail is None:
        return 0
    names = ("return_received_quantity", "return_dismissed_quantity")
    return sum(detail.maybe_quantity(name, otherwise=0) for name in names)


def _discounts(part: Reader, amount: Decimal, currency: str) -> tuple[NeutralDiscount, ...]:
    if not amount:
        return ()
    adjustments = part.maybe_children("adjustments")
    if not adjustments:
        return (NeutralDiscount(amount),)
    shares = split_amount(amount, [abs(exact_of(entry, "amount")) for entry in adjustments], currency)
    return tuple(
        NeutralDiscount(share, code=entry.maybe_text("code"), title=entry.maybe_text("description"))
        for entry, share in zip(adjustments, shares, strict=True)
        if share
    )


def _taxes(part: Reader, amount: Decimal, currency: str) -> tuple[NeutralTax, ...]:
    lines = part.maybe_children("tax_lines")
    if not lines:
        return (NeutralTax("", amount),) if amount else ()
    rates = [exact_of(line, "rate") for line in lines]
    shares = split_amount(amount, [abs(rate) for rate in rates], currency)
    return tuple(
        NeutralTax(line.first_text("description", "code"), share, rate)
        for line, share, rate in zip(lines, shares, rates, strict=True)
    )


def rounding_charge(worths: list[Worth], currency: str) -> tuple[NeutralCharge, ...]:
    """What rounding every part leaves against rounding their sum; a real difference of the shop stays visible."""
    exact = sum((worth.exact for worth in worths), ZERO)
    left = round_exact(exact, currency) - sum((worth.paid for worth in worths), ZERO)
    return (NeutralCharge(ChargeKind.ROUNDING, "rounding", "", left),) if left else ()


def first_total(order: Reader, items: tuple[Reader, ...], worths: list[Worth]) -> Decimal:
    """The total before refunds and returns.

    `original_total` alone would be wrong: it stands before discounts.
    """
    if not order.has("credit_line_total") and order.has("original_total"):
        total = exact_of(order, "original_total") - maybe_exact(order, "discount_total")
    else:
        total = exact_of(order, "total") + maybe_exact(order, "credit_line_total")
    given_back = (
        worth.exact - exact_of(item, "total")
        for item, worth in zip(items, worths, strict=True)
        if returned_quantity(item)
    )
    return total + sum(given_back, ZERO)
