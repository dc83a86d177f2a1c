"""Rolling back: everything that a run brought is taken away again, while nobody has been told of it."""

from collections.abc import Sequence

from django.db import transaction

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import MAX_BATCH, batch_transaction, verb
from config.kernel.fastpath import Among
from config.kernel.garbage import rare_collections
from config.kernel.jobs import enqueue_job
from config.kernel.languages import kept_words
from config.kernel.results import Results
from config.kernel.states import apply_transition
from orders.enums import ImportResult, ImportStatus, OrderStatus
from orders.errors import ImportStopped
from orders.models import ImportOrder, ImportRun, Order
from orders.services.importing.revising import restore_orders
from orders.services.importing.runs import hold_runs, lock_runs, refuse_unknown_runs
from orders.services.importing.staging import MOST_WORDS
from orders.services.importing.work import Alone, Work
from orders.services.voiding import void_orders
from orders.states import IMPORT, IMPORT_RUN, ROLL_BACK

ROLL_BACK_JOB = "orders.roll_back_import"
ROLLER = Actor.rule("import roll back")


@verb
def roll_back_runs(run_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Take back what runs brought, as long as they are not finished; a job each does it, the value is the job.

    From now on no further order of theirs comes in. A rolled back one is `unchanged`. Refuses: `ImportStopped`,
    `NotFound`. Raises `NotAllowed`.
    """
    actor.require(IMPORT)
    results: Results[int] = Results(run_ids)
    with batch_transaction():
        runs = lock_runs(run_ids)
        refuse_unknown_runs(results, runs)
        for run in runs:
            if run.status == ImportStatus.ROLLED_BACK:
                results.unchanged(run.pk, run.job_id)
            elif not ROLL_BACK.leads_from(run.status):
                results.refuse(
                    run.pk, ImportStopped(name=run.file_name, status=ImportStatus(run.status).label)
                )
            else:
                job_id = enqueue_job(ROLL_BACK_JOB, title=run.file_name, params={"run": run.pk}, actor=actor)
                also = {"job_id": job_id, "ended_at": clock.now(), "finish_at": None}
                apply_transition(IMPORT_RUN, ROLL_BACK, [run], actor=actor, also=also)
                results.done(run.pk, job_id)
    return results


@rare_collections()
def take_back(run_id: int, work: Work) -> None:
    """Void the orders of a rolled back run and restore what it updated; goes on where an earlier call stopped."""
    mine = Order.objects.filter(import_run=run_id).exclude(status=OrderStatus.VOID)
    total = mine.count() or 1
    work.keep({"left": total})
    after = 0
    while ids := list(mine.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:MAX_BATCH]):
        answers = void_orders(ids, actor=ROLLER)
        _note(run_id, answers)
        after = ids[-1]
        work.progress(total - min(mine.count(), total), total)
    _restore(run_id)


def _note(run_id: int, answers: Results[int]) -> None:
    gone = [*answers.done_ids, *answers.unchanged_ids]
    ImportOrder.objects.filter(Among("order_id", gone), run=run_id, result=ImportResult.CREATED).update(
        result=ImportResult.TAKEN_BACK
    )
    for pk, problem in answers.refusals.items():
        ImportOrder.objects.filter(run=run_id, order=pk).update(note=kept_words(problem, MOST_WORDS))


def _restore(run_id: int) -> None:
    updated = ImportOrder.objects.filter(run=run_id, result=ImportResult.UPDATED).order_by("pk")
    while some := list(updated[:MAX_BATCH]):
        with transaction.atomic():
            hold_runs([run_id], status=ImportStatus.ROLLED_BACK)
            restore_orders(some, actor=ROLLER)


def sweep_roll_backs() -> int:
    """Go on with roll backs whose work was lost; returns how many runs were looked at."""
    # What could not be taken back says why in its note, and is not tried for ever.
    left = ImportRun.objects.filter(
        status=ImportStatus.ROLLED_BACK,
        staged__result__in=[ImportResult.CREATED, ImportResult.UPDATED],
        staged__note="",
    )
    runs = list(left.distinct().values_list("pk", flat=True)[:5])
    for run_id in runs:
        take_back(run_id, Alone())
    return len(runs)
