"""The run's row: the lock of everything that an import does."""

from collections.abc import Collection, Sequence

from django.utils.translation import gettext_lazy as _

from config.kernel.errors import NotFound
from config.kernel.locks import lock_rows
from config.kernel.results import Results
from orders.enums import ImportStatus
from orders.errors import ImportStopped
from orders.models import ImportRun

# In a run's summary while it is checked: which pass over the file read its rows.
READ_BY = "read_by"


def lock_runs(run_ids: Collection[int]) -> list[ImportRun]:
    """Lock runs by ascending pk; one statement."""
    rows = ImportRun.objects.filter(pk__in=set(run_ids))
    return lock_rows("import_run", rows)


def hold_runs(run_ids: Collection[int], *, status: ImportStatus) -> list[ImportRun]:
    """Lock runs that must stand in a status, for one chunk of their work.

    Raises `ImportStopped` where one stands elsewhere by now: somebody cancelled it or rolled it back.
    """
    runs = lock_runs(run_ids)
    for run in runs:
        if run.status != status:
            raise ImportStopped(name=run.file_name, status=ImportStatus(run.status).label)
    if len(runs) != len(set(run_ids)):
        raise NotFound()
    return runs


def expired(run: ImportRun) -> ImportStopped | None:
    """Why nothing more can be read of a run; None while its original is there."""
    if run.expired_at is None:
        return None
    return ImportStopped(name=run.file_name, status=_("its original is removed"))


def hold_check(run: ImportRun) -> ImportRun:
    """Lock a run for one chunk of its check; the row as it is now.

    Raises `ImportStopped` also where its columns were said anew or another pass has begun since: of two that wrote
    side by side every row would stand twice.
    """
    held = hold_runs([run.pk], status=ImportStatus.UPLOADED)[0]
    if held.summary.get(READ_BY) != run.summary.get(READ_BY):
        raise ImportStopped(name=run.file_name, status=_("checked anew"))
    return held


def refuse_unknown_runs(results: Results[int], runs: Sequence[ImportRun]) -> None:
    found = {run.pk for run in runs}
    for key in results.keys:
        if key not in found:
            results.refuse(key, NotFound())
