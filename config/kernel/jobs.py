"""Jobs: rows that workers run, with progress, log, cancel and result. A lost broker or worker costs seconds.

A worker whose lease ran out, or whose database session ended, may be alive all the same. Of the job's row it writes
nothing any more: each start has its own `started_at`, by which every later write asks for the row.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from config.kernel import clock
from config.kernel.actors import Actor, ActorKind
from config.kernel.enums import JobState
from config.kernel.errors import brief
from config.kernel.events import JOB_CORRELATION, correlation
from config.kernel.languages import kept_words
from config.kernel.machines import BREAK, CANCEL_JOB, FINISH, JOB, RETRY_JOB, START
from config.kernel.sessions import LET_GO, claimed, lost
from config.kernel.states import Edge, apply_transition

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=150)
MAX_ATTEMPTS = 3
# Well before a task's soft time limit, which would fail the job: what is longer goes on in the next task.
TURN = timedelta(seconds=60)


class JobCancelled(Exception):
    """Raised inside a job at a safe point after a person asked to stop."""


class JobPaused(Exception):
    """Raised inside a job at a safe point when its turn is over; the next one goes on from what it kept."""


class JobLost(Exception):
    """Raised inside a job when another worker has taken it over; what is done from here on would be done twice."""


class JobRun:
    """A running job as its function sees it."""

    def __init__(self, job: Any) -> None:
        self.job = job
        self._known_count = job.done_count
        self._turn_until = clock.now() + TURN
        self._has_kept = False
        self.params: Mapping[str, Any] = job.params
        self.actor = actor_of(job)

    def log(self, words: object) -> None:
        """Write a line, for each reader in their language as far as the words are translated."""
        from config.kernel.models import JobLine

        JobLine.objects.create(job=self.job, at=clock.now(), text=kept_words(words))

    def progress(self, done: int, total: int) -> None:
        """Show progress, renew the lease, and stop here when a person asked to cancel (`JobCancelled`), when the
        turn is over and something was kept to go on from (`JobPaused`), or when the job was lost (`JobLost`). With
        all done there is nothing left to cancel.

        Once it is further than the workers that died on it came, their deaths no longer count against it.
        """
        columns: dict[str, Any] = {"attempt_count": 1} if done > self._known_count else {}
        self._renew(done_count=min(done, total), total_count=total, **columns)
        if done < total:
            self._stop_if_cancelled()
        if self._has_kept and clock.now() >= self._turn_until:
            raise JobPaused

    def keep(self, result: Mapping[str, Any]) -> None:
        """Store the result so far, so that a run after a crash, or a person after a cancel, finds it. Raises
        `JobLost`."""
        self._renew(result=dict(result))
        self.job.result = dict(result)
        self._has_kept = True

    def make_sure(self) -> None:
        """Ask that the job is still this worker's, before what no transaction guards. Raises `JobLost`."""
        self._renew()

    def stop_if_asked(self) -> None:
        """Stop here when a person asked to cancel (`JobCancelled`) or the job was lost (`JobLost`): before and behind a
        long step that has no progress of its own, when all else is done. The turn does not end here."""
        self._renew()
        self._stop_if_cancelled()

    def _stop_if_cancelled(self) -> None:
        from config.kernel.models import Job

        if Job.objects.filter(pk=self.job.pk, is_cancel_requested=True).exists():
            raise JobCancelled

    def _renew(self, **columns: Any) -> None:
        if not _running(self.job).update(**columns, **claimed(clock.now() + LEASE)):
            raise JobLost


JobFunction = Callable[[JobRun], Mapping[str, Any]]
JOB_KINDS: dict[str, JobFunction] = {}


def register_job(kind: str, function: JobFunction) -> None:
    """Register what a kind of job does. It may be run again after a crash, so it starts where it left off
    or does what changes nothing the second time. It returns the result, as JSON."""
    JOB_KINDS[kind] = function


def actor_of(job: Any) -> Actor:
    """The person or system a job works for, with the rights they hold now."""
    if job.actor_kind == ActorKind.USER:
        from django.contrib.auth import get_user_model

        user = get_user_model().objects.filter(pk=job.actor_id, is_active=True).first()
        if user is None:
            return Actor(ActorKind.USER, job.actor_id, job.actor_label, frozenset())
        return Actor.for_user(user)
    return Actor(ActorKind(job.actor_kind), job.actor_id, job.actor_label)


def enqueue_job(kind: str, *, title: str, params: Mapping[str, Any], actor: Actor, total: int = 0) -> int:
    """Write a job in the caller's transaction and nudge a worker after commit; returns its id."""
    from config.kernel.models import Job

    if kind not in JOB_KINDS:
        raise ValueError(f"unknown job kind {kind}")
    job = Job.objects.create(
        kind=kind,
        title=title[:200],
        params=dict(params),
        total_count=total,
        queued_at=clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:80],
    )
    transaction.on_commit(partial(_publish, job.pk), robust=True)
    return int(job.pk)


