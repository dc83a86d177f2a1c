"""The worth of cancelled units and the taxes on it, from the rows of the lines that they were cancelled of."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from config.kernel.fastpath import Among
from orders.change_money import cancelled_value, kept_price
from orders.change_shapes import Line, Priced, Shape, Share, Tax
from orders.models import LinePart, Order, OrderLine, TaxLine
from orders.selectors.proposals import line_shape


def cancelled_values(parts_of: Mapping[Order, Sequence[LinePart]]) -> dict[int, Decimal]:
    """What cancelled units were worth, by order, of parts that have their line at hand. One statement where prices
    are without tax, else none."""
    taxes = _taxes([order.pk for order in parts_of if not order.prices_include_tax])
    return {
        order.pk: cancelled_value(
            Shape(order.number, order.currency, order.prices_include_tax, tuple(_lines(parts, taxes)))
        )
        for order, parts in parts_of.items()
    }


def _lines(parts: Sequence[LinePart], taxes: Mapping[int, Sequence[Tax]]) -> Iterable[Line]:
    by_line: dict[int, list[LinePart]] = defaultdict(list)
    for part in parts:
        by_line[part.line_id].append(part)
    for some in by_line.values():
        if any(part.cancelled for part in some):
            line: OrderLine = some[0].line
            yield line_shape(line, _price(line, taxes.get(line.pk, ())), some)


def _price(line: OrderLine, taxes: Sequence[Tax]) -> Priced:
    shares = (Share("", "", line.discount_amount),) if line.discount_amount else ()
    return Priced(line.subtotal_amount, shares, tuple(taxes))


def taxes_left(order: Order) -> list[Tax]:
    """An order's taxes without what fell on cancelled units, in the sequence of their rows. Its lines with their parts
    and its taxes are at hand; no query."""
    rows = sorted(order.tax_lines.all(), key=lambda row: row.pk)
    left = {row.pk: Tax(row.title, row.rate, row.amount, row.owner) for row in rows}
    shape = Shape(order.number, order.currency, order.prices_include_tax, ())
    for line in order.lines.all():
        parts = list(line.parts.all())
        mine = [row.pk for row in rows if row.line_id == line.pk]
        if mine and any(part.cancelled for part in parts):
            price = _price(line, [left[pk] for pk in mine])
            kept = kept_price(shape, line_shape(line, price, parts))
            left |= dict(zip(mine, kept.taxes, strict=True))
    return list(left.values())


def _taxes(order_ids: Sequence[int]) -> Mapping[int, list[Tax]]:
    found: dict[int, list[Tax]] = defaultdict(list)
    if order_ids:
        for row in TaxLine.objects.filter(Among("order_id", order_ids)).order_by("pk"):
            if row.line_id is not None:
                found[row.line_id].append(Tax(row.title, row.rate, row.amount, row.owner))
    return found
