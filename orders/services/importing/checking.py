"""The check: the whole file read, validated and compared with what we have. Nothing outside the run is written."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from django.db import transaction

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.fastpath import Among, insert_values, refresh_statistics
from config.kernel.garbage import rare_collections
from config.kernel.states import apply_transition
from orders.enums import ImportMode, ImportPlan, ImportStatus
from orders.intake_rules import fits, refusal_of, too_many_units
from orders.models import ImportOrder, ImportProblem, ImportRun
from orders.neutral import NeutralOrder
from orders.parts import KnownSku
from orders.services.importing.comparing import Difference, compare
from orders.services.importing.mapping import plan_of
from orders.services.importing.meeting import Before, known_orders, last_imports
from orders.services.importing.runs import hold_check
from orders.services.importing.staged_rows import Rows, rows_by_order
from orders.services.importing.staging import CHUNK, PROBLEM, problem_row, stage_rows
from orders.services.importing.summing import summary_of
from orders.services.importing.work import Work
from orders.services.known_skus import find_skus
from orders.sheets.cells import Numbered
from orders.sheets.orders import ReadOrder, external_id_of, read_order
from orders.sheets.plan import Plan
from orders.sheets.problems import Problem
from orders.states import CHECKED, IMPORT_RUN

STAGED = (
    "run_id", "key", "external_id", "first_line", "row_count", "digest", "plan", "order_id", "currency",
    "total_amount", "units", "changes", "note",
)  # fmt: skip
UNKNOWN_SHOWN = 50


@dataclass(slots=True)
class Checked:
    """One order of the file with what is to become of it."""

    key: str
    rows: Sequence[Numbered]
    read: ReadOrder
    digest: str
    external_id: str = ""
    plan: ImportPlan = ImportPlan.CREATE
    order_id: int | None = None
    before: Before | None = None
    changes: Sequence[Any] = ()
    note: str = ""

    def refuse(self, problem: Problem) -> None:
        self.read.problems.append(problem)
        self.plan = ImportPlan.REFUSE


@rare_collections()
def check_run(run_id: int, work: Work, *, actor: Actor) -> bool:
    """Check a mapped run whole; it then stands as `checked`. False where a person is asked something first.

    Goes on where an earlier call stopped. Raises `ImportStopped` when the run was cancelled, or is checked anew,
    meanwhile, and `UnreadableFile`.
    """
    run = ImportRun.objects.select_related("sales_channel__legal_entity").get(pk=run_id)
    if run.status == ImportStatus.CHECKED:
        return True
    if "rows" not in run.summary and not stage_rows(run, work):
        return False
    work.keep({"rows": run.summary["rows"]})
    plan = plan_of(run)
    unknown: dict[str, None] = dict.fromkeys(run.summary.get("unknown", ()))
    done = _staged_rows(run)
    last = ImportOrder.objects.filter(run=run).order_by("-key").values_list("key", flat=True).first() or ""
    for rows in rows_by_order(run_id, after=last):
        found = check_orders(run, plan, rows)
        unknown |= dict.fromkeys(_unknown_codes(run, found))
        _store(run, found, list(unknown)[:UNKNOWN_SHOWN])
        done += sum(len(one.rows) for one in found)
        work.progress(run.summary["rows"] + done, 2 * run.summary["rows"] or 1)
    if run.summary["rows"] > CHUNK:
        refresh_statistics(ImportOrder)
    _conclude(run, actor)
    return True


def _staged_rows(run: ImportRun) -> int:
    return sum(ImportOrder.objects.filter(run=run).values_list("row_count", flat=True))


def check_orders(run: ImportRun, plan: Plan, rows: Rows) -> list[Checked]:
    """What is to become of these orders: a fixed number of statements, whatever their number.

    Those whose very rows were applied before are left alone and not even read.
    """
    broken = set(ImportProblem.objects.filter(Among("key", rows), run=run).values_list("key", flat=True))
    width = len(plan.header)
    whole = {key: [row for row in some if len(row[1]) == width] for key, some in rows.items()}
    ids = {key: external_id_of(key, some, plan) for key, some in whole.items() if some}
    known = known_orders(run.sales_channel_id, ids.values())
    before = last_imports(known.values())
    digest = digester(plan)
    found = []
    for key, some in rows.items():
        one = Checked(key, some, ReadOrder(None), digest(whole[key]), external_id=ids.get(key, ""))
        pk = known.get(one.external_id)
        same = None if pk is None or key in broken else before.get(pk)
        if same is not None and same.digest == one.digest:
            one.plan, one.before = ImportPlan.KEEP, same
        else:
            _read(one, whole[key], plan, is_broken=key in broken)
        if one.plan in (ImportPlan.CREATE, ImportPlan.KEEP):
            one.order_id = pk
        found.append(one)
    fresh = [one for one in found if one.plan == ImportPlan.CREATE]
    _refuse_unstorable(run, fresh)
    _refuse_twins(found)
    _meet([one for one in fresh if one.plan == ImportPlan.CREATE and one.order_id is not None])
    return found


def _read(one: Checked, rows: Sequence[Numbered], plan: Plan, *, is_broken: bool) -> None:
    one.read = read = read_order(one.key, rows, plan) if rows else ReadOrder(None)
    if read.problems or is_broken or (read.order is None and not read.listed):
        one.plan = ImportPlan.REFUSE
    elif read.listed:
        one.plan, one.note = ImportPlan.LIST, read.listed


def digester(plan: Plan) -> Callable[[Sequence[Numbered]], str]:
    """Names an order's rows: the same for the same mapped cells, wherever they stand in a file."""
    mapped = itemgetter(*(place for _name, place in sorted(plan.columns.items())))
    ways = f"{sorted(plan.columns)} {plan.numbers} {plan.dates}"

    def digest(rows: Sequence[Numbered]) -> str:
        text = "".join(["\x1f".join(mapped(cells)) + "\x1e" for _line, cells in rows])
        return hashlib.blake2b((ways + text).encode(), digest_size=16).hexdigest()

    return digest


