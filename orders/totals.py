"""What an order's own parts add up to, beside the total that the channel stated."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from config.kernel.money import ZERO
from orders.enums import MoneyOwner
from orders.neutral import NeutralCharge, NeutralLine, NeutralOrder, NeutralTax


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums in the order's currency; each is None while one of its amounts is unknown.

    `lines` and `charges` are before discounts, in the basis of the order's prices; `discounts` covers both.
    `seller_tax` and `marketplace_tax` are inside those sums when prices include tax, beside them when not.
    `difference` is stated minus computed: what the channel charges that no part explains.
    """

    lines: Decimal | None
    discounts: Decimal
    charges: Decimal | None
    seller_tax: Decimal | None
    marketplace_tax: Decimal | None
    computed_total: Decimal | None
    difference: Decimal | None


def recompute(order: NeutralOrder) -> Totals:
    """Add up a neutral order's parts; nothing is rounded, since the parts already are whole coins."""
    parts: tuple[NeutralLine | NeutralCharge, ...] = (*order.lines, *order.charges)
    taxes = [tax for part in parts for tax in part.taxes]
    lines = _sum(line.subtotal_amount for line in order.lines)
    charges = _sum(charge.amount for charge in order.charges)
    discounts = sum((discount.amount for part in parts for discount in part.discounts), ZERO)
    seller_tax = _owned(taxes, MoneyOwner.SELLER)
    marketplace_tax = _owned(taxes, MoneyOwner.MARKETPLACE)
    on_top = ZERO if order.prices_include_tax else _sum((seller_tax, marketplace_tax))
    computed = _sum((lines, charges, -discounts, on_top))
    return Totals(
        lines=lines,
        discounts=discounts,
        charges=charges,
        seller_tax=seller_tax,
        marketplace_tax=marketplace_tax,
        computed_total=computed,
        difference=None if computed is None or order.total_amount is None else order.total_amount - computed,
    )


def _owned(taxes: Iterable[NeutralTax], owner: MoneyOwner) -> Decimal | None:
    return _sum(tax.amount for tax in taxes if tax.owner == owner)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = ZERO
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total
