"""One of several processes that allocate orders at once: `python -m tests.concurrency.allocation_process`.

Each line on stdin is a task: `{"mode": "locked", "batch": 1, "ids": [...]}`. It allocates those orders, `batch` a
call, and prints what came of it. The mode `unlocked` takes the protection off: the negative control.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import django

PAUSE = 0.005  # between reading the levels and writing them, so that rivals meet
MODE = ["locked"]
REPEATS: Counter[str] = Counter()


def set_the_scene() -> None:
    """Pause after the levels were read; `unlocked`: no row locks, and no condition where they are written."""
    from inventory.models import StockLevel
    from inventory.services import levels

    locked, enough_free = levels._locked, levels.ENOUGH_FREE

    def read_levels(sku_ids: Iterable[int]) -> list[StockLevel]:
        rows = StockLevel.objects.filter(sku_id__in=set(sku_ids))
        levels.ENOUGH_FREE = enough_free if MODE[0] == "locked" else "1 = 1"
        found = locked(sku_ids) if MODE[0] == "locked" else list(rows.order_by("pk"))
        time.sleep(PAUSE)
        return found

    levels._locked = read_levels


def count_repeats() -> None:
    from config.kernel import batches

    is_transient = batches.is_transient

    def count(error: Exception) -> bool:
        REPEATS[getattr(error.__cause__, "sqlstate", None) or "other"] += 1
        return is_transient(error)

    batches.is_transient = count


def allocate(ids: Sequence[int], batch: int) -> dict[str, Any]:
    from config.kernel.actors import Actor
    from orders.services.allocating import allocate_orders

    began, outcomes, refusals = time.monotonic(), Counter[str](), []
    REPEATS.clear()
    for start in range(0, len(ids), batch):
        results = allocate_orders(ids[start : start + batch], actor=Actor.rule("race"))
        outcomes.update(results.values.values())
        refusals += [repr(error) for error in results.refusals.values()]
    seconds = time.monotonic() - began
    return {"outcomes": outcomes, "refusals": refusals, "repeats": dict(REPEATS), "seconds": seconds}


def main() -> None:
    django.setup()
    from django.db import connection

    set_the_scene()
    count_repeats()
    connection.ensure_connection()
    print("ready", flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        MODE[0] = task["mode"]
        print(json.dumps(allocate(task["ids"], task["batch"])), flush=True)


if __name__ == "__main__":
    main()
