"""The timeline says no price and no sum to those who see no money."""

from decimal import Decimal

import pytest

from orders.changes import GiveDiscount, SetPrice, SetShipping
from orders.models import Order
from orders.services.proposals.wishes import NewLine
from tests.factories.inventory import make_sku
from tests.factories.orders import make_order
from tests.factories.proposals import change
from tests.kernel.visitor import text_of, visitor

pytestmark = pytest.mark.django_db


def changed_order() -> Order:
    """Dearer goods, a line more, a discount and another way of shipping."""
    order = make_order()
    line = order.lines.get()
    change(order, SetPrice(line.pk, Decimal("33.33")))
    change(order, NewLine(make_sku("LAMP").pk, 1, Decimal("55.55")))
    change(order, GiveDiscount(line.pk, amount=Decimal("4.44")))
    change(order, SetShipping("Express", Decimal("7.77")))
    return order


def page_of(role: str, order: Order) -> str:
    return text_of(visitor(role).get(f"/orders/order/{order.pk}/change/"))


def test_warehouse_reads_of_changes_without_any_amount() -> None:
    said = page_of("Picker", changed_order())

    assert [sign for sign in ("€", "EUR", "33.33", "55.55", "4.44", "7.77") if sign in said] == []
    assert "Price changed" not in said
    assert "Discount given" not in said
    for title in ("Line added", "Shipping method changed", "Order changed"):
        assert title in said


def test_customer_service_reads_the_amounts() -> None:
    said = page_of("Support", changed_order())

    for shown in ("€33.33", "1 × LAMP, €55.55", "€4.44", "Express, €7.77", "Order changed from €20.00"):
        assert shown in said
