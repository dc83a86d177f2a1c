import pytest
from orders.models import Order
from tests.factories.orders import make_order

pytestmark = pytest.mark.django_db


def test_accept_orders_placed():
    order = make_order()
    assert order.status == "placed"
    assert list(order.holds.all()) == []
    assert order.number == "10001"
