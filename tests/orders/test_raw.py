"""Bodies are kept as they came, each once."""

import pytest

from config.kernel.errors import BancaleError
from orders.models import RawOrder
from orders.services import raw
from orders.services.raw import RawEntry, record_problems, settle_raw_orders, store_raw_orders
from tests.factories.orders import make_channel, make_order

pytestmark = pytest.mark.django_db


def store(*entries: RawEntry, code: str = "shop") -> dict[str, int]:
    results = store_raw_orders(entries, sales_channel_id=make_channel(code=code).pk)
    results.raise_refusals()
    return results.values


def test_store_raw_orders_keeps_the_body_untouched() -> None:
    body = '{"total": 1.10, "név": "Árvíztűrő 🍵",\r\n "x": 1e400}'

    values = store(RawEntry("k", "file:woocommerce", "7", body))

    row = RawOrder.objects.get()
    assert values == {"k": row.pk}
    assert (row.body, row.source, row.external_id, row.problem) == (body, "file:woocommerce", "7", "")
    assert (row.order, row.settled_at, len(row.body_hash)) == (None, None, 64)


def test_store_raw_orders_twice_is_unchanged() -> None:
    channel = make_channel()
    first = store_raw_orders([RawEntry("a", "s", "", "{}")], sales_channel_id=channel.pk)

    second = store_raw_orders([RawEntry("b", "s", "", "{}")], sales_channel_id=channel.pk)

    assert (first.done_ids, second.unchanged_ids) == (["a"], ["b"])
    assert first.values["a"] == second.values["b"] == RawOrder.objects.get().pk


def test_store_raw_orders_same_body_twice_in_one_call() -> None:
    results = store_raw_orders(
        [RawEntry("a", "s", "", "{}"), RawEntry("b", "s", "", "{}"), RawEntry("c", "s", "", "[]")],
        sales_channel_id=make_channel().pk,
    )

    assert (results.done_ids, results.unchanged_ids) == (["a", "c"], ["b"])
    assert results.values["a"] == results.values["b"] != results.values["c"]
    assert RawOrder.objects.count() == 2


def test_store_raw_orders_same_body_of_another_channel_or_source_is_another() -> None:
    store(RawEntry("a", "s", "", "{}"))
    store(RawEntry("a", "t", "", "{}"))
    store(RawEntry("a", "s", "", "{}"), code="other")

    assert RawOrder.objects.count() == 3


@pytest.mark.parametrize("body", ["a\x00b", "half \ud83d pair", "x" * 11])
def test_store_raw_orders_refuses_what_no_database_keeps(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "MOST_CHARACTERS", 10)

    results = store_raw_orders(
        [RawEntry("bad", "s", "", body), RawEntry("good", "s", "", "{}")], sales_channel_id=make_channel().pk
    )

    assert results.refusals["bad"].facts["field"] == "body"
    str(results.refusals["bad"]).encode()
    assert results.done_ids == ["good"]
    assert RawOrder.objects.count() == 1


def test_settle_raw_orders_takes_the_problem_back() -> None:
    order = make_order()
    (pk,) = store(RawEntry("a", "s", "", "{}")).values()
    record_problems({pk: BancaleError("no lines")})
    assert RawOrder.objects.get().problem == "no lines"

    settle_raw_orders({pk: order.pk})

    row = RawOrder.objects.get()
    assert (row.order, row.problem) == (order, "")
    assert row.settled_at is not None
