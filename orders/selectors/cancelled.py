"""The worth of cancelled units, from the rows of the lines that they were cancelled of."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from config.kernel.fastpath import Among
from orders.change_money import cancelled_value
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
            shares = (Share("", "", line.discount_amount),) if line.discount_amount else ()
            price = Priced(line.subtotal_amount, shares, tuple(taxes.get(line.pk, ())))
            yield line_shape(line, price, some)


def _taxes(order_ids: Sequence[int]) -> Mapping[int, list[Tax]]:
    found: dict[int, list[Tax]] = defaultdict(list)
    if order_ids:
        for row in TaxLine.objects.filter(Among("order_id", order_ids)).order_by("pk"):
            if row.line_id is not None:
                found[row.line_id].append(Tax(row.title, row.rate, row.amount, row.owner))
    return found
