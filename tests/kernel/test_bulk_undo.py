"""Taking a bulk action back: exactly what was done, once, by those who may."""

from typing import Any

import pytest

from orders.models import Hold, OrderTag
from orders.services.holds import place_hold
from orders.services.noting import set_tags
from tests.factories.orders import SYSTEM, make_order
from tests.kernel.test_bulk import carry_out, start
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db
HOLD, TAG = "bulk_orders_order_hold_orders", "bulk_orders_order_tag_orders"


@pytest.fixture
def support() -> Visitor:
    return visitor("Support")


def undo(client: Visitor, page: Any) -> Any:
    pairs: dict[str, list[str]] = {}
    for name, value in page.context["undo"]["hidden"]:
        pairs.setdefault(name, []).append(value)
    return client.post(page.context["undo"]["url"], pairs)


def test_undo_of_holds_lifts_exactly_those_that_were_placed(support: Visitor) -> None:
    orders = [make_order() for _number in range(3)]
    place_hold([orders[0].pk], kind="manual", reason="ask", actor=SYSTEM).only()
    place_hold([orders[1].pk], kind="manual", reason="older", actor=SYSTEM).only()
    asked = start(support, HOLD, [order.pk for order in orders])
    held = carry_out(support, asked, query="?status__exact=placed", kind="manual", reason="ask")
    assert (held.context["done"], held.context["unchanged"]) == (2, 1)
    assert "Undo (2)" in text_of(held)

    back, again = undo(support, held), undo(support, held)

    assert (back.context["done"], again.context["done"]) == (2, 2)
    left = Hold.objects.filter(lifted_at=None).order_by("order").values_list("order", "reason")
    assert list(left) == [(orders[0].pk, "ask"), (orders[1].pk, "older")]


def test_undo_of_a_tag_leaves_those_who_had_it(support: Visitor) -> None:
    orders = [make_order() for _number in range(2)]
    set_tags([orders[0].pk], add=["vip"], actor=SYSTEM).only()

    tagged = carry_out(support, start(support, TAG, [order.pk for order in orders]), tags="vip")
    undo(support, tagged)

    assert list(OrderTag.objects.values_list("order", flat=True)) == [orders[0].pk]


def test_undo_is_not_offered_where_it_would_take_back_more(support: Visitor) -> None:
    order = make_order()

    several = carry_out(support, start(support, TAG, [order.pk]), tags="vip, gift")
    confirmed = carry_out(support, start(support, "bulk_orders_order_confirm_orders", [order.pk]))

    assert several.context["undo"] is None
    assert confirmed.context["undo"] is None
    assert "Undo" not in text_of(confirmed)
