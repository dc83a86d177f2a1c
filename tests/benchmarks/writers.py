"""Eight writer processes for some seconds each: one hot SKU in every order, beside spread SKUs."""

import multiprocessing
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.meters import load_now, quantile

WRITERS = 8
HOT = 0
WARM_UP = 20
# SKUs for which somebody waits although units are free: nothing comes in during the run, so there may be none.
FALSELY_REFUSED = (
    "SELECT count(DISTINCT w.sku_id) FROM inventory_reservation w JOIN inventory_stocklevel l USING (sku_id)"
    " WHERE w.state = 'waiting' AND l.on_hand > l.reserved + l.unsellable + l.buffer"
)
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@dataclass(frozen=True)
class Report:
    """What one writer brings home: the seconds of each order, what was refused, and its CPU seconds."""

    laps: list[float]
    refusals: list[str]
    client: float


def measure(seconds: float, channel_id: int) -> None:
    """Both runs, each order alone through accept, confirm and allocate; prints figures beside what is wanted."""
    from django.db import connection

    _fill_hot_shelf()
    before = _number(DEADLOCKS)
    connection.close()
    spread = _run("spread", (), seconds, channel_id)
    hot = _run("hot", (HOT,), seconds, channel_id)
    print(
        f"hot / spread: {hot / spread:.0%} (wanted at least 60 %); deadlocks {_number(DEADLOCKS) - before},"
        f" SKUs falsely refused {_number(FALSELY_REFUSED)} (wanted 0 and 0)"
    )


def _fill_hot_shelf() -> None:
    """Plenty of the hot SKU; who waited for it since the batches is served first."""
    from inventory.models import Location, Sku
    from inventory.services.receiving import Receipt, receive_stock
    from orders.services.backorders import fill_backorders
    from tests.benchmarks.shop import ACTOR, code_of

    sku, place = Sku.objects.get(code=code_of(HOT)), Location.objects.get(code="NEAR")
    receipt = Receipt("hot", sku.pk, place.pk, 500_000)
    receive_stock([receipt], reference=("benchmark", 2), actor=ACTOR).raise_refusals()
    fill_backorders([sku.pk], actor=ACTOR).raise_refusals()


def _number(statement: str) -> int:
    from tests.benchmarks.floor import _rows

    return int(_rows(statement)[0][0])


def _run(name: str, hot: Sequence[int], seconds: float, channel_id: int) -> float:
    """Eight processes that begin together; returns orders a second."""
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager, spawn.Pool(WRITERS) as pool:
        begin = manager.Barrier(WRITERS)
        asked = [(name, number, tuple(hot), seconds, channel_id, begin) for number in range(WRITERS)]
        reports = pool.starmap(_write, asked, chunksize=1)
    laps = [lap for report in reports for lap in report.laps]
    refusals = [refusal for report in reports for refusal in report.refusals]
    rate = len(laps) / seconds
    figures = ", ".join(f"p{share} {quantile(laps, share / 100):.0f} ms" for share in (50, 95, 99))
    client = 1000 * sum(report.client for report in reports) / len(laps)
    print(
        f"{WRITERS} writers, {name}: {rate:.0f} orders/s, one order {figures} (hot p99 wanted at most 500 ms);"
        f" client CPU {client:.1f} ms an order, refused {len(refusals)}, load {load_now()}"
    )
    for refusal in refusals[:3]:
        print(f"  {refusal}")
    return rate


def _write(name: str, number: int, hot: Sequence[int], seconds: float, channel_id: int, begin: Any) -> Report:
    """One writer in a process of its own."""
    from tests import environment

    folder = environment.prepare()
    from tests.benchmarks.shop import Orders

    source = Orders(100 + number, prefix=f"{name}{number}", hot=hot)
    for one in source.take(WARM_UP):
        _take(one, channel_id)
    begin.wait()
    laps, refusals, client = [], [], time.process_time()
    ends = time.perf_counter() + seconds
    while (started := time.perf_counter()) < ends:
        refusals += _take(source.take(1)[0], channel_id)
        laps.append(time.perf_counter() - started)
    shutil.rmtree(folder, ignore_errors=True)
    return Report(laps, refusals, time.process_time() - client)


def _take(incoming: Any, channel_id: int) -> list[str]:
    """One order through the three verbs; what they refused."""
    from orders.services.accepting import accept_orders
    from orders.services.allocating import allocate_orders
    from orders.services.confirming import confirm_orders
    from tests.benchmarks.shop import ACTOR

    accepted = accept_orders([incoming], sales_channel_id=channel_id, actor=ACTOR)
    ids = list(accepted.values.values())
    steps = (accepted, confirm_orders(ids, actor=ACTOR), allocate_orders(ids, actor=ACTOR))
    return [repr(error) for step in steps for error in step.refusals.values()]
