"""Saved views on every list: the tabs, their counts, and the page that saves, renames, shares and deletes one."""

from copy import copy
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.actors import Actor
from config.kernel.admin.keyset import WalkList
from config.kernel.models import SavedView
from config.kernel.saved_views import SHARE, change_view, delete_view, kept_query, save_view, views_of


class ViewForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=40)
    is_shared = forms.BooleanField(
        label=gettext_lazy("Share with everybody who may open the list"), required=False
    )

    def __init__(self, *args: Any, may_share: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_share:
            del self.fields["is_shared"]


class SavedViewsMixin:
    """`views/` of any list: counts as JSON; `views/save/` and `views/<pk>/` its pages."""

    def get_urls(self) -> list[Any]:
        site, opts = self.admin_site, self.opts  # type: ignore[attr-defined]
        name = f"{opts.app_label}_{opts.model_name}_views"
        return [
            path("views/", site.admin_view(self.views_counted), name=name),
            path("views/save/", site.admin_view(self.view_page), name=f"{name}_save"),
            path("views/<int:pk>/", site.admin_view(self.view_page), name=f"{name}_change"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def views_counted(self, request: HttpRequest) -> JsonResponse:
        """How many rows each saved view has, bounded, for the tabs of an open list."""
        self._admit(request)
        found = []
        for view in views_of(_person(request), self.opts.label_lower):  # type: ignore[attr-defined]
            listed: Any = copy(request)
            listed.GET, listed.list_class = QueryDict(view.query), WalkList
            try:
                rows = self.get_changelist_instance(listed).queryset  # type: ignore[attr-defined]
            except (IncorrectLookupParameters, DisallowedModelAdminLookup):
                continue
            pages = self.get_paginator(request, rows, 1)  # type: ignore[attr-defined]
            found.append([f"{self._list_url()}?{view.query}", pages.count, "", ""])
        return JsonResponse({"tiles": found})

    def view_page(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Name a view of the list as it stands, or change one's own."""
        self._admit(request)
        view = SavedView.objects.filter(pk=pk, owner=_person(request)).first() if pk else None
        if pk and view is None:
            raise Http404
        query = view.query if view else kept_query(request.GET.urlencode())
        may_share = request.user.has_perm(SHARE)
        start = {"name": view.name, "is_shared": view.is_shared} if view else {}
        form = ViewForm(request.POST or None, initial=start, may_share=may_share)
        if request.method == "POST" and view and "delete" in request.POST:
            delete_view(view.pk, actor=_acting(request))
            messages.success(
                request, _("The view “%(name)s” is gone; the rows are as they were.") % {"name": view}
            )
            return HttpResponseRedirect(self._list_url())
        if request.method == "POST" and form.is_valid() and self._is_free(form, view, request):
            self._write(request, view, query, form.cleaned_data)
            return HttpResponseRedirect(f"{self._list_url()}?{query}")
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": _("View: %(name)s") % {"name": view} if view else _("Save this view"),
            "effect": _("Save"),
            "view": view,
            "form": form,
            "cancel_url": f"{self._list_url()}?{query}",
        }
        return TemplateResponse(request, "kernel/saved_view.html", context)

    def _write(
        self, request: HttpRequest, view: SavedView | None, query: str, values: dict[str, Any]
    ) -> None:
        is_shared = values.get("is_shared", view.is_shared if view else False)
        if view is not None:
            change_view(view.pk, values["name"], is_shared=is_shared, actor=_acting(request))
        else:
            label = self.opts.label_lower  # type: ignore[attr-defined]
            save_view(label, values["name"], query, is_shared=is_shared, actor=_acting(request))
        messages.success(request, _("Saved; it stands as a tab above the list."))

    def _is_free(self, form: ViewForm, view: SavedView | None, request: HttpRequest) -> bool:
        own = SavedView.objects.filter(owner=_person(request), model=self.opts.label_lower)  # type: ignore[attr-defined]
        if own.filter(name=form.cleaned_data["name"]).exclude(pk=view.pk if view else 0).exists():
            form.add_error("name", _("You have a view of this name; choose another, or change that one."))
        return form.is_valid()

    def _admit(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied

    def _list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")  # type: ignore[attr-defined]


def _person(request: HttpRequest) -> int:
    return int(request.user.pk or 0)


def _acting(request: HttpRequest) -> Actor:
    return Actor.for_user(request.user)  # type: ignore[arg-type]


def tabs_of(listed: Any, request: HttpRequest) -> dict[str, Any]:
    """The tabs of a list for this person: each view, whether it is open, and where views are counted and saved."""
    if not isinstance(listed.model_admin, SavedViewsMixin):
        return {}
    now = kept_query(request.GET.urlencode())
    views = views_of(_person(request), listed.opts.label_lower)
    rows: list[dict[str, Any]] = [
        {
            "view": view,
            "url": f"?{view.query}",
            "current": view.query == now,
            "own": view.owner_id == _person(request),
        }
        for view in views
    ]
    name = f"admin:{listed.opts.app_label}_{listed.opts.model_name}_views"
    current = next((row for row in rows if row["current"]), None)
    save_url = f"{reverse(f'{name}_save')}?{now}" if now and current is None and not listed.is_popup else ""
    change_url = reverse(f"{name}_change", args=[current["view"].pk]) if current and current["own"] else ""
    return {
        "rows": rows,
        "current": current,
        "counts_url": reverse(name) if rows else "",
        "save_url": save_url,
        "change_url": change_url,
    }
