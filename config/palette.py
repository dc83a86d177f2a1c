"""The palette: what a few typed letters could mean, exact hits first, then pages and actions of the navigation.

One statement a kind (orders: three). Only what the person may view and sees is asked and told.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.visibility import visible_to
from config.navigation import Work, navigation
from orders.privacy import SEE_PERSONAL
from orders.selectors.numbers import search_numbers
from orders.selectors.search import search_orders

SHOWN = 6
SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to open. An exact one is what the text names, letter by letter."""

    label: str
    detail: str
    url: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """Objects that can be named: how they are found (`find(request, rows, text)`) and what is said of one."""

    model: str
    label: str | Promise
    find: Callable[[HttpRequest, QuerySet[Any], str], QuerySet[Any]]
    named: Callable[[Any], Sequence[str]]
    detail: Callable[[HttpRequest, Any], str]
    related: tuple[str, ...] = ()
    permission: str = ""


def _orders(request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    find = search_orders if request.user.has_perm(SEE_PERSONAL) else search_numbers
    return find(rows, text).order_by("-placed_at", "-id")


def _order_detail(request: HttpRequest, order: Any) -> str:
    buyer = ""
    if request.user.has_perm(SEE_PERSONAL):
        buyer = (order.customer.name if order.customer else "") or order.email
    return " · ".join(part for part in (order.get_status_display(), buyer, order.external_number) if part)


def _begins(*columns: str) -> Callable[[HttpRequest, QuerySet[Any], str], QuerySet[Any]]:
    """Rows one of whose columns begins so, as typed or in capitals; each column is indexed for it."""

    def find(_request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        named = Q()
        for column in columns:
            for spelling in {text, text.upper()}:
                named |= Q(**{column: spelling})
        return rows.filter(named).order_by("pk")

    return find


def _skus(_request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    barcodes = apps.get_model("inventory.Barcode")._default_manager.filter(code=text).values("sku")
    named = Q(code__istartswith=text) | Q(title__icontains=text) | Q(pk__in=barcodes)
    return rows.filter(named).order_by("code")


def _customers(_request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """By the whole e-mail address; who is known by name is found through their orders."""
    return rows.filter(email=text.lower(), merged_into=None).order_by("pk")


KINDS = (
    Kind(
        "orders.Order", gettext_lazy("Orders"), _orders,
        lambda row: (row.number, row.external_id, row.external_number, row.email), _order_detail, ("customer",),
    ),
    Kind("inventory.Sku", gettext_lazy("SKUs"), _skus, lambda row: (row.code,), lambda _request, row: row.title),
    Kind(
        "orders.Customer", gettext_lazy("Customers"), _customers, lambda row: (row.email,),
        lambda _request, row: row.email, permission=SEE_PERSONAL,
    ),
    Kind(
        "fulfillment.Parcel", gettext_lazy("Parcels"), _begins("tracking_number"),
        lambda row: (row.tracking_number,), lambda _request, row: row.get_status_display(),
    ),
    Kind(
        "fulfillment.FulfillmentOrder", gettext_lazy("Warehouse work"),
        _begins("number__startswith", "shipments__number"), lambda row: (row.number,),
        lambda _request, row: f"{row.get_status_display()} · {row.location}", ("location",),
    ),
    Kind(
        "returns.Rma", gettext_lazy("Returns"), _begins("number__startswith"), lambda row: (row.number,),
        lambda _request, row: row.get_status_display(),
    ),
)  # fmt: skip


def palette(request: HttpRequest, site: admin.AdminSite, text: str) -> list[dict[str, Any]]:
    """Groups of rows for a text: {"label", "rows"}; without a text where one can go and what one can do."""
    works = navigation(site.get_app_list(request), "")
    groups: list[tuple[str, list[Row]]] = []
    if len(text) >= SHORTEST:
        groups = [(str(kind.label), _found(kind, request, site, text)) for kind in KINDS]
        groups.sort(key=lambda group: not any(row.exact for row in group[1]))
    groups += [(_("Actions"), _matching(_actions(works), text)), (_("Pages"), _matching(_pages(works), text))]
    return [{"label": label, "rows": [asdict(row) for row in rows]} for label, rows in groups if rows]


def _found(kind: Kind, request: HttpRequest, site: admin.AdminSite, text: str) -> list[Row]:
    model = apps.get_model(kind.model)
    model_admin = site._registry.get(model)
    if model_admin is None or not model_admin.has_view_permission(request):
        return []
    if kind.permission and not request.user.has_perm(kind.permission):
        return []
    rows = visible_to(request.user, model._default_manager.select_related(*kind.related))
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    found = [
        Row(
            str(row),
            kind.detail(request, row),
            reverse(name, args=[row.pk], current_app=site.name),
            text.casefold() in {named.casefold() for named in kind.named(row)},
        )
        for row in kind.find(request, rows, text)[:SHOWN]
    ]
    return sorted(found, key=lambda row: not row.exact)


def _pages(works: Iterable[Work]) -> list[Row]:
    entries = [(work, entry) for work in works for entry in work.entries]
    return [Row(str(entry.label), str(work.label), entry.url) for work, entry in entries]


def _actions(works: Iterable[Work]) -> list[Row]:
    entries = [(work, entry) for work in works for entry in work.entries if entry.add_url]
    return [
        Row(_("Add: %(name)s") % {"name": entry.label}, str(work.label), str(entry.add_url))
        for work, entry in entries
    ]


def _matching(rows: Sequence[Row], text: str) -> list[Row]:
    words = text.casefold().split()
    fitting = [row for row in rows if all(word in f"{row.label} {row.detail}".casefold() for word in words)]
    return fitting[:SHOWN]
