"""What intake refuses, and what it holds for a person to look at: pure readings of one neutral order."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import InvalidInput
from config.kernel.languages import filled
from config.kernel.money import ZERO
from config.kernel.quantities import COLUMN_HOLDS, MOST_UNITS
from config.kernel.texts import is_storable, shown_whole
from orders.enums import SENT_BACK, TEST_ORDER, HoldKind, NeutralState, PaymentStatus
from orders.neutral import NeutralCharge, NeutralLine, NeutralOrder, NeutralPayment
from orders.parts import KnownSku
from orders.totals import Totals

MOST_LINES = 10_000
KEY_LENGTH = 120
# Days are added to it and taken off, and it is shown in every zone.
FIRST_YEAR, LAST_YEAR = 1970, 2200
AMOUNT_LIMIT = Decimal(10) ** 14
RATE_LIMIT = Decimal(10) ** 5
PAID = frozenset({PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED})
ONCE = _("accepted is each once")
A_KEY = _("accepted is a reference of 1 to 120 characters")
AN_AMOUNT = _("accepted is a number below 100 trillion")
UNIT_AMOUNT = "lines[%s].unit_amount"
# Finer amounts would be kept rounded, and not add up to their sums.
GRAIN = Decimal("0.0001")
WHOLE_GRAINS = _("accepted are amounts with up to four decimals")

Found = tuple[str, Any, str | Promise]


@dataclass(frozen=True, slots=True)
class NewHold:
    """A hold to raise. `facts` are codes, ids and amounts as text."""

    kind: HoldKind
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Findings:
    """What the rows say about an order: SKU codes nobody knows, address fields that were too long to keep, the
    number of an order that it seems to repeat, and the import that is not finished."""

    unknown_skus: tuple[str, ...] = ()
    cut_address: tuple[str, ...] = ()
    repeats: str = ""
    import_run_id: int | None = None


def refusal_of(order: NeutralOrder) -> InvalidInput | None:
    """Why an order cannot be stored at all, or None: the first fault, with its field, value and what is accepted."""
    for name, value, accepted in _faults(order):
        return InvalidInput(field=name, value=shown(value), accepted=accepted)
    return None


def amounts_refusal(order: NeutralOrder) -> InvalidInput | None:
    """Why the amounts of a later body cannot be stored, or None, as `refusal_of`."""
    for name, value, accepted in _amount_faults(order):
        return InvalidInput(field=name, value=shown(value), accepted=accepted)
    return None


def shown(value: object) -> str:
    """A refused value as it can be kept beside the raw order."""
    return shown_whole(str(value)[:80])


def _faults(order: NeutralOrder) -> Iterator[Found]:
    if not is_key(order.external_id):
        yield "external_id", order.external_id, A_KEY
    if len(order.currency) != 3 or not (order.currency.isascii() and order.currency.isupper()):
        yield "currency", order.currency, _("accepted is a currency code of three capitals, such as EUR")
    if order.placed_at.tzinfo is None:
        yield "placed_at", order.placed_at, _("accepted is a time with its zone")
    elif not FIRST_YEAR <= order.placed_at.year <= LAST_YEAR:
        yield "placed_at", order.placed_at, _("accepted is a time from 1970 to 2200")
    if not 0 < len(order.lines) <= MOST_LINES:
        yield "lines", len(order.lines), _("accepted are 1 to 10,000 lines")
    yield from _amount_faults(order)
    yield from _line_faults(order)
    for index, payment in enumerate(order.payments):
        yield from payment_faults(payment, f"payments[{index}]")
    yield from _repeated("payments", [f"{one.provider} {one.external_id}" for one in order.payments])


def is_key(text: str) -> bool:
    """Whether a reference can be stored as it is: a key is never cut or cleaned."""
    return 0 < len(text) <= KEY_LENGTH and is_storable(text)


def fits(amount: Decimal) -> bool:
    """Whether a money column holds an amount."""
    return amount.is_finite() and abs(amount) < AMOUNT_LIMIT


def _amount_faults(order: NeutralOrder) -> Iterator[Found]:
    whole = ZERO
    for name, place, amount in _amounts(order):
        if amount is None:
            continue
        if not fits(amount):
            yield name % place, amount, AN_AMOUNT
        # The price of one unit is never added up, and channels state it finer.
        elif name is not UNIT_AMOUNT and amount % GRAIN:
            yield name % place, amount, WHOLE_GRAINS
        whole += abs(amount)
    if not fits(whole):  # Every sum that is stored of them is within theirs all.
        yield "amounts", whole, _("accepted are amounts that come to less than 100 trillion together")
    groups: tuple[tuple[str, Sequence[NeutralLine | NeutralCharge]], ...] = (
        ("lines", order.lines),
        ("charges", order.charges),
    )
    for where, parts in groups:
        for index, part in enumerate(parts):
            for discount in part.discounts:
                if discount.amount < 0:
                    yield f"{where}[{index}].discounts", discount.amount, _("accepted are positive amounts")
            for tax in part.taxes:
                if tax.rate is not None and not (tax.rate.is_finite() and abs(tax.rate) < RATE_LIMIT):
                    yield f"{where}[{index}].taxes.rate", tax.rate, _("accepted is a rate in percent")


def _line_faults(order: NeutralOrder) -> Iterator[Found]:
    for index, line in enumerate(order.lines):
        name = f"lines[{index}]"
        if not is_key(line.external_id):
            yield f"{name}.external_id", line.external_id, A_KEY
        if not 0 < line.quantity <= MOST_UNITS:
            accepted = filled(_("accepted are whole units, from 1 to %(most)s"), {"most": MOST_UNITS})
            yield f"{name}.quantity", line.quantity, accepted
        if not 0 <= line.shipped_quantity <= line.quantity:
            yield f"{name}.shipped_quantity", line.shipped_quantity, _("accepted are units of the line")
    yield from _repeated("lines", [line.external_id for line in order.lines])


def too_many_units(order: NeutralOrder, skus: Mapping[str, KnownSku]) -> InvalidInput | None:
    """Whether a kit's parts come to more units than a line may have, or all lines to more than can be counted."""
    units = 0
    for index, line in enumerate(order.lines):
        sku = skus.get(line.sku_code.strip())
        if (problem := too_many_parts(f"lines[{index}].quantity", line.quantity, sku)) is not None:
            return problem
        units += line.quantity * (sum(share.per_unit for share in sku.shares or ()) or 1 if sku else 1)
    if units <= COLUMN_HOLDS:
        return None
    accepted = filled(_("accepted are at most %(most)s units together"), {"most": COLUMN_HOLDS})
    return InvalidInput(field="lines", value=str(units), accepted=accepted)


