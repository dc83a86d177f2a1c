"""Which saved view a list is opened by, and which columns its address or that view asks for."""

from collections.abc import Sequence

from django.http import HttpRequest

from config.kernel.columns import columns_of
from config.kernel.models import SavedView
from config.kernel.saved_views import COLUMNS, VIEW, kept_query, views_of


def person(request: HttpRequest) -> int:
    return int(request.user.pk or 0)


def views_seen(request: HttpRequest, model: str) -> Sequence[SavedView]:
    """The views that a person may open of a list; asked several times a request, read once."""
    kept: dict[str, Sequence[SavedView]] = request.__dict__.setdefault("_bancale_views", {})
    if model not in kept:
        kept[model] = views_of(person(request), model)
    return kept[model]


def opened_view(request: HttpRequest, model: str) -> SavedView | None:
    """The view that an address names, whatever was filtered since; without a name, one of just these filters that keeps
    no columns."""
    views = views_seen(request, model)
    if VIEW in request.GET:
        return next((view for view in views if str(view.pk) == request.GET[VIEW]), None)
    now = kept_query(request.GET.urlencode())
    return next((view for view in views if now and view.query == now and not view.columns), None)


def asked_columns(request: HttpRequest) -> list[str]:
    return [name for name in request.GET.get(COLUMNS, "").split(",") if name]


def chosen_columns(request: HttpRequest, model: str) -> list[str]:
    """The address's own columns, else those of the view it names, else the person's; unchecked, none for the list's."""
    if asked := asked_columns(request):
        return asked
    view = opened_view(request, model) if VIEW in request.GET else None
    return view.columns if view and view.columns else columns_of(person(request), model)
