"""Applying: the checked orders of a file go through the same door as every other order, chunk by chunk."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

from django.db import transaction

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import MAX_BATCH, batch_transaction, verb
from config.kernel.errors import BancaleError
from config.kernel.fastpath import Among, insert_values, set_in_rows
from config.kernel.garbage import rare_collections
from config.kernel.jobs import enqueue_job
from config.kernel.results import Results
from config.kernel.states import apply_transition
from orders.enums import ImportMode, ImportPlan, ImportPolicy, ImportResult, ImportStatus
from orders.errors import ImportStopped, NothingToApply, ProblemsLeft
from orders.models import ImportOrder, ImportProblem, ImportRun, Order
from orders.neutral import NeutralOrder
from orders.services.accepting import Incoming, accept_orders
from orders.services.importing.mapping import plan_of
from orders.services.importing.pacing import Pace
from orders.services.importing.revising import Revision, revise_orders
from orders.services.importing.rolling_back import roll_back_runs
from orders.services.importing.runs import expired, hold_runs, lock_runs, refuse_unknown_runs
from orders.services.importing.staged_rows import Rows, rows_of_orders
from orders.services.importing.staging import PROBLEM, problem_row
from orders.services.importing.work import Work
from orders.sheets.orders import read_order
from orders.sheets.plan import Plan
from orders.sheets.problems import Problem
from orders.states import APPLIED, APPLY, IMPORT, IMPORT_RUN

APPLY_JOB = "orders.apply_import"
MOST_ORDERS = MAX_BATCH
PATIENCE = timedelta(minutes=15)
OPEN_PLANS = (ImportPlan.CREATE, ImportPlan.UPDATE)


@verb
def apply_runs(run_ids: Sequence[int], *, policy: ImportPolicy, actor: Actor) -> Results[int]:
    """Start to apply checked runs by a job each; the value is the job.

    Refuses: `ProblemsLeft` for all or nothing with any problem, `NothingToApply`, `ImportStopped` for a run that
    is not checked or whose original is removed, `NotFound`. Raises `NotAllowed`.
    """
    actor.require(IMPORT)
    results: Results[int] = Results(run_ids)
    with batch_transaction():
        runs = lock_runs(run_ids)
        refuse_unknown_runs(results, runs)
        for run in runs:
            counts = run.summary.get("plans", {})
            if not APPLY.leads_from(run.status):
                results.refuse(
                    run.pk, ImportStopped(name=run.file_name, status=ImportStatus(run.status).label)
                )
            elif (gone := expired(run)) is not None:
                results.refuse(run.pk, gone)
            elif not any(plan.value in counts for plan in OPEN_PLANS):
                results.refuse(run.pk, NothingToApply())
            elif policy == ImportPolicy.ALL_OR_NOTHING and run.summary.get("bad"):
                results.refuse(run.pk, ProblemsLeft(count=run.summary["bad"]))
            else:
                job_id = enqueue_job(APPLY_JOB, title=run.file_name, params={"run": run.pk}, actor=actor)
                also = {"policy": policy, "job_id": job_id}
                apply_transition(IMPORT_RUN, APPLY, [run], actor=actor, also=also)
                results.done(run.pk, job_id)
    return results


@rare_collections()
def apply_run(run_id: int, work: Work, *, actor: Actor) -> None:
    """Bring a run's orders in, whatever of it was done before; the run then stands as `applied`.

    Each chunk is one transaction under the run's lock. With all or nothing the first refusal rolls the run back.
    Raises `ImportStopped` when somebody rolled it back meanwhile, or its original is removed.
    """
    run = ImportRun.objects.select_related("sales_channel__legal_entity").get(pk=run_id)
    if (gone := expired(run)) is not None:
        raise gone
    plan = plan_of(run)
    staged = ImportOrder.objects.filter(run=run, plan__in=OPEN_PLANS)
    total = staged.count()
    done = staged.exclude(result="").count()
    work.keep({"done": done})
    pace = Pace()
    for chunk, orders in _read_ahead(run_id, plan, pace):
        started = time.perf_counter()
        refused = _apply_chunk(run, chunk, orders, actor)
        pace.took(sum(one.row_count for one in chunk), time.perf_counter() - started)
        done += len(chunk)
        if refused and run.policy == ImportPolicy.ALL_OR_NOTHING:
            roll_back_runs([run_id], actor=actor).raise_refusals()
            return
        work.progress(done, total)
    _conclude(run_id, actor)


def _read_ahead(
    run_id: int, plan: Plan, pace: Pace
) -> Iterator[tuple[list[ImportOrder], Mapping[str, NeutralOrder]]]:
    """The chunks with their orders. While one is written, a thread reads the cells of the next: it queries nothing."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        ready: tuple[list[ImportOrder], Future[dict[str, NeutralOrder]]] | None = None
        for chunk in _chunks(run_id, pace):
            rows = rows_of_orders(run_id, [one.key for one in chunk])
            coming = chunk, reader.submit(_read, plan, chunk, rows)
            if ready is not None:
                yield ready[0], ready[1].result()
            ready = coming
        if ready is not None:
            yield ready[0], ready[1].result()


