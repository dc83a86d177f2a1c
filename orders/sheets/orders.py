"""From rows to neutral orders: one order's rows in, the order and everything that is wrong with it out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial

from config.kernel.countries import country_code
from config.kernel.money import ZERO, round_money, split_amount
from orders.enums import ChargeKind, MoneyOwner, NeutralState, PaymentStatus
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
from orders.sheets.cells import Cells, Numbered
from orders.sheets.one_cell import split_goods
from orders.sheets.plan import Plan
from orders.sheets.problems import Problem
from orders.sheets.standing import Standing, standing_of
from orders.totals import recompute

MOST_LINES = 10_000
WRITTEN_OFF = "written_off"
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+")
_UNPAID = frozenset(
    {"pending", "unpaid", "voided", "no", "false", "0", "expired", "awaiting payment", "non pagato"}
)
_PAID = frozenset(
    {"paid", "yes", "true", "1", "refunded", "partially_refunded", "captured", "pagato", "si", "sì"}
)
_HELD = frozenset({"authorized", "authorised", "partially_paid", "autorizzato"})
_NO = frozenset({"false", "no", "0"})


@dataclass(slots=True)
class ReadOrder:
    """One order of a file. Without `order` it has problems, or it is only `listed`, for the reason of that name."""

    order: NeutralOrder | None
    problems: list[Problem] = field(default_factory=list)
    listed: str = ""


def read_order(key: str, rows: Sequence[Numbered], plan: Plan) -> ReadOrder:
    """Read the rows of one order, whose number is `key`."""
    rules = plan.rules
    if rules.one_cell:
        rows, plan = split_goods(rows, plan)
    cells = Cells(plan, rows)
    if rules.totals_first and len(rows) > 1:
        cells.heads = tuple(
            row for row in rows if not (cells.is_stated("sku", row) or cells.is_stated("title", row))
        )
    if rules.lists_write_offs and _is_written_off(cells):
        return ReadOrder(None, cells.problems, WRITTEN_OFF)
    standing = standing_of(cells)
    if plan.is_live and standing is Standing.PARTLY_SENT:
        cells.complain("partly_sent", "order_status", rows[0][0], cells.text("order_status", rows[0]))
    elif plan.is_live and standing is not Standing.OPEN:
        return ReadOrder(None, cells.problems, standing.value)
    is_cancelled = bool(rules.cancel_prefix and key.startswith(rules.cancel_prefix))
    currency = _currency(cells)
    placed_at = cells.time("placed_at")
    if placed_at is None and not any(one.column == plan.heading("placed_at") for one in cells.problems):
        cells.complain("missing", "placed_at", rows[0][0])
    lines, charges = _lines(cells, currency, sign=-1 if is_cancelled else 1)
    charges += _order_charges(cells, currency)
    lines = _spread_discount(cells, lines, currency)
    external_id = _external_id(cells, key)
    method = cells.of_order("shipping_method")[1]
    if len(rows) > MOST_LINES:
        cells.complain("too_many_lines", "order", rows[0][0], key)
    people = _people(cells)
    total = cells.order_money("total_amount", currency)
    taxed = _taxed(cells, lines, charges, total, currency)
    if cells.problems or placed_at is None:
        return ReadOrder(None, cells.problems)
    order_of = partial(
        NeutralOrder,
        external_id=external_id,
        number=key,
        placed_at=placed_at,
        currency=currency,
        prices_include_tax=taxed.includes,
        lines=taxed.lines,
        charges=tuple(charges),
        shipping_method=method,
        note=cells.of_order("note")[1],
        state=_state(cells, is_cancelled=is_cancelled or standing is Standing.CANCELLED),
        buyer=people.buyer,
        ship_to=people.ship_to,
        bill_to=people.bill_to,
    )
    if total is None:
        total = recompute(order_of()).computed_total
    wanted = cells.time("required_on")
    order = order_of(
        total_amount=total,
        required_on=None if wanted is None else wanted.astimezone(plan.zone).date(),
        payments=_payments(cells, external_id=external_id, total=total, currency=currency),
    )
    return ReadOrder(None if cells.problems else order, cells.problems)


def _state(cells: Cells, *, is_cancelled: bool) -> NeutralState:
    return NeutralState.CANCELLED if is_cancelled or cells.time("cancelled_at") else NeutralState.OPEN


def external_id_of(key: str, rows: Sequence[Numbered], plan: Plan) -> str:
    """The channel's id of an order, for what can be told without reading the rest of it."""
    return _external_id(Cells(plan, rows), key) if "external_id" in plan.columns else key


