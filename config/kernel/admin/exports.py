"""Exports: the button on a list, its page, the job that reads the list again, and the files people have had made."""

from collections.abc import Mapping
from copy import copy
from typing import Any
from uuid import uuid4

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import path, resolve, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel import idempotency
from config.kernel.actors import Actor
from config.kernel.admin.asked import nonce_of
from config.kernel.admin.keyset import WalkList
from config.kernel.admin.proof import sensitive
from config.kernel.enums import ExportFormat
from config.kernel.errors import NotAllowed
from config.kernel.exports import (
    EXPORT_JOB,
    EXPORT_KINDS,
    ExportKind,
    TooLate,
    Wanted,
    kinds_of,
    make_file,
    remove_files,
    request_export,
    require,
)
from config.kernel.jobs import JobLost, JobPaused, JobRun, register_job
from config.kernel.languages import filled
from config.kernel.models import Export
from config.kernel.saved_views import kept_query
from config.kernel.templatetags.bancale import number


class ExportForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("What"))
    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=ExportFormat)
    with_personal = forms.BooleanField(
        label=gettext_lazy("With personal data of buyers"),
        required=False,
        help_text=gettext_lazy("Names, addresses, e-mail. It is noted, and your password may be asked for."),
    )

    def __init__(self, *args: Any, kinds: list[ExportKind], may_personal: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind: Any = self.fields["kind"]
        kind.choices = [(one.name, one.label) for one in kinds]
        if not may_personal:
            del self.fields["with_personal"]


class ExportsMixin:
    """`export/` of each list whose model something was registered for (`config.kernel.exports`)."""

    def get_urls(self) -> list[Any]:
        rest: list[Any] = super().get_urls()  # type: ignore[misc]
        if not kinds_of(self.opts.label_lower):  # type: ignore[attr-defined]
            return rest
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"  # type: ignore[attr-defined]
        return [path("export/", self.admin_site.admin_view(self.export_view), name=name), *rest]  # type: ignore[attr-defined]

    def exports_for(self, request: HttpRequest) -> list[ExportKind]:
        """What this person may export of the list."""
        found = kinds_of(self.opts.label_lower)  # type: ignore[attr-defined]
        return [kind for kind in found if request.user.has_perm(kind.permission)]

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Choose what and as what; a press makes a job of it."""
        kinds = self.exports_for(request)
        if not kinds or not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        query = kept_query(request.GET.urlencode())
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")  # type: ignore[attr-defined]
        try:
            rows = rows_of_list(self, request, query)
        except (IncorrectLookupParameters, DisallowedModelAdminLookup):
            return HttpResponseRedirect(back)
        may_personal = any(kind.personal and request.user.has_perm(kind.personal) for kind in kinds)
        form = ExportForm(request.POST or None, kinds=kinds, may_personal=may_personal)
        if request.method == "POST" and form.is_valid():
            take = self._take_personal if form.cleaned_data.get("with_personal") else self._take
            return take(request, form.cleaned_data, query)
        pages = self.get_paginator(request, rows, 1)  # type: ignore[attr-defined]
        cancel_url = f"{back}?{query}" if query else back
        return self._export_page(request, form, pages, cancel_url)

    def _export_page(
        self, request: HttpRequest, form: ExportForm, pages: Any, cancel_url: str
    ) -> HttpResponse:
        counted = number(pages.count)
        if not pages.is_exact:
            counted = _("more than %(count)s") % {"count": counted}
        names = self.opts.verbose_name_plural  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": _("Export %(names)s") % {"names": names},
            "effect": _("Export"),
            "consequences": [
                _("What the list finds with its filters and search, %(count)s %(names)s, becomes a file.")
                % {"count": counted, "names": names},
                _("A job makes it; you may go on working. It is kept for 30 days, for you and managers."),
            ],
            "form": form,
            "hidden": [("export_nonce", uuid4().hex)],
            "cancel_url": cancel_url,
        }
        return TemplateResponse(request, "kernel/confirm.html", context)

    @sensitive
    def _take_personal(self, request: HttpRequest, values: Mapping[str, Any], query: str) -> HttpResponse:
        return self._take(request, values, query)

    def _take(self, request: HttpRequest, values: Mapping[str, Any], query: str) -> HttpResponse:
        """Ask for it once a nonce."""
        kind = EXPORT_KINDS[values["kind"]]
        has_personal = bool(kind.personal and values.get("with_personal"))
        wanted = Wanted(kind.name, ExportFormat(values["format"]), query, has_personal)
        nonce = nonce_of(request.POST.get("export_nonce", ""))
        asked = {
            "user": request.user.pk,
            "kind": kind.name,
            "format": wanted.format,
            "query": query,
            "personal": has_personal,
        }
        with transaction.atomic():
            answer = idempotency.begin("admin_export", nonce, asked)
            if not answer:
                answer = {"export": request_export(wanted, actor=_acting(request))}
                idempotency.finish("admin_export", nonce, answer)
        return HttpResponseRedirect(reverse("admin:kernel_export_change", args=[answer["export"]]))


def _acting(request: HttpRequest) -> Actor:
    return Actor.for_user(request.user)  # type: ignore[arg-type]


def rows_of_list(model_admin: Any, request: HttpRequest, query: str) -> QuerySet[Any]:
    """What a list finds for a person at an address, read as Django reads it and no further."""
    listed: Any = copy(request)
    listed.GET, listed.list_class, listed.method = QueryDict(query), WalkList, "GET"
    opts = model_admin.opts
    listed.resolver_match = resolve(reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"))
    rows: QuerySet[Any] = model_admin.get_changelist_instance(listed).queryset
    return rows


def export_url(listed: Any, request: HttpRequest) -> str:
    """Where the open list is exported; "" for who may export nothing of it."""
    owner = listed.model_admin
    if not isinstance(owner, ExportsMixin) or listed.is_popup or not owner.exports_for(request):
        return ""
    query = kept_query(request.GET.urlencode())
    name = f"admin:{listed.opts.app_label}_{listed.opts.model_name}_export"
    return reverse(name) + (f"?{query}" if query else "")


def run_export_job(run: JobRun) -> Mapping[str, Any]:
    """Make an export's file with the rights that its person has now; a second run finds it made."""
    export = Export.objects.get(pk=run.params["export"])
    if export.ready_at is not None:
        return {**run.job.result, "rows": export.row_count}
    if export.expired_at is not None:
        # Its filters are gone: the file would be of the whole list, and nobody would remove it.
        raise TooLate
    kind = EXPORT_KINDS[export.kind]
    require(run.actor, kind, has_personal=export.has_personal)
    try:
        count = make_file(export, kind, _rows_for(kind, export, run.actor), run)
    except (JobPaused, JobLost, OperationalError, InterfaceError):
        raise  # The next worker goes on with what stands there, and may have begun: our session may have ended.
    except Exception:
        remove_files(export)
        raise
    run.log(filled(gettext_lazy("%(count)s rows"), {"count": count}))
    return {"rows": count, **kind.shown_to(run.actor, has_personal=export.has_personal)}


def _rows_for(kind: ExportKind, export: Export, actor: Actor) -> QuerySet[Any]:
    """The list as its person would see it now."""
    model = apps.get_model(kind.model)
    page = admin.site.get_model_admin(model)
    request = HttpRequest()
    request.method = "GET"
    request.user = get_user_model().objects.get(pk=actor.id or 0)
    if not request.user.is_active or not page.has_view_permission(request):
        raise NotAllowed(permission=kind.permission)
    return rows_of_list(page, request, export.query)


register_job(EXPORT_JOB, run_export_job)
