"""One of several processes that allocate orders at once.

`python -m tests.concurrency.allocation_process MODE BATCH ID...` waits for a line on stdin, allocates its orders
`BATCH` a call, and prints what came of it. MODE `unlocked` takes the protection off: the negative control.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable

import django


def take_protection_off() -> None:
    """No row locks on the levels, and no condition in the statement that writes them."""
    from inventory.models import StockLevel
    from inventory.services import levels
    from orders.services import allocating

    def read_levels(sku_ids: Iterable[int]) -> list[StockLevel]:
        return list(
            StockLevel.objects.select_related("location").filter(sku_id__in=set(sku_ids)).order_by("pk")
        )

    allocating.lock_levels = read_levels
    levels._with_enough_free = lambda changes: StockLevel.objects.filter(pk__in=list(changes))


def main() -> None:
    django.setup()
    from django.db import OperationalError, connection

    from config.kernel import batches
    from config.kernel.actors import Actor
    from orders.services.allocating import allocate_orders

    mode, batch, ids = sys.argv[1], int(sys.argv[2]), [int(pk) for pk in sys.argv[3:]]
    if mode == "unlocked":
        take_protection_off()
    repeats: Counter[str] = Counter()
    is_transient = batches.is_transient

    def count(error: OperationalError) -> bool:
        repeats[getattr(error.__cause__, "sqlstate", None) or "other"] += 1
        return is_transient(error)

    batches.is_transient = count
    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()

    began, outcomes, refusals = time.monotonic(), Counter[str](), []
    for start in range(0, len(ids), batch):
        results = allocate_orders(ids[start : start + batch], actor=Actor.rule("race"))
        outcomes.update(results.values.values())
        refusals += [repr(error) for error in results.refusals.values()]
    answer = {"outcomes": outcomes, "refusals": refusals, "repeats": repeats}
    print(json.dumps({**answer, "seconds": time.monotonic() - began}), flush=True)


if __name__ == "__main__":
    main()
