"""Exports of orders: one row an order, one row a line in the columns of our own import template, and customers."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _

from config.kernel.exports import Column, ExportKind, register_export
from config.kernel.fastpath import Among
from config.kernel.money import ZERO, coin
from config.kernel.sheets import Cell
from orders.enums import ChargeKind, PaymentAxis
from orders.models import Charge, Customer, Order, OrderLine, Payment, TaxLine
from orders.privacy import SEE_MONEY, SEE_PERSONAL
from orders.sheets.profiles import OWN

_PEOPLE = {
    "email", "buyer_name", "ship_name", "ship_company", "ship_line1", "ship_line2", "ship_city", "ship_region",
    "ship_postal_code", "ship_phone", "note",
}  # fmt: skip
_MONEY = {
    "unit_amount", "line_discount_amount", "tax_rate", "shipping_amount", "total_amount", "payment_status",
    "payment_method", "payment_reference", "payment", "lines_amount", "discount_amount", "charges_amount",
    "tax_amount", "cancelled_amount", "owed_amount",
}  # fmt: skip
ORDER_COLUMNS = (
    "number", "channel", "channel_reference", "channel_number", "status", "fulfillment", "payment", "placed_at",
    "leaves_by", "wanted_by", "currency", "lines_amount", "discount_amount", "charges_amount", "tax_amount",
    "total_amount", "cancelled_amount", "owed_amount", "units", "shipping_method", "ship_country", "buyer_name",
    "email", "note",
)  # fmt: skip
# How the import desk reads what was paid.
_PAID = {
    PaymentAxis.UNPAID: "unpaid", PaymentAxis.AUTHORISED: "authorized", PaymentAxis.PARTLY_PAID: "partially_paid",
    PaymentAxis.PAID: "paid", PaymentAxis.OVERPAID: "paid", PaymentAxis.PARTLY_REFUNDED: "partially_refunded",
    PaymentAxis.REFUNDED: "refunded",
}  # fmt: skip


def _columns(names: Iterable[str], people: Collection[str] = _PEOPLE) -> tuple[Column, ...]:
    return tuple(
        Column(name, SEE_MONEY if name in _MONEY else "", is_personal=name in people) for name in names
    )


def _amount(value: Decimal | None, currency: str) -> Decimal | None:
    """With the decimals of its coin; of three with a fourth, so that 1.500 is not read as 1500."""
    if value is None:
        return None
    smallest = coin(currency)
    places = Decimal("0.0001") if smallest == Decimal("0.001") else smallest
    return value.quantize(places) if value == value.quantize(places) else value.normalize()


def order_rows(ids: Sequence[int]) -> Iterator[Sequence[Cell]]:
    """One row an order: two statements."""
    units = dict(
        OrderLine.objects.filter(Among("order_id", ids)).values_list("order_id").annotate(Sum("quantity"))
    )
    for order in _orders(ids):
        given = {
            "number": order.number, "channel": order.sales_channel.code, "channel_reference": order.external_id,
            "channel_number": order.external_number, "status": order.status,
            "fulfillment": order.fulfillment_status, "payment": order.payment_status,
            "leaves_by": order.dispatch_by_on and order.dispatch_by_on.isoformat(),
            "wanted_by": order.required_on and order.required_on.isoformat(),
            "discount_amount": _amount(order.discount_amount, order.currency),
            "charges_amount": _amount(order.charges_amount, order.currency),
            "lines_amount": _amount(order.lines_amount, order.currency),
            "tax_amount": _amount(order.tax_amount, order.currency), "units": units.get(order.pk, 0),
            **_head(order), "total_amount": _amount(order.agreed_amount, order.currency),
            "cancelled_amount": _amount(order.cancelled_amount, order.currency),
            "owed_amount": _amount(order.owed_amount, order.currency),
        }  # fmt: skip
        yield [given[name] for name in ORDER_COLUMNS]


def _orders(ids: Sequence[int]) -> Iterable[Order]:
    related = ("sales_channel", "customer", "ship_to")
    return Order.objects.filter(Among("pk", ids)).select_related(*related).order_by("pk")


def _head(order: Order) -> dict[str, Cell]:
    """What both exports say of an order, in the template's words."""
    to = order.ship_to
    return {
        "order": order.external_id,
        "placed_at": order.placed_at.isoformat(" ", "seconds"),
        "currency": order.currency,
        "email": order.email,
        "buyer_name": order.customer.name if order.customer else "",
        "ship_country": to.country_code if to else "",
        "shipping_method": order.shipping_method,
        "note": order.note,
        "required_on": order.required_on.isoformat() if order.required_on else "",
        **{
            f"ship_{name}": getattr(to, name) if to else ""
            for name in ("name", "company", "line1", "line2", "city", "region", "postal_code", "phone")
        },
    }


