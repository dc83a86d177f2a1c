"""The words of a mail about low stock, in the follower's language; nothing here sends."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.formats import number_format
from django.utils.translation import ngettext

from inventory.models import LowStockAlert


@dataclass(frozen=True, slots=True)
class Written:
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Row:
    """Figures as they are read; `units` are those of now."""

    sku: str
    title: str
    location: str
    units: str
    reorder_point: str
    target: str
    url: str


def write_digest(alerts: Sequence[LowStockAlert], language: str) -> Written:
    """A mail that lists alerts whose level, SKU and location are at hand."""
    with translation.override(language):
        count = len(alerts)
        subject = ngettext("%(n)s SKU is low", "%(n)s SKUs are low", count) % {"n": count}
        context = {
            "language": language,
            "subject": subject,
            "rows": [_row(alert) for alert in alerts],
            "queue": _address("admin:inventory_lowstockalert_changelist") + "?queue=low",
        }
        text = render_to_string("mail/low_stock.txt", context)
        html = render_to_string("mail/low_stock.html", context)
    return Written(subject, text, html)


def _row(alert: LowStockAlert) -> Row:
    level = alert.level
    return Row(
        sku=level.sku.code,
        title=level.sku.title,
        location=level.location.name,
        units=_number(level.unpromised),
        reorder_point=_number(level.reorder_point),
        target=_number(level.target) if level.target else "",
        url=_address("admin:inventory_lowstockalert_change", alert.pk),
    )


def _number(units: int) -> str:
    return number_format(units, use_l10n=True, force_grouping=True)


def _address(name: str, *args: int) -> str:
    return f"{settings.SITE_URL}".rstrip("/") + reverse(name, args=args)
