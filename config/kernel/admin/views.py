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
from config.kernel.admin.list_names import MOST_COUNTED, queues_of
from config.kernel.admin.open_view import asked_columns, chosen_columns, opened_view, person, views_seen
from config.kernel.admin.queues import PARAMETER
from config.kernel.models import SavedView
from config.kernel.saved_views import (
    MOST_SHOWN,
    SHARE,
    Look,
    address_of,
    change_view,
    delete_view,
    kept_query,
    save_view,
)


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
            path(
                "tabs/", site.admin_view(self.tabs_counted), name=f"{opts.app_label}_{opts.model_name}_tabs"
            ),
            path("views/save/", site.admin_view(self.view_page), name=f"{name}_save"),
            path("views/<int:pk>/", site.admin_view(self.view_page), name=f"{name}_change"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def views_counted(self, request: HttpRequest) -> JsonResponse:
        """How many rows each saved view has, bounded, for the tabs of an open list."""
        self._admit(request)
        found = []
        for view in views_seen(request, self.opts.label_lower)[:MOST_SHOWN]:  # type: ignore[attr-defined]
            listed: Any = copy(request)
            listed.GET, listed.list_class = QueryDict(view.query), WalkList
            try:
                rows = self.get_changelist_instance(listed).queryset  # type: ignore[attr-defined]
            except (IncorrectLookupParameters, DisallowedModelAdminLookup):
                continue
            pages = self.get_paginator(request, rows, 1)  # type: ignore[attr-defined]
            found.append([f"{self._list_url()}?{address_of(view)}", pages.count, "", ""])
        return JsonResponse({"tiles": found})

    def tabs_counted(self, request: HttpRequest) -> JsonResponse:
        """How many rows each queue has inside the filters and the search of this address, up to `MOST_COUNTED`."""
        self._admit(request)
        found = {}
        for queue in queues_of(self.model):  # type: ignore[attr-defined]
            listed: Any = copy(request)
            listed.GET, listed.list_class = request.GET.copy(), WalkList
            listed.GET[PARAMETER] = queue.name
            try:
                rows = self.get_changelist_instance(listed).queryset  # type: ignore[attr-defined]
            except (IncorrectLookupParameters, DisallowedModelAdminLookup):
                break
            found[queue.name] = rows.order_by().values("pk")[:MOST_COUNTED].count()
        return JsonResponse({"counts": found, "most": MOST_COUNTED})

    def view_page(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Name a view of the list as it stands, or change one's own; with a list's address, to what that shows."""
        self._admit(request)
        view = SavedView.objects.filter(pk=pk, owner=person(request)).first() if pk else None
        if pk and view is None:
            raise Http404
        look = self._look(request, view)
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
            view = self._write(request, view, look, form.cleaned_data)
            messages.success(request, _("Saved; it stands as a tab above the list."))
            return HttpResponseRedirect(f"{self._list_url()}?{address_of(view)}")
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": _("View: %(name)s") % {"name": view} if view else _("Save this view"),
            "effect": _("Save"),
            "consequences": self._said(view, look),
            "view": view,
            "form": form,
            "cancel_url": f"{self._list_url()}?{request.GET.urlencode() or (address_of(view) if view else '')}",
        }
        return TemplateResponse(request, "kernel/saved_view.html", context)

    def _look(self, request: HttpRequest, view: SavedView | None) -> Look:
        """What the list shows at this address, without columns that this person may not see; a view that is changed
        without one keeps what it has, also columns that its owner does not see."""
        if view is not None and not request.GET:
            return Look(view.query, view.columns)
        query = kept_query(request.GET.urlencode())
        if view is not None and not asked_columns(request):
            return Look(query, view.columns)
        chosen = chosen_columns(request, self.opts.label_lower)  # type: ignore[attr-defined]
        return Look(query, self.get_list_display(request) if chosen else ())  # type: ignore[attr-defined]

    def _said(self, view: SavedView | None, look: Look) -> list[str]:
        """What saving keeps, or changes of a view."""
        said = []
        if view is not None and look.query != view.query:
            said.append(_("Its filters, search and order become those of the list as you see it."))
        if look.columns and (view is None or look.columns != view.columns):
            names = ", ".join(self.column_label(name) for name in look.columns)  # type: ignore[attr-defined]
            said.append(_("It keeps these columns: %(names)s.") % {"names": names})
        elif view is None:
            said.append(_("It keeps filters, search and order; everybody sees their own columns in it."))
        return said

    def _write(
        self, request: HttpRequest, view: SavedView | None, look: Look, values: dict[str, Any]
    ) -> SavedView:
        is_shared = values.get("is_shared", view.is_shared if view else False)
        if view is not None:
            return change_view(view.pk, values["name"], look, is_shared=is_shared, actor=_acting(request))
        label = self.opts.label_lower  # type: ignore[attr-defined]
        return save_view(label, values["name"], look, is_shared=is_shared, actor=_acting(request))

    def _is_free(self, form: ViewForm, view: SavedView | None, request: HttpRequest) -> bool:
        own = SavedView.objects.filter(owner=person(request), model=self.opts.label_lower)  # type: ignore[attr-defined]
        if own.filter(name=form.cleaned_data["name"]).exclude(pk=view.pk if view else 0).exists():
            form.add_error("name", _("You have a view of this name; choose another, or change that one."))
        return form.is_valid()

    def _admit(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied

    def _list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")  # type: ignore[attr-defined]


def _acting(request: HttpRequest) -> Actor:
    return Actor.for_user(request.user)  # type: ignore[arg-type]


def tabs_of(listed: Any, request: HttpRequest) -> dict[str, Any]:
    """The tabs of a list for this person: each view, whether it is open, and where views are counted and saved."""
    owner, label = listed.model_admin, listed.opts.label_lower
    if not isinstance(owner, SavedViewsMixin):
        return {}
    opened, me = opened_view(request, label), person(request)
    rows: list[dict[str, Any]] = [
        {"view": view, "url": f"?{address_of(view)}", "current": view == opened, "own": view.owner_id == me}
        for view in views_seen(request, label)[:MOST_SHOWN]
    ]
    name, address = f"admin:{listed.opts.app_label}_{listed.opts.model_name}_views", request.GET.urlencode()
    now = kept_query(address)
    is_own = opened is not None and opened.owner_id == me
    if opened is not None:
        is_new = bool(asked_columns(request)) or now != opened.query
    else:
        is_new = bool(now) or owner.get_list_display(request) != owner.own_columns(request)  # type: ignore[attr-defined]
    save_url = f"{reverse(f'{name}_save')}?{address}" if is_new and not listed.is_popup else ""
    change_url = reverse(f"{name}_change", args=[opened.pk]) if opened is not None and is_own else ""
    return {
        "rows": rows,
        "is_changed": is_own and is_new,
        "counts_url": reverse(name) if rows else "",
        "save_url": save_url,
        "change_url": f"{change_url}?{address}" if change_url and is_new else change_url,
    }
