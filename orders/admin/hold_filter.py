"""The order list by why orders are held, and the links that open it so."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orders.enums import HoldKind
from orders.models import Order
from orders.selectors.holds import held_for, open_hold_kinds

PARAMETER = "hold"


class HoldFilter(SimpleListFilter):
    """`?hold=unpaid`: orders with an open hold of this kind."""

    title = _("Held because of")
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(HoldKind.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        kind = self.value()
        return held_for(queryset, kind) if kind in HoldKind.values else queryset


def hold_reasons(rows: QuerySet[Order]) -> Sequence[tuple[str, str]]:
    """Why these orders are held, the most frequent reason first: (`address 3`, what to add to the list's address)."""
    return [
        (f"{in_a_row(str(HoldKind(kind).label))} {count}", f"{PARAMETER}={kind}")
        for kind, count in open_hold_kinds(rows)
    ]


def in_a_row(label: str) -> str:
    """A label without the capital that begins it, to stand among others; “SKU” keeps its own."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]
