"""From an object to the next one of the list that it was opened from, and back to that list."""

from copy import copy
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.urls import path, reverse
from django.utils.translation import gettext as _

from config.kernel.admin.keyset import AFTER, BEFORE, LAST, WalkList, neighbour, rows_before
from config.kernel.admin.list_names import MOST_COUNTED
from config.kernel.templatetags.bancale import number

KEPT = "_changelist_filters"


def _counted(rows: QuerySet[Any]) -> int:
    return int(rows.order_by().values("pk")[:MOST_COUNTED].count())


class WalkMixin:
    """`<pk>/next/` and `<pk>/previous/` of any admin: looked up when pressed, so that no page pays for them."""

    def get_urls(self) -> list[Any]:
        site, opts = self.admin_site, self.opts  # type: ignore[attr-defined]
        steps = [
            path(
                f"<int:pk>/{name}/",
                site.admin_view(partial(self.walk_view, is_ahead=name == "next")),
                name=f"{opts.app_label}_{opts.model_name}_{name}",
            )
            for name in ("next", "previous")
        ]
        place = path(
            "<int:pk>/place/",
            site.admin_view(self.place_view),
            name=f"{opts.app_label}_{opts.model_name}_place",
        )
        return [*steps, place, *super().get_urls()]  # type: ignore[misc]

    def place_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Where an object stands in the kept list, in words; "" for one that is not in it. Counts no further than
        `MOST_COUNTED`."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        try:
            listed = self._walked(request, request.GET.get(KEPT, ""))
        except IncorrectLookupParameters:
            return JsonResponse({"said": ""})
        before = rows_before(listed, pk)
        if before is None:
            return JsonResponse({"said": ""})
        place, total = (_counted(rows) for rows in (before, listed.queryset))
        if place >= MOST_COUNTED:
            return JsonResponse({"said": ""})
        more = "+" if total >= MOST_COUNTED else ""
        words = {"place": number(place + 1), "total": f"{number(total)}{more}"}
        return JsonResponse({"said": _("%(place)s of %(total)s") % words})

    def walk_view(self, request: HttpRequest, pk: int, *, is_ahead: bool) -> HttpResponse:
        """Open the neighbour in the kept list; at its end, the list."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        kept = request.GET.get(KEPT, "")
        try:
            found = neighbour(self._walked(request, kept), pk, is_ahead=is_ahead)
        except IncorrectLookupParameters:
            kept, found = "", None
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"  # type: ignore[attr-defined]
        if found is not None:
            return HttpResponseRedirect(self.keep(reverse(f"{name}_change", args=[found]), kept))
        messages.info(
            request, _("That was the last of the list.") if is_ahead else _("That was the first of the list.")
        )
        return HttpResponseRedirect(reverse(f"{name}_changelist") + (f"?{kept}" if kept else ""))

    def _walked(self, request: HttpRequest, kept: str) -> WalkList:
        listed = copy(request)
        given = QueryDict(kept, mutable=True)
        for place in (AFTER, BEFORE, LAST):
            given.pop(place, None)
        listed.GET = given  # type: ignore[assignment]
        listed.list_class = WalkList  # type: ignore[attr-defined]
        walked: WalkList = self.get_changelist_instance(listed)  # type: ignore[attr-defined]
        return walked

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return getattr(request, "list_class", None) or super().get_changelist(request, **kwargs)  # type: ignore[misc]

    def keep(self, url: str, kept: str) -> str:
        """An address of this admin that remembers the list."""
        given = QueryDict(mutable=True)
        given[KEPT] = kept
        return f"{url}?{given.urlencode()}" if kept else url

    def keeping(self, request: HttpRequest, url: str) -> str:
        """The same list remembered by the next page as by this one."""
        match = request.resolver_match
        own = f"{self.opts.app_label}_{self.opts.model_name}_"  # type: ignore[attr-defined]
        is_own = match is not None and (match.url_name or "").startswith(own)
        return self.keep(url, request.GET.get(KEPT, "")) if is_own else url