def line_rows(ids: Sequence[int]) -> Iterator[Sequence[Cell]]:
    """One row a line, as our own import template has them: five statements. Read back, it changes nothing.

    Without personal data the country is left out too: read back alone it would be the whole address.
    """
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    for line in OrderLine.objects.filter(Among("order_id", ids), quantity__gt=0).order_by("position"):
        lines[line.order_id].append(line)
    rates, shipping, payments = _tax_rates(ids), _shipping(ids), _payments(ids)
    for order in _orders(ids):
        payment = payments.get(order.pk)
        head = {
            **_head(order),
            "shipping_amount": _amount(shipping.get(order.pk), order.currency),
            "total_amount": _amount(order.total_sent_amount, order.currency),
            "payment_status": _PAID[PaymentAxis(order.payment_status)],
            "payment_method": payment.provider if payment else "",
            "payment_reference": payment.external_id if payment else "",
        }
        for line in lines[order.pk]:
            given = {**head, **_line(line, order.currency), "tax_rate": rates.get(line.pk)}
            yield [given[name] for name in OWN.columns]


def _line(line: OrderLine, currency: str) -> dict[str, Cell]:
    """A price a unit in whole coins. What no such price can say stands as the line's discount."""
    unit = discount = None
    if line.subtotal_amount is not None:
        unit = (line.subtotal_amount / line.quantity).quantize(coin(currency), ROUND_CEILING)
        discount = unit * line.quantity - line.subtotal_amount + (line.discount_amount or ZERO)
    return {
        "sku": line.sku_code,
        "title": line.title,
        "quantity": line.quantity,
        "unit_amount": _amount(unit, currency),
        "line_discount_amount": _amount(discount, currency) if discount else None,
        "line_id": line.external_id,
    }


def _tax_rates(ids: Sequence[int]) -> Mapping[int, Decimal]:
    """The rates on each line together, in percent, where all are known."""
    found: dict[int, Decimal | None] = {}
    rows = TaxLine.objects.filter(Among("order_id", ids), line__isnull=False).values_list("line", "rate")
    for pk, rate in rows:
        before = found.get(pk, ZERO)
        found[pk] = None if rate is None or before is None else before + rate
    return {pk: rate.normalize() for pk, rate in found.items() if rate is not None and rate <= 100}


def _shipping(ids: Sequence[int]) -> Mapping[int, Decimal]:
    found: dict[int, Decimal] = defaultdict(Decimal)
    charges = Charge.objects.filter(Among("order_id", ids), kind=ChargeKind.SHIPPING)
    for order_id, amount in charges.exclude(total_amount=None).values_list("order", "total_amount"):
        found[order_id] += amount or ZERO
    return found


def _payments(ids: Sequence[int]) -> Mapping[int, Payment]:
    """The first payment of each order."""
    rows = Payment.objects.filter(Among("order_id", ids)).order_by("-pk")
    return {payment.order_id: payment for payment in rows}


CUSTOMER_COLUMNS = ("customer", "name", "email", "phone", "language", "orders", "customer_since")
_CUSTOMER_PEOPLE = {"name", "email", "phone"}


def customer_rows(ids: Sequence[int]) -> Iterator[Sequence[Cell]]:
    """One row a customer: one statement."""
    rows: Any = Customer.objects.filter(Among("pk", ids)).annotate(placed=Count("orders")).order_by("pk")
    for row in rows:
        since = row.created_at.isoformat(" ", "seconds")
        yield (row.pk, row.name, row.email, row.phone, row.language, row.placed, since)


def register() -> None:
    """Register what the lists of this room are exported as; called once from `AppConfig.ready()`."""
    order = "orders.order"
    register_export(
        ExportKind(
            "orders", order, _("Orders, a row each"), "orders.export_order", _columns(ORDER_COLUMNS), order_rows,
            SEE_PERSONAL,
        )
    )  # fmt: skip
    register_export(
        ExportKind(
            "order_lines", order, _("Order lines, as the import template has them"), "orders.export_orderline",
            _columns(OWN.columns, _PEOPLE | {"ship_country"}), line_rows, SEE_PERSONAL,
        )
    )  # fmt: skip
    columns = tuple(Column(name, is_personal=name in _CUSTOMER_PEOPLE) for name in CUSTOMER_COLUMNS)
    register_export(
        ExportKind(
            "customers", "orders.customer", _("Customers"), "orders.export_customer", columns, customer_rows,
            SEE_PERSONAL,
        )
    )  # fmt: skip
