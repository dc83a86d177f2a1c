"""The files that people had made of lists: seen and downloaded by who asked for them, and by managers."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.formats import date_format
from django.utils.timezone import localtime as local
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from config.kernel.admin.base import ReadOnlyAdmin, acting, admin_url
from config.kernel.admin.jobs import progress_of
from config.kernel.admin.proof import sensitive
from config.kernel.admin.timeline import describe
from config.kernel.admin.transitions import TimelineMixin
from config.kernel.enums import ExportFormat
from config.kernel.errors import NotAllowed
from config.kernel.exports import (
    EXPORT_KINDS,
    MadeWithMore,
    path_of,
    record,
    require,
    require_no_less,
)
from config.kernel.models import Export, Job
from config.kernel.templatetags.bancale import badge, localtime, number, quantity

CONTENT_TYPES = {
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def what_of(export: Export) -> str:
    """What an export holds, in words; its code where the kind is gone."""
    kind = EXPORT_KINDS.get(export.kind)
    return str(kind.label) if kind else export.kind


@admin.register(Export)
class ExportAdmin(TimelineMixin, ReadOnlyAdmin):
    change_form_template = "kernel/export.html"
    list_display = ("what", "state", "format", "count", "asked", "who")
    list_filter = ("format", "has_personal")
    ordering = ("-id",)
    empty_title = gettext_lazy("Nothing has been exported yet")
    empty_text = gettext_lazy(
        "Open a list, filter it, and press “Export…”: the file is kept here for 30 days."
    )

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.download_view)
        return [path("<int:pk>/download/", view, name="kernel_export_download"), *super().get_urls()]

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        job = None if obj.is_downloadable else Job.objects.filter(pk=obj.job_id).first()
        refused = _outgrown(request, obj) if obj.is_downloadable else ""
        return {
            **page,
            "title": what_of(obj),
            "badges": [_state(obj)],
            "facts": _facts(obj),
            "progress": progress_of(job) if job is not None and obj.expired_at is None else None,
            "refused": refused,
            "download_url": admin_url(Export, "download", obj.pk)
            if obj.is_downloadable and not refused
            else "",
            "show_form": False,
        }

    def download_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The file, to who asked for it or a manager, while they hold the rights that it took; who sees less by now
        is led to its page, which says so."""
        export = self.get_queryset(request).filter(pk=pk).first()
        if not self.has_view_permission(request):
            raise PermissionDenied
        if export is None:
            raise Http404
        if request.method != "POST" or not export.is_downloadable:
            return HttpResponseRedirect(admin_url(Export, "change", pk))
        self._require(request, export)
        if _outgrown(request, export):
            return HttpResponseRedirect(admin_url(Export, "change", pk))
        return self._send_personal(request, export) if export.has_personal else self._send(request, export)

    def _require(self, request: HttpRequest, export: Export) -> None:
        kind = EXPORT_KINDS.get(export.kind)
        if kind is None:
            raise Http404
        try:
            require(acting(request), kind, has_personal=export.has_personal)
        except NotAllowed as error:
            raise PermissionDenied from error

    @sensitive
    def _send_personal(self, request: HttpRequest, export: Export) -> HttpResponse:
        return self._send(request, export)

    def _send(self, request: HttpRequest, export: Export) -> HttpResponse:
        stored = path_of(export)
        if not stored.exists():
            raise Http404
        record(export, "downloaded", actor=acting(request))
        kind = CONTENT_TYPES.get(ExportFormat(export.format), "text/csv; charset=utf-8")
        day = local(export.requested_at).strftime("%Y-%m-%d")
        name = f"{export.kind.replace('_', '-')}-{day}-{export.pk}{stored.suffix}"
        return FileResponse(stored.open("rb"), as_attachment=True, filename=name, content_type=kind)  # type: ignore[return-value]

    @admin.display(description=gettext_lazy("what"), ordering="kind")
    def what(self, row: Export) -> str:
        return what_of(row)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Export) -> Any:
        return badge(*_state(row))

    @admin.display(description=gettext_lazy("rows"), ordering="row_count")
    def count(self, row: Export) -> Any:
        return quantity(row.row_count) if row.ready_at else "–"

    @admin.display(description=gettext_lazy("asked for"), ordering="requested_at")
    def asked(self, row: Export) -> Any:
        return localtime(row.requested_at)

    @admin.display(description=gettext_lazy("by"), ordering="actor_label")
    def who(self, row: Export) -> str:
        return row.actor_label or "–"


def _outgrown(request: HttpRequest, export: Export) -> str:
    """Why a file shows too much for this person by now; "" where it does not."""
    kind = EXPORT_KINDS.get(export.kind)
    if kind is None:
        return ""
    try:
        require_no_less(acting(request), kind, export)
    except MadeWithMore as error:
        return str(error)
    return ""


def _state(export: Export) -> tuple[str, str]:
    if export.expired_at:
        return pgettext("export", "Removed"), "idle"
    return (
        (pgettext("export", "Ready"), "ok") if export.ready_at else (pgettext("export", "Not ready"), "info")
    )


def _facts(export: Export) -> list[tuple[Any, ...]]:
    found = [
        (_("Format"), export.get_format_display()),
        (_("Filters"), export.query or "–"),
        (_("Personal data"), _("with") if export.has_personal else _("without")),
        (_("Asked for"), f"{export.actor_label or '–'}, {_moment(export.requested_at)}"),
        (_("Kept until"), _moment(export.expires_at)),
    ]
    if export.ready_at:
        found[1:1] = [(_("Rows"), quantity(export.row_count)), (_("Bytes"), quantity(export.file_size))]
        found.append(("SHA-256", export.sha256))
    return found


def _moment(at: Any) -> str:
    return date_format(local(at), "SHORT_DATETIME_FORMAT")


def _file_words(facts: Any) -> str:
    kind = EXPORT_KINDS.get(facts.get("what", ""))
    rows = _("%(count)s rows") % {"count": number(facts["rows"])} if "rows" in facts else ""
    words = [str(kind.label) if kind else facts.get("what", ""), rows]
    return ", ".join([*filter(None, words), *([_("with personal data")] if facts.get("personal") else [])])


describe("export", "requested", gettext_lazy("Export asked for"), detail=_file_words, tone="info")
describe("export", "made", gettext_lazy("Export made"), detail=_file_words, tone="ok")
describe("export", "downloaded", gettext_lazy("Export downloaded"), detail=_file_words, tone="wait")
describe("export", "expired", gettext_lazy("Export removed"), detail=_file_words, tone="idle")
