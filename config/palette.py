"""The palette: what a few typed letters could mean, exact hits first, then pages and actions of the navigation.

All kinds are asked by one statement, orders by two before it. Only what the person may view and sees is asked and told.
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

from config.kernel.admin.asked import number_of
from config.kernel.templatetags.bancale import local_text
from config.kernel.together import read_together
from config.kernel.visibility import visible_to
from config.navigation import Work, navigation
from config.palette_verbs import Action, actions
from orders.privacy import SEE_PERSONAL
from orders.selectors.numbers import DOCUMENT, called
from orders.selectors.search import search_numbers, search_orders

SHOWN = 6
SHORTEST = 2
SHORTEST_INNER = 3  # letters of a trigram
ORDERS_READ = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to open. An exact one is what the text names, letter by letter."""

    label: str
    detail: str
    url: str
    exact: bool = False


# Narrows rows to those that a text could mean. A way of its own for each table that is looked into: two in one
# condition would be answered by reading everything.
Find = Callable[[HttpRequest, QuerySet[Any], str], QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class Kind:
    """Objects that can be named: each way they are found (`find(request, rows, text)`) and what is said of one.

    With a `prefix`, they are asked only for a text that begins as their numbers do.
    """

    model: str
    label: str | Promise
    finds: Sequence[Find]
    named: Callable[[Any], Sequence[str]]
    detail: Callable[[HttpRequest, Any], str]
    related: tuple[str, ...] = ()
    permission: str = ""
    prefix: str = ""


def _orders(request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    if DOCUMENT.fullmatch(text):
        rows = called(rows, text)
    else:
        find = search_orders if request.user.has_perm(SEE_PERSONAL) else search_numbers
        rows = find(rows, text)
    return rows.order_by("-placed_at", "-id")


def _order_detail(request: HttpRequest, order: Any) -> str:
    buyer = ""
    if request.user.has_perm(SEE_PERSONAL):
        buyer = (order.customer.name if order.customer else "") or order.email
    return " · ".join(part for part in (order.get_status_display(), buyer, order.external_number) if part)


def _begins(_request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Rows whose number begins so: capitals, a hyphen, digits."""
    if "-" not in text:
        return rows.none()
    return rows.filter(number__startswith=text.upper()).order_by("pk")


def _by_id(_request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """The row whose number is made of its id: `R-12`."""
    number = number_of(text.partition("-")[2])
    return rows.filter(pk=number) if number else rows.none()


def _named(_request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Of few rows: by a part of the name or the beginning of the code."""
    return rows.filter(Q(name__icontains=text) | Q(code__istartswith=text)).order_by("name", "pk")


def _parcels(_request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """By the tracking number, or as a parcel is called: the carrier's name before it."""
    number = text.upper()
    numbers = {text, number, *(number.split(" ", words)[-1] for words in (1, 2))}
    return rows.filter(tracking_number__in=numbers).order_by("tracking_number", "pk")


def _work_of_shipment(_request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    if "-" not in text:
        return rows.none()
    shipments = apps.get_model("fulfillment.Shipment")._default_manager.filter(number=text.upper())
    return rows.filter(pk__in=shipments.values("fulfillment_order")).order_by("pk")


def _skus(_request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    barcodes = apps.get_model("inventory.Barcode")._default_manager.filter(code=text).values("sku")
    named = Q(code__istartswith=text) | Q(title__icontains=text) | Q(pk__in=barcodes)
    return rows.filter(named).order_by("code")


def _customers(_request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """By the whole e-mail address."""
    return (
        rows.none() if "@" not in text else rows.filter(email=text.lower(), merged_into=None).order_by("pk")
    )


def _buyers(_request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """By parts of name and e-mail address, through at most `ORDERS_READ` orders: these have the index."""
    words = text.split()
    if min(map(len, words)) < SHORTEST_INNER or DOCUMENT.fullmatch(text):
        return rows.none()
    orders = apps.get_model("orders.Order")._default_manager.exclude(customer=None)
    for word in words:
        orders = orders.filter(search_text__contains=word.upper())
        rows = rows.filter(Q(name__icontains=word) | Q(email__icontains=word))
    some = orders.order_by().values("customer")[:ORDERS_READ]
    return rows.filter(pk__in=some, merged_into=None).order_by("name", "pk")


KINDS = (
    Kind(
        "orders.Order", gettext_lazy("Orders"), (_orders,),
        lambda row: (row.number, row.external_id, row.external_number, row.email), _order_detail, ("customer",),
    ),
    Kind(
        "inventory.Sku", gettext_lazy("SKUs"), (_skus,), lambda row: (row.code,), lambda _request, row: row.title,
    ),
    Kind(
        "orders.Customer", gettext_lazy("Customers"), (_customers, _buyers), lambda row: (row.email, row.name),
        lambda _request, row: row.email, permission=SEE_PERSONAL,
    ),
    Kind(
        "fulfillment.Parcel", gettext_lazy("Parcels"), (_parcels,),
        lambda row: (row.tracking_number, str(row)), lambda _request, row: row.get_status_display(),
    ),
    Kind(
        "fulfillment.FulfillmentOrder", gettext_lazy("Warehouse work"),
        (_begins, _work_of_shipment), lambda row: (row.number,),
        lambda _request, row: f"{row.get_status_display()} · {row.location}", ("location",),
    ),
    Kind(
        "returns.Rma", gettext_lazy("Returns"), (_begins,), lambda row: (row.number,),
        lambda _request, row: row.get_status_display(),
    ),
    Kind(
        "inventory.Transfer", gettext_lazy("Transfers"), (_begins,), lambda row: (row.number,),
        lambda _request, row: f"{row.origin.name} → {row.destination.name}", ("origin", "destination"), prefix="T-",
    ),
    Kind(
        "inventory.StockCount", gettext_lazy("Counts"), (_begins,), lambda row: (row.number,),
        lambda _request, row: f"{row.get_status_display()} · {row.location}", ("location",), prefix="C-",
    ),
    Kind(
        "inventory.StockReceipt", gettext_lazy("Receipts"), (_by_id,), lambda row: (row.number,),
        lambda _request, row: str(row.location), ("location",), prefix="R-",
    ),
    Kind(
        "inventory.StockAdjustment", gettext_lazy("Adjustments"), (_by_id,), lambda row: (row.number,),
        lambda _request, row: f"{row.get_kind_display()} · {local_text(row.adjusted_at)}", prefix="A-",
    ),
    Kind(
        "inventory.Location", gettext_lazy("Locations"), (_named,), lambda row: (row.name, row.code),
        lambda _request, row: row.code,
    ),
    Kind(
        "orders.SalesChannel", gettext_lazy("Sales channels"), (_named,), lambda row: (row.name, row.code),
        lambda _request, row: row.get_kind_display(),
    ),
)  # fmt: skip


def palette(request: HttpRequest, site: admin.AdminSite, text: str) -> list[dict[str, Any]]:
    """Groups of rows for a text: {"label", "rows"}; without a text where one can go and what one can do."""
    works = navigation(site.get_app_list(request), "")
    groups: list[tuple[str, list[Row]]] = []
    if len(text) >= SHORTEST:
        groups = _found(request, site, text)
        groups.sort(key=lambda group: not any(row.exact for row in group[1]))
    doing = [(_action_row(one), one.also) for one in actions(works, request.user.has_perm)]
    groups += [(_("Actions"), _matching(doing, text)), (_("Pages"), _matching(_pages(works), text))]
    return [{"label": label, "rows": [asdict(row) for row in rows]} for label, rows in groups if rows]


def _found(request: HttpRequest, site: admin.AdminSite, text: str) -> list[tuple[str, list[Row]]]:
    kinds = [kind for kind in KINDS if _is_meant(kind, text) and _may_ask(kind, request, site)]
    asked = [
        (kind, find(request, _rows(kind, request), text)[:SHOWN]) for kind in kinds for find in kind.finds
    ]
    found: dict[str, dict[int, Any]] = {kind.model: {} for kind in kinds}
    for (kind, _rows_asked), rows in zip(asked, read_together([rows for _kind, rows in asked]), strict=True):
        found[kind.model] |= {row.pk: row for row in rows}
    return [(str(kind.label), _told(kind, request, site, text, found[kind.model].values())) for kind in kinds]


def _is_meant(kind: Kind, text: str) -> bool:
    """Whether a text may name one of these: a document's number is looked for among such documents only."""
    return text.upper().startswith(kind.prefix)


def _may_ask(kind: Kind, request: HttpRequest, site: admin.AdminSite) -> bool:
    model_admin = site._registry.get(apps.get_model(kind.model))
    may_view = model_admin is not None and model_admin.has_view_permission(request)
    return may_view and (not kind.permission or request.user.has_perm(kind.permission))


def _rows(kind: Kind, request: HttpRequest) -> QuerySet[Any]:
    rows = visible_to(request.user, apps.get_model(kind.model)._default_manager.all())
    return rows.select_related(*kind.related) if kind.related else rows


def _told(
    kind: Kind, request: HttpRequest, site: admin.AdminSite, text: str, found: Iterable[Any]
) -> list[Row]:
    name = f"admin:{kind.model.lower().replace('.', '_')}_change"
    rows = [
        Row(
            str(row),
            kind.detail(request, row),
            reverse(name, args=[row.pk], current_app=site.name),
            text.casefold() in {named.casefold() for named in kind.named(row)},
        )
        for row in found
    ]
    return sorted(rows, key=lambda row: not row.exact)[:SHOWN]


def _pages(works: Iterable[Work]) -> list[tuple[Row, str]]:
    entries = [(work, entry) for work in works for entry in work.entries]
    return [(Row(str(entry.label), str(work.label), entry.url), "") for work, entry in entries]


def _action_row(action: Action) -> Row:
    return Row(action.label, action.where, action.url)


def _matching(rows: Sequence[tuple[Row, str]], text: str) -> list[Row]:
    """Those that every word fits: what they are called, where they stand, and further words for them."""
    words = text.casefold().split()
    fitting = [
        row
        for row, also in rows
        if all(word in f"{row.label} {row.detail} {also}".casefold() for word in words)
    ]
    return fitting[:SHOWN]
