"""Originals go after a while: the file, its cells, the problems that quote them, and what its updates took away."""

from datetime import timedelta

from django.db.models import Q

from config.kernel import clock
from orders.enums import ImportResult, ImportStatus
from orders.models import ImportProblem, ImportRow, ImportRun
from orders.services.importing.storing import remove_files

KEPT = timedelta(days=30)


def expire_originals(limit: int = 20) -> int:
    """Remove what runs of more than 30 days ago keep of their files; returns how many. A second call finds none.

    What became of each order stays, with its line and its number.
    """
    old = ImportRun.objects.filter(uploaded_at__lt=clock.now() - KEPT, expired_at=None)
    runs = list(old.order_by("pk")[:limit])
    for run in runs:
        remove_files(run.stored_name)
        ImportRow.objects.filter(run=run).delete()
        ImportProblem.objects.filter(run=run).exclude(value="").update(value="…")
        run.staged.exclude(changes=[]).update(changes=[])
        if run.status not in (ImportStatus.APPLYING, ImportStatus.APPLIED):
            # What an unfinished roll back still has to give back stays.
            undone = Q(run__status=ImportStatus.ROLLED_BACK, result=ImportResult.UPDATED)
            run.staged.exclude(undone).exclude(before={}).update(before={})
        ImportRun.objects.filter(pk=run.pk).update(expired_at=clock.now(), stored_name="")
    return len(runs)
