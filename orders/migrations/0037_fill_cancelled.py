"""Units that were cancelled before their worth was taken off what is owed: it is taken off now.

The rules are those of that day: a line without them costs its unit price times the rest where that explains what was
stated, else its share; discounts go with the units, taxes by their rate where that explains them, else by share.
"""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from django.db import migrations

CHUNK = 1_000
EXPONENTS = dict.fromkeys(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ],
    0,
) | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)


def fill(apps, schema_editor):
    orders = apps.get_model("orders", "Order").objects
    parts = apps.get_model("orders", "LinePart").objects.filter(cancelled__gt=0)
    parts = parts.exclude(line__order__status__in=("cancelled", "void"))
    ids = sorted(set(parts.values_list("line__order_id", flat=True)))
    for start in range(0, len(ids), CHUNK):
        some = list(orders.filter(pk__in=ids[start : start + CHUNK]))
        off = worth_by_order(apps, some)
        paid = payments_by_order(apps, some)
        for order in some:
            order.cancelled_amount = off[order.pk]
            order.payment_status = axis(order, paid[order.pk])
        orders.bulk_update(some, ["cancelled_amount", "payment_status"])


def worth_by_order(apps, orders):
    taxes, parts, off = defaultdict(list), defaultdict(list), defaultdict(Decimal)
    for tax in apps.get_model("orders", "TaxLine").objects.filter(order__in=orders, line__isnull=False):
        taxes[tax.line_id].append(tax)
    rows = apps.get_model("orders", "LinePart").objects.filter(line__order__in=orders)
    for part in rows.select_related("line").order_by("pk"):
        parts[part.line_id].append(part)
    order_of = {order.pk: order for order in orders}
    for line_id, some in parts.items():
        if any(part.cancelled for part in some):
            order = order_of[some[0].line.order_id]
            off[order.pk] += worth(order, some[0].line, some, taxes[line_id])
    return off


def worth(order, line, parts, taxes):
    """What the cancelled units of one line cost; nothing is known of a line without amounts."""
    if line.subtotal_amount is None or line.total_amount is None:
        return Decimal(0)
    kept, whole = share_kept(line, parts)
    if kept == whole:
        return Decimal(0)
    amount = rounded(order, line.subtotal_amount * kept / whole)
    if whole == line.quantity and line.unit_amount is not None:
        by_unit = rounded(order, line.unit_amount * whole) == line.subtotal_amount
        amount = rounded(order, line.unit_amount * kept) if by_unit else amount
    total = amount - rounded(order, (line.discount_amount or Decimal(0)) * kept / whole)
    off = line.total_amount - total
    if order.prices_include_tax:
        return off
    if any(tax.amount is None for tax in taxes):
        return Decimal(0)
    return off + sum(tax.amount - tax_after(order, tax, line.total_amount, total) for tax in taxes)


def share_kept(line, parts):
    """Units of the line that stay, of how many; of kits that went in part, weighed units."""
    counts = {divmod(part.cancelled, part.per_unit) for part in parts}
    if len(counts) == 1 and (count := counts.pop())[1] == 0:
        return line.quantity - count[0], line.quantity
    weights = [part.value_weight for part in parts]
    weights = weights if any(weights) else [1] * len(weights)
    pairs = list(zip(weights, parts, strict=True))
    kept = sum(weight * (part.ordered - part.cancelled) for weight, part in pairs)
    return kept, sum(weight * part.ordered for weight, part in pairs)


def tax_after(order, tax, old, new):
    """A tax on top of `new` that was stated for `old`."""
    if old == new or not old:
        return tax.amount
    if tax.rate is not None:
        coin = Decimal(1).scaleb(-EXPONENTS.get(order.currency, 2))
        if abs(rounded(order, old * tax.rate / 100) - tax.amount) <= coin:
            return rounded(order, new * tax.rate / 100)
    return rounded(order, tax.amount * new / old)


def rounded(order, amount):
    coin = Decimal(1).scaleb(-EXPONENTS.get(order.currency, 2))
    return amount.quantize(coin, rounding=ROUND_HALF_UP)


def payments_by_order(apps, orders):
    found = defaultdict(list)
    for row in apps.get_model("orders", "Payment").objects.filter(order__in=orders):
        found[row.order_id].append(row)
    return found


def axis(order, payments):
    stated = order.total_sent_amount
    agreed = order.total_computed_amount if stated is None else stated + order.changed_amount
    owed = None if agreed is None else agreed - order.cancelled_amount
    captured = sum(row.captured_amount for row in payments)
    refunded = sum(row.refunded_amount for row in payments)
    if refunded > 0:
        return "refunded" if refunded >= captured else "partly_refunded"
    if captured > 0:
        if owed is None or captured < owed:
            return "partly_paid"
        return "paid" if captured == owed else "overpaid"
    if owed == 0:
        return "paid"
    is_sure = any(row.status in ("authorised", "captured") and row.authorised_amount > 0 for row in payments)
    return "authorised" if is_sure else "unpaid"


class Migration(migrations.Migration):
    dependencies = [("orders", "0036_cancelled_amount")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
