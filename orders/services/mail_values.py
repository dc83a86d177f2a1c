"""What stands for the placeholders of a mail: finished strings in the language that is active."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, pgettext

from config.kernel.countries import country_name
from config.kernel.money import ZERO
from config.kernel.templatetags.bancale import money_text
from orders.change_shapes import Tax
from orders.enums import ActionKind, OrderStatus
from orders.models import Address, Charge, LinePart, Order, OrderLine, TaxLine
from orders.selectors.cancelled import taxes_left
from orders.services.mail_occasions import Occasion


class LineRow(NamedTuple):
    title: str
    quantity: str
    unit: str
    discount: str
    total: str


class SumRow(NamedTuple):
    label: str
    amount: str


def values_of(occasion: Occasion) -> dict[str, str]:
    """Every placeholder but the order's summary; empty where there is nothing to say. No query."""
    order = occasion.order
    name = _name(order)
    parcels = occasion.parcels
    placed_on = order.placed_at.astimezone(ZoneInfo(order.legal_entity.time_zone)).date()
    return {
        "greeting": greeting(name),
        "buyer_name": name,
        "order_number": order.external_number or order.number,
        "order_date": date_format(placed_on, "DATE_FORMAT"),
        "order_total": money_text(order.owed_amount, order.currency),
        "shop_name": order.sales_channel.name,
        "company_name": order.legal_entity.name,
        "dispatch_day": date_format(order.dispatch_by_on, "DATE_FORMAT") if order.dispatch_by_on else "",
        "ship_to": "\n".join(address_lines(order.ship_to)),
        "items": "\n".join(_items(order, occasion.units)),
        "changes": "\n".join(change_words(occasion.changed)),
        "carrier": ", ".join(parcels.carriers) if parcels else "",
        "tracking_number": ", ".join(parcels.tracking_numbers) if parcels else "",
    }


def greeting(name: str) -> str:
    return gettext("Dear %(name)s,") % {"name": name} if name else gettext("Good day,")


def change_words(changed: Iterable[ActionKind]) -> list[str]:
    """What was changed of an order, a sentence each."""
    words = {
        ActionKind.ADD_LINE: gettext("An article was added."),
        ActionKind.REMOVE_LINE: gettext("An article was taken off."),
        ActionKind.QUANTITY: gettext("A quantity was changed."),
        ActionKind.PRICE: gettext("A price was changed."),
        ActionKind.DISCOUNT: gettext("A discount was given."),
        ActionKind.ADDRESS: gettext("The shipping address was changed."),
        ActionKind.SHIPPING: gettext("The shipping method was changed."),
    }
    return [words[kind] for kind in changed]


def _items(order: Order, units: Mapping[int, int]) -> Iterator[str]:
    """Whole units of a line by its title, what is left of a kit by the SKU of its parts."""
    for line in order.lines.all():
        parts = [(part, units.get(part.pk, 0)) for part in line.parts.all()]
        whole = min((count // part.per_unit for part, count in parts), default=0)
        if whole:
            yield f"{_number(whole)} × {line.title or line.sku_code}"
        for part, count in parts:
            if loose := count - whole * part.per_unit:
                yield f"{_number(loose)} × {_part_name(line, part)}"


def _part_name(line: OrderLine, part: LinePart) -> str:
    return part.sku.title or part.sku.code if part.sku else line.title or line.sku_code


def _number(value: int) -> str:
    return number_format(value, use_l10n=True, force_grouping=True)


def order_summary(order: Order) -> dict[str, Any]:
    """The context of an order's table: lines, sums, total, taxes, address. Its lines, charges and taxes are at hand."""
    return {
        "lines": [_line_row(line, order.currency) for line in order.lines.all() if line.quantity],
        "sums": list(_sums(order)),
        "total": money_text(order.owed_amount, order.currency),
        "tax_within": list(_tax_within(order)) if order.prices_include_tax else [],
        "address": address_lines(order.ship_to),
        "shipping_method": order.shipping_method,
    }


def _name(order: Order) -> str:
    named = [order.customer.name if order.customer else "", order.bill_to.name if order.bill_to else ""]
    return next((name for name in (*named, order.ship_to.name if order.ship_to else "") if name), "")


def _line_row(line: OrderLine, currency: str) -> LineRow:
    discount = line.discount_amount
    return LineRow(
        title=line.title or line.sku_code,
        quantity=_number(line.quantity),
        unit=money_text(line.unit_amount, currency),
        discount=money_text(-discount, currency) if discount else "",
        total=money_text(line.total_amount, currency),
    )


def _sums(order: Order) -> Iterator[SumRow]:
    """What stands between the lines and the total."""
    totals = [line.total_amount for line in order.lines.all()]
    if None not in totals:
        yield SumRow(gettext("Goods"), money_text(sum(_known(totals), ZERO), order.currency))
    for charge in order.charges.all():
        yield SumRow(_charge_label(charge), money_text(charge.total_amount, order.currency))
    if not order.prices_include_tax:
        # As they were before anything was cancelled: what is taken off below has its tax with it.
        yield from _taxes(order, _all_taxes(order))
    if order.cancelled_amount:
        yield SumRow(gettext("Cancelled"), money_text(-order.cancelled_amount, order.currency))


def _known(amounts: Iterable[Decimal | None]) -> Iterator[Decimal]:
    return (amount for amount in amounts if amount is not None)


def _charge_label(charge: Charge) -> str:
    return charge.title or str(charge.get_kind_display())


def _tax_within(order: Order) -> Iterator[SumRow]:
    """What of the total is tax; of an order that was cancelled whole the total is what had been agreed."""
    is_less = bool(order.cancelled_amount) and order.status != OrderStatus.CANCELLED
    return _taxes(order, taxes_left(order) if is_less else _all_taxes(order))


def _all_taxes(order: Order) -> list[TaxLine]:
    return sorted(order.tax_lines.all(), key=lambda row: row.pk)


def _taxes(order: Order, taxes: Iterable[Tax | TaxLine]) -> Iterator[SumRow]:
    """One row a title and rate, in the order of their first line."""
    sums: dict[str, list[Decimal | None]] = {}
    for tax in taxes:
        sums.setdefault(_tax_label(tax.title, tax.rate), []).append(tax.amount)
    for label, amounts in sums.items():
        amount = None if None in amounts else sum(_known(amounts), ZERO)
        yield SumRow(label, money_text(amount, order.currency))


def _tax_label(title: str, rate: Decimal | None) -> str:
    name = title or pgettext("on a bill", "Tax")
    if rate is None:
        return name
    return f"{name} {number_format(rate.normalize(), use_l10n=True)} %" if "%" not in name else name


def address_lines(address: Address | None) -> Sequence[str]:
    """An address as the lines of a label; empty ones are left out."""
    if address is None:
        return ()
    city = " ".join(part for part in (address.postal_code, address.city, address.region) if part)
    lines = (
        address.name,
        address.company,
        address.line1,
        address.line2,
        city,
        country_name(address.country_code),
    )
    return tuple(line for line in lines if line)
