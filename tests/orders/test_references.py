"""Stock's pages name the order that a reservation is for."""

import pytest

from inventory.references import ResolvedReference, resolve
from orders.models import LinePart
from tests.factories.orders import make_order


@pytest.mark.django_db
def test_resolve_order_line_part_names_its_order() -> None:
    order = make_order()
    part = LinePart.objects.get(line__order=order)

    found = resolve([("order_line_part", part.pk)])

    expected = ResolvedReference(f"Order {order.number}", f"/orders/order/{order.pk}/change/")
    assert found == {("order_line_part", part.pk): expected}
