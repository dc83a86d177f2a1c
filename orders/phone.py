"""An order typed in by staff: its body as JSON, and the neutral order that the body tells of. Pure."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from config.kernel.errors import InvalidInput
from config.kernel.money import ZERO, round_money
from orders.enums import ChargeKind, PaymentStatus
from orders.neutral import (
    NeutralAddress,
    NeutralBuyer,
    NeutralCharge,
    NeutralLine,
    NeutralOrder,
    NeutralPayment,
    NeutralTax,
)

SOURCE = "form:phone"
OWN_KEY = "phone-"


class PhoneLine(TypedDict):
    sku: str
    title: str
    quantity: int
    unit_amount: str


class PhoneOrder(TypedDict):
    """Amounts are decimal text in `currency`; `tax_rate` in percent, "" for none; `paid_by` "" while unpaid."""

    external_id: str
    placed_at: str
    currency: str
    prices_include_tax: bool
    tax_rate: str
    lines: list[PhoneLine]
    shipping_amount: str
    shipping_method: str
    buyer: dict[str, str]
    ship_to: dict[str, str]
    paid_by: str
    payment_reference: str
    note: str


def told_reference(reference: str) -> str:
    """A reference that somebody may know; "" for the key that an order typed in has instead."""
    return "" if reference.startswith(OWN_KEY) else reference


def write_body(order: PhoneOrder) -> str:
    return json.dumps(order, ensure_ascii=False, sort_keys=True)


def tells_the_same(body: str, order: PhoneOrder) -> bool:
    """Whether a body tells of this very order, at whatever moment it was typed; one that was erased is taken for it."""
    given = json.loads(body) if body else {**order}
    return bool(given == {**order, "placed_at": given["placed_at"]})


def read_phone_order(body: str) -> NeutralOrder:
    """The neutral order of a body; its total is the sum of what was typed.

    Refuses: `InvalidInput` for a body that is none of ours.
    """
    try:
        given: PhoneOrder = json.loads(body)
        return _neutral(given)
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise InvalidInput(
            field="body", value=body[:80], accepted=f"{type(error).__name__}: {error}"
        ) from error


def _neutral(given: PhoneOrder) -> NeutralOrder:
    rate = Decimal(given["tax_rate"]) if given["tax_rate"] else None
    currency, inclusive = given["currency"], given["prices_include_tax"]

    def taxes(amount: Decimal) -> tuple[NeutralTax, ...]:
        if rate is None:
            return ()
        net = amount / (1 + rate / 100) if inclusive else amount
        part = amount - net if inclusive else net * rate / 100
        return (NeutralTax("", round_money(part, currency), rate),)

    lines = tuple(_line(line, place, taxes) for place, line in enumerate(given["lines"], start=1))
    shipping = Decimal(given["shipping_amount"] or 0)
    charges = (
        (
            NeutralCharge(
                ChargeKind.SHIPPING, "shipping", given["shipping_method"], shipping, (), taxes(shipping)
            ),
        )
        if shipping
        else ()
    )
    total = sum((line.subtotal_amount or ZERO for line in lines), shipping)
    if not inclusive:
        total += sum((tax.amount or ZERO for part in (*lines, *charges) for tax in part.taxes), ZERO)
    return NeutralOrder(
        external_id=given["external_id"],
        placed_at=datetime.fromisoformat(given["placed_at"]),
        currency=currency,
        prices_include_tax=inclusive,
        lines=lines,
        buyer=NeutralBuyer(**given["buyer"]),
        ship_to=NeutralAddress(**given["ship_to"]),
        charges=charges,
        payments=_payments(given, total),
        total_amount=total,
        shipping_method=given["shipping_method"],
        note=given["note"],
    )


def _line(line: PhoneLine, place: int, taxes: Any) -> NeutralLine:
    unit = Decimal(line["unit_amount"])
    subtotal = unit * line["quantity"]
    return NeutralLine(
        external_id=str(place),
        sku_code=line["sku"],
        title=line["title"],
        quantity=line["quantity"],
        unit_amount=unit,
        subtotal_amount=subtotal,
        taxes=taxes(subtotal),
    )


def _payments(given: PhoneOrder, total: Decimal) -> tuple[NeutralPayment, ...]:
    if not given["paid_by"]:
        return ()
    reference = given["payment_reference"] or given["external_id"]
    return (NeutralPayment(given["paid_by"], reference, PaymentStatus.CAPTURED, total, total),)
