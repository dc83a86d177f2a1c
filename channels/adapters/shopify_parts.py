"""What both shapes of a Shopify order share: lines at a quantity, shipping, taxes of the whole order, payments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from channels.adapters.reading import PROVIDER_LENGTH
from config.kernel.money import ZERO, round_money, split_amount
from orders.enums import ChargeKind, MoneyOwner, PaymentStatus
from orders.neutral import NeutralCharge, NeutralDiscount, NeutralLine, NeutralPayment, NeutralTax


@dataclass(frozen=True, slots=True)
class ShopifyLine:
    """A line for all units ever ordered; discounts and taxes are for `ordered` units, removed ones included."""

    external_id: str
    sku_code: str
    title: str
    ordered: int
    unit_amount: Decimal
    discounts: tuple[NeutralDiscount, ...]
    taxes: tuple[NeutralTax, ...]
    requires_shipping: bool
    unfulfilled: int

    def at(self, quantity: int, currency: str) -> NeutralLine:
        """The line for `quantity` of its units."""
        return NeutralLine(
            external_id=self.external_id,
            sku_code=self.sku_code,
            title=self.title,
            quantity=quantity,
            unit_amount=round_money(self.unit_amount, currency),
            subtotal_amount=round_money(self.unit_amount * quantity, currency),
            discounts=tuple(
                replace(discount, amount=amount)
                for discount in self.discounts
                if (amount := _share(discount.amount, quantity, self.ordered, currency))
            ),
            taxes=tuple(
                replace(tax, amount=_share(tax.amount or ZERO, quantity, self.ordered, currency))
                for tax in self.taxes
            ),
            requires_shipping=self.requires_shipping,
            shipped_quantity=max(0, quantity - self.unfulfilled),
        )


def _share(amount: Decimal, part: int, whole: int, currency: str) -> Decimal:
    return amount if part >= whole else split_amount(amount, (part, whole - part), currency)[0]


def tax_owner(is_channel_liable: bool) -> MoneyOwner:
    return MoneyOwner.MARKETPLACE if is_channel_liable else MoneyOwner.SELLER


def shipping_charge(
    external_id: str,
    title: str,
    price: Decimal,
    discounted: Decimal,
    allocations: tuple[NeutralDiscount, ...],
    taxes: tuple[NeutralTax, ...],
) -> NeutralCharge:
    """Shipping worth `discounted`; allocations that do not explain the whole reduction are replaced by it."""
    reduction = max(ZERO, price - discounted)
    if sum((allocation.amount for allocation in allocations), ZERO) != reduction:
        code, title_of = (allocations[0].code, allocations[0].title) if allocations else ("", "")
        allocations = (NeutralDiscount(reduction, code=code, title=title_of),) if reduction else ()
    return NeutralCharge(
        kind=ChargeKind.SHIPPING,
        external_id=external_id,
        title=title,
        amount=discounted + reduction,
        discounts=allocations,
        taxes=taxes,
    )


def spread_order_taxes(
    lines: Sequence[NeutralLine], charges: Sequence[NeutralCharge], taxes: Sequence[NeutralTax], currency: str
) -> tuple[NeutralLine, ...]:
    """Lines that carry the order's own taxes by their worth, where neither lines nor shipping state any.

    An order made through the API may state its taxes on the order alone.
    """
    parts: tuple[NeutralLine | NeutralCharge, ...] = (*lines, *charges)
    if not lines or any(part.taxes for part in parts):
        return tuple(lines)
    spread = list(lines)
    for tax in taxes:
        shares = split_amount(tax.amount or ZERO, [_worth(line) for line in lines], currency)
        spread = [
            replace(line, taxes=(*line.taxes, replace(tax, amount=share)))
            for line, share in zip(spread, shares, strict=True)
        ]
    return tuple(spread)


def _worth(line: NeutralLine) -> Decimal:
    discount = sum((discount.amount for discount in line.discounts), ZERO)
    return max(ZERO, (line.subtotal_amount or ZERO) - discount)


# Payments


@dataclass(frozen=True, slots=True)
class Transaction:
    """One row of an order's `transactions`; kind and status in capitals, `parent_id` empty at a root."""

    external_id: str
    kind: str
    status: str
    gateway: str
    amount: Decimal
    parent_id: str = ""


