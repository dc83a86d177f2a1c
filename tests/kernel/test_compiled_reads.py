"""A compiled read yields what its query yields, asked once or a hundred times."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet
from django.test.utils import CaptureQueriesContext

from config.kernel.compiled_reads import CompiledRead
from config.kernel.fastpath import Among, is_fast
from config.kernel.locks import LockingRead, LockOrderBroken
from inventory.models import Sku
from orders.enums import HoldKind
from orders.models import Hold, Order, OrderLine
from tests.factories.inventory import make_sku
from tests.factories.orders import make_order

pytestmark = pytest.mark.django_db


def lines_of(order_ids: Iterable[int]) -> QuerySet[OrderLine]:
    rows = OrderLine.objects.filter(Among("order_id", order_ids), requires_shipping=True)
    rows = rows.select_related("order__sales_channel").order_by("pk")
    return rows.only("sku_code", "order__number", "order__sales_channel__code")


def orders_of(order_ids: Iterable[int]) -> QuerySet[Order]:
    return Order.objects.filter(Among("pk", order_ids))


def test_rows_are_those_of_the_query_with_what_is_joined(django_assert_num_queries) -> None:
    read = CompiledRead(lines_of)
    first, second, _other = make_order(), make_order(), make_order()

    for orders in ([first, second], [second]):
        rows = read([order.pk for order in orders])

        assert rows == list(lines_of([order.pk for order in orders]))
        with django_assert_num_queries(0):
            told = {(row.sku_code, row.order.number, row.order.sales_channel.code) for row in rows}
        assert {number for _code, number, _channel in told} == {order.number for order in orders}
    with django_assert_num_queries(1):
        assert rows[0].title


def test_tuples_are_those_of_the_query() -> None:
    codes = ["plain", 'a "quote"', "back\\slash", "{brace}", "it's %s"]
    skus = [make_sku(code) for code in codes]
    make_sku("other")
    by_code: CompiledRead[tuple[str, int]] = CompiledRead(
        lambda codes: Sku.objects.filter(Among("code", codes)).order_by("pk").values_list("code", "pk")
    )

    assert by_code(codes) == [(sku.code, sku.pk) for sku in skus]
    assert by_code({"it's %s"}) == [(skus[4].code, skus[4].pk)]


def test_each_value_of_a_call_comes_into_its_places() -> None:
    orders = [make_order(), make_order(), make_order()]
    at = orders[0].placed_at
    Order.objects.filter(pk=orders[1].pk).update(
        placed_at=at + timedelta(hours=1), total_sent_amount="7.5000"
    )
    Order.objects.filter(pk=orders[2].pk).update(placed_at=at + timedelta(hours=2), total_sent_amount="0.30")
    counted: CompiledRead[tuple[int, int, int]] = CompiledRead(
        lambda totals, since, channel: (
            Order.objects.filter(Among("total_sent_amount", totals), sales_channel=channel)
            .order_by("pk")
            .values_list("pk")
            .annotate(
                late=Count("pk", filter=Q(placed_at__gt=since)),
                early=Count("pk", filter=Q(placed_at__lte=since)),
            )
        )
    )
    totals, channel = [Decimal("7.5"), Decimal("0.3"), Decimal("11.11")], orders[1].sales_channel_id
    Order.objects.filter(pk=orders[2].pk).update(sales_channel=channel)

    assert counted(totals, at + timedelta(hours=1), channel) == [(orders[1].pk, 0, 1), (orders[2].pk, 1, 0)]
    assert counted(totals[:1], at, channel) == [(orders[1].pk, 1, 0)]
    assert counted(totals, at, -1) == []


def test_columns_that_python_reads_are_read() -> None:
    order = make_order()
    hold = Hold.objects.create(
        order=order, kind=HoldKind.MANUAL, facts={"allows": ["confirm"]}, opened_at=order.placed_at
    )

    (row,) = CompiledRead(lambda ids: Hold.objects.filter(Among("order_id", ids), kind=HoldKind.MANUAL))(
        [order.pk]
    )

    assert (row, row.facts, row.opened_at) == (hold, {"allows": ["confirm"]}, order.placed_at)


def test_a_call_is_one_statement_and_none_without_keys(django_assert_num_queries) -> None:
    asked: list[object] = []

    def query(order_ids: Iterable[int]) -> QuerySet[Order]:
        asked.append(order_ids)
        return orders_of(order_ids)

    read, order = CompiledRead(query), make_order()
    with django_assert_num_queries(3):
        assert [read({order.pk}), read(iter([order.pk])), read([10**12])] == [[order], [order], []]
    with django_assert_num_queries(0):
        assert read([]) == []
    assert len(asked) == 1


def test_a_query_of_another_kind_is_refused() -> None:
    read = CompiledRead(lambda ids: orders_of(ids).values("pk"))

    with pytest.raises(TypeError, match="model rows or values_list"):
        read([1])


def test_locking_read_locks_in_the_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = [make_order(), make_order()]
    lock_orders, lock_later = LockingRead("order", orders_of), LockingRead("stock_level", orders_of)

    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        assert lock_orders([order.pk for order in reversed(orders)]) == orders
    assert captured[0]["sql"].endswith('FOR NO KEY UPDATE OF "orders_order"') is is_fast()
    with transaction.atomic():
        lock_later([orders[0].pk])
        with pytest.raises(LockOrderBroken):
            lock_orders([orders[0].pk])
    monkeypatch.setattr("config.kernel.locks.connection", SimpleNamespace(in_atomic_block=False))
    with pytest.raises(transaction.TransactionManagementError):
        lock_orders([orders[0].pk])