def _chunks(run_id: int, pace: Pace) -> Iterator[list[ImportOrder]]:
    """What is left to do in the file's sequence, some orders and rows at a time."""
    rows = ImportOrder.objects.filter(run=run_id, plan__in=OPEN_PLANS, result="")
    line = 0
    while some := list(rows.filter(first_line__gt=line).order_by("first_line")[:MOST_ORDERS]):
        size, count = 0, 0
        for one in some:
            if count and size + one.row_count > pace.rows:
                break
            size, count = size + one.row_count, count + 1
        yield some[:count]
        line = some[count - 1].first_line


def _apply_chunk(
    run: ImportRun, chunk: Sequence[ImportOrder], neutral: Mapping[str, NeutralOrder], actor: Actor
) -> int:
    """Returns how many were refused."""
    new = [one for one in chunk if one.plan == ImportPlan.CREATE]
    changed = [one for one in chunk if one.plan == ImportPlan.UPDATE and one.order_id is not None]
    refusals: dict[int, BancaleError] = {}
    values: dict[int, tuple[str, int | None]] = {}
    if new:
        is_history = run.mode == ImportMode.HISTORY
        incoming = [Incoming(neutral[one.key], is_history=is_history, import_run_id=run.pk) for one in new]
        answers = accept_orders(incoming, sales_channel_id=run.sales_channel_id, actor=actor)
        again = [answers.values[key] for key in answers.unchanged_ids]
        ours = {answers.values[key] for key in answers.done_ids} | _made_here(run.pk, again)
        for one in new:
            if (problem := answers.refusals.get(one.external_id)) is not None:
                refusals[one.pk] = problem
                values[one.pk] = (ImportResult.REFUSED, None)
            else:
                pk = answers.values[one.external_id]
                values[one.pk] = (ImportResult.CREATED if pk in ours else ImportResult.KEPT, pk)
    if changed:
        revisions = [Revision(one.order_id or 0, neutral[one.key], one.pk) for one in changed]
        revised = revise_orders(revisions, run_id=run.pk, actor=actor)
        for one in changed:
            if (problem := revised.refusals.get(one.order_id or 0)) is not None:
                refusals[one.pk] = problem
                values[one.pk] = (ImportResult.REFUSED, one.order_id)
    _write(run.pk, chunk, values, refusals)
    return len(refusals)


def _read(plan: Plan, chunk: Sequence[ImportOrder], rows: Rows) -> dict[str, NeutralOrder]:
    """The chunk's orders, read again from their original cells."""
    orders = {}
    for one in chunk:
        read = read_order(one.key, rows[one.key], plan)
        if read.order is None:
            raise AssertionError(f"line {one.first_line} was readable when it was checked")
        orders[one.key] = read.order
    return orders


def _made_here(run_id: int, order_ids: Sequence[int]) -> set[int]:
    """Those of these that this run made before it was cut off."""
    if not order_ids:
        return set()
    mine = Order.objects.filter(Among("pk", order_ids), import_run=run_id)
    return set(mine.values_list("pk", flat=True))


def _write(
    run_id: int,
    chunk: Sequence[ImportOrder],
    values: dict[int, tuple[str, int | None]],
    refusals: Mapping[int, BancaleError],
) -> None:
    problems = [
        problem_row(run_id, one.key, Problem("refused", one.first_line, "", one.key, refusals[one.pk]))
        for one in chunk
        if one.pk in refusals
    ]
    with transaction.atomic():
        hold_runs([run_id], status=ImportStatus.APPLYING)
        named = {pk: value for pk, value in values.items() if value[1] is not None}
        set_in_rows(ImportOrder, ("result", "order_id"), named)
        unnamed = {pk: (value[0],) for pk, value in values.items() if value[1] is None}
        set_in_rows(ImportOrder, ("result",), unnamed)
        insert_values(ImportProblem, PROBLEM, problems)


def _conclude(run_id: int, actor: Actor) -> None:
    with transaction.atomic():
        run = lock_runs([run_id])[0]
        if run.status != ImportStatus.APPLYING:
            return
        at = clock.now()
        also = {"applied_at": at, "finish_at": at + PATIENCE}
        apply_transition(IMPORT_RUN, APPLIED, [run], actor=actor, also=also)
