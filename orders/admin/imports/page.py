"""What a run's page shows: its work as it goes on, what was detected, planned and found wrong."""

from collections.abc import Mapping
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from config.kernel.admin import admin_url, status_badge
from config.kernel.admin.jobs import progress_of
from config.kernel.languages import readers_words
from config.kernel.models import Job
from config.kernel.templatetags.bancale import money_text
from orders.admin.imports.words import NOTE_WORDS, detected_rows, field_words, plan_tiles, total_rows
from orders.enums import ImportPlan, ImportResult, ImportStatus
from orders.models import ImportOrder, ImportProblem, ImportRun, Order
from orders.services.importing.failed_rows import failed_count
from orders.sheets.problems import words

SHOWN = 50
MAPPABLE = (ImportStatus.UPLOADED, ImportStatus.CHECKED)


def page_of(run: ImportRun, request: HttpRequest) -> dict[str, Any]:
    """The page's context; a bounded number of statements."""
    job = Job.objects.filter(pk=run.job_id).first() if run.job_id else None
    progress = progress_of(job) if job is not None else None
    is_checked = "plans" in run.summary
    failed = failed_count(run) if (is_checked and run.summary.get("bad")) or _was_refused(run) else 0
    return {
        "progress": progress,
        "job_url": admin_url(Job, "change", job.pk) if job is not None else "",
        "detected": detected_rows(run),
        "skipped": run.reading.get("skipped", ()),
        "columns_url": admin_url(ImportRun, "columns", run.pk) if _is_mappable(run, progress) else "",
        "tiles": plan_tiles(run),
        "totals": total_rows(run),
        "unknown": run.summary.get("unknown", ()),
        "failed": failed,
        "failed_url": admin_url(ImportRun, "failed", run.pk) if failed and not run.expired_at else "",
        "repair_url": f"{admin_url(ImportRun, 'add')}?repairs={run.pk}",
        "problems": problems_of(run, request.GET) if is_checked or run.summary else None,
        "orders": orders_of(run, request.GET) if is_checked else None,
        "orders_url": f"{admin_url(Order, 'changelist')}?import_run__id__exact={run.pk}",
        "finish_at": run.finish_at,
        "show_form": False,
        "notices": _notices(run),
    }


def _was_refused(run: ImportRun) -> bool:
    return run.status in (ImportStatus.APPLIED, ImportStatus.FINISHED)


def _is_mappable(run: ImportRun, progress: Mapping[str, Any] | None) -> bool:
    is_busy = bool(progress and progress["live"])
    return run.status in MAPPABLE and bool(run.reading) and not is_busy


def _notices(run: ImportRun) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if run.error:
        found.append(
            {
                "title": _("The file could not be read through."),
                "text": readers_words(run.error),
                "tone": "stop",
            }
        )
    if run.question:
        text = _("Its numbers or dates can be read in two ways. Say which on the page of its columns.")
        found.append({"title": _("One question first."), "text": text, "tone": "wait"})
    if run.status == ImportStatus.APPLIED:
        text = _(
            "Until it is finished its orders are held: no mail goes out, nothing leaves, and all can be taken back."
        )
        found.append({"title": _("It can still be rolled back."), "text": text, "tone": "wait"})
    return found


def problems_of(run: ImportRun, asked: QueryDict) -> dict[str, Any]:
    """One page of problems in words, and the kinds to narrow them to."""
    rows: QuerySet[ImportProblem] = ImportProblem.objects.filter(run=run).order_by("line", "pk")
    code = asked.get("problem", "")
    kinds: dict[str, int] = {}
    for kind in run.summary.get("problems", ()):
        kinds[kind["code"]] = kinds.get(kind["code"], 0) + kind["count"]
    # The summary is of the check; what was refused later stands in the rows alone.
    if run.policy and (refused := rows.filter(code="refused").count()):
        kinds["refused"] = refused
    if code in kinds:
        rows = rows.filter(code=code)
    page = Paginator(rows, SHOWN).get_page(asked.get("p", "1"))
    shown = []
    for one in page:
        wrong, accepted = words(one.code, one.more)
        shown.append(
            {"line": one.line, "column": one.column, "value": one.value, "wrong": wrong, "accepted": accepted}
        )
    return {
        "rows": shown,
        "page": page,
        "code": code if code in kinds else "",
        "kinds": [{"code": kind, "label": words(kind)[0], "count": count} for kind, count in kinds.items()],
        "total": page.paginator.count,
    }


def orders_of(run: ImportRun, asked: QueryDict) -> dict[str, Any]:
    """One page of the file's orders with what is planned for each, and what became of it."""
    rows = ImportOrder.objects.filter(run=run).select_related("order").order_by("first_line")
    plan = asked.get("plan", "")
    if plan in ImportPlan.values:
        rows = rows.filter(plan=plan)
    page = Paginator(rows, 25).get_page(asked.get("o", "1"))
    is_over = run.status in {ImportStatus.APPLIED, ImportStatus.FINISHED, ImportStatus.ROLLED_BACK}
    return {"rows": [_order_row(one, is_over=is_over) for one in page], "page": page, "plan": plan}


def _order_row(one: ImportOrder, *, is_over: bool) -> dict[str, Any]:
    """Once the good ones are in, a refusal is a fact and no plan any more."""
    was_refused = is_over and not one.result and one.plan == ImportPlan.REFUSE
    result = ImportResult.REFUSED if was_refused else one.result
    badge = status_badge(ImportResult, result) if result else status_badge(ImportPlan, one.plan)
    changes = [{**change, "field": field_words(change["field"])} for change in one.changes[:12]]
    return {
        "key": one.key,
        "line": one.first_line,
        "row_count": one.row_count,
        "badge": badge,
        "total": "" if one.total_amount is None else money_text(one.total_amount, one.currency),
        "order": one.order,
        "url": admin_url(Order, "change", one.order_id) if one.order_id else "",
        "changes": changes,
        "note": NOTE_WORDS.get(one.note) or readers_words(one.note),
    }
