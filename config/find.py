"""One search box: an exact number, reference, e-mail, SKU, barcode or tracking number opens what it names."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.options import ModelAdmin
from django.http import HttpRequest
from django.urls import reverse

from orders.privacy import SEE_PERSONAL
from orders.selectors.numbers import REFERENCES, named_by

# In the order of asking; every column is indexed or unique, and asked by itself so that its index is used.
EXACT = (
    ("orders.order", ("number", *REFERENCES, "email")),
    ("inventory.sku", ("code", "barcodes__code")),
    ("fulfillment.fulfillmentorder", ("number",)),
    ("fulfillment.shipment", ("number",)),
    ("fulfillment.parcel", ("tracking_number",)),
    ("inventory.transfer", ("number",)),
    ("inventory.stockcount", ("number",)),
    ("returns.rma", ("number",)),
)
PERSONAL = frozenset({"email"})
FALLBACK = "orders.order"
# Of more that are called the same, those that a person sees are left to the list.
MOST_CALLED = 50


def find_url(request: HttpRequest, site: admin.AdminSite, text: str) -> str | None:
    """Where a typed or scanned text leads: the one object it names, else a list that searches for it.

    Only what the user may view is asked. None when nothing is called so and no list can be searched.
    """
    for label, columns in EXACT:
        model_admin = _viewable(request, site, label)
        if model_admin is None:
            continue
        called = _called(model_admin.model, _askable(request, columns), text)
        # Rows elsewhere are not told from none, also where several lead to a list.
        seen = model_admin.get_queryset(request).filter(pk__in=called).order_by() if called else None
        hits = list(seen.values_list("pk", flat=True)[:2]) if seen is not None else []
        if len(hits) == 1:
            return reverse(f"admin:{_url_name(model_admin)}_change", args=hits, current_app=site.name)
        if len(hits) > 1 and model_admin.search_fields:
            return _list_url(model_admin, site, text)
    model_admin = _viewable(request, site, FALLBACK)
    return _list_url(model_admin, site, text) if model_admin and model_admin.search_fields else None


def _called(model: Any, columns: Iterable[str], text: str) -> list[int]:
    """Keys of rows that are called so, in any case of letters."""
    first, *others = (
        model._default_manager.filter(named_by(column, text)).order_by().values_list("pk", flat=True)
        for column in columns
    )
    return list(first.union(*others)[:MOST_CALLED])


def _askable(request: HttpRequest, columns: Iterable[str]) -> list[str]:
    """The columns that this person may search: an answer would tell whose order it is."""
    may_all = request.user.has_perm(SEE_PERSONAL)
    return [column for column in columns if may_all or column not in PERSONAL]


def _viewable(request: HttpRequest, site: admin.AdminSite, label: str) -> "ModelAdmin[Any] | None":
    model_admin = site._registry.get(apps.get_model(label))
    return model_admin if model_admin and model_admin.has_view_permission(request) else None


def _url_name(model_admin: "ModelAdmin[Any]") -> str:
    return f"{model_admin.opts.app_label}_{model_admin.opts.model_name}"


def _list_url(model_admin: "ModelAdmin[Any]", site: admin.AdminSite, text: str) -> str:
    url = reverse(f"admin:{_url_name(model_admin)}_changelist", current_app=site.name)
    return f"{url}?{urlencode({'q': text})}"
