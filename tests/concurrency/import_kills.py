"""A worker of the import desk killed anywhere, by `kill -9`, and resumed.

`python -m tests.concurrency.import_kills --orders 16667 --lines 3 --kills 7` kills seven workers in the check, seven
in applying and seven in rolling back, on the server of `DATABASE_URL`, in a database of its own.
"""

import argparse
import os
import random
import signal
import time
from typing import NamedTuple

from tests.benchmarks import database

SEED = 20260303
LIVE = ("queued", "running")
MOST_SECONDS = 30


class Kills(NamedTuple):
    """How many workers were killed at work, and the longest that their job had to wait until it was due again."""

    count: int = 0
    seconds: float = 0.0

    def and_then(self, other: "Kills") -> "Kills":
        return Kills(self.count + other.count, max(self.seconds, other.seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=16_667)
    parser.add_argument("--lines", type=int, default=3)
    parser.add_argument("--kills", type=int, default=7, help="in each of the three works")
    parser.add_argument("--longest", type=float, default=2.0, help="seconds that a worker lives at most")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    with database.own_database(f"bancale_kills_{os.getpid()}"):
        started = time.perf_counter()
        killed = prove(asked.orders, asked.lines, asked.kills, asked.longest, asked.seed)
        lines = asked.orders * asked.lines
        print(
            f"{lines} lines, {killed.count} workers killed at work, seed {asked.seed}: nothing twice, nothing half, "
            f"audit clean, rolled back ({time.perf_counter() - started:.0f} s); "
            f"due again after {killed.seconds:.2f} s at most"
        )


def prove(orders: int, lines: int, kills: int, longest: float, seed: int = SEED) -> Kills:
    """Check, apply and roll back an import of live orders under kills.

    The outbox is delivered after applying and after rolling back: all stock is promised, and none.
    """
    from django.db.models import Sum

    from inventory.models import StockLevel
    from orders.enums import ImportPolicy, ImportStatus
    from orders.models import ImportOrder, ImportRow, ImportRun, LinePart, Order, OrderLine
    from orders.services.importing.applying import apply_runs
    from orders.services.importing.mapping import start_check
    from orders.services.importing.rolling_back import roll_back_runs
    from tests.benchmarks.import_live import deliver
    from tests.factories.imports import row, text_of, upload
    from tests.factories.inventory import make_level, make_location, make_sku
    from tests.factories.orders import SYSTEM

    location = make_location()
    for number in range(50):
        make_level(make_sku(f"S{number}"), location, on_hand=100)
    dice = random.Random(seed)
    run = upload(
        text_of(*(row(f"K-{n}", sku=f"S{(n + m) % 50}") for n in range(orders) for m in range(lines)))
    )
    killed = run_with_kills(start_check(run.pk, actor=SYSTEM), kills, dice, longest)
    assert ImportRow.objects.filter(run=run).count() == orders * lines
    assert ImportOrder.objects.filter(run=run).count() == orders

    job_id = apply_runs([run.pk], policy=ImportPolicy.ALL_OR_NOTHING, actor=SYSTEM).only()
    killed = killed.and_then(run_with_kills(job_id, kills, dice, longest))

    assert ImportRun.objects.get(pk=run.pk).status == ImportStatus.APPLIED
    assert Order.objects.filter(import_run=run).count() == orders
    assert Order.objects.values("external_id").distinct().count() == orders
    assert OrderLine.objects.count() == LinePart.objects.count() == orders * lines
    assert set(ImportOrder.objects.filter(run=run).values_list("result", flat=True)) == {"created"}
    deliver()
    assert StockLevel.objects.aggregate(units=Sum("reserved"))["units"] == min(5000, 2 * orders * lines)
    assert (found := violations()) == {}, found

    job_id = roll_back_runs([run.pk], actor=SYSTEM).only()
    killed = killed.and_then(run_with_kills(job_id, kills, dice, longest))
    deliver()
    assert set(Order.objects.values_list("status", flat=True)) == {"void"}
    assert StockLevel.objects.aggregate(units=Sum("reserved"))["units"] == 0
    assert (found := violations()) == {}, found
    return killed


def violations() -> dict[str, object]:
    """The first few of each rule that is broken."""
    from config.kernel.audit import run_audit

    return {finding.invariant.code: finding.violations[:3] for finding in run_audit() if finding.violations}


def wait_until_due(job_id: int) -> float:
    """A job whose worker is dead is due as soon as the server has seen it, long before its lease runs out; says after
    how many seconds."""
    from config.kernel.jobs import due_job_ids

    started = time.perf_counter()
    while job_id not in due_job_ids():
        assert time.perf_counter() - started < MOST_SECONDS, "the job of a dead worker waits for its lease"
        time.sleep(0.01)
    return time.perf_counter() - started


def run_with_kills(job_id: int, kills: int, dice: random.Random, longest: float) -> Kills:
    """Run a job in processes that are killed after a while, then to its end."""
    from config.kernel.models import Job
    from tests.concurrency.processes import start

    killed, waited = 0, 0.0
    for turn in range(kills + 1):
        # It is killed more often than the product puts up with.
        Job.objects.filter(pk=job_id, state="running").update(attempt_count=0)
        waited = max(waited, wait_until_due(job_id))
        worker = start("import_process", str(job_id))
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        if turn < kills:
            time.sleep(dice.uniform(0.05, longest))
            worker.send_signal(signal.SIGKILL)
        worker.communicate(timeout=900)
        killed += worker.returncode == -signal.SIGKILL
        if Job.objects.get(pk=job_id).state not in LIVE:
            break
    job = Job.objects.get(pk=job_id)
    assert (job.state, job.error) == ("done", "")
    return Kills(killed, waited)


if __name__ == "__main__":
    main()