def too_many_parts(field: str, quantity: int, sku: KnownSku | None) -> InvalidInput | None:
    """Whether so many of a SKU are more units of one of its parts than a line may have."""
    most = max((share.per_unit for share in sku.shares or ()), default=1) if sku is not None else 1
    if quantity * most <= MOST_UNITS:
        return None
    accepted = filled(_("accepted are at most %(most)s units"), {"most": MOST_UNITS // most})
    return InvalidInput(field=field, value=str(quantity), accepted=accepted)


def payment_faults(payment: NeutralPayment, name: str) -> Iterator[Found]:
    """What no payment may say: more refunded than captured, more captured than authorised, less than nothing, more
    or finer than can be stored."""
    if not (is_key(payment.provider) and len(payment.provider) <= 60 and is_key(payment.external_id)):
        yield f"{name}.external_id", f"{payment.provider} {payment.external_id}", A_KEY
    amounts = (payment.authorised_amount, payment.captured_amount, payment.refunded_amount)
    if wrong := [amount for amount in amounts if not amount.is_finite() or amount < 0]:
        yield name, wrong[0], _("accepted are amounts from 0")
        return
    if not all(map(fits, amounts)):
        yield name, max(amounts), AN_AMOUNT
        return
    if finer := [amount for amount in amounts if amount % GRAIN]:
        yield name, finer[0], WHOLE_GRAINS
        return
    if payment.refunded_amount > payment.captured_amount:
        yield (
            f"{name}.refunded_amount",
            payment.refunded_amount,
            filled(_("accepted is at most what was captured (%(most)s)"), {"most": payment.captured_amount}),
        )
    if payment.authorised_amount and payment.captured_amount > payment.authorised_amount:
        yield (
            f"{name}.captured_amount",
            payment.captured_amount,
            filled(
                _("accepted is at most what was authorised (%(most)s)"), {"most": payment.authorised_amount}
            ),
        )


def _repeated(name: str, keys: list[str]) -> Iterator[Found]:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            yield name, key, ONCE
        seen.add(key)


def _amounts(order: NeutralOrder) -> Iterator[tuple[str, tuple[object, ...], Decimal | None]]:
    """Every amount with its name, put together only where it is needed."""
    yield "total_amount", (), order.total_amount
    for index, line in enumerate(order.lines):
        yield UNIT_AMOUNT, (index,), line.unit_amount
        yield "lines[%s].subtotal_amount", (index,), line.subtotal_amount
    for index, charge in enumerate(order.charges):
        yield "charges[%s].amount", (index,), charge.amount
    parts: tuple[NeutralLine | NeutralCharge, ...] = (*order.lines, *order.charges)
    for part in parts:
        for tax in part.taxes:
            yield "taxes of %s", (part.external_id,), tax.amount
        for discount in part.discounts:
            yield "discounts of %s", (part.external_id,), discount.amount


def holds_for(order: NeutralOrder, totals: Totals, findings: Findings) -> list[NewHold]:
    """The holds that a new order begins with, by the table of holds; none for an order cancelled already."""
    if order.state == NeutralState.CANCELLED:
        return []
    return list(_holds(order, totals, findings))


def _holds(order: NeutralOrder, totals: Totals, findings: Findings) -> Iterator[NewHold]:
    if missing := _missing(order, totals):
        yield NewHold(HoldKind.AWAITING_DETAILS, facts={"missing": missing})
    why = why_unpaid(order.payments, has_goods=_has_goods(order))
    is_free = order.total_amount is not None and order.total_amount <= 0
    if why is not None and not is_free:
        yield NewHold(HoldKind.UNPAID, facts=why)
    if findings.unknown_skus:
        yield NewHold(HoldKind.UNKNOWN_SKU, facts={"skus": list(findings.unknown_skus)})
    if totals.difference:
        facts = difference_facts(order.total_amount, totals.computed_total, totals.difference, order.currency)
        yield NewHold(HoldKind.TOTALS, facts=facts)
    if faults := address_faults(order, findings.cut_address):
        yield NewHold(HoldKind.ADDRESS, facts=faults)
    if findings.repeats:
        yield NewHold(HoldKind.DUPLICATE, facts={"order": findings.repeats})
    if findings.import_run_id is not None:
        yield NewHold(HoldKind.IMPORT, facts={"run": findings.import_run_id})
    if order.is_test:
        yield NewHold(HoldKind.MANUAL, reason="test order", facts={"cause": TEST_ORDER})


def difference_facts(
    sent: Decimal | None, computed: Decimal | None, difference: Decimal, currency: str
) -> dict[str, str]:
    """What a totals hold says: the channel's total beside our sum."""
    return {
        "sent": str(sent),
        "computed": str(computed),
        "difference": str(difference),
        "currency": currency,
    }


class Paid(Protocol):
    """A payment, as a channel reports it or as it is stored."""

    @property
    def status(self) -> str: ...
    @property
    def authorised_amount(self) -> Decimal: ...
    @property
    def captured_amount(self) -> Decimal: ...
    @property
    def refunded_amount(self) -> Decimal: ...


def stands(payment: Paid) -> bool:
    """Whether money is authorised or captured by a payment and was not all sent back; a payment of 0 is none."""
    return payment.refunded_amount < _had(payment)


def _had(payment: Paid) -> Decimal:
    """What came in by a payment or is sure to come."""
    if payment.status not in PAID:
        return ZERO
    if payment.status == PaymentStatus.AUTHORISED:
        return max(payment.captured_amount, payment.authorised_amount)
    return payment.captured_amount


def why_unpaid(payments: Collection[Paid], *, has_goods: bool) -> dict[str, str] | None:
    """What an unpaid hold says of an order that costs something; None where no such hold is called for.

    That all was sent back matters only while the order `has_goods` which have not left.
    """
    if any(map(stands, payments)):
        return None
    if any(_had(payment) > 0 for payment in payments):
        return {"cause": SENT_BACK} if has_goods else None
    return {}


def _missing(order: NeutralOrder, totals: Totals) -> list[str]:
    missing = []
    if order.state == NeutralState.HELD:
        missing.append("channel_release")
    if order.total_amount is None:
        missing.append("total")
    if totals.computed_total is None:
        missing.append("amounts")
    if order.ship_to is None and needs_shipping(order):
        missing.append("address")
    return missing


def _has_goods(order: NeutralOrder) -> bool:
    """Whether any of it has still to leave."""
    return any(line.requires_shipping and line.shipped_quantity < line.quantity for line in order.lines)


def needs_shipping(order: NeutralOrder) -> bool:
    return any(line.requires_shipping for line in order.lines)


def address_faults(order: NeutralOrder, cut: tuple[str, ...]) -> dict[str, list[str]]:
    """What an address lacks to be shipped to, and which of its fields were cut; empty where nothing is amiss."""
    if order.ship_to is None or not needs_shipping(order):
        return {}
    empty = [name for name in ("line1", "city", "country_code") if not getattr(order.ship_to, name).strip()]
    return {name: fields for name, fields in (("missing", empty), ("cut", list(cut))) if fields}