def _external_id(cells: Cells, key: str) -> str:
    stated = cells.of_order("external_id")[1]
    return cells.plan.rules.key_prefix + stated if stated else key


def _is_written_off(cells: Cells) -> bool:
    """Stock that left the books: negative units at price 0 on no cancellation document."""
    for row in cells.rows:
        quantity, price = cells.text("quantity", row), cells.text("unit_amount", row)
        if not quantity.startswith("-") or price.strip("0.,"):
            return False
    return True


def _currency(cells: Cells) -> str:
    line, value = cells.of_order("currency")
    if not value:
        return cells.plan.currency
    code = value.upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        cells.complain("currency", "currency", line, value)
        return cells.plan.currency
    return code


def _lines(cells: Cells, currency: str, *, sign: int) -> tuple[list[NeutralLine], list[NeutralCharge]]:
    """Goods and, where the layout has such codes, charges; a document of charges alone keeps them as lines that
    are not shipped, since an order has a line."""
    pattern = cells.plan.rules.charge_codes
    lines: list[NeutralLine] = []
    fees: list[NeutralLine] = []
    seen: set[str] = set()
    for place, row in enumerate(cells.rows, start=1):
        if row in cells.heads:
            continue
        line = _line(cells, row, str(place), currency, sign)
        if line is None:
            continue
        if line.external_id in seen:
            cells.complain("known_line", "line_id", row[0], line.external_id)
        seen.add(line.external_id)
        is_fee = pattern is not None and pattern.fullmatch(line.sku_code) is not None
        (fees if is_fee else lines).append(line)
    if lines or not fees:
        charges = [_as_charge(fee) for fee in fees] + _line_charges(cells, currency)
        if not lines and not cells.problems:
            cells.complain("no_lines", "sku", cells.rows[0][0])
        return lines, charges
    return [replace(fee, requires_shipping=False) for fee in fees], _line_charges(cells, currency)


def _as_charge(fee: NeutralLine) -> NeutralCharge:
    kind = ChargeKind.SHIPPING if fee.sku_code.upper() in {"POST", "DOT", "C2"} else ChargeKind.FEE
    title = f"{fee.sku_code} {fee.title}".strip()
    return NeutralCharge(kind, fee.external_id, title, fee.subtotal_amount, fee.discounts, fee.taxes)


def _line(cells: Cells, row: Numbered, place: str, currency: str, sign: int) -> NeutralLine | None:
    sku, title = cells.text("sku", row), cells.text("title", row)
    at = row[0]
    if not sku and not title and not (cells.is_stated("sku", row) or cells.is_stated("title", row)):
        cells.complain("missing", "sku", at)
    # A document that only adjusts an account has a negative price, not a negative quantity.
    quantity = cells.quantity(row, sign=sign)
    unit, subtotal = _price(cells, row, quantity, currency)
    if subtotal is not None and subtotal < 0 and not cells.plan.rules.adjust_prefix:
        cells.complain("negative", "unit_amount" if unit is not None else "line_amount", at, str(subtotal))
    columns = cells.plan.columns
    discount = None
    if "line_discount_amount" in columns:
        discount = cells.money("line_discount_amount", at, cells.text("line_discount_amount", row), currency)
    taxes: tuple[NeutralTax, ...] = ()
    if "tax_rate" in columns or "line_tax_amount" in columns:
        taxes = _line_taxes(cells, row, (subtotal or ZERO) - abs(discount or ZERO), currency)
    is_shipped = "requires_shipping" not in columns or (
        cells.text("requires_shipping", row).lower() not in _NO
    )
    return NeutralLine(
        external_id=(cells.text("line_id", row) if "line_id" in columns else "") or place,
        sku_code=sku,
        title=title or sku,
        quantity=quantity,
        unit_amount=unit,
        subtotal_amount=subtotal,
        discounts=(NeutralDiscount(abs(discount)),) if discount else (),
        taxes=taxes,
        requires_shipping=is_shipped,
    )


