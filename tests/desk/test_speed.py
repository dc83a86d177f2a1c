"""What keeps the desk quick with many orders: the indexes that its queues are counted from, and how a server begins."""

import gc

import pytest
from django.db import connection
from django.db.models import QuerySet

import config.wsgi
from config.kernel.fastpath import is_fast
from fulfillment.models import FulfillmentOrder
from fulfillment.selectors import queues
from orders.models import Order
from orders.selectors import work
from tests.factories.orders import make_order

on_postgresql = pytest.mark.skipif(not is_fast(), reason="what PostgreSQL plans")


def plan_of(rows: QuerySet[object]) -> str:
    """How the rows are counted where reading whole tables is no choice; as it is none where they are large."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return str(rows.order_by().values("pk").explain())


@on_postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("queue", [work.to_allocate, work.backordered, work.late, queues.to_release])
def test_queues_of_orders_are_read_from_the_index_of_open_ones(queue: object) -> None:
    make_order()

    assert "order_open" in plan_of(queue(Order.objects.all()))  # type: ignore[operator]


@on_postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("queue", [queues.to_ship, queues.stopped])
def test_queues_of_work_compare_two_indexes(queue: object) -> None:
    plan = plan_of(queue(FulfillmentOrder.objects.all()))  # type: ignore[operator]

    assert "fulfillment_order_live" in plan


@on_postgresql
@pytest.mark.django_db
def test_no_statement_is_compiled_before_it_runs() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)


def test_server_leaves_what_it_loaded_out_of_the_collectors_rounds() -> None:
    assert config.wsgi.application is not None
    assert gc.get_freeze_count() > 0
