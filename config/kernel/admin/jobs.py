"""Jobs as people watch them: progress that moves by itself, log, result, cancel and retry."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel import jobs
from config.kernel.actors import Actor
from config.kernel.admin.base import admin_url
from config.kernel.admin.bulk import JOB_KIND, done_of, enqueue_bulk, job_undo_form, take_back_job
from config.kernel.admin.bulk_results import SHOWN, refused_rows, results_view, shown_rows
from config.kernel.admin.bulk_verbs import BULK_VERBS, arguments, reverse_of
from config.kernel.admin.filters import worded_filter
from config.kernel.admin.presses import ExtraVerb, TransitionVerb, bare
from config.kernel.admin.queues import Queue, queue_filter
from config.kernel.admin.subjects import call_jobs, job_words
from config.kernel.admin.timeline import actor_words, user_names
from config.kernel.admin.tones import badge_column, tone_of, word_of
from config.kernel.admin.transitions import TransitionAdmin
from config.kernel.batches import verb
from config.kernel.enums import JobState
from config.kernel.exports import EXPORT_JOB
from config.kernel.languages import readers_words
from config.kernel.machines import JOB, RUN_JOB
from config.kernel.models import Job
from config.kernel.results import Results
from config.kernel.templatetags.bancale import ago, number

call_jobs({JOB_KIND: _("Action on many rows"), EXPORT_JOB: _("Export")})
LOG_SHOWN = 200
REFUSED_SHOWN = 50
COUNTS = (("done", _("Done")), ("unchanged", _("Already so")), ("refused", _("Refused")))


@verb
def cancel_jobs(ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Cancel queued jobs, ask running ones to stop at their next safe point."""
    results: Results[int] = Results(ids)
    for pk in results.keys:
        jobs.cancel_job(pk, actor=actor)
        results.done(pk)
    return results


