"""The audit over many orders: every invariant, timed rule by rule.

`python -m tests.benchmarks.audit --orders 100000` on the server of `DATABASE_URL`, in a database of its own. A
business of 2,000 orders lives through the verbs (sold, shipped, delivered, cancelled, sent back) and is then copied.
"""

import argparse
import os
import time
from types import SimpleNamespace
from typing import Any

from tests.benchmarks import database
from tests.benchmarks.meters import Meter, load_now

LIVED, SKUS, BATCH = 2_000, 200, 200
LONGEST = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000, help=f"in steps of {LIVED}")
    parser.add_argument("--slowest", type=int, default=0, help="show only so many rules")
    asked = parser.parse_args()
    with database.own_database(f"bancale_audit_{os.getpid()}"):
        began = time.perf_counter()
        live()
        lived = time.perf_counter() - began
        from tests.benchmarks import clones

        clones.copy_business(asked.orders // LIVED - 1)
        copied = time.perf_counter() - began - lived
        at = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        print(f"{at} UTC · {os.cpu_count()} CPUs, load {load_now()} · {LIVED} orders lived through the verbs"
              f" in {lived:.0f} s, copied in {copied:.0f} s")  # fmt: skip
        print("rows: " + ", ".join(f"{table} {rows}" for table, rows in clones.counts().items() if rows))
        _audit(asked.slowest)


def live() -> None:
    """2,000 orders: four in five shipped, most of those delivered, some cancelled, some sent back."""
    from django.conf import settings

    from tests.benchmarks import shop

    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    shop.SKUS = SKUS
    channel = shop.set_up(LIVED)
    source = shop.Orders(1)
    for _batch in range(LIVED // BATCH):
        _live_through(source.take(BATCH), channel.pk)
    from config.kernel import outbox

    for lane in outbox.LANES:
        outbox.deliver_due(lane, rounds=1_000)


def _live_through(incoming: Any, channel_id: int) -> None:
    from config.demo import warehouse
    from config.demo.generator import Fate
    from fulfillment.enums import ParcelStatus
    from fulfillment.services.releasing import release_orders
    from inventory.models import Location
    from orders.services.cancelling import cancel_orders
    from tests.benchmarks.intake import take
    from tests.benchmarks.shop import ACTOR

    take(incoming, channel_id)
    ids = _ids(incoming, channel_id)
    cancel_orders(ids[:6], reason="changed their mind", actor=ACTOR)
    release_orders(ids[6:166], actor=ACTOR)
    warehouse.ship(ids[6:166])
    warehouse.tell(ids[6:140], ParcelStatus.DELIVERED)
    fates = dict.fromkeys(ids[6:12], Fate.RETURN_RESTOCKED) | dict.fromkeys(ids[12:16], Fate.RETURN_SCRAPPED)
    place = Location.objects.order_by("preference").values_list("pk", flat=True)[0]
    business: Any = SimpleNamespace(location_ids={"TO": place})
    warehouse.ask_back(fates, business)
    warehouse.take_back(fates)


def _ids(incoming: Any, channel_id: int) -> list[int]:
    from orders.models import Order

    keys = [one.order.external_id for one in incoming]
    rows = Order.objects.filter(sales_channel=channel_id, external_id__in=keys).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def _audit(slowest: int) -> None:
    from django.db import connection

    from config.kernel.audit import INVARIANTS, run_audit

    connection.ensure_connection()
    meters = {code: Meter(int(connection.connection.info.backend_pid)) for code in INVARIANTS}
    broken = []
    for code, meter in meters.items():
        with meter.running():
            broken += [finding for finding in run_audit([code]) if finding.violations]
    for code, meter in sorted(meters.items(), key=lambda pair: -pair[1].wall)[: slowest or None]:
        print(f"  {meter.wall:6.2f} s, of CPU {meter.client:6.2f} here and {meter.server:6.2f} there  {code}")
    wall = sum(meter.wall for meter in meters.values())
    cpu = sum(meter.client + meter.server for meter in meters.values())
    print(f"audit: {len(meters)} rules, {len(broken)} broken, {wall:.1f} s (wanted at most {LONGEST}),"
          f" {cpu:.1f} s of CPU, load {load_now()}")  # fmt: skip
    for finding in broken:
        print(f"  {finding.invariant.code}: {finding.violations[:3]}")


if __name__ == "__main__":
    main()
