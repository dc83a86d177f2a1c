"""The filter behind the bars of the first page: the orders that a day's sales count."""

from datetime import date
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import admin_url
from orders.models import Order
from orders.selectors.reports import sold_on

PARAMETER = "sold"


class SoldFilter(SimpleListFilter):
    """`?sold=2026-11-21`, `?sold=2026-11-21~3` for channel 3, `?sold=2026-11-21~3~EUR`, `~0~` for all channels."""

    title = _("Sold on")
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Only what a bar asked for: a day is chosen on the first page, not here."""
        found = parse(request.GET.get(PARAMETER, ""))
        return [] if found is None else [(request.GET[PARAMETER], in_words(*found))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        found = parse(self.value() or "")
        if found is None:
            return queryset
        day, channel_id, currency = found
        channels = [channel_id] if channel_id else None
        return sold_on(queryset, day, channel_ids=channels, currency=currency)


def sold_url(day: date, *, channel_id: int = 0, currency: str = "") -> str:
    """The list of the orders that a bar counts."""
    value = "~".join(filter(None, (day.isoformat(), str(channel_id or (0 if currency else "")), currency)))
    return f"{admin_url(Order, 'changelist')}?{PARAMETER}={value}"


def parse(value: str) -> tuple[date, int, str] | None:
    """Day, channel id (0: all) and currency ("": all); None for anything else."""
    day, channel, currency = [*value.split("~"), "", ""][:3]
    try:
        return date.fromisoformat(day), int(channel or 0), currency[:3].upper()
    except ValueError:
        return None


def in_words(day: date, channel_id: int, currency: str) -> str:
    said = date_format(day)
    return f"{said} {currency}".strip()
