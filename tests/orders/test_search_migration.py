"""Orders that were there before the search text are found like new ones."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from orders.models import Order
from orders.neutral import NeutralBuyer
from orders.selectors.search import search_orders
from tests.factories.orders import make_order, neutral_address

pytestmark = pytest.mark.django_db


def test_fill_writes_what_intake_would_have_written() -> None:
    buyer = NeutralBuyer("x", "Rosa Nèri", "rosa@example.com", "+39 (011) 555-0199")
    make_order(external_id="full", number="SHOP-1", buyer=buyer, ship_to=neutral_address(company="Acmé"))
    make_order(external_id="bare", buyer=NeutralBuyer(), ship_to=None)
    wanted = {order.pk: set(order.search_text.split()) for order in Order.objects.all()}
    Order.objects.update(search_text="")

    editor = SimpleNamespace(connection=connection)
    import_module("orders.migrations.0012_fill_search_text").fill(apps, editor)

    assert {order.pk: set(order.search_text.split()) for order in Order.objects.all()} == wanted
    assert search_orders(Order.objects.all(), "nèri acmé 0115550199").get().external_id == "full"