def _refuse_unstorable(run: ImportRun, checked: Sequence[Checked]) -> None:
    """What `accept_orders` would refuse is said now."""
    codes = {line.sku_code.strip() for one in checked for line in _order(one).lines}
    skus = find_skus(codes, sales_channel_id=run.sales_channel_id)
    for one in checked:
        problem = refusal_of(_order(one)) or too_many_units(_order(one), skus)
        if problem is not None:
            one.refuse(Problem("cannot", one.rows[0][0], "", one.key, problem))


def _refuse_twins(checked: Sequence[Checked]) -> None:
    """Two order numbers with one id of the platform; one that we have by these very rows comes first."""
    seen = {one.external_id: one.key for one in checked if one.plan == ImportPlan.KEEP}
    for one in checked:
        if one.plan == ImportPlan.CREATE and seen.setdefault(one.external_id, one.key) != one.key:
            one.refuse(Problem("disagrees", one.rows[0][0], "", one.external_id, seen[one.external_id]))


def _order(one: Checked) -> NeutralOrder:
    if one.read.order is None:
        raise AssertionError("only orders that were read are looked at")
    return one.read.order


def _meet(checked: Sequence[Checked]) -> None:
    """Compare with the orders that we have."""
    differences = compare({one.order_id: _order(one) for one in checked if one.order_id is not None})
    for one in checked:
        if one.order_id is not None:
            _plan_for(one, differences[one.order_id])


def _plan_for(one: Checked, difference: Difference) -> None:
    one.plan = ImportPlan.KEEP
    if difference.refusal:
        one.changes = difference.changes
        one.refuse(Problem(difference.refusal, one.rows[0][0], "", one.key, difference.why))
    elif difference.changes:
        one.plan, one.changes = ImportPlan.UPDATE, difference.changes


def _unknown_codes(run: ImportRun, checked: Sequence[Checked]) -> list[str]:
    """SKUs of new orders that nobody knows: such orders come in and are held."""
    if run.mode == ImportMode.HISTORY:
        return []
    codes = {
        line.sku_code or line.title
        for one in checked
        if one.plan == ImportPlan.CREATE
        for line in _order(one).lines
        if line.requires_shipping
    }
    known: Mapping[str, KnownSku] = find_skus(codes, sales_channel_id=run.sales_channel_id)
    return sorted(codes - set(known))


def _store(run: ImportRun, checked: Sequence[Checked], unknown: Sequence[str]) -> None:
    problems = [problem_row(run.pk, one.key, problem) for one in checked for problem in one.read.problems]
    with transaction.atomic():
        hold_check(run)
        insert_values(ImportOrder, STAGED, [_staged(run, one) for one in checked])
        insert_values(ImportProblem, PROBLEM, problems)
        run.summary["unknown"] = list(unknown)
        ImportRun.objects.filter(pk=run.pk).update(summary=run.summary)


def _staged(run: ImportRun, one: Checked) -> tuple[Any, ...]:
    order, before = one.read.order, one.before
    if before is not None:
        worth: tuple[Any, ...] = (before.currency, before.total_amount, before.units)
    elif order is not None:
        total = order.total_amount if order.total_amount is None or fits(order.total_amount) else None
        worth = (order.currency, total, sum(line.quantity for line in order.lines))
    else:
        worth = ("", None, 0)
    return (
        run.pk,
        one.key,
        one.external_id,
        one.rows[0][0],
        len(one.rows),
        one.digest,
        one.plan.value,
        one.order_id,
        *worth,
        list(one.changes),
        one.note,
    )


def _conclude(checked: ImportRun, actor: Actor) -> None:
    with transaction.atomic():
        run = hold_check(checked)
        run.summary = summary_of(run)
        also = {"checked_at": clock.now(), "summary": run.summary}
        apply_transition(IMPORT_RUN, CHECKED, [run], actor=actor, also=also)
