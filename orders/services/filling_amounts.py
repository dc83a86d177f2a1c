"""Amounts that a channel states later, written into the rows that waited for them; what is known stays as it is."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q

from config.kernel.money import ZERO, split_amount
from orders.models import Charge, DiscountShare, LinePart, Order, OrderLine, TaxLine
from orders.neutral import NeutralCharge, NeutralLine, NeutralOrder
from orders.services.texts import fit

Stated = NeutralLine | NeutralCharge
LINE_COLUMNS = ("unit_amount", "subtotal_amount", "discount_amount", "total_amount", "tax_amount")
CHARGE_COLUMNS = ("amount", "discount_amount", "total_amount", "tax_amount")


@dataclass(slots=True)
class AmountRows:
    """One order's lines, parts and charges, locked with the order, and what filling them changes."""

    order: Order
    lines: list[OrderLine] = field(default_factory=list)
    parts: dict[int, list[LinePart]] = field(default_factory=lambda: defaultdict(list))
    charges: list[Charge] = field(default_factory=list)
    changed: list[OrderLine | Charge] = field(default_factory=list)
    valued: list[OrderLine | Charge] = field(default_factory=list)
    new_charges: list[Charge] = field(default_factory=list)
    discounts: list[DiscountShare] = field(default_factory=list)
    taxes: list[TaxLine] = field(default_factory=list)


def read_amounts(orders: Sequence[Order]) -> dict[int, AmountRows]:
    """By order: three statements."""
    rows = {order.pk: AmountRows(order) for order in orders}
    for line in OrderLine.objects.filter(order__in=orders).order_by("position"):
        rows[line.order_id].lines.append(line)
    for part in LinePart.objects.filter(line__order__in=orders).select_related("line").order_by("pk"):
        rows[part.line.order_id].parts[part.line_id].append(part)
    for charge in Charge.objects.filter(order__in=orders).order_by("pk"):
        rows[charge.order_id].charges.append(charge)
    return rows


def fill_amounts(rows: AmountRows, stated: NeutralOrder) -> bool:
    """Fill what is null from what is stated, in memory, and add the order up again; True when something was filled.

    A line that is stated with another quantity is not filled. Charges that nobody knew are new only while the
    order's sum is not known.
    """
    by_id = {line.external_id: line for line in stated.lines}
    for line in rows.lines:
        found = by_id.get(line.external_id)
        if found is not None and found.quantity == line.quantity and _fill_line(rows, line, found):
            rows.changed.append(line)
    known: dict[tuple[str, ...], list[Charge]] = defaultdict(list)
    for row in rows.charges:
        known[_name(row.external_id, row.kind, row.title)].append(row)
    for one in stated.charges:
        title = fit(Charge, "title", one.title)
        # Two of one name are told apart by their sequence alone.
        same = known[_name(fit(Charge, "external_id", one.external_id), one.kind, title)]
        if same:
            charge = same.pop(0)
            if _fill_row(rows, charge, one, "amount"):
                rows.changed.append(charge)
        elif rows.order.total_computed_amount is None:
            _add_charge(rows, one)
    if rows.changed or rows.new_charges:
        add_up(rows)
    return bool(rows.changed or rows.new_charges)


def _name(external_id: str, kind: str, title: str) -> tuple[str, ...]:
    return (external_id,) if external_id else (str(kind), title)


def _fill_line(rows: AmountRows, line: OrderLine, stated: NeutralLine) -> bool:
    filled = _fill_row(rows, line, stated, "subtotal_amount")
    if filled and line.unit_amount is None:
        line.unit_amount = stated.unit_amount
    return filled


