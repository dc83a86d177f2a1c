"""The import benchmark: the Online Retail ledger in history mode, beside plain COPY of the same rows.

`python -m tests.benchmarks.imports FOLDER [--lines N] [--peer N] [--live N]` with the folder of the ledger's files, on
the server of `DATABASE_URL`, in a database of its own; on SQLite without one, and without the floor. `--peer` brings
the first N lines in by django-import-export too, `--live` the first N lines in live mode instead. Decisions: an invoice
is an order of its number; a `C` invoice is one that was cancelled from the start, its units positive; codes that are no
goods are charges (lines that are not shipped where an invoice has nothing else); negative units at price 0 are listed
as write-offs and not imported; codes that differ in case alone are aliases of the SKU in capitals; equal lines are
kept; an invoice of two times has the first.
"""

import argparse
import csv
import gzip
import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.benchmarks import database
from tests.benchmarks.meters import load_now

TABLES = (
    "orders_importrun", "orders_importrow", "orders_importproblem", "orders_customer", "orders_address",
    "orders_order", "orders_importorder", "orders_orderline", "orders_linepart", "orders_charge",
    "orders_discountshare", "orders_taxline", "orders_payment", "orders_hold", "kernel_event", "kernel_fact",
    "kernel_delivery",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", type=int, default=0, help="only the first N lines")
    parser.add_argument(
        "--peer", type=int, default=0, help="beside django-import-export on the first N lines"
    )
    parser.add_argument("--live", type=int, default=0, help="the first N lines in live mode, with stock")
    asked = parser.parse_args()
    if not database.ADDRESS.startswith("postgres"):
        _measure_on_sqlite(asked)
        return
    with database.own_database(f"bancale_imports_{os.getpid()}") as name:
        if asked.peer:
            _measure_peer(asked)
        elif asked.live:
            _measure_live(asked)
        else:
            _measure(asked, name)


def _measure(asked: argparse.Namespace, name: str) -> None:
    """Check and apply beside the floor, the totals, and the same file once more."""
    from django.db import connection

    path, count, channel_id = _prepare(asked.folder, asked.lines)
    connection.close()
    with database.copy_of(name, f"{name}_floor") as plain:
        before = highest()
        whole = run_import(path, channel_id, count).seconds
        floor, copied = copy_again(plain, before)
        print(f"floor (COPY of {copied} rows): {floor:.1f} s, ratio {floor / whole:.2f} (wanted 0.17)")
    if not asked.lines:
        compare(json.loads((asked.folder / "facts.json").read_text(), parse_float=Decimal))
    run_import(path, channel_id, count)
    audit()


def _measure_on_sqlite(asked: argparse.Namespace) -> None:
    from tests import environment

    environment.prepare()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    path, count, channel_id = _prepare(asked.folder, asked.lines)
    run_import(path, channel_id, count)
    run_import(path, channel_id, count)
    audit()


def _measure_live(asked: argparse.Namespace) -> None:
    path, count, channel_id = _prepare(asked.folder, asked.live)
    from tests.benchmarks.import_live import run_live

    run_live(path, channel_id, count)
    audit()


def _measure_peer(asked: argparse.Namespace) -> None:
    """Ours and the peer's on the same lines; the peer's rows have no parts and events, so nothing is audited."""
    path, count, channel_id = _prepare(asked.folder, asked.peer)
    from orders.models import SalesChannel
    from tests.benchmarks.import_peer import run_peer

    ours = run_import(path, channel_id, count).seconds
    entity = SalesChannel.objects.get(pk=channel_id).legal_entity
    other = SalesChannel.objects.create(
        code="peer", name="Peer", kind="csv", legal_entity=entity, currency="GBP"
    )
    seconds, lines = run_peer(path, other)
    print(
        f"django-import-export, bulk mode: {lines} lines in {seconds:.1f} s, {lines / seconds:.0f} lines/s; "
        f"ours {count / ours:.0f} lines/s, {seconds / lines * count / ours:.1f} times as fast (wanted 10)"
    )


def _prepare(folder: Path, lines: int) -> tuple[Path, int, int]:
    """(file, its lines, channel)."""
    from django.conf import settings

    path = Path(settings.DATA_DIR) / "ledger.csv"
    count = join(folder, path, lines)
    print(f"{count} lines · {os.cpu_count()} CPUs, load {load_now()}")
    return path, count, set_up(path)


def join(folder: Path, path: Path, most: int) -> int:
    """The months as one file; returns its lines."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as out:
        for place, month in enumerate(sorted(folder.glob("online-retail-*.csv.gz"))):
            with gzip.open(month, "rt", encoding="utf-8", newline="") as lines:
                heading = next(lines)
                if not place:
                    out.write(heading)
                for line in lines:
                    if most and count >= most:
                        return count
                    out.write(line)
                    count += 1
    return count


def set_up(path: Path) -> int:
    """The wholesaler with its SKUs in capitals, and the other spellings as aliases."""
    from config.kernel.actors import Actor
    from config.kernel.batches import in_batches
    from inventory.models import Sku
    from inventory.services.catalogue import NewSku, create_skus
    from orders.models import LegalEntity, SalesChannel
    from orders.services.mapping import SkuMapping, map_skus
    from orders.sheets.profiles import LEDGER

    actor = Actor.system("benchmark")
    entity = LegalEntity.objects.create(
        code="UK", name="Giftware Ltd", country_code="GB", currency="GBP", time_zone="Europe/London"
    )
    channel = SalesChannel.objects.create(
        code="ledger", name="Wholesale", kind="csv", legal_entity=entity, currency="GBP"
    )
    with path.open(encoding="utf-8", newline="") as file:
        codes = {row["StockCode"] for row in csv.DictReader(file)}
    goods = {code for code in codes if LEDGER.charge_codes and not LEDGER.charge_codes.fullmatch(code)}
    skus = [NewSku(code, code, ()) for code in sorted({code.upper() for code in goods})]
    in_batches(create_skus, skus, actor=actor).raise_refusals()
    pks = dict(Sku.objects.values_list("code", "pk"))
    aliases = [SkuMapping(channel.pk, code, pks[code.upper()]) for code in sorted(goods) if code not in pks]
    in_batches(map_skus, aliases, actor=actor).raise_refusals()
    print(f"{len(skus)} SKUs, {len(aliases)} aliases of other spellings")
    return channel.pk


@dataclass(frozen=True, slots=True)
class Ran:
    run_id: int
    seconds: float


def run_import(path: Path, channel_id: int, count: int, *, mode: str = "history") -> Ran:
    """Check, and apply where there is anything to apply; `seconds` are those of both."""
    from config.kernel.actors import Actor
    from orders.enums import ImportMode, ImportPlan, ImportPolicy
    from orders.models import ImportRun
    from orders.services.importing.applying import apply_run, apply_runs
    from orders.services.importing.checking import check_run
    from orders.services.importing.uploading import Upload, upload_file
    from orders.services.importing.work import Alone

    actor = Actor.system("benchmark")
    seconds = {}
    started = time.perf_counter()
    with path.open("rb") as file:
        run_id = upload_file(file, Upload(path.name, channel_id, ImportMode(mode)), actor=actor)
    check_run(run_id, Alone(), actor=actor)
    seconds["check"] = time.perf_counter() - started
    plans = ImportRun.objects.get(pk=run_id).summary["plans"]
    if ImportPlan.CREATE in plans:
        started = time.perf_counter()
        apply_runs([run_id], policy=ImportPolicy.ALL_OR_NOTHING, actor=actor).raise_refusals()
        apply_run(run_id, Alone(), actor=actor)
        seconds["apply"] = time.perf_counter() - started
    for step, taken in seconds.items():
        print(f"{step:<7} {taken:6.1f} s  {count / taken:8.0f} lines/s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"plans {plans}; peak {peak} MiB; load {load_now()}")
    return Ran(run_id, sum(seconds.values()))


def highest() -> dict[str, int]:
    return {table: int(rows(f"SELECT coalesce(max(id), 0) FROM {table}")[0][0]) for table in TABLES}


def copy_again(plain: Any, before: dict[str, int]) -> tuple[float, int]:
    """Write every row of the run again by COPY, table by table, constraints on; the rows are read outside the clock."""
    from django.db import connection

    seconds, count = 0.0, 0
    for table in TABLES:
        statement = f"COPY (SELECT * FROM {table} WHERE id > {before[table]} ORDER BY id) TO STDOUT"
        # In a file, so that the peak that is printed stays the import's own.
        with tempfile.TemporaryFile() as text:
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                for block in copy:
                    text.write(block)
                    count += bytes(block).count(b"\n")
            text.seek(0)
            started = time.perf_counter()
            with (
                plain.transaction(),
                plain.cursor() as cursor,
                cursor.copy(f"COPY {table} FROM STDIN") as copy,
            ):
                while part := text.read(1 << 20):
                    copy.write(part)
            seconds += time.perf_counter() - started
    return seconds, count


def rows(statement: str) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


GOODS = (
    "SELECT o.external_id AS key, o.placed_at, o.status, a.region AS country, l.sku_code AS code, l.quantity AS units,"
    " l.total_amount AS worth FROM orders_order o JOIN orders_orderline l ON l.order_id = o.id"
    " LEFT JOIN orders_address a ON a.id = o.bill_to_id"
)
CHARGES = (
    "SELECT o.external_id, o.placed_at, o.status, a.region, c.title, 1, c.total_amount FROM orders_order o"
    " JOIN orders_charge c ON c.order_id = o.id LEFT JOIN orders_address a ON a.id = o.bill_to_id"
)


def stored() -> Iterator[tuple[str, Any]]:
    """The totals of facts.json as they stand in the database; a sale is neither cancelled nor an adjustment."""
    both = f"({GOODS} UNION ALL {CHARGES}) AS part"
    sale = "status <> 'cancelled' AND key NOT LIKE 'A%' AND worth > 0"
    month = "to_char(placed_at AT TIME ZONE 'Europe/London', 'YYYY-MM')"
    yield "gross_sales_gbp", rows(f"SELECT sum(worth) FROM {both} WHERE {sale}")[0][0]
    yield "gross_sale_invoices", rows(f"SELECT count(DISTINCT key) FROM {both} WHERE {sale}")[0][0]
    yield "gross_sale_rows", rows(f"SELECT count(*) FROM {both} WHERE {sale}")[0][0]
    yield "cancelled_value_gbp", -rows(f"SELECT sum(worth) FROM {both} WHERE status = 'cancelled'")[0][0]
    net = "sum(CASE WHEN status = 'cancelled' THEN -worth ELSE worth END)"
    yield "net_all_rows_gbp", rows(f"SELECT {net} FROM {both}")[0][0]
    found = rows(
        f"SELECT {month}, sum(worth), count(DISTINCT key) FROM {both} WHERE {sale} GROUP BY 1 ORDER BY 1"
    )
    yield "gross_sales_by_month", {one[0]: one[1] for one in found}
    yield "orders_by_month", {one[0]: one[2] for one in found}
    top = rows(f"SELECT country, sum(worth) FROM {both} WHERE {sale} GROUP BY 1 ORDER BY 2 DESC LIMIT 5")
    yield "top5_countries_by_sales", [[one[0], one[1]] for one in top]
    yield "cancel_invoices", rows("SELECT count(*) FROM orders_order WHERE status = 'cancelled'")[0][0]
    yield "customers", rows("SELECT count(DISTINCT a.name) FROM orders_address a WHERE a.name <> ''")[0][0]
    first = "WHERE run_id = (SELECT min(id) FROM orders_importrun)"
    yield "invoices", rows(f"SELECT count(*) FROM orders_importorder {first}")[0][0]
    yield "rows", rows(f"SELECT count(*) FROM orders_importrow {first}")[0][0]
    best = f"SELECT code, sum(units) FROM ({GOODS}) AS part WHERE {sale} GROUP BY 1 ORDER BY 2 DESC LIMIT 10"
    yield "top10_codes_by_units", [[one[0], int(one[1])] for one in rows(best)]


def compare(facts: dict[str, Any]) -> None:
    wrong = 0
    for name, value in stored():
        same = plain(value) == plain(facts[name])
        wrong += not same
        print(f"{name}: {'equal' if same else f'{plain(value)} instead of {plain(facts[name])}'}")
    print("all totals equal" if not wrong else f"{wrong} TOTALS DIFFER")


def plain(value: Any) -> Any:
    """Amounts to the penny, whatever their decimals."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, Decimal | float):
        return str(Decimal(str(value)).quantize(Decimal("0.01")))
    return str(value)


def audit() -> None:
    from config.kernel.audit import run_audit

    wrong = [finding.invariant.code for finding in run_audit() if finding.violations]
    print("audit clean" if not wrong else f"AUDIT: {wrong}")


if __name__ == "__main__":
    main()
