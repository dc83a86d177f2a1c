"""The desk benchmark: what the pages of staff take with many orders, as time on the server and as statements.

`python -m tests.benchmarks.desk --orders 300000` on the server of `DATABASE_URL`, in a database of its own.
Every figure is a whole request through Django's test client, made by a person of the role Support, in a process that
has loaded what a server's worker loads.
"""

import argparse
import os
import re
import time
from collections.abc import Callable, Sequence
from html import unescape
from typing import Any

from tests.benchmarks import database
from tests.benchmarks.meters import load_now, quantile

BASE = 1000
MOST_MS, MOST_STATEMENTS = 120, 15
Page = tuple[str, str]


def main() -> None:
    asked = _arguments()
    name = asked.keep or f"bancale_desk_{os.getpid()}"
    with database.own_database(name, keep=bool(asked.keep)):
        from orders.models import Order

        if not Order.objects.exists():
            started = time.perf_counter()
            _load(asked.orders)
            print(f"loaded in {time.perf_counter() - started:.0f} s", flush=True)
        print(_heading(), flush=True)
        _measure(asked.rounds, asked.only)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=40, help="requests a page")
    parser.add_argument("--only", default="", help="pages whose name has this in it")
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


def _pages() -> list[Page]:
    from fulfillment.models import Parcel
    from inventory.models import Sku
    from orders.models import Order

    middle = Order.objects.order_by("-id")[1000]
    buyer, parcel = middle.customer, Parcel.objects.order_by("-id")[100]
    sku = Sku.objects.order_by("id")[123]
    assert buyer is not None
    found = "/orders/order/?q="
    return [
        ("order list", "/orders/order/"),
        ("filtered: status", "/orders/order/?status__exact=completed"),
        ("filtered: channel", f"/orders/order/?sales_channel__id__exact={middle.sales_channel_id}"),
        ("filtered: two", "/orders/order/?status__exact=confirmed&payment_status__exact=paid"),
        ("queue: to confirm", "/orders/order/?queue=to_confirm"),
        ("queue: on hold", "/orders/order/?queue=on_hold"),
        ("queue: late", "/orders/order/?queue=late"),
        ("queue: to release", "/orders/order/?queue=to_release"),
        ("sorted by dispatch", "/orders/order/?o=9"),
        ("search: number", f"{found}{middle.number}"),
        ("search: reference", f"{found}{middle.external_id}"),
        ("search: e-mail", f"{found}{middle.email}"),
        ("search: part of a name", f"{found}iordan"),
        ("search: two words", f"{found}elena+giord"),
        ("search: common word", f"{found}example.com"),
        ("search: phone", f"{found}{buyer.phone.replace(' ', '+').replace('+39', '')}"),
        ("search: SKU", f"{found}{sku.code}"),
        ("search: tracking number", f"{found}{parcel.tracking_number}"),
        ("search: nothing", f"{found}zzyzx"),
        ("palette: number", f"/palette/?q={middle.number}"),
        ("palette: part of a name", "/palette/?q=iordan"),
        ("palette: e-mail", f"/palette/?q={middle.email}"),
        (
            "next in the list",
            f"/orders/order/{middle.pk}/next/?_changelist_filters=status__exact%3Dcompleted",
        ),
        ("order page", f"/orders/order/{middle.pk}/change/"),
        ("dashboard", "/"),
    ]


def _client() -> Any:
    from django.contrib.auth.models import Group, User
    from django.test import Client

    import config.wsgi  # noqa: F401  (as a server's worker begins)

    user, _made = User.objects.get_or_create(username="marta", is_staff=True)
    user.groups.add(Group.objects.get(name="Support"))
    client = Client()
    client.force_login(user)
    return client


def _measure(rounds: int, only: str) -> None:
    client = _client()
    pages = [page for page in [*_pages(), *_found_pages(client)] if only in page[0]]
    print(f"{'page':<26}{'p50 ms':>8}{'p95 ms':>8}{'CPU ms':>8}{'statements: 1 row':>19}{'100 rows':>10}")
    for name, url in pages:
        _rows(1)
        few = _statements(client, url)
        _rows(100)
        many = _statements(client, url)
        cpu = time.process_time()
        laps = [_lap(lambda url=url: client.get(url)) for _round in range(rounds)]
        cpu = 1000 * (time.process_time() - cpu) / rounds
        p50, p95 = quantile(laps, 0.5), quantile(laps, 0.95)
        is_within = p95 <= MOST_MS and many <= MOST_STATEMENTS and few == many
        print(
            f"{name:<26}{p50:>8.1f}{p95:>8.1f}{cpu:>8.1f}{few:>19}{many:>10}{'' if is_within else '  ABOVE'}",
            flush=True,
        )


def _found_pages(client: Any) -> Sequence[Page]:
    """Pages that are reached by pressing: the last one, and the one before it."""
    _rows(100)
    pages = []
    for name, query in (("", ""), (" (filtered)", "?status__exact=completed")):
        last = _link(client, f"/orders/order/{query}", "last")
        pages += [(f"last page{name}", last), (f"before the last{name}", _link(client, last, "prev"))]
    return pages


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
