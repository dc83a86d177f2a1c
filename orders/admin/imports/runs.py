"""Imports: the list of runs, uploading, and the page on which one is checked, applied, finished or taken back."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import SeenFilter, TransitionAdmin, TransitionVerb, acting, admin_url, badge_column
from config.kernel.admin.asked import number_of
from config.kernel.errors import BancaleError
from config.kernel.sheets import csv_lines
from config.kernel.templatetags.bancale import localtime
from orders.admin.imports.forms import TAX, ApplyForm, ColumnsForm, UploadForm
from orders.admin.imports.page import MAPPABLE, page_of
from orders.enums import ImportMode, ImportPlan, ImportStatus
from orders.models import ImportRun
from orders.services.importing.applying import apply_runs
from orders.services.importing.failed_rows import failed_rows
from orders.services.importing.finishing import finish_runs
from orders.services.importing.mapping import Columns, cancel_runs, map_columns, missing_fields, start_check
from orders.services.importing.rolling_back import roll_back_runs
from orders.services.importing.uploading import Upload, upload_file
from orders.sheets.profiles import OWN, PROFILES
from orders.states import IMPORT, IMPORT_RUN

# The query that asks for an empty file.
TEMPLATE = "template"


def _template() -> HttpResponse:
    """An empty file whose headings are read without a question."""
    lines = "".join(csv_lines([list(OWN.columns.values())]))
    answer = HttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="orders.csv"'
    return answer


def _on_apply(run: ImportRun) -> Sequence[Any]:
    plans = run.summary.get("plans", {})
    said: list[Any] = []
    for plan, one, many in (
        (ImportPlan.CREATE, _("%(n)s order is created."), _("%(n)s orders are created.")),
        (ImportPlan.UPDATE, _("%(n)s order is changed."), _("%(n)s orders are changed.")),
        (ImportPlan.KEEP, _("%(n)s order stays as it is."), _("%(n)s orders stay as they are.")),
    ):
        if count := plans.get(plan, {}).get("orders", 0):
            said.append((one if count == 1 else many) % {"n": count})
    if bad := run.summary.get("bad"):
        words = ngettext("%(n)s order or row is left out.", "%(n)s orders or rows are left out.", bad)
        said.append({"text": words % {"n": bad}, "tone": "stop"})
    if run.mode == ImportMode.LIVE:
        said.append(gettext("Stock is reserved at once; mails and releases wait until you finish."))
    return said


VERBS = {
    "apply": TransitionVerb(
        verb=apply_runs, form=ApplyForm, success=_("It is being applied; this page shows how far it is."),
        consequences=_on_apply, undo=_("It can be rolled back whole until it is finished."),
        blocked=lambda run: (
            "" if {ImportPlan.CREATE, ImportPlan.UPDATE} & set(run.summary.get("plans", ()))
            else gettext("No order of this file would be created or changed.")
        ),
    ),
    "finish": TransitionVerb(
        verb=finish_runs, success=_("Finished."),
        consequences=lambda run: [
            gettext("Its orders are let go: mails are sent, the warehouse may begin."),
            {"text": gettext("It can no longer be rolled back."), "tone": "wait"},
        ],
    ),
    "cancel": TransitionVerb(
        verb=cancel_runs, success=_("Cancelled."),
        consequences=lambda run: [gettext("Nothing of the file has been applied, and nothing will be.")],
    ),
    "roll_back": TransitionVerb(
        verb=roll_back_runs, success=_("Everything that it brought is being taken away again."),
        consequences=lambda run: [
            gettext("The orders that it made become void, their stock is free, no mail was or will be sent."),
            gettext("What it changed goes back to what it was."),
        ],
        undo=_("The file can be imported again."),
    ),
}  # fmt: skip


@admin.register(ImportRun)
class ImportRunAdmin(TransitionAdmin):
    machine = IMPORT_RUN
    lock_kind = "import_run"
    verbs = VERBS
    change_form_template = "orders/import_run.html"
    list_display = ("file_name", "state", "sales_channel", "mode", "counts", "uploaded", "by")
    list_filter = ("status", ("sales_channel", SeenFilter), "mode")
    list_select_related = ("sales_channel",)
    search_fields = ("file_name",)
    ordering = ("-id",)
    state = badge_column("status", ImportStatus, _("status"))
    empty_title = _("No file has been imported yet")
    empty_text = _(
        "Orders come in from a CSV or Excel file: add an import, look at what it would do, then apply it."
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(IMPORT)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/columns/", wrap(self.columns_view), name="orders_importrun_columns"),
            path("<int:pk>/failed/", wrap(self.failed_view), name="orders_importrun_failed"),
        ]
        return [*own, *super().get_urls()]

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        return {**page, **page_of(obj, request)}

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Take a file in; then its columns, or its check at once where they are known."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if TEMPLATE in request.GET and request.method == "GET":
            return _template()
        form = UploadForm(request.POST or None, request.FILES or None)
        repairs = self._repairs(request)
        if repairs is not None:
            form.initial = {"sales_channel": repairs.sales_channel_id, "mode": repairs.mode}
        if request.method == "POST" and form.is_valid():
            values = form.cleaned_data
            upload = Upload(
                values["file"].name, values["sales_channel"].pk, ImportMode(values["mode"]),
                repairs.pk if repairs else None,
            )  # fmt: skip
            try:
                run = ImportRun.objects.get(pk=upload_file(values["file"], upload, actor=acting(request)))
            except BancaleError as error:
                form.add_error("file", str(error))
            else:
                is_ready = bool(run.reading) and not missing_fields(run.columns)
                page = "columns" if run.reading else "change"
                if is_ready:
                    messages.success(request, gettext("Its columns are known; look at them, then check it."))
                return HttpResponseRedirect(admin_url(ImportRun, page, run.pk))
        return self._page(
            request, "orders/import_upload.html", gettext("Import orders"), form=form, repairs=repairs,
            layouts=[profile.label for profile in PROFILES if profile is not OWN],
            needed=missing_fields({}), template_url=f"?{TEMPLATE}",
        )  # fmt: skip

    def _repairs(self, request: HttpRequest) -> ImportRun | None:
        asked = number_of(request.GET.get("repairs"))
        return self.get_queryset(request).filter(pk=asked).first() if asked else None

    def columns_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What each column means; saying it starts the check."""
        run = self._run(request, pk)
        if run.status not in MAPPABLE or not run.reading:
            return HttpResponseRedirect(admin_url(ImportRun, "change", pk))
        form = ColumnsForm(request.POST or None, run=run)
        if request.method == "POST" and form.is_valid():
            values = form.cleaned_data
            given = Columns(form.columns(), values["number_style"], values["date_style"], TAX[values["tax"]])
            try:
                map_columns(pk, given, actor=acting(request))
                start_check(pk, actor=acting(request))
            except BancaleError as error:
                form.add_error(None, str(error))
            else:
                return HttpResponseRedirect(admin_url(ImportRun, "change", pk))
        title = gettext("Columns of %(name)s") % {"name": run.file_name}
        return self._page(
            request, "orders/import_columns.html", title, form=form, object=run, page=page_of(run, request)
        )

    def failed_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """The refused rows as a file, in the original's columns."""
        run = self._run(request, pk)
        if not run.reading or run.expired_at:
            raise Http404
        answer = StreamingHttpResponse(failed_rows(run), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="import-{run.pk}-failed-rows.csv"'
        return answer

    def _run(self, request: HttpRequest, pk: int) -> ImportRun:
        if not request.user.has_perm(IMPORT):
            raise PermissionDenied
        run = self.get_queryset(request).filter(pk=pk).select_related("sales_channel").first()
        if run is None:
            raise Http404
        return run

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        shown = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **context}
        shown["cancel_url"] = admin_url(ImportRun, "changelist")
        return TemplateResponse(request, template, shown)

    @admin.display(description=_("orders"))
    def counts(self, run: ImportRun) -> str:
        plans = run.summary.get("plans", {})
        parts = [f"{ImportPlan(plan).label}: {plans[plan]['orders']}" for plan in ImportPlan if plan in plans]
        return " · ".join(parts) or "–"

    @admin.display(description=_("uploaded"), ordering="uploaded_at")
    def uploaded(self, run: ImportRun) -> Any:
        return localtime(run.uploaded_at)

    @admin.display(description=_("by"))
    def by(self, run: ImportRun) -> str:
        return run.actor_label or "–"