@verb
def retry_jobs(ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Queue failed or cancelled jobs again."""
    results: Results[int] = Results(ids)
    for pk in results.keys:
        jobs.retry_job(pk, actor=actor)
        results.done(pk)
    return results


@verb
def retry_refused(ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Start a new job for what a bulk job refused; the value is its id."""
    results: Results[int] = Results(ids)
    for job in Job.objects.filter(pk__in=ids, kind=JOB_KIND):
        refused = [pk for pk, _reason in job.result.get("refused", ())]
        bulk = BULK_VERBS[job.params["bulk"]]
        results.done(job.pk, enqueue_bulk(bulk, refused, job.params["form"], actor=actor))
    return results


@verb
def undo_jobs(ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Start a job that takes back what a bulk job did, on exactly those objects, once; the value is its id."""
    results: Results[int] = Results(ids)
    for job in Job.objects.filter(pk__in=ids, kind=JOB_KIND):
        pk = take_back_job(job, actor=actor)
        Job.objects.filter(pk=job.pk).update(result={**job.result, "undone_by": pk})
        results.done(job.pk, pk)
    return results


def failed_jobs(rows: QuerySet[Job]) -> QuerySet[Job]:
    """Given up: somebody starts them again or leaves them."""
    return rows.filter(state=JobState.FAILED)


def _can_be_undone(job: Job) -> bool:
    ended = job.state in (JobState.DONE, JobState.CANCELLED, JobState.FAILED)
    return job.kind == JOB_KIND and ended and job_undo_form(job) is not None


def _on_undo(job: Job) -> list[Any]:
    back = reverse_of(BULK_VERBS[job.params["bulk"]])
    facts = {"verb": bare(back.label) if back else "", "count": number(job.result["done"])}
    return [
        gettext("“%(verb)s” on the %(count)s objects that were done, in a new job.") % facts,
        gettext("What has moved on meanwhile is refused, each with its reason."),
    ]


def _has_refused(job: Job) -> bool:
    return job.kind == JOB_KIND and job.state != JobState.RUNNING and bool(job.result.get("refused"))


@admin.register(Job)
class JobAdmin(TransitionAdmin):
    machine = JOB
    change_form_template = "kernel/job.html"
    list_display = ("title", "state_badge", "how_far", "queued", "by")
    list_filter = (
        queue_filter((Queue("failed", _("Failed jobs"), failed_jobs, "stop", since="ended_at"),)),
        "state",
        ("kind", worded_filter(job_words)),
    )
    search_fields = ("title", "kind")
    ordering = ("-id",)
    fields = readonly_fields = ("queued_at", "started_at", "ended_at", "attempt_count", "by")
    state_badge = badge_column("state", JobState, _("state"))
    empty_title = _("No long work yet")
    empty_text = _("Imports and actions on more than 200 rows run as jobs; each can be watched here.")
    verbs = {
        "cancel": TransitionVerb(
            verb=cancel_jobs,
            success=_("Asked to stop."),
            consequences=lambda job: [
                gettext("What is done stays done; it stops before the next step."),
            ],
            undo=_("“Run again” goes on from where it stopped."),
            blocked=lambda job: gettext("It was asked to stop already.") if job.is_cancel_requested else "",
        ),
        "retry": TransitionVerb(
            verb=retry_jobs,
            success=_("Queued again; a worker takes it within seconds."),
            consequences=lambda job: [gettext("It goes on from where it stopped; nothing is done twice.")],
        ),
    }
    extra_verbs = (
        ExtraVerb(
            name="retry_refused",
            label=_("Try the refused again"),
            permission=RUN_JOB,
            verb=retry_refused,
            applies=_has_refused,
            success=_("This job tries the refused ones again."),
            consequences=lambda job: [
                gettext("%(count)s refused objects are tried again, in a new job.")
                % {"count": len(job.result["refused"])}
            ],
            then=lambda _job, pk: admin_url(Job, "change", pk),
        ),
        ExtraVerb(
            name="undo",
            label=_("Undo…"),
            # Whoever may do the opposite may: the verb asks for that right.
            permission="kernel.view_job",
            verb=undo_jobs,
            applies=_can_be_undone,
            success=_("This job takes it back."),
            consequences=_on_undo,
            then=lambda _job, pk: admin_url(Job, "change", pk),
        ),
    )

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.progress_view)
        results = self.admin_site.admin_view(partial(results_view, self.admin_site))
        return [
            path("<int:pk>/progress/", view, name="kernel_job_progress"),
            path("bulk/<str:nonce>/", results, name="kernel_job_bulk"),
            *super().get_urls(),
        ]

    def buttons(self, request: HttpRequest, obj: Any) -> list[dict[str, Any]]:
        """Without the undo for those who may not do the opposite."""
        rows = super().buttons(request, obj)
        bulk = BULK_VERBS.get(obj.params.get("bulk", ""))
        back = reverse_of(bulk) if bulk else None
        if back is None or request.user.has_perm(back.permission):
            return rows
        return [row for row in rows if row["name"] != "undo"]

    def timeline_of(self, obj: Any) -> None:
        """A job's story is its log."""
        return

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        return {
            **page,
            "badges": [],
            "progress": progress_of(obj),
            "refused": _refused_of(obj),
            "refused_more": _refused_more(obj),
            **_bulk_context(obj, request),
            "log": [(readers_words(line.text), line.at) for line in obj.lines.order_by("-id")[:LOG_SHOWN]],
        }

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """The progress card as it is now, for the open page; `reload` once there is more to see than that."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = self.get_queryset(request).filter(pk=pk).first()
        if job is None:
            raise Http404
        html = render_to_string("kernel/_job_progress.html", {"progress": progress_of(job)}, request)
        return JsonResponse({"html": html, "reload": job.state not in (JobState.QUEUED, JobState.RUNNING)})

    @admin.display(description=_("progress"))
    def how_far(self, job: Job) -> str:
        if not job.total_count:
            return "–"
        words = {"done": number(job.done_count), "total": number(job.total_count)}
        return gettext("%(done)s of %(total)s") % words

    @admin.display(description=_("queued"), ordering="queued_at")
    def queued(self, job: Job) -> Any:
        return ago(job.queued_at)

    @admin.display(description=_("by"))
    def by(self, job: Job) -> str:
        # The label is the username as it was; the page of one job looks up the name of today.
        names = {} if job.actor_label else user_names([job.actor_id])
        return actor_words(job.actor_kind, job.actor_id, job.actor_label, names)


def _bulk_context(job: Job, request: HttpRequest) -> dict[str, Any]:
    """With what a bulk job was started, which objects it did or found so, and the job that took it back."""
    bulk = BULK_VERBS.get(job.params.get("bulk", ""))
    if bulk is None:
        return {}
    said = arguments(bulk, job.params.get("form", {})) if request.user.has_perm(bulk.permission) else []
    result, undone_by = job.result, job.result.get("undone_by")
    return {
        "arguments": [(label, value) for _name, label, value in said],
        "done": shown_rows(bulk, done_of(job, SHOWN), result.get("done", 0)),
        "unchanged": shown_rows(bulk, result.get("unchanged_ids", ()), result.get("unchanged", 0)),
        "undone_url": admin_url(Job, "change", undone_by) if undone_by else "",
    }


def _refused_of(job: Job) -> list[dict[str, Any]]:
    bulk = BULK_VERBS.get(job.params.get("bulk", ""))
    return refused_rows(bulk, job.result.get("refused", ())[:REFUSED_SHOWN]) if bulk else []


def _refused_more(job: Job) -> str:
    """How much of a long list is shown."""
    refused = job.result.get("refused", ())
    count = len(refused) if isinstance(refused, list) else 0
    if count <= REFUSED_SHOWN:
        return ""
    return gettext("the first %(shown)s of %(count)s") % {"shown": REFUSED_SHOWN, "count": count}


def progress_of(job: Job) -> dict[str, Any]:
    """What the progress card shows; `live` while it makes sense to ask again."""
    live = job.state in (JobState.QUEUED, JobState.RUNNING)
    done = job.total_count if job.state == JobState.DONE else job.done_count
    counts = [(word, job.result.get(key)) for key, word in COUNTS if job.result.get(key) is not None]
    return {
        "label": word_of(JobState, job.state),
        "tone": tone_of(JobState, job.state),
        "done": done,
        "total": job.total_count,
        "percent": done * 100 // job.total_count if job.total_count else (0 if live else 100),
        "live": live,
        "is_stopping": live and job.is_cancel_requested,
        "counts": [(word, len(value) if isinstance(value, list) else value) for word, value in counts],
        "error": job.error,
        "url": admin_url(Job, "progress", job.pk),
    }
