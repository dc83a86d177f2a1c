"""The rows of changed orders, written as the plan says; stock and holds follow elsewhere."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.db.models import Max, Q

from orders.change_money import cancelled_value, shared_value
from orders.change_shapes import Charge, Line, Priced
from orders.models import Address, DiscountShare, LinePart, Order, OrderLine, TaxLine
from orders.models import Charge as ChargeRow
from orders.search_texts import search_text
from orders.services.proposals.foreseeing import Planned
from orders.services.texts import fit

PRICES = ("discount_amount", "total_amount", "tax_amount")
LINE_COLUMNS = ["quantity", "unit_amount", "subtotal_amount", *PRICES]
CHARGE_COLUMNS = ["amount", *PRICES]
ORDER_COLUMNS = [
    "ship_to", "shipping_method", "lines_amount", "discount_amount", "charges_amount", "tax_amount",
    "total_computed_amount", "total_difference_amount", "changed_amount", "cancelled_amount", "search_text",
]  # fmt: skip
Priceable = OrderLine | ChargeRow
Owned = tuple[Order, Priceable, Priced]


def apply_rows(chosen: Sequence[Planned]) -> None:
    """Write lines, parts, charges, discounts, taxes and the orders' sums: a fixed number of statements."""
    priced = [*_write_lines(chosen), *_write_charges(chosen)]
    _write_shares(priced)
    for one in chosen:
        _add_up(one)
    _find_by_address(chosen)
    Order.objects.bulk_update([one.order for one in chosen], ORDER_COLUMNS)


def _write_lines(chosen: Sequence[Planned]) -> list[Owned]:
    changes = [(one, change.after) for one in chosen for change in one.plan.lines if change.after is not None]
    rows = OrderLine.objects.in_bulk([line.ref for _one, line in changes if line.ref > 0])
    last = dict(
        OrderLine.objects.filter(order__in=[one.order for one in chosen])
        .order_by()
        .values_list("order_id")
        .annotate(last=Max("position"))
    )
    new: list[tuple[OrderLine, Line]] = []
    written: list[Owned] = []
    for one, line in changes:
        row = rows.get(line.ref)
        if row is None:
            last[one.order.pk] = position = last.get(one.order.pk, 0) + 1
            row = _new_line(one, line, position)
            new.append((row, line))
        row.quantity, row.unit_amount, row.subtotal_amount = (
            line.quantity,
            line.unit_amount,
            line.price.amount,
        )
        _price(row, line.price)
        written.append((one.order, row, line.price))
    OrderLine.objects.bulk_update(list(rows.values()), LINE_COLUMNS)
    OrderLine.objects.bulk_create([row for row, _line in new])
    LinePart.objects.bulk_create([part for row, line in new for part in _new_parts(row, line)])
    _write_values(chosen)
    return written


def _new_line(one: Planned, line: Line, position: int) -> OrderLine:
    return OrderLine(
        order=one.order,
        position=position,
        external_id=f"change-{one.proposal.pk}-{-line.ref}",
        sku_id=line.sku_id,
        sku_code=fit(OrderLine, "sku_code", line.sku_code),
        title=fit(OrderLine, "title", line.title),
    )


def _new_parts(row: OrderLine, line: Line) -> Iterator[LinePart]:
    weights = [part.weight for part in line.parts]
    values = shared_value(line.price.total, weights, row.order.currency)
    for part, value in zip(line.parts, values, strict=True):
        yield LinePart(
            line=row,
            sku_id=part.sku_id,
            per_unit=part.per_unit,
            value_weight=part.value_weight,
            ordered=part.ordered,
            value_amount=value,
        )


def _write_values(chosen: Sequence[Planned]) -> None:
    """What the parts of lines that were there are worth now; their units are written with the stock."""
    values: dict[int | None, Decimal | None] = {}
    for one in chosen:
        for change in one.plan.lines:
            line = change.after
            if line is None or change.before is None:
                continue
            weights = [part.weight for part in line.parts]
            shares = shared_value(line.price.total, weights, one.order.currency)
            values |= {part.pk: value for part, value in zip(line.parts, shares, strict=True)}
    parts = [LinePart(pk=pk, value_amount=value) for pk, value in values.items()]
    LinePart.objects.bulk_update(parts, ["value_amount"])


def _write_charges(chosen: Sequence[Planned]) -> list[Owned]:
    changes: list[tuple[Planned, Charge]] = [(one, charge) for one in chosen for charge in one.plan.charges]
    rows = ChargeRow.objects.in_bulk([charge.pk for _one, charge in changes if charge.pk is not None])
    new: list[ChargeRow] = []
    written: list[Owned] = []
    for one, charge in changes:
        row = rows.get(charge.pk or 0)
        if row is None:
            row = ChargeRow(order=one.order, kind=charge.kind, title=fit(ChargeRow, "title", charge.title))
            new.append(row)
        row.amount = charge.price.amount
        _price(row, charge.price)
        written.append((one.order, row, charge.price))
    ChargeRow.objects.bulk_update(list(rows.values()), CHARGE_COLUMNS)
    ChargeRow.objects.bulk_create(new)
    return written


def _price(row: Priceable, price: Priced) -> None:
    row.discount_amount, row.total_amount, row.tax_amount = price.discount, price.total, price.tax


def _write_shares(priced: Sequence[Owned]) -> None:
    """Discounts and taxes of changed lines and charges, in place of those that stood there."""
    lines = [row.pk for _order, row, _price in priced if isinstance(row, OrderLine)]
    charges = [row.pk for _order, row, _price in priced if isinstance(row, ChargeRow)]
    theirs = Q(line__in=lines) | Q(charge__in=charges)
    DiscountShare.objects.filter(theirs).delete()
    TaxLine.objects.filter(theirs).delete()
    discounts, taxes = [], []
    for order, row, price in priced:
        owner = {"line" if isinstance(row, OrderLine) else "charge": row}
        discounts += [
            DiscountShare(
                order=order,
                code=share.code,
                title=fit(DiscountShare, "title", share.title),
                amount=share.amount,
                **owner,
            )
            for share in price.shares
        ]
        taxes += [
            TaxLine(order=order, title=tax.title, rate=tax.rate, amount=tax.amount, owner=tax.owner, **owner)
            for tax in price.taxes
        ]
    DiscountShare.objects.bulk_create(discounts)
    TaxLine.objects.bulk_create(taxes)


def _find_by_address(chosen: Sequence[Planned]) -> None:
    """An order is found by its new address too; one statement, none where none is new."""
    new = [one.order for one in chosen if one.plan.new_address]
    rows = Address.objects.in_bulk([order.ship_to_id for order in new]) if new else {}
    for order in new:
        if (row := rows.get(order.ship_to_id)) is not None:
            order.search_text = search_text(
                known=order.search_text, names=(row.name, row.company), email=row.email, phones=(row.phone,)
            )


def _add_up(one: Planned) -> None:
    """The order's sums in memory. What the channel stated stays; what the change adds stands beside it."""
    order, sums = one.order, one.plan.after.sums()
    order.changed_amount += one.plan.added_amount or 0
    order.cancelled_amount = cancelled_value(one.plan.after)
    order.lines_amount, order.discount_amount, order.charges_amount = sums.lines, sums.discounts, sums.charges
    order.tax_amount, order.total_computed_amount = sums.tax, sums.total
    if order.total_sent_amount is not None and sums.total is not None:
        order.total_difference_amount = order.total_sent_amount + order.changed_amount - sums.total
    order.ship_to_id = one.plan.after.address_id
    order.shipping_method = fit(Order, "shipping_method", one.plan.after.shipping_method)
