"""The words of a mail to the buyer, in their language; nothing here sends."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, pgettext

from config.kernel.money import ZERO
from config.kernel.templatetags.bancale import money_text
from orders.models import Address, Charge, Order, OrderLine

OTHERWISE = "en"


@dataclass(frozen=True, slots=True)
class Written:
    """A finished mail: subject on one line, plain text, and the same as HTML."""

    language: str
    subject: str
    text: str
    html: str


class LineRow(NamedTuple):
    title: str
    quantity: str
    unit: str
    discount: str
    total: str


class SumRow(NamedTuple):
    label: str
    amount: str


def language_for(order: Order) -> str:
    """The order's language where we speak it, else English."""
    spoken = {code for code, _name in settings.LANGUAGES}
    return order.language if order.language in spoken else OTHERWISE


def write_confirmation(order: Order) -> Written:
    """The confirmation of an order whose channel, addresses, lines, charges and taxes are at hand.

    Amounts, numbers and dates follow the language's locale. The lines shown, the charges and what is added as
    tax sum to the total shown, but for a difference that somebody has accepted by lifting its hold.
    """
    language = language_for(order)
    with translation.override(language):
        number = order.external_number or order.number
        shop = order.sales_channel.name
        subject = gettext("Your order %(number)s at %(shop)s is confirmed") % {"number": number, "shop": shop}
        context = {
            "language": language,
            "number": number,
            "shop": shop,
            "name": _name(order),
            "lines": [_line_row(line, order.currency) for line in order.lines.all() if line.quantity],
            "sums": list(_sums(order)),
            "total": money_text(order.owed_amount, order.currency),
            "tax_within": list(_taxes(order)) if order.prices_include_tax else [],
            "address": address_lines(order.ship_to),
            "shipping_method": order.shipping_method,
            "dispatch": date_format(order.dispatch_by_on, "DATE_FORMAT") if order.dispatch_by_on else "",
            "company": order.legal_entity.name,
        }
        text = render_to_string("mail/confirmation.txt", context)
        html = render_to_string("mail/confirmation.html", context)
    # A line break in a header would begin another header.
    return Written(language, " ".join(subject.split())[:255], text, html)


def _name(order: Order) -> str:
    named = [order.customer.name if order.customer else "", order.bill_to.name if order.bill_to else ""]
    return next((name for name in (*named, order.ship_to.name if order.ship_to else "") if name), "")


def _line_row(line: OrderLine, currency: str) -> LineRow:
    discount = line.discount_amount
    return LineRow(
        title=line.title or line.sku_code,
        quantity=number_format(line.quantity, use_l10n=True, force_grouping=True),
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
        yield from _taxes(order)


def _known(amounts: Iterable[Decimal | None]) -> Iterator[Decimal]:
    return (amount for amount in amounts if amount is not None)


def _charge_label(charge: Charge) -> str:
    return charge.title or str(charge.get_kind_display())


def _taxes(order: Order) -> Iterator[SumRow]:
    """One row a title and rate, in the order of their first line."""
    sums: dict[str, list[Decimal | None]] = {}
    for tax in sorted(order.tax_lines.all(), key=lambda row: row.pk):
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
    lines = (address.name, address.company, address.line1, address.line2, city, address.country_code)
    return tuple(line for line in lines if line)
