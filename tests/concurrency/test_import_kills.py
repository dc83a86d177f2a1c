"""A worker killed anywhere in a check and in applying: resumed without a duplicate or half an order; audit clean."""

import random
import signal
import time

import pytest

from config.kernel import clock
from config.kernel.audit import run_audit
from config.kernel.models import Job
from orders.enums import ImportPolicy, ImportStatus
from orders.models import ImportOrder, ImportRow, ImportRun, LinePart, Order, OrderLine
from orders.services.importing.applying import apply_runs
from orders.services.importing.mapping import start_check
from orders.services.importing.rolling_back import roll_back_runs
from tests.concurrency.processes import start
from tests.factories.imports import row, text_of, upload
from tests.factories.inventory import make_level, make_location, make_sku
from tests.factories.orders import SYSTEM

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ORDERS, LINES, KILLS, SEED = 600, 3, 2, 20260303
LIVE = ("queued", "running")


def run_with_kills(job_id: int, kills: int, dice: random.Random, longest: float) -> int:
    """Run a job in processes that are killed after a while, then to its end; returns how many were killed at work."""
    killed = 0
    for turn in range(kills + 1):
        # As if the lease of the dead had run out.
        over = {"lease_until": clock.now(), "attempt_count": 0}
        Job.objects.filter(pk=job_id, state="running").update(**over)
        worker = start("import_process", str(job_id))
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        if turn < kills:
            time.sleep(dice.uniform(0.05, longest))
            worker.send_signal(signal.SIGKILL)
        worker.communicate(timeout=300)
        killed += worker.returncode == -signal.SIGKILL
        if Job.objects.get(pk=job_id).state not in LIVE:
            break
    job = Job.objects.get(pk=job_id)
    assert (job.state, job.error) == ("done", "")
    return killed


def content(orders: int, lines: int) -> str:
    return text_of(*(row(f"K-{n}", sku=f"S{(n + m) % 50}") for n in range(orders) for m in range(lines)))


def prove(orders: int, lines: int, kills: int, longest: float) -> int:
    """The whole proof; returns how many workers were killed at work."""
    location = make_location()
    for number in range(50):
        make_level(make_sku(f"S{number}"), location, on_hand=100)
    dice = random.Random(SEED)
    run = upload(content(orders, lines))
    killed = run_with_kills(start_check(run.pk, actor=SYSTEM), kills, dice, longest)
    assert ImportRow.objects.filter(run=run).count() == orders * lines
    assert ImportOrder.objects.filter(run=run).count() == orders

    job_id = apply_runs([run.pk], policy=ImportPolicy.ALL_OR_NOTHING, actor=SYSTEM).only()
    killed += run_with_kills(job_id, kills, dice, longest)

    assert ImportRun.objects.get(pk=run.pk).status == ImportStatus.APPLIED
    assert Order.objects.filter(import_run=run).count() == orders
    assert Order.objects.values("external_id").distinct().count() == orders
    assert OrderLine.objects.count() == LinePart.objects.count() == orders * lines
    assert set(ImportOrder.objects.filter(run=run).values_list("result", flat=True)) == {"created"}
    assert {finding.invariant.code: finding.violations for finding in run_audit() if finding.violations} == {}

    job_id = roll_back_runs([run.pk], actor=SYSTEM).only()
    killed += run_with_kills(job_id, kills, dice, longest)
    assert set(Order.objects.values_list("status", flat=True)) == {"void"}
    assert {finding.invariant.code: finding.violations for finding in run_audit() if finding.violations} == {}
    return killed


def test_killed_worker_resumes_without_duplicate_or_half_order() -> None:
    assert prove(ORDERS, LINES, KILLS, 1.0) >= KILLS