def _publish(job_id: int) -> None:
    from celery import current_app

    current_app.send_task("kernel.run_job", args=[job_id], queue="jobs")


def run_job(job_id: int) -> bool:
    """Run a queued job, or one whose worker died; False when there is nothing to do. Safe to call twice."""
    job = _start(job_id)
    if job is None:
        return False
    run = JobRun(job)
    told = correlation.set(f"{JOB_CORRELATION}{job_id}")
    try:
        result = JOB_KINDS[job.kind](run)
    except JobCancelled:
        run.log("cancelled on request")
        _end(job, CANCEL_JOB, {})
    except JobPaused:
        _pause(job)
    except JobLost:
        log.warning("job %s was taken over by another worker", job_id)
    except Exception as error:
        log.exception("job %s failed", job_id)
        _end(job, BREAK, {"error": f"{type(error).__name__}: {brief(error)}"})
    else:
        _end(job, FINISH, {"result": dict(result)})
    finally:
        correlation.reset(told)
    return True


def _start(job_id: int) -> Any:
    from config.kernel.models import Job

    at = clock.now()
    due = _due(Job.objects.filter(pk=job_id))
    with transaction.atomic():
        job = Job.objects.select_for_update(skip_locked=True).filter(due, pk=job_id).first()
        if job is None:
            return None
        actor = Actor.system("jobs")
        also = {**claimed(at + LEASE), "started_at": at, "attempt_count": F("attempt_count") + 1}
        apply_transition(JOB, START, [job], actor=actor, also=also)
        if job.attempt_count >= MAX_ATTEMPTS:
            error = f"given up after {MAX_ATTEMPTS} workers died on it"
            apply_transition(JOB, BREAK, [job], actor=actor, also={**LET_GO, "error": error, "ended_at": at})
            return None
    return job


def _due(jobs: QuerySet[Any]) -> Q:
    """Condition that a job should run and does not: queued, or running and its worker is gone."""
    return Q(state=JobState.QUEUED) | Q(lost(jobs.filter(state=JobState.RUNNING)), state=JobState.RUNNING)


def _running(job: Any) -> QuerySet[Any]:
    """The job's row while it is this start's: none once it ended or another worker started it again."""
    from config.kernel.models import Job

    return Job.objects.filter(pk=job.pk, state=JobState.RUNNING, started_at=job.started_at)


def _pause(job: Any) -> None:
    """Leave a running job to the next worker: it came further, so no death counts against it."""
    over = clock.now() - timedelta(microseconds=1)
    if _running(job).update(**{**LET_GO, "lease_until": over, "attempt_count": 0}):
        transaction.on_commit(partial(_publish, job.pk), robust=True)


def _end(job: Any, edge: Edge, also: Mapping[str, Any]) -> None:
    with transaction.atomic():
        rows = list(_running(job).select_for_update())
        columns = {"ended_at": clock.now(), **LET_GO, **also}
        apply_transition(JOB, edge, rows, actor=Actor.system("jobs"), also=columns)


def cancel_job(job_id: int, *, actor: Actor) -> None:
    """Cancel a queued job at once; ask a running one to stop at its next safe point."""
    from config.kernel.models import Job

    actor.require(CANCEL_JOB.permission)
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if job.state == JobState.QUEUED:
            apply_transition(JOB, CANCEL_JOB, [job], actor=actor, also={"ended_at": clock.now()})
        elif job.state == JobState.RUNNING:
            Job.objects.filter(pk=job_id).update(is_cancel_requested=True)


def retry_job(job_id: int, *, actor: Actor) -> None:
    """Queue a failed or cancelled job again."""
    from config.kernel.models import Job

    actor.require(RETRY_JOB.permission)
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if (problem := RETRY_JOB.refusal(job.state)) is not None:
            raise problem
        also = {"error": "", "is_cancel_requested": False, "attempt_count": 0, "ended_at": None}
        apply_transition(JOB, RETRY_JOB, [job], actor=actor, also=also)
        transaction.on_commit(partial(_publish, job_id), robust=True)


def due_job_ids(limit: int = 50) -> list[int]:
    """Jobs that should run and do not: queued, or running and their worker is gone."""
    from config.kernel.models import Job

    due = Job.objects.filter(_due(Job.objects.all()))
    return list(due.order_by("id").values_list("pk", flat=True)[:limit])


def dispatch_due() -> None:
    """Ask the workers again for every job that is due; whoever comes second finds nothing to do."""
    for job_id in due_job_ids():
        _publish(job_id)
