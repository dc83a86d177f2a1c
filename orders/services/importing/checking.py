"""The check: the whole file read, validated and compared with what we have. Nothing outside the run is written."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.fastpath import Among, insert_values
from config.kernel.states import apply_transition
from orders.enums import ImportMode, ImportPlan, ImportResult, ImportStatus, OrderStatus
from orders.intake_rules import refusal_of, too_many_units
from orders.models import ImportOrder, ImportProblem, ImportRow, ImportRun, Order
from orders.neutral import NeutralOrder
from orders.parts import KnownSku
from orders.services.importing.comparing import Difference, compare
from orders.services.importing.mapping import plan_of
from orders.services.importing.runs import hold_runs
from orders.services.importing.staging import PROBLEM, problem_row, stage_rows
from orders.services.importing.summing import summary_of
from orders.services.importing.work import Work
from orders.services.known_skus import find_skus
from orders.sheets.orders import ReadOrder, read_order
from orders.sheets.plan import Plan
from orders.sheets.problems import Problem
from orders.states import CHECKED, IMPORT_RUN

KEYS = 300
STAGED = (
    "run_id", "key", "external_id", "first_line", "row_count", "digest", "plan", "order_id", "currency",
    "total_amount", "units", "changes", "note",
)  # fmt: skip
UNKNOWN_SHOWN = 50


@dataclass(slots=True)
class Checked:
    """One order of the file with what is to become of it."""

    key: str
    rows: Sequence[tuple[int, list[str]]]
    read: ReadOrder
    digest: str
    plan: ImportPlan = ImportPlan.CREATE
    order_id: int | None = None
    changes: Sequence[Any] = ()
    note: str = ""

    @property
    def external_id(self) -> str:
        return self.read.order.external_id if self.read.order is not None else ""

    def refuse(self, problem: Problem) -> None:
        self.read.problems.append(problem)
        self.plan = ImportPlan.REFUSE


def check_run(run_id: int, work: Work, *, actor: Actor) -> bool:
    """Check a mapped run whole; it then stands as `checked`. False where a person is asked something first.

    Goes on where an earlier call stopped. Raises `ImportStopped` when the run was cancelled meanwhile, and
    `UnreadableFile`.
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
    _conclude(run_id, actor)
    return True


def _staged_rows(run: ImportRun) -> int:
    return sum(ImportOrder.objects.filter(run=run).values_list("row_count", flat=True))


def rows_by_order(
    run_id: int, *, after: str = "", keys: int = KEYS
) -> Iterator[dict[str, list[tuple[int, list[str]]]]]:
    """Staged rows by order number, some hundred orders at a time, in the sequence of their numbers."""
    mine = ImportRow.objects.filter(run=run_id)
    while True:
        found = list(
            mine.filter(key__gt=after).order_by("key").values_list("key", flat=True).distinct()[:keys]
        )
        if not found:
            return
        yield rows_of(run_id, found[-1], after=after)
        after = found[-1]


def rows_of(run_id: int, last: str, *, after: str) -> dict[str, list[tuple[int, list[str]]]]:
    """The rows of the order numbers behind `after` up to `last`."""
    rows = ImportRow.objects.filter(run=run_id, key__gt=after, key__lte=last).order_by("key", "line")
    by_key: dict[str, list[tuple[int, list[str]]]] = defaultdict(list)
    for key, line, cells in rows.values_list("key", "line", "cells").iterator(5000):
        by_key[key].append((line, json.loads(cells)))
    return by_key


def check_orders(
    run: ImportRun, plan: Plan, rows: Mapping[str, list[tuple[int, list[str]]]]
) -> list[Checked]:
    """What is to become of these orders: a fixed number of statements, whatever their number."""
    broken = set(ImportProblem.objects.filter(Among("key", rows), run=run).values_list("key", flat=True))
    width = len(plan.header)
    found = []
    for key, some in rows.items():
        whole = [(line, cells) for line, cells in some if len(cells) == width]
        read = read_order(key, whole, plan) if whole else ReadOrder(None)
        one = Checked(key, some, read, _digest(whole, plan))
        if read.problems or key in broken or (read.order is None and not read.listed):
            one.plan = ImportPlan.REFUSE
        elif read.listed:
            one.plan, one.note = ImportPlan.LIST, read.listed
        found.append(one)
    _refuse_unstorable(run, [one for one in found if one.plan == ImportPlan.CREATE])
    _refuse_twins([one for one in found if one.plan == ImportPlan.CREATE])
    _meet(run, [one for one in found if one.plan == ImportPlan.CREATE])
    return found


