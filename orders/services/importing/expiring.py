"""Originals go after a while: the file, its cells, the problems that quote them, and what its updates took away."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from config.kernel import clock
from config.kernel.enums import JobState
from config.kernel.models import Job
from orders.enums import ImportResult, ImportStatus
from orders.models import ImportProblem, ImportRow, ImportRun
from orders.services.importing.runs import lock_runs
from orders.services.importing.storing import remove_files

KEPT = timedelta(days=30)


def expire_originals(limit: int = 20) -> int:
    """Remove what runs of more than 30 days ago keep of their files; returns how many. A second call finds none.

    What became of each order stays, with its line and its number. A run whose job is queued or running keeps its
    original until that has ended. Each run is one transaction under its lock; its file goes after the commit.
    """
    runs = list(_due().order_by("pk").values_list("pk", flat=True)[:limit])
    for run_id in runs:
        with transaction.atomic():
            lock_runs([run_id])
            # Asked again behind the lock: somebody may have pressed apply meanwhile.
            for run in _due().filter(pk=run_id, expired_at=None):
                _forget(run)
        # A crash before this leaves the name, by which the next call finds the file.
        for run in ImportRun.objects.filter(pk=run_id).exclude(expired_at=None):
            remove_files(run.stored_name)
            ImportRun.objects.filter(pk=run_id).update(stored_name="")
    return len(runs)


def _due() -> QuerySet[ImportRun]:
    at_work = Job.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING]).values("pk")
    old = ImportRun.objects.filter(
        Q(expired_at=None) | ~Q(stored_name=""), uploaded_at__lt=clock.now() - KEPT
    )
    return old.exclude(job_id__isnull=False, job_id__in=at_work)


def _forget(run: ImportRun) -> None:
    ImportRow.objects.filter(run=run).delete()
    ImportProblem.objects.filter(run=run).exclude(value="").update(value="…")
    run.staged.exclude(changes=[]).update(changes=[])
    if run.status not in (ImportStatus.APPLYING, ImportStatus.APPLIED):
        # What an unfinished roll back still has to give back stays.
        undone = Q(run__status=ImportStatus.ROLLED_BACK, result=ImportResult.UPDATED)
        run.staged.exclude(undone).exclude(before={}).update(before={})
    ImportRun.objects.filter(pk=run.pk).update(expired_at=clock.now())
