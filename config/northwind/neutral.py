"""A Northwind order as a neutral order. Its lines keep the book's own sub-cent net amounts; a rounding charge
brings each order to whole cents, so that the sums of the book come out to the cent."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from decimal import Decimal

from config.kernel.money import round_money
from config.northwind.reading import BookOrder, Line
from orders.enums import ChargeKind, PaymentStatus
from orders.neutral import (
    NeutralAddress,
    NeutralBuyer,
    NeutralCharge,
    NeutralDiscount,
    NeutralLine,
    NeutralOrder,
    NeutralPayment,
)

CURRENCY = "USD"
ORDERED_AT = time(9, 0, tzinfo=UTC)
SHIPPED_AT = time(16, 0, tzinfo=UTC)


def moment(day: date, at: time) -> datetime:
    return datetime.combine(day, at)


def sku_code(product_id: int) -> str:
    return f"NW-{product_id:03d}"


def raw_body(order: BookOrder) -> str:
    """The order as it stood in the files, for the raw store."""
    return json.dumps(asdict(order), default=str, ensure_ascii=False, sort_keys=True)


def neutral_order(order: BookOrder, names: dict[int, str]) -> NeutralOrder:
    """`names` are product names by id; the total is what the buyer pays, in whole cents."""
    lines = tuple(_line(line, names[line.product_id]) for line in order.lines)
    exact = sum((_worth(line) for line in lines), Decimal(0)) + order.freight
    total = round_money(exact, CURRENCY)
    ship_to = NeutralAddress(
        name=order.ship_name,
        line1=order.address,
        city=order.city,
        region=order.region,
        postal_code=order.postal_code,
        country_code=order.country_code,
        phone=order.customer.phone,
    )
    return NeutralOrder(
        external_id=str(order.order_id),
        number=str(order.order_id),
        placed_at=moment(order.ordered_on, ORDERED_AT),
        currency=CURRENCY,
        prices_include_tax=True,
        lines=lines,
        buyer=NeutralBuyer(
            external_id=order.customer.customer_id, name=order.customer.company, language="en"
        ),
        ship_to=ship_to,
        bill_to=ship_to,
        charges=tuple(_charges(order, total - exact)),
        payments=(NeutralPayment("northwind", str(order.order_id), PaymentStatus.CAPTURED, total, total),),
        total_amount=total,
        shipping_method=order.carrier,
        required_on=order.required_on,
    )


def _line(line: Line, title: str) -> NeutralLine:
    subtotal = line.unit_amount * line.quantity
    off = subtotal * line.discount
    discounts = (NeutralDiscount(off, code=f"{line.discount:.0%}"),) if off else ()
    return NeutralLine(
        external_id=str(line.product_id),
        sku_code=sku_code(line.product_id),
        title=title,
        quantity=line.quantity,
        unit_amount=line.unit_amount,
        subtotal_amount=subtotal,
        discounts=discounts,
    )


def _worth(line: NeutralLine) -> Decimal:
    return (line.subtotal_amount or Decimal(0)) - sum((share.amount for share in line.discounts), Decimal(0))


def _charges(order: BookOrder, rest: Decimal) -> Iterator[NeutralCharge]:
    yield NeutralCharge(ChargeKind.SHIPPING, "freight", order.carrier, order.freight)
    if rest:
        yield NeutralCharge(ChargeKind.ROUNDING, "rounding", "", rest)
