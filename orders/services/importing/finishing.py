"""Finishing: a run's orders are let go, their mails and releases may follow, and it can no longer be rolled back."""

from collections.abc import Sequence

from django.db.models import QuerySet

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import MAX_BATCH, batch_transaction, verb
from config.kernel.garbage import rare_collections
from config.kernel.jobs import enqueue_job
from config.kernel.results import Results
from config.kernel.states import apply_transition
from orders.enums import HoldKind, ImportMode, ImportResult, ImportStatus
from orders.errors import ImportStopped
from orders.models import Hold, ImportOrder, ImportRun
from orders.services.holds import release_holds
from orders.services.importing.runs import lock_runs, refuse_unknown_runs
from orders.services.importing.work import Alone, Work
from orders.states import FINISH_IMPORT, IMPORT, IMPORT_RUN

FINISH_JOB = "orders.finish_import"
FINISHER = Actor.rule("import")
_HELD = Hold.objects.filter(kind=HoldKind.IMPORT, lifted_at=None)


@verb
def finish_runs(run_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Finish applied runs; a job lifts the holds of their orders, the value is that job.

    A finished one is `unchanged`. Refuses: `ImportStopped`, `NotFound`. Raises `NotAllowed`.
    """
    actor.require(IMPORT)
    results: Results[int] = Results(run_ids)
    with batch_transaction():
        runs = lock_runs(run_ids)
        refuse_unknown_runs(results, runs)
        for run in runs:
            if run.status == ImportStatus.FINISHED:
                results.unchanged(run.pk)
            elif not FINISH_IMPORT.leads_from(run.status):
                results.refuse(
                    run.pk, ImportStopped(name=run.file_name, status=ImportStatus(run.status).label)
                )
            else:
                also = {"ended_at": clock.now(), "finish_at": None}
                apply_transition(IMPORT_RUN, FINISH_IMPORT, [run], actor=actor, also=also)
                job_id = None
                if run.mode == ImportMode.LIVE or run.staged.filter(result=ImportResult.UPDATED).exists():
                    job_id = enqueue_job(FINISH_JOB, title=run.file_name, params={"run": run.pk}, actor=actor)
                    ImportRun.objects.filter(pk=run.pk).update(job_id=job_id)
                results.done(run.pk, job_id)
    return results


@rare_collections()
def let_go(run_id: int, work: Work) -> None:
    """Lift the import's hold from the orders of a finished run; goes on where an earlier call stopped."""
    work.keep({})
    for rows in (_brought(run_id), _changed(run_id)):
        total = rows.count() or 1
        while ids := list(rows.order_by("order_id").values_list("order_id", flat=True)[:MAX_BATCH]):
            lifted = release_holds(ids, kind=HoldKind.IMPORT, actor=FINISHER)
            if not lifted.done_ids:
                break
            work.progress(max(total - rows.count(), 0), total)


def _brought(run_id: int) -> QuerySet[Hold]:
    return _HELD.filter(order__import_run=run_id, order__import_run__status=ImportStatus.FINISHED)


def _changed(run_id: int) -> QuerySet[Hold]:
    orders = ImportOrder.objects.filter(
        run=run_id, run__status=ImportStatus.FINISHED, result=ImportResult.UPDATED
    )
    return _HELD.filter(facts__run=run_id, order__in=orders.values("order"))


def sweep_imports() -> int:
    """Finish runs whose time is up, and let go of what a lost job left held; returns how many runs."""
    due = ImportRun.objects.filter(status=ImportStatus.APPLIED, finish_at__lte=clock.now())
    ids = list(due.values_list("pk", flat=True)[:MAX_BATCH])
    finish_runs(ids, actor=FINISHER)
    held = _HELD.order_by().values_list("facts__run", flat=True).distinct()
    runs = ImportRun.objects.filter(pk__in=[run for run in held if run is not None])
    left = list(runs.filter(status=ImportStatus.FINISHED).values_list("pk", flat=True)[:5])
    for run_id in left:
        let_go(run_id, Alone())
    return len(ids) + len(left)
