"""Every list's columns as each person wants them, and the page that chooses them."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import label_for_field
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from config.kernel.admin.open_view import chosen_columns, opened_view, person
from config.kernel.admin.optional_columns import OptionalColumn, read_for, shown_of
from config.kernel.columns import arranged, choose_columns
from config.kernel.models import SavedView
from config.kernel.saved_views import COLUMNS, VIEW

UP, DOWN, RESET = "up", "down", "reset"


class ColumnsMixin:
    """`columns/` of any list. `own_columns` are those that the person sees unless they chose others, `all_columns` also
    what may be added to them (`optional_columns`)."""

    optional_columns: tuple[OptionalColumn, ...] = ()

    def get_urls(self) -> list[Any]:
        site, opts = self.admin_site, self.opts  # type: ignore[attr-defined]
        name = f"{opts.app_label}_{opts.model_name}_columns"
        return [
            path("columns/", site.admin_view(self.columns_page), name=name),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def own_columns(self, request: HttpRequest) -> list[str]:
        return self.permitted(request, super().get_list_display(request))  # type: ignore[attr-defined,misc,no-any-return]

    def all_columns(self, request: HttpRequest) -> list[str]:
        """Optional ones stand last, so that the places by which addresses sort stay as they are."""
        more = self.permitted(request, [column.name for column in self.optional_columns])  # type: ignore[attr-defined]
        return [*self.own_columns(request), *more]

    def get_list_display(self, request: HttpRequest) -> Any:
        """Asked several times a request, read once; a list that is only walked shows none."""
        if hasattr(request, "list_class"):
            return self.all_columns(request)
        kept: dict[str, list[str]] = request.__dict__.setdefault("_bancale_columns", {})
        label = self.opts.label_lower  # type: ignore[attr-defined]
        if label not in kept:
            chosen = chosen_columns(request, label)
            kept[label] = arranged(self.own_columns(request), self.all_columns(request), chosen)
        return kept[label]

    def get_list_select_related(self, request: HttpRequest) -> Any:
        """Tables that only a shown optional column reads are joined for it alone."""
        declared = super().get_list_select_related(request)  # type: ignore[misc]
        shown = shown_of(self.optional_columns, self.get_list_display(request))
        more = {path for column in shown for path in column.related}
        return (*(declared or ()), *sorted(more)) if more else declared

    def read_columns(self, rows: Iterable[Any], names: Sequence[str]) -> None:
        """Read for a page of rows what these columns of it show."""
        read_for(rows, shown_of(self.optional_columns, names))

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        """The declared first column leads to the row, wherever it was moved."""
        declared = self.list_display_links  # type: ignore[attr-defined]
        return declared if declared or declared is None else self.all_columns(request)[:1]

    def anchors(self, request: HttpRequest) -> list[str]:
        """Columns that cannot be hidden: those that lead to the row, and the first."""
        every = self.all_columns(request)
        links = self.get_list_display_links(request, every) or ()
        return [name for name in every if name in links or name == every[0]]

    def column_label(self, name: str) -> str:
        return str(capfirst(label_for_field(name, self.opts.model, self)))  # type: ignore[attr-defined,call-overload]

    def columns_page(self, request: HttpRequest) -> HttpResponse:
        """Tick and move columns; each press but the last only shows what was pressed."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        every, anchors = self.all_columns(request), self.anchors(request)
        label = self.opts.label_lower  # type: ignore[attr-defined]
        view = opened_view(request, label)
        order, shown = self._asked(request, every, anchors)
        if request.method == "POST" and not {UP, DOWN} & set(request.POST):
            names = () if RESET in request.POST else [name for name in order if name in shown]
            if view is not None:
                return self._show_in_view(request, view, names)
            choose_columns(person(request), label, () if names == self.own_columns(request) else names)
            messages.success(
                request,
                _("Your columns are kept for this list.")
                if names
                else _("The list shows its own columns again."),
            )
            return HttpResponseRedirect(self._back_to_list(request, **{COLUMNS: ""}))
        rows = [
            {
                "name": name,
                "label": self.column_label(name),
                "shown": name in shown,
                "fixed": name in anchors,
            }
            for name in order
        ]
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": _("Columns: %(name)s") % {"name": self.opts.verbose_name_plural},  # type: ignore[attr-defined]
            "rows": rows,
            "view": view,
            "moved": request.POST.get(UP) or request.POST.get(DOWN) or "",
            "cancel_url": self._back_to_list(request),
        }
        return TemplateResponse(request, "kernel/columns.html", context)

    def _show_in_view(
        self, request: HttpRequest, view: SavedView, names: Sequence[str]
    ) -> HttpResponseRedirect:
        """Show columns in an open view for as long as the address lasts; none are the view's own."""
        if names:
            messages.success(
                request, _("You see these columns until you leave the view; save it to keep them in it.")
            )
        else:
            messages.success(request, _("The view shows its own columns again."))
        asked = {VIEW: str(view.pk), COLUMNS: ",".join(names)}
        return HttpResponseRedirect(self._back_to_list(request, **asked))

    def _asked(
        self, request: HttpRequest, every: Sequence[str], anchors: Sequence[str]
    ) -> tuple[list[str], set[str]]:
        """Order and ticks as posted, moved by the pressed arrow; else as they are kept."""
        if request.method != "POST":
            shown = list(self.get_list_display(request))
            return [*shown, *(name for name in every if name not in shown)], {*shown, *anchors}
        posted = [name for name in dict.fromkeys(request.POST.getlist("order")) if name in every]
        order = [*posted, *(name for name in every if name not in posted)]
        for press, step in ((UP, -1), (DOWN, 1)):
            name = request.POST.get(press, "")
            if name in order and 0 <= (place := order.index(name) + step) < len(order):
                order.remove(name)
                order.insert(place, name)
        return order, {name for name in request.POST.getlist("shown") if name in every} | set(anchors)

    def _back_to_list(self, request: HttpRequest, **changed: str) -> str:
        """The list that the page was opened from; a changed part of its address is left out where it is empty."""
        opts = self.opts  # type: ignore[attr-defined]
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        given = request.GET.copy()
        for name, value in changed.items():
            given[name] = value
            if not value:
                del given[name]
        return f"{url}?{given.urlencode()}" if given else url