def _digest(rows: Sequence[tuple[int, list[str]]], plan: Plan) -> str:
    """The same for the same mapped cells, wherever they stand in a file."""
    places = [place for _name, place in sorted(plan.columns.items())]
    marks = hashlib.blake2b(f"{sorted(plan.columns)} {plan.numbers} {plan.dates}".encode(), digest_size=16)
    for _line, cells in rows:
        marks.update("\x1f".join([cells[place] for place in places]).encode())
        marks.update(b"\x1e")
    return marks.hexdigest()


def _refuse_unstorable(run: ImportRun, checked: Sequence[Checked]) -> None:
    """What `accept_orders` would refuse is said now."""
    codes = {line.sku_code.strip() for one in checked for line in _order(one).lines}
    skus = find_skus(codes, sales_channel_id=run.sales_channel_id)
    for one in checked:
        problem = refusal_of(_order(one)) or too_many_units(_order(one), skus)
        if problem is not None:
            one.refuse(Problem("cannot", one.rows[0][0], "", one.key, str(problem)))


def _refuse_twins(checked: Sequence[Checked]) -> None:
    """Two order numbers with one id of the platform."""
    seen: dict[str, str] = {}
    for one in checked:
        if seen.setdefault(one.external_id, one.key) != one.key:
            one.refuse(Problem("disagrees", one.rows[0][0], "", one.external_id, seen[one.external_id]))


def _order(one: Checked) -> NeutralOrder:
    if one.read.order is None:
        raise AssertionError("only orders that were read are looked at")
    return one.read.order


def _meet(run: ImportRun, checked: Sequence[Checked]) -> None:
    """Compare with the orders that we have: the same rows as before are left alone without a look at the order."""
    by_id = {one.external_id: one for one in checked}
    if not by_id:
        return
    known = dict(
        Order.objects.filter(Among("external_id", by_id), sales_channel=run.sales_channel_id)
        .exclude(status=OrderStatus.VOID)
        .values_list("external_id", "pk")
    )
    if not known:
        return
    before = _digests(list(known.values()))
    differing = {}
    for external_id, pk in known.items():
        one = by_id[external_id]
        one.order_id = pk
        if before.get(pk) == one.digest:
            one.plan = ImportPlan.KEEP
        else:
            differing[pk] = one
    differences = compare({pk: _order(one) for pk, one in differing.items()})
    for pk, one in differing.items():
        _plan_for(one, differences[pk])


def _plan_for(one: Checked, difference: Difference) -> None:
    one.plan = ImportPlan.KEEP
    if difference.refusal:
        one.changes = difference.changes
        one.refuse(Problem(difference.refusal, one.rows[0][0], "", one.key, difference.why))
    elif difference.changes:
        one.plan, one.changes = ImportPlan.UPDATE, difference.changes


def _digests(order_ids: Sequence[int]) -> dict[int, str]:
    """What the last import of each of these orders held."""
    applied = ImportOrder.objects.filter(
        Among("order_id", order_ids), result__in=[ImportResult.CREATED, ImportResult.UPDATED]
    )
    return dict(applied.order_by("pk").values_list("order_id", "digest"))


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
        hold_runs([run.pk], status=ImportStatus.UPLOADED)
        insert_values(ImportOrder, STAGED, [_staged(run, one) for one in checked])
        insert_values(ImportProblem, PROBLEM, problems)
        run.summary["unknown"] = list(unknown)
        ImportRun.objects.filter(pk=run.pk).update(summary=run.summary)


def _staged(run: ImportRun, one: Checked) -> tuple[Any, ...]:
    order = one.read.order
    return (
        run.pk,
        one.key,
        one.external_id,
        one.rows[0][0],
        len(one.rows),
        one.digest,
        one.plan.value,
        one.order_id,
        order.currency if order else "",
        order.total_amount if order else None,
        sum(line.quantity for line in order.lines) if order else 0,
        list(one.changes),
        one.note,
    )


def _conclude(run_id: int, actor: Actor) -> None:
    with transaction.atomic():
        run = hold_runs([run_id], status=ImportStatus.UPLOADED)[0]
        run.summary = summary_of(run)
        also = {"checked_at": clock.now(), "summary": run.summary}
        apply_transition(IMPORT_RUN, CHECKED, [run], actor=actor, also=also)