def _price(
    cells: Cells, row: Numbered, quantity: int, currency: str
) -> tuple[Decimal | None, Decimal | None]:
    """Unit price and subtotal; both None where the file states no prices."""
    columns = cells.plan.columns
    name = "line_amount" if "line_amount" in columns and "unit_amount" not in columns else "unit_amount"
    if name not in columns:
        return None, None
    value = cells.text(name, row)
    if not value:
        cells.complain("missing", name, row[0])
        return None, None
    amount = cells.money(name, row[0], value, currency)
    if amount is None or not quantity:
        return None, None
    if name == "unit_amount":
        return amount, amount * quantity
    return round(amount / quantity, 4), amount


def _line_taxes(cells: Cells, row: Numbered, worth: Decimal, currency: str) -> tuple[NeutralTax, ...]:
    at = row[0]
    rate_text = cells.text("tax_rate", row).rstrip("% ")
    rate = cells.number("tax_rate", at, rate_text) if rate_text else None
    if rate is not None and not 0 <= rate <= 100:
        cells.complain("rate", "tax_rate", at, rate_text)
        rate = None
    amount = cells.money("line_tax_amount", at, cells.text("line_tax_amount", row), currency)
    if amount is None and rate is not None:
        base = worth / (1 + rate / 100) if cells.plan.prices_include_tax is not False else worth
        amount = round_money(base * rate / 100, currency)
    return (NeutralTax("", amount, rate),) if amount is not None and (amount or rate) else ()


def _line_charges(cells: Cells, currency: str) -> list[NeutralCharge]:
    """Shipping and gift wrap that a marketplace states a row: one charge an order of each."""
    found = []
    for kind, name, tax, off in (
        (
            ChargeKind.SHIPPING,
            "line_shipping_amount",
            "line_shipping_tax_amount",
            "line_shipping_discount_amount",
        ),
        (ChargeKind.GIFT_WRAP, "gift_wrap_amount", "", ""),
    ):
        if name not in cells.plan.columns:
            continue
        amount, taxed, less = (_sum(cells, column, currency) for column in (name, tax, off))
        if amount or taxed or less:
            taxes = (NeutralTax("", taxed),) if taxed else ()
            discounts = (NeutralDiscount(abs(less)),) if less else ()
            found.append(NeutralCharge(kind, kind.value, "", amount, discounts, taxes))
    return found


def _sum(cells: Cells, name: str, currency: str) -> Decimal:
    if name not in cells.plan.columns:
        return ZERO
    amounts = (cells.money(name, row[0], cells.text(name, row), currency) for row in cells.rows)
    return sum((amount for amount in amounts if amount is not None), ZERO)


def _order_charges(cells: Cells, currency: str) -> list[NeutralCharge]:
    amount = cells.order_money("shipping_amount", currency)
    if not amount:
        return []
    tax = cells.order_money("shipping_tax_amount", currency)
    taxes = (NeutralTax("", tax),) if tax else ()
    title = cells.of_order("shipping_method")[1]
    return [NeutralCharge(ChargeKind.SHIPPING, "shipping", title, amount, (), taxes)]


