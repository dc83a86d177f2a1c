"""The intake benchmark: accept, confirm and allocate on PostgreSQL, beside a floor of the same run.

`python -m tests.benchmarks.intake --orders 10000` on the server of `DATABASE_URL`, in a database of its own.
"""

import argparse
import gc
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.benchmarks import database
from tests.benchmarks.meters import Meter, load_now, quantile

BATCH = 200
# Batches between two tendings of a server without autovacuum, which tends a table after a fifth of it changed.
TENDED = 10


def main() -> None:
    asked = _arguments()
    with database.own_database(f"bancale_intake_{os.getpid()}") as name:
        from django.db import connection

        from tests.benchmarks import shop

        orders = asked.orders * (2 if asked.threads else 1) + asked.alone
        channel = shop.set_up(orders + 3_000)
        connection.close()
        with database.copy_of(name, f"{name}_floor") as plain:
            print(_heading(plain))
            _measure_batches(asked.orders, channel.pk, plain)
            if asked.threads:
                _measure_threads(asked.threads, asked.orders, channel.pk)
            if asked.alone:
                _measure_alone(asked.alone, channel.pk)
            if asked.seconds:
                from tests.benchmarks import writers

                writers.measure(asked.seconds, channel.pk)
            _audit()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000, help="orders in batches of 200")
    parser.add_argument("--threads", type=int, default=2, help="then as many again by threads of the process")
    parser.add_argument("--alone", type=int, default=300, help="orders one at a time")
    parser.add_argument("--seconds", type=float, default=10, help="seconds of 8 writers, hot and spread each")
    return parser.parse_args()


def _heading(plain: Any) -> str:
    shown = ", ".join(f"{name} {value}" for name, value in sorted(database.settings_of(plain).items()))
    at = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    return f"{at} UTC · {os.cpu_count()} CPUs, load {load_now()} · PostgreSQL: {shown}"


def _measure_batches(count: int, channel_id: int, plain: Any) -> None:
    from django.db import connection

    from tests.benchmarks.floor import Floor
    from tests.benchmarks.shop import Orders

    floor = Floor(plain)
    take(Orders(1, prefix="WARM").take(20), channel_id)
    floor.follow()
    floor.meter = Meter(floor.meter.server_pid)
    source = Orders(2)
    meters = {step: Meter(_session(connection)) for step in STEPS}
    for number in range(count // BATCH):
        if number % TENDED == 0:
            database.tend(str(connection.settings_dict["NAME"]), plain.info.dbname)
        take(source.take(BATCH), channel_id, meters)
        floor.follow()
        gc.collect()
    _print_batches(count // BATCH * BATCH, meters, floor)


STEPS = ("accept", "confirm", "allocate")


def take(incoming: Any, channel_id: int, meters: dict[str, Meter] | None = None) -> None:
    """One batch through the three verbs; nothing may be refused."""
    from orders.services.accepting import accept_orders
    from orders.services.allocating import allocate_orders
    from orders.services.confirming import confirm_orders
    from tests.benchmarks.shop import ACTOR

    meters = meters or {step: Meter() for step in STEPS}
    with meters["accept"].running():
        accepted = accept_orders(incoming, sales_channel_id=channel_id, actor=ACTOR)
    ids = list(accepted.values.values())
    with meters["confirm"].running():
        confirmed = confirm_orders(ids, actor=ACTOR)
    with meters["allocate"].running():
        allocated = allocate_orders(ids, actor=ACTOR)
    for results in (accepted, confirmed, allocated):
        results.raise_refusals()
        if len(results.done_ids) != len(incoming):
            raise SystemExit(f"not all were done: {results!r}")


def _session(connection: Any) -> int:
    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def _print_batches(count: int, meters: dict[str, Meter], floor: Any) -> None:
    from tests.benchmarks.floor import TABLES, _rows

    wall = sum(meter.wall for meter in meters.values())
    for step, meter in meters.items():
        print(_line(step, meter, count))
    print(f"{'all three':<12} {count / wall:8.0f} orders/s")
    print(_line("floor", floor.meter, count))
    print(f"ratio to the floor: {floor.meter.wall / wall:.2f} (wanted at least 0.17)")
    rows = {table: _rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}
    print("rows: " + ", ".join(f"{table} {number}" for table, number in rows.items()))
    wrong = floor.differing()
    print(f"floor wrote the same rows: {'yes' if not wrong else 'NO: ' + ', '.join(wrong)}")


def _line(name: str, meter: Meter, count: int) -> str:
    each = 1000 / count
    return (
        f"{name:<12} {count / meter.wall:8.0f} orders/s  {meter.wall * each:6.3f} ms an order: "
        f"client CPU {meter.client * each:.3f}, server CPU {meter.server * each:.3f}"
    )


def _measure_threads(threads: int, count: int, channel_id: int) -> None:
    """As many batches again, side by side in threads of this process, as a web server's or a worker's are."""
    from django.db import connection

    from tests.benchmarks.shop import Orders

    batches = count // BATCH // threads
    incoming = [
        [source.take(BATCH) for _ in range(batches)]
        for source in (Orders(20 + number, prefix=f"T{number}-") for number in range(threads))
    ]
    database.tend(str(connection.settings_dict["NAME"]))

    def work(own: Sequence[Any]) -> None:
        try:
            for batch in own:
                take(batch, channel_id)
        finally:
            connection.close()

    meter = Meter()
    with ThreadPoolExecutor(threads) as pool, meter.running():
        for working in [pool.submit(work, own) for own in incoming]:
            working.result()
    done = batches * threads * BATCH
    print(f"{threads} threads of one process, {done} orders: {done / meter.wall:.0f} orders/s; client CPU"
          f" {1000 * meter.client / done:.3f} ms an order")  # fmt: skip


def _measure_alone(count: int, channel_id: int) -> None:
    from tests.benchmarks.shop import Orders

    source, meter = Orders(3, prefix="ALONE"), Meter()
    for one in source.take(count):
        with meter.running():
            take([one], channel_id)
    figures = ", ".join(f"p{share} {quantile(meter.laps, share / 100):.1f} ms" for share in (50, 95, 99))
    print(f"one at a time, {count} orders through the three verbs: {figures}; client CPU"
          f" {1000 * meter.client / count:.1f} ms an order")  # fmt: skip


def _audit() -> None:
    from config.kernel.audit import run_audit

    started = time.perf_counter()
    findings = list(run_audit())
    broken = [finding for finding in findings if finding.violations]
    print(f"audit: {len(findings)} rules, {len(broken)} broken, {time.perf_counter() - started:.1f} s")
    for finding in broken:
        print(f"  {finding.invariant.code}: {finding.violations[:3]}")


if __name__ == "__main__":
    main()
