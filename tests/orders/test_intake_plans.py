"""Who ordered and what we have already is found by an index, however many customers and orders there are."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from orders.services.accepting import Incoming, accept_orders
from tests.benchmarks import clones
from tests.factories.orders import SYSTEM, make_channel, neutral_order

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def crowd() -> None:
    """Where there are next to no orders, one index is as good as another."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(clones.copying(Order), [2_000])
        cursor.execute("ANALYZE orders_order")


def plans(texts: list[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        found = []
        for text in texts:
            cursor.execute(f"EXPLAIN {text}")
            found.append("\n".join(line for (line,) in cursor.fetchall()))
        return found


def test_accept_orders_reads_customers_and_known_orders_by_index() -> None:
    channel = make_channel()
    with CaptureQueriesContext(connection) as captured:
        accept_orders([Incoming(neutral_order("A-1"))], sales_channel_id=channel.pk, actor=SYSTEM)
    crowd()
    reads = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]

    customers, known = (
        plans([text for text in reads if f'FROM "{table}"' in text and f'"{column}" = ANY' in text])
        for table, column in (
            ("orders_customer", "email"),
            ("orders_order", "external_id"),
        )
    )

    assert ["customer_email_once" in plan for plan in customers] == [True]
    assert ["order_external_once" in plan for plan in known] == [True]
