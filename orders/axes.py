"""Where an order's goods and its money stand: two pure readings of its parts and its payments."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from config.kernel.money import ZERO
from orders.enums import FulfillmentStatus, PaymentAxis, PaymentStatus

_AUTHORISED = frozenset({PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED})


class PartState(NamedTuple):
    """The counters of one part that is shipped goods; `waiting` are its units in the backorder queue."""

    ordered: int
    cancelled: int = 0
    allocated: int = 0
    waiting: int = 0
    shipped: int = 0
    delivered: int = 0

    @property
    def owed(self) -> int:
        return self.ordered - self.cancelled

    @property
    def undecided(self) -> int:
        """Units that are neither shipped nor reserved and wait for no stock either."""
        return max(0, self.owed - self.shipped - self.allocated - self.waiting)


@dataclass(frozen=True, slots=True)
class PaymentState:
    """One payment as reported; amounts in the order's currency."""

    status: str
    authorised: Decimal
    captured: Decimal
    refunded: Decimal


def derive_fulfillment(parts: Sequence[PartState]) -> FulfillmentStatus:
    """The fulfillment axis: the first that is true of the units still owed.

    Give only parts of lines that are shipped; those whose SKU is unknown count as not allocated.
    """
    parts = [part for part in parts if part.owed > 0]
    if not parts:
        return FulfillmentStatus.NOTHING_TO_SHIP
    if all(part.delivered >= part.owed for part in parts):
        return FulfillmentStatus.DELIVERED
    if all(part.shipped >= part.owed for part in parts):
        return FulfillmentStatus.SHIPPED
    if any(part.waiting for part in parts):
        return FulfillmentStatus.BACKORDERED
    if any(part.shipped for part in parts):
        return FulfillmentStatus.PARTLY_SHIPPED
    if all(part.allocated >= part.owed for part in parts):
        return FulfillmentStatus.ALLOCATED
    if any(part.allocated for part in parts):
        return FulfillmentStatus.PARTLY_ALLOCATED
    return FulfillmentStatus.UNALLOCATED


def derive_payment(total: Decimal | None, payments: Sequence[PaymentState]) -> PaymentAxis:
    """The payment axis of an order that costs `total`; None while the channel has not stated it.

    Any refund shows before what was paid. Money against an unknown total is `partly_paid`; an order that costs
    nothing, or less, is paid.
    """
    captured = sum((payment.captured for payment in payments), ZERO)
    refunded = sum((payment.refunded for payment in payments), ZERO)
    if refunded > 0:
        return PaymentAxis.REFUNDED if refunded >= captured else PaymentAxis.PARTLY_REFUNDED
    if captured > 0:
        return _paid(total, captured)
    if total is not None and total <= 0:
        return PaymentAxis.PAID
    if any(payment.status in _AUTHORISED and payment.authorised > 0 for payment in payments):
        return PaymentAxis.AUTHORISED
    return PaymentAxis.UNPAID


def _paid(total: Decimal | None, captured: Decimal) -> PaymentAxis:
    if total is None or captured < total:
        return PaymentAxis.PARTLY_PAID
    return PaymentAxis.PAID if captured == total else PaymentAxis.OVERPAID
