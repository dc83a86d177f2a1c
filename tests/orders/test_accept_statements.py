"""Accepting many costs as many statements as accepting one."""

from collections import Counter
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Sku
from orders.enums import ChargeKind
from orders.neutral import NeutralCharge, NeutralDiscount, NeutralOrder, NeutralTax
from orders.services.accepting import Incoming, accept_orders
from orders.services.raw import RawEntry, store_raw_orders
from tests.factories.orders import (
    PLACED_AT,
    SYSTEM,
    make_channel,
    make_kit,
    neutral_address,
    neutral_line,
    neutral_order,
)

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

TAX = NeutralTax("IVA", Decimal("1.00"), Decimal(22))
OFF = NeutralDiscount(Decimal("0.50"), "SPRING")


def full_order(key: str) -> NeutralOrder:
    lines = (neutral_line("GIFT", taxes=(TAX,)), neutral_line("MUG", discounts=(OFF,)), neutral_line("WHAT"))
    charges = (NeutralCharge(ChargeKind.SHIPPING, "s", "Courier", Decimal(5), taxes=(TAX,)),)
    return neutral_order(key, lines=lines, charges=charges, bill_to=neutral_address(city="Asti"))


def statements(count: int) -> Counter[str]:
    channel = make_channel(code=f"shop-{count}")
    keys = [f"{count}-{number}" for number in range(count)]
    raws = store_raw_orders(
        [RawEntry(key, "test", key, key) for key in keys], sales_channel_id=channel.pk
    ).values
    incoming = [Incoming(full_order(key), raw_id=raws[key]) for key in keys]
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert accept_orders(incoming, sales_channel_id=channel.pk, actor=SYSTEM).done_ids == keys
    texts = [query["sql"] for query in captured.captured_queries if "SAVEPOINT" not in query["sql"]]
    return Counter(" ".join(text.split()[:3]) for text in texts)


def test_accept_orders_number_of_statements_is_constant() -> None:
    Sku.objects.create(code="MUG", title="Mug", created_at=PLACED_AT)
    make_kit("GIFT", CUP=(2, 1), TIN=(1, 1))

    few = statements(2)

    assert few == statements(60)
    assert sum(few.values()) <= 30
