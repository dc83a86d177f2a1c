"""The desk benchmark: what the pages of staff take with many orders, as time on the server and as statements.

`python -m tests.benchmarks.desk --orders 300000` on the server of `DATABASE_URL`, in a database of its own.
Every figure is a whole request through Django's test client, made by a person of the role that the row names (Support
where it names none), in a process that has loaded what a server's worker loads.
"""

import argparse
import os
import re
import time
from collections.abc import Callable, Sequence
from html import unescape
from typing import Any

from tests.benchmarks import database
from tests.benchmarks.desk_pages import PEOPLE, SUPPORT, Page, client_of, pages
from tests.benchmarks.meters import load_now, quantile

BASE = 1000
MOST_MS, MOST_STATEMENTS = 120, 15


def main() -> None:
    asked = _arguments()
    name = asked.keep or f"bancale_desk_{os.getpid()}"
    with database.own_database(name, keep=bool(asked.keep)):
        from orders.models import Order

        if not Order.objects.exists():
            started = time.perf_counter()
            _load(asked.orders)
            database.tend(name)
            print(f"loaded in {time.perf_counter() - started:.0f} s", flush=True)
        print(_heading(), flush=True)
        _measure(asked.rounds, asked.only)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=40, help="requests a page")
    parser.add_argument("--only", default="", help="pages in whose name this expression is found")
    parser.add_argument("--keep", default="", help="a database of this name, loaded once and kept")
    return parser.parse_args()


def _heading() -> str:
    from django.db import connection

    from orders.models import Order, OrderLine

    connection.ensure_connection()
    shown = database.settings_of(connection.connection)
    settings = ", ".join(f"{name} {value}" for name, value in sorted(shown.items()))
    at = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    return (
        f"{at} UTC · {os.cpu_count()} CPUs, load {load_now()} · PostgreSQL: {settings}\n"
        f"{Order.objects.count()} orders, {OrderLine.objects.count()} lines"
    )


def _load(count: int) -> None:
    """A thousand orders through the verbs, at every stage of their life; then their clones."""
    from tests.benchmarks import shop
    from tests.benchmarks.more_orders import clone_orders
    from tests.benchmarks.stages import spread

    channel = shop.set_up(count)
    spread(shop.Orders(5).take(BASE), channel.pk)
    if count > BASE:
        shop.stock_up(count)
        clone_orders(count // BASE - 1)


def _measure(rounds: int, only: str) -> None:
    clients = {person: client_of(person) for person in PEOPLE}
    asked = [page for page in [*pages(), *_found_pages(clients[SUPPORT])] if re.search(only, page.name)]
    print(f"{'page':<36}{'p50 ms':>8}{'p95 ms':>8}{'CPU ms':>8}{'statements: 1 row':>19}{'100 rows':>10}")
    for page in asked:
        client, url = clients[page.who], page.url
        _rows(1)
        few = _statements(client, url)
        _rows(100)
        many = _statements(client, url)
        cpu = time.process_time()
        laps = [_lap(lambda client=client, url=url: client.get(url)) for _round in range(rounds)]
        cpu = 1000 * (time.process_time() - cpu) / rounds
        p50, p95 = quantile(laps, 0.5), quantile(laps, 0.95)
        is_within = p95 <= MOST_MS and many <= MOST_STATEMENTS and few == many
        print(
            f"{page.name:<36}{p50:>8.1f}{p95:>8.1f}{cpu:>8.1f}{few:>19}{many:>10}"
            f"{'' if is_within else '  ABOVE'}",
            flush=True,
        )
    print(f"load {load_now()} at the end", flush=True)


def _found_pages(client: Any) -> Sequence[Page]:
    """Pages that are reached by pressing: the last one, and the one before it."""
    _rows(100)
    found = []
    for name, query in (("", ""), (" (filtered)", "?status__exact=completed")):
        last = _link(client, f"/orders/order/{query}", "last")
        found += [
            Page(f"last page{name}", last, SUPPORT),
            Page(f"before the last{name}", _link(client, last, "prev"), SUPPORT),
        ]
    return found


def _link(client: Any, url: str, rel: str) -> str:
    html = client.get(url).content.decode()
    found = re.search(rf'href="([^"]+)" rel="{rel}"', html)
    if found is None:
        raise SystemExit(f"{url} has no page {rel}")
    return f"/orders/order/{unescape(found[1])}"


def _rows(count: int) -> None:
    from django.contrib import admin

    from orders.models import Order

    admin.site.get_model_admin(Order).list_per_page = count


def _statements(client: Any, url: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url)
    if answer.status_code >= 400 or answer.headers.get("Location", "").startswith("/login/"):
        raise SystemExit(f"{url} answered {answer.status_code} {answer.headers.get('Location', '')}")
    return len(captured)


def _lap(act: Callable[[], Any]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