def _fill_row(rows: AmountRows, row: OrderLine | Charge, stated: Stated, column: str) -> bool:
    """Amount, discounts and taxes where the amount is not known; taxes alone where only they are not."""
    amount = getattr(stated, column)
    taxes = [tax.amount for tax in stated.taxes]
    tax = None if None in taxes else sum((one for one in taxes if one is not None), ZERO)
    owner = {"line" if isinstance(row, OrderLine) else "charge": row}
    if getattr(row, column) is None and amount is not None:
        discount = sum((one.amount for one in stated.discounts), ZERO)
        setattr(row, column, amount)
        rows.valued.append(row)
        row.discount_amount, row.total_amount, row.tax_amount = discount, amount - discount, tax
        rows.discounts += [
            DiscountShare(
                order=rows.order,
                code=fit(DiscountShare, "code", one.code),
                title=fit(DiscountShare, "title", one.title),
                amount=one.amount,
                **owner,
            )
            for one in stated.discounts
        ]
    elif row.tax_amount is None and tax is not None:
        row.tax_amount = tax
    else:
        return False
    rows.taxes += [
        TaxLine(
            order=rows.order,
            title=fit(TaxLine, "title", one.title),
            rate=one.rate,
            amount=one.amount,
            owner=one.owner,
            **owner,
        )
        for one in stated.taxes
    ]
    return True


def _add_charge(rows: AmountRows, stated: NeutralCharge) -> None:
    row = Charge(
        order=rows.order,
        kind=stated.kind,
        external_id=fit(Charge, "external_id", stated.external_id),
        title=fit(Charge, "title", stated.title),
        discount_amount=sum((one.amount for one in stated.discounts), ZERO),
    )
    _fill_row(rows, row, stated, "amount")
    rows.charges.append(row)
    rows.new_charges.append(row)


def add_up(rows: AmountRows) -> None:
    """The order's sums from its lines and charges, in memory; a sum is unknown while one of its amounts is."""
    order = rows.order
    owners: list[OrderLine | Charge] = [*rows.lines, *rows.charges]
    order.lines_amount = _sum(line.subtotal_amount for line in rows.lines)
    order.charges_amount = _sum(charge.amount for charge in rows.charges)
    order.discount_amount = sum((owner.discount_amount or ZERO for owner in owners), ZERO)
    order.tax_amount = _sum(owner.tax_amount for owner in owners)
    on_top = ZERO if order.prices_include_tax else order.tax_amount
    sums = (order.lines_amount, order.charges_amount, -order.discount_amount, on_top)
    order.total_computed_amount = _sum(sums)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = ZERO
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def write_amounts(all_rows: Sequence[AmountRows]) -> None:
    """Rows that changed, of all orders: at most seven statements. The orders' own sums are the caller's to write."""
    lines = [row for rows in all_rows for row in rows.changed if isinstance(row, OrderLine)]
    charges = [row for rows in all_rows for row in rows.changed if isinstance(row, Charge)]
    valued = [row for rows in all_rows for row in rows.valued if row.pk is not None]
    TaxLine.objects.filter(Q(line__in=lines) | Q(charge__in=charges)).delete()
    DiscountShare.objects.filter(
        Q(line__in=[row.pk for row in valued if isinstance(row, OrderLine)])
        | Q(charge__in=[row.pk for row in valued if isinstance(row, Charge)])
    ).delete()
    OrderLine.objects.bulk_update(lines, LINE_COLUMNS)
    Charge.objects.bulk_update(charges, CHARGE_COLUMNS)
    Charge.objects.bulk_create([row for rows in all_rows for row in rows.new_charges])
    DiscountShare.objects.bulk_create([row for rows in all_rows for row in rows.discounts])
    TaxLine.objects.bulk_create([row for rows in all_rows for row in rows.taxes])
    LinePart.objects.bulk_update(_valued_parts(all_rows), ["value_amount"])


def _valued_parts(all_rows: Sequence[AmountRows]) -> list[LinePart]:
    """The parts of lines whose value is known now, each with its share by the weights it was accepted with."""
    lines = [(rows, row) for rows in all_rows for row in rows.valued if isinstance(row, OrderLine)]
    return [part for rows, line in lines for part in _share(line, rows.parts[line.pk], rows.order.currency)]


def _share(line: OrderLine, parts: Sequence[LinePart], currency: str) -> Sequence[LinePart]:
    if len(parts) == 1 or line.total_amount is None:
        values = [line.total_amount] * len(parts)
    else:
        values = list(split_amount(line.total_amount, [part.share_weight for part in parts], currency))
    for part, value in zip(parts, values, strict=True):
        part.value_amount = value
    return parts