def _spread_discount(cells: Cells, lines: list[NeutralLine], currency: str) -> list[NeutralLine]:
    """An order's discount in shares on its lines, by what they are worth, to the coin."""
    discount = abs(cells.order_money("order_discount_amount", currency) or ZERO)
    code = cells.of_order("discount_code")[1]
    worths = [line.subtotal_amount for line in lines]
    if not discount or not lines or None in worths:
        return lines
    weights = [max(worth, ZERO) for worth in worths if worth is not None]
    shares = split_amount(discount, weights, currency)
    return [
        replace(line, discounts=(*line.discounts, NeutralDiscount(share, code))) if share else line
        for line, share in zip(lines, shares, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Taxed:
    lines: tuple[NeutralLine, ...]
    includes: bool


def _taxed(
    cells: Cells, lines: list[NeutralLine], charges: list[NeutralCharge], total: Decimal | None, currency: str
) -> _Taxed:
    """The order's tax in shares on its lines, and whether the prices hold it: where nobody said, its total tells."""
    tax = cells.order_money("order_tax_amount", currency)
    has_own = any(line.taxes for line in lines)
    if tax and not has_own and lines and all(line.subtotal_amount is not None for line in lines):
        worths = [
            max((line.subtotal_amount or ZERO) - sum((one.amount for one in line.discounts), ZERO), ZERO)
            for line in lines
        ]
        shares = split_amount(tax, worths, currency)
        lines = [
            replace(line, taxes=(NeutralTax("", share),)) for line, share in zip(lines, shares, strict=True)
        ]
    includes = cells.plan.prices_include_tax
    if includes is None:
        worth = _worth(lines, charges)
        includes = total is None or worth is None or worth == total
    return _Taxed(tuple(lines), includes)


def _worth(lines: Sequence[NeutralLine], charges: Sequence[NeutralCharge]) -> Decimal | None:
    amounts = [line.subtotal_amount for line in lines] + [charge.amount for charge in charges]
    if None in amounts:
        return None
    parts: tuple[NeutralLine | NeutralCharge, ...] = (*lines, *charges)
    less = sum((one.amount for part in parts for one in part.discounts), ZERO)
    return sum((amount for amount in amounts if amount is not None), -less)


@dataclass(frozen=True, slots=True)
class _People:
    buyer: NeutralBuyer
    ship_to: NeutralAddress | None
    bill_to: NeutralAddress | None


def _people(cells: Cells) -> _People:
    line, email = cells.of_order("email")
    if email and not _EMAIL.fullmatch(email):
        cells.complain("email", "email", line, email)
    ship_to, bill_to = _address(cells, "ship"), _address(cells, "bill")
    stated = cells.of_order("buyer_name")[1] or (bill_to or ship_to or NeutralAddress()).name
    phone, language = cells.of_order("buyer_phone")[1], cells.of_order("buyer_language")[1]
    return _People(NeutralBuyer(name=stated, email=email, phone=phone, language=language), ship_to, bill_to)


def _address(cells: Cells, use: str) -> NeutralAddress | None:
    """One address, or None where the rows state nothing of it."""
    given = {part: cells.of_order(name) for part, name in cells.plan.addresses[use]}
    if not any(value for _line, value in given.values()):
        return None
    texts = {name: value for name, (_line, value) in given.items() if name != "country"}
    at, country = given.get("country", (0, ""))
    code = country_code(country) if country else ""
    if country and cells.plan.rules.is_loose:
        texts.setdefault("region", country)
    elif country and not code:
        cells.complain("country", f"{use}_country", at, country)
    return NeutralAddress(**texts, country_code=code)


def _payments(
    cells: Cells, *, external_id: str, total: Decimal | None, currency: str
) -> tuple[NeutralPayment, ...]:
    """What the file says was paid. A marketplace's orders are paid to the marketplace."""
    line, word = cells.of_order("payment_status")
    owner = cells.plan.paid_to
    status = _payment_status(cells, line, word) if word else (PaymentStatus.CAPTURED if owner else None)
    if status is None or not total or total < 0:
        return ()
    provider = cells.of_order("payment_method")[1].lower() or "file"
    reference = cells.of_order("payment_reference")[1] or external_id
    captured = total if status == PaymentStatus.CAPTURED else ZERO
    refunded = cells.order_money("refunded_amount", currency) or ZERO
    if word.lower() == "refunded" and not refunded:
        refunded = captured
    return (
        NeutralPayment(
            provider, reference, status, total, captured, min(refunded, captured), owner or MoneyOwner.SELLER
        ),
    )


def _payment_status(cells: Cells, line: int, word: str) -> PaymentStatus | None:
    text = word.lower().replace(" ", "_") if word.lower() not in _UNPAID else word.lower()
    if text in _PAID:
        return PaymentStatus.CAPTURED
    if text in _HELD:
        return PaymentStatus.AUTHORISED
    if text not in _UNPAID:
        cells.complain("paid", "payment_status", line, word, "paid, unpaid, authorized, refunded")
    return None
