"""What a text is tried on where no order is named: an order that does not exist, in the language that is active."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext

from config.kernel import clock
from config.kernel.templatetags.bancale import money_text
from orders.enums import ActionKind
from orders.models import LegalEntity, SalesChannel
from orders.services.mail_texts import Content
from orders.services.mail_values import LineRow, SumRow, change_words, greeting

BUYER, NUMBER = "Rosa Neri", "10001"
ADDRESS = (BUYER, "Via Po 3", "10124 Torino", "IT")
CARRIER, TRACKING = "GLS", "GL0001234567"
MUG, JUG = Decimal("9.50"), Decimal("24.00")


def sample_content(channel: SalesChannel | None) -> Content:
    """A value for every placeholder; shop and company are those of the channel, else of the first one there is."""
    channel = channel or SalesChannel.objects.select_related("legal_entity", "logo").order_by("pk").first()
    entity = channel.legal_entity if channel else LegalEntity.objects.order_by("pk").first()
    shop, currency = (channel.name, channel.currency) if channel else ("Bancale", "EUR")
    logo = getattr(channel, "logo", None)
    values = _values(shop, entity.name if entity else shop, currency)
    return Content(values, lambda: _summary(currency), shop, logo)


def _values(shop: str, company: str, currency: str) -> Mapping[str, str]:
    return {
        "greeting": greeting(BUYER),
        "buyer_name": BUYER,
        "order_number": NUMBER,
        "order_date": date_format(clock.now(), "DATE_FORMAT"),
        "order_total": money_text(2 * MUG + JUG, currency),
        "shop_name": shop,
        "company_name": company,
        "dispatch_day": date_format(clock.now() + timedelta(days=2), "DATE_FORMAT"),
        "ship_to": "\n".join(ADDRESS),
        "items": "\n".join(f"{number_format(row[0])} × {row[1]}" for row in _goods()),
        "changes": "\n".join(change_words([ActionKind.QUANTITY, ActionKind.ADDRESS])),
        "carrier": CARRIER,
        "tracking_number": TRACKING,
    }


def _goods() -> list[tuple[int, str, Decimal]]:
    return [(2, gettext("Mug, blue"), MUG), (1, gettext("Milk jug"), JUG)]


def _summary(currency: str) -> Mapping[str, Any]:
    lines = [
        LineRow(
            title, number_format(units), money_text(unit, currency), "", money_text(units * unit, currency)
        )
        for units, title, unit in _goods()
    ]
    total = money_text(sum((units * unit for units, _title, unit in _goods()), Decimal(0)), currency)
    return {
        "lines": lines,
        "sums": [SumRow(gettext("Goods"), total)],
        "total": total,
        "tax_within": [],
        "address": ADDRESS,
        "shipping_method": "",
    }