PROVIDER = "shopify"
_ROOT_KINDS = frozenset({"AUTHORIZATION", "EMV_AUTHORIZATION", "SALE"})
_ROOT_STATUS = {
    "SUCCESS": PaymentStatus.AUTHORISED,
    "FAILURE": PaymentStatus.FAILED,
    "ERROR": PaymentStatus.FAILED,
}
_CAPTURED = frozenset({"PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "REFUNDED"})
_UNCAPTURED = {
    "AUTHORIZED": PaymentStatus.AUTHORISED,
    "VOIDED": PaymentStatus.VOIDED,
    "EXPIRED": PaymentStatus.EXPIRED,
}


def payments_of(transactions: Sequence[Transaction], *, is_expired: bool) -> tuple[NeutralPayment, ...]:
    """One payment for each authorisation or sale, with the captures, voids and refunds that descend from it."""
    by_id = {transaction.external_id: transaction for transaction in transactions}
    roots = [transaction for transaction in transactions if transaction.kind in _ROOT_KINDS]
    below: dict[str, list[Transaction]] = {root.external_id: [] for root in roots}
    for transaction in transactions:
        root = _root(transaction, by_id, roots)
        if root is not None and transaction.kind not in _ROOT_KINDS and transaction.status == "SUCCESS":
            below[root.external_id].append(transaction)
    return tuple(_payment(root, below[root.external_id], is_expired) for root in roots)


def _root(
    transaction: Transaction, by_id: dict[str, Transaction], roots: Sequence[Transaction]
) -> Transaction | None:
    """The root above a transaction; without a known parent the first root of its gateway, else the first."""
    found: Transaction | None = transaction
    for _step in by_id:
        if found is None or found.kind in _ROOT_KINDS:
            break
        found = by_id.get(found.parent_id)
    if found is not None and found.kind in _ROOT_KINDS:
        return found
    return next((root for root in roots if root.gateway == transaction.gateway), roots[0] if roots else None)


def _payment(root: Transaction, below: Iterable[Transaction], is_expired: bool) -> NeutralPayment:
    below = list(below)
    succeeded = root.status == "SUCCESS"
    authorised = root.amount if succeeded else ZERO
    captured = authorised if root.kind == "SALE" else _sum(below, "CAPTURE")
    if captured:
        status = PaymentStatus.CAPTURED
    elif succeeded and any(transaction.kind == "VOID" for transaction in below):
        status = PaymentStatus.VOIDED
    elif succeeded and is_expired:
        status = PaymentStatus.EXPIRED
    else:
        status = _ROOT_STATUS.get(root.status, PaymentStatus.PENDING)
    return NeutralPayment(
        provider=(root.gateway or PROVIDER)[:PROVIDER_LENGTH],
        external_id=root.external_id,
        status=status,
        authorised_amount=max(authorised, captured),
        captured_amount=captured,
        refunded_amount=_sum(below, "REFUND"),
    )


def _sum(transactions: Iterable[Transaction], kind: str) -> Decimal:
    return sum((transaction.amount for transaction in transactions if transaction.kind == kind), ZERO)


def payment_by_status(
    financial_status: str, key: tuple[str, str], *, total: Decimal, received: Decimal, refunded: Decimal
) -> tuple[NeutralPayment, ...]:
    """The one payment that an order's financial status tells of; none without a status or for a total of 0.

    `key` is the gateway, which may be empty, and the order's own id.
    """
    word = financial_status.upper()
    if not word or not total:
        return ()
    is_captured = word in _CAPTURED
    status = PaymentStatus.CAPTURED if is_captured else _UNCAPTURED.get(word, PaymentStatus.PENDING)
    is_authorised = status in _UNCAPTURED.values()
    return (
        NeutralPayment(
            provider=(key[0] or PROVIDER)[:PROVIDER_LENGTH],
            external_id=key[1],
            status=status,
            authorised_amount=received if is_captured else total if is_authorised else ZERO,
            captured_amount=received if is_captured else ZERO,
            refunded_amount=refunded if is_captured else ZERO,
        ),
    )
