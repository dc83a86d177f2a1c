"""An order as changes see it: its lines, charges, discounts and taxes as plain values that add up."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from config.kernel.money import ZERO


@dataclass(frozen=True, slots=True)
class Tax:
    title: str
    rate: Decimal | None
    amount: Decimal | None
    owner: str


@dataclass(frozen=True, slots=True)
class Share:
    """A discount's share; positive."""

    code: str
    title: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """`value_weight` shares the line's value among its parts, frozen with the line. Units in hand are picked or
    packed now."""

    pk: int | None
    sku_id: int | None
    per_unit: int
    value_weight: int
    ordered: int
    cancelled: int = 0
    shipped: int = 0
    in_hand: int = 0

    @property
    def weight(self) -> int:
        return self.value_weight * self.per_unit

    @property
    def kept(self) -> int:
        """Units that an edit cannot take away any more."""
        return self.cancelled + self.shipped + self.in_hand


@dataclass(frozen=True, slots=True)
class Priced:
    """What a line or a charge costs: `amount` before discounts, None while the channel has not stated it."""

    amount: Decimal | None
    shares: tuple[Share, ...] = ()
    taxes: tuple[Tax, ...] = ()

    @property
    def discount(self) -> Decimal:
        return sum((share.amount for share in self.shares), ZERO)

    @property
    def total(self) -> Decimal | None:
        return None if self.amount is None else self.amount - self.discount

    @property
    def tax(self) -> Decimal | None:
        return add(tax.amount for tax in self.taxes)


@dataclass(frozen=True, slots=True)
class Basis:
    """For how many units a line's price was stated: quantities are scaled from here, or roundings would pile up."""

    quantity: int
    price: Priced


@dataclass(frozen=True, slots=True)
class Line:
    """`ref` is the line's pk, or minus the position of the action that adds it."""

    ref: int
    sku_id: int | None
    sku_code: str
    title: str
    quantity: int
    unit_amount: Decimal | None
    price: Priced
    basis: Basis
    parts: tuple[Part, ...]
    is_shipped: bool = True

    @property
    def name(self) -> str:
        return self.sku_code or self.title

    @property
    def is_cancelled(self) -> bool:
        """Whether nothing of it is left: what it still costs, the order does not."""
        return all(part.cancelled >= part.ordered for part in self.parts)

    @property
    def least(self) -> int:
        """The fewest units that the line can have."""
        return max((-(-part.kept // part.per_unit) for part in self.parts), default=0)

    def units(self, counter: str) -> int:
        """A counter in units of the line, by the part that has most of it."""
        return max((-(-getattr(part, counter) // part.per_unit) for part in self.parts), default=0)


@dataclass(frozen=True, slots=True)
class Charge:
    """`pk` is None for one that a change adds."""

    pk: int | None
    kind: str
    title: str
    price: Priced


class Sums(NamedTuple):
    """An order's sums; each is None while one of its amounts is unknown. As in `totals.Totals`, without owners."""

    lines: Decimal | None
    discounts: Decimal
    charges: Decimal | None
    tax: Decimal | None
    total: Decimal | None


@dataclass(frozen=True, slots=True)
class Shape:
    """One order."""

    number: str
    currency: str
    prices_include_tax: bool
    lines: tuple[Line, ...]
    charges: tuple[Charge, ...] = ()
    shipping_method: str = ""
    address_id: int | None = None

    def sums(self) -> Sums:
        lines = add(line.price.amount for line in self.lines)
        charges = add(charge.price.amount for charge in self.charges)
        priced = [*(line.price for line in self.lines), *(charge.price for charge in self.charges)]
        discounts = sum((price.discount for price in priced), ZERO)
        tax = add(price.tax for price in priced)
        on_top = ZERO if self.prices_include_tax else tax
        return Sums(lines, discounts, charges, tax, add((lines, charges, -discounts, on_top)))


def add(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Their sum, unknown while one of them is."""
    total = ZERO
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total
