"""Live mode of the import benchmark: stock declared, orders brought in, every delivery of the outbox done, finished."""

import csv
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

COVER = 80


def declare_stock(path: Path) -> tuple[int, int]:
    """Opening stock at one location: of each SKU so many in a hundred units that the file sells, rounded up; returns
    (SKUs, units)."""
    from config.kernel.batches import in_batches
    from inventory.models import Location, Sku
    from inventory.services.catalogue import create_location
    from inventory.services.receiving import Receipt, receive_stock
    from tests.benchmarks.shop import ACTOR

    sold: Counter[str] = Counter()
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not row["InvoiceNo"].startswith("C") and (units := int(row["Quantity"])) > 0:
                sold[row["StockCode"].upper()] += units
    place = create_location(Location(code="LONDON", name="London"), actor=ACTOR)
    pks = dict(Sku.objects.values_list("code", "pk"))
    receipts = [
        Receipt(f"opening:{code}", pks[code], place.pk, -(-units * COVER // 100))
        for code, units in sorted(sold.items())
        if code in pks
    ]
    in_batches(receive_stock, receipts, reference=("benchmark", 1), actor=ACTOR).raise_refusals()
    return len(receipts), sum(receipt.quantity for receipt in receipts)


def run_live(path: Path, channel_id: int, count: int) -> None:
    from django.db.models import Count, Sum

    from inventory.models import Reservation
    from orders.enums import ImportMode
    from orders.models import Hold, Order
    from orders.services.importing.finishing import finish_runs, let_go
    from orders.services.importing.work import Alone
    from tests.benchmarks.imports import run_import
    from tests.benchmarks.shop import ACTOR

    skus, units = declare_stock(path)
    deliver()
    print(f"opening stock: {units} units of {skus} SKUs, {COVER} of 100 that the file sells")
    run_id = run_import(path, channel_id, count, mode=ImportMode.LIVE).run_id
    timed("deliver", count, deliver)
    finish_runs([run_id], actor=ACTOR).raise_refusals()
    timed("finish", count, lambda: let_go(run_id, Alone()))
    timed("deliver", count, deliver)
    reserved = {
        state: (rows, told)
        for state, rows, told in Reservation.objects.order_by("state")
        .values_list("state")
        .annotate(rows=Count("pk"), units=Sum("quantity"))
    }
    held = dict(
        Hold.objects.filter(lifted_at=None).order_by("kind").values_list("kind").annotate(orders=Count("pk"))
    )
    statuses = dict(Order.objects.order_by("status").values_list("status").annotate(orders=Count("pk")))
    print(f"reservations (rows, units): {reserved}; orders: {statuses}; open holds: {held}")


def deliver() -> int:
    """Whatever is due, until nothing is; returns how many deliveries."""
    from config.kernel import outbox

    total = 0
    while done := sum(outbox.deliver_due(lane) for lane in outbox.LANES):
        total += done
    return total


def timed(step: str, count: int, call: Callable[[], Any]) -> None:
    started = time.perf_counter()
    told = call()
    taken = time.perf_counter() - started
    print(
        f"{step:<7} {taken:6.1f} s  {count / taken:8.0f} lines/s" + (f"  ({told} deliveries)" if told else "")
    )
