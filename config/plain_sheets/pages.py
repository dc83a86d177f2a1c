"""The pages of plain sheets: a file goes in, what it would change is shown, a press writes it."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.admin import acting, admin_url
from config.kernel.admin.dropping import TABLES, DropInput
from config.kernel.errors import BancaleError
from config.kernel.sheets import csv_lines
from config.plain_sheets.reading import Table, read_table
from config.plain_sheets.sheets import SHEETS, Outcome, Sheet, missing_columns, work_out
from orders.sheets.problems import UnreadableFile

SHOWN, HOUR = 200, 3600
WHAT = {"new": gettext_lazy("New"), "change": gettext_lazy("Changed"), "same": gettext_lazy("Stays")}
TONES = {"new": "ok", "change": "info", "same": "idle"}
STALE = gettext_lazy("It changed while you were looking; nothing was written. This is what it would do now.")


class SheetForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or Excel (.xlsx), up to 1 MiB and 5,000 rows."),
        widget=DropInput({"accept": TABLES}),
    )


def sheet_of(request: HttpRequest, code: str) -> Sheet:
    """A kind of sheet that this person may bring in."""
    sheet = SHEETS.get(code)
    if sheet is None:
        raise Http404
    if not all(request.user.has_perm(name) for name in sheet.permissions):
        raise PermissionDenied
    return sheet


def sheet_view(site: Any, request: HttpRequest, model: str, code: str) -> HttpResponse:
    """GET shows the empty page, the first POST what the file would change, the second writes it."""
    sheet = sheet_of(request, code)
    if sheet.model != model:
        raise Http404
    if "template" in request.GET:
        return _template(sheet)
    if request.method != "POST":
        return _page(site, request, sheet, SheetForm())
    if "table" in request.POST:
        return _write(site, request, sheet)
    form = SheetForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(site, request, sheet, form)
    try:
        table = read_table(form.cleaned_data["file"], sheet.headings)
        if missing := missing_columns(sheet, table):
            raise UnreadableFile(_("it has no column %(names)s"), names=", ".join(missing))
        if not table.rows and not table.problems:
            raise UnreadableFile(_("it has no row below its heading"))
    except UnreadableFile as error:
        form.add_error("file", str(error))
        return _page(site, request, sheet, form)
    return _preview(site, request, sheet, table)


def _salt(request: HttpRequest, sheet: Sheet) -> str:
    return f"plain-sheet:{sheet.code}:{request.user.pk}"


def _preview(
    site: Any, request: HttpRequest, sheet: Sheet, table: Table, *, error: str = "", nonce: str = ""
) -> HttpResponse:
    outcome = work_out(sheet, table, actor=acting(request))
    kept = {"table": table.as_json(), "mark": outcome.mark(), "nonce": nonce or uuid4().hex}
    token = ""
    if not outcome.complaints and outcome.work:
        token = signing.dumps(kept, salt=_salt(request, sheet), compress=True)
    return _page(site, request, sheet, SheetForm(), outcome=_shown(outcome), token=token, error=error)


def _write(site: Any, request: HttpRequest, sheet: Sheet) -> HttpResponse:
    """Write what was shown, and nothing else."""
    try:
        kept = signing.loads(request.POST["table"], salt=_salt(request, sheet), max_age=HOUR)
    except signing.BadSignature:
        messages.error(request, _("The page is too old or not complete; choose the file again."))
        return HttpResponseRedirect(request.path)
    table = Table.from_json(kept["table"])
    outcome = work_out(sheet, table, actor=acting(request))
    if _as_json(outcome.mark()) != kept["mark"]:
        return _preview(site, request, sheet, table, error=str(STALE))
    try:
        url = sheet.write(outcome, kept["nonce"], acting(request))
    except BancaleError as refusal:
        return _preview(site, request, sheet, table, error=str(refusal))
    except IntegrityError:
        return _preview(site, request, sheet, table, error=str(STALE))
    count = len(outcome.work)
    said = ngettext("%(n)s row was written.", "%(n)s rows were written.", count)
    messages.success(request, said % {"n": count})
    return HttpResponseRedirect(url or request.path)


def _as_json(mark: list[list[Any]]) -> list[Any]:
    return [[line, what, [list(one) for one in changes]] for line, what, changes in mark]


def _shown(outcome: Outcome) -> dict[str, Any]:
    steps = [*outcome.work, *(step for step in outcome.steps if step.what == "same")]
    rows = [
        {
            "line": step.row.line,
            "name": step.name,
            "what": WHAT[step.what],
            "tone": TONES[step.what],
            "changes": step.changes,
        }
        for step in steps[:SHOWN]
    ]
    return {
        "rows": rows,
        "left_out": max(0, len(steps) - SHOWN),
        "complaints": Paginator(outcome.complaints, SHOWN).get_page(1),
        "tiles": [(WHAT[what], TONES[what], outcome.count(what)) for what in WHAT],
        "ignored": outcome.ignored,
        "work": len(outcome.work),
    }


def _page(site: Any, request: HttpRequest, sheet: Sheet, form: SheetForm, **more: Any) -> HttpResponse:
    from django.apps import apps

    model = apps.get_model(sheet.model)
    context = {
        **site.each_context(request),
        "opts": model._meta,
        "title": _("Import %(names)s") % {"names": sheet.label},
        "sheet": sheet,
        "form": form,
        "cancel_url": admin_url(model, "changelist"),
        "template_url": f"{request.path}?template",
        **more,
    }
    return TemplateResponse(request, "sheets/sheet.html", context)


def _template(sheet: Sheet) -> HttpResponse:
    """An empty file with the headings."""
    lines = "".join(csv_lines([[str(one.column_name) for one in sheet.columns]]))
    answer = HttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{sheet.code}.csv"'
    return answer


def links_of(request: HttpRequest, model: str) -> list[tuple[str, str]]:
    """Label and address of the sheets that a person may bring in from the list of a model."""
    return [
        (_("Import…"), reverse("admin:sheet", args=[*model.split("."), sheet.code]))
        for sheet in SHEETS.values()
        if sheet.model == model and all(request.user.has_perm(name) for name in sheet.permissions)
    ]
