"""The list of orders: columns, work queues, search, and what it costs."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel import clock
from orders.models import Order
from orders.services.confirming import confirm_orders
from orders.services.holds import place_hold
from tests.factories.fulfillment import make_confirmed
from tests.factories.orders import SYSTEM, make_order, neutral_line
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db
LIST = "/orders/order/"


@pytest.fixture
def support() -> Visitor:
    return visitor("Support")


def found(client: Visitor, **query: str) -> set[str]:
    page = client.get(LIST, query)
    assert page.status_code == 200
    return {order.number for order in page.context["cl"].result_list}


def test_list_costs_the_same_for_one_and_three_orders(support: Visitor) -> None:
    make_order()
    support.get(LIST)
    with CaptureQueriesContext(connection) as one:
        support.get(LIST)
    for _ in range(2):
        place_hold([make_order().pk], kind="fraud", actor=SYSTEM).only()
    with CaptureQueriesContext(connection) as three:
        support.get(LIST)

    assert len(three) == len(one), [query["sql"] for query in three]
    assert len(one) <= 12


def test_list_shows_the_three_axes_and_that_it_is_held(support: Visitor) -> None:
    order = make_order(payments=())

    said = text_of(support.get(LIST))

    assert f"{order.number} Placed On hold Not allocated Unpaid Bottega Rosa Neri €20.00" in said


def test_queues_hold_what_their_names_say(support: Visitor) -> None:
    free = make_order()
    held = make_order(payments=())
    stopped = make_order()
    place_hold([stopped.pk], kind="fraud", actor=SYSTEM).only()
    waiting = make_confirmed()
    history = make_order(is_history=True)

    assert found(support, queue="to_confirm") == {free.number, held.number}
    assert found(support, queue="on_hold") == {held.number, stopped.number}
    assert found(support, queue="to_allocate") == {free.number, held.number, stopped.number}
    assert found(support, queue="backordered") == {waiting.number}
    assert found(support, queue="late") == set()
    unmapped = make_order(lines=(neutral_line("NOBODY-KNOWS"),), skus=False)
    assert found(support, queue="unknown_sku") == {unmapped.number}
    assert history.number in found(support)
    with clock.frozen(clock.now() + timedelta(days=9)):
        assert found(visitor("Support"), queue="late") == {waiting.number}


def test_manual_hold_that_allows_confirm_leaves_the_order_to_confirm(support: Visitor) -> None:
    order = make_order()
    place_hold([order.pk], kind="manual", reason="ask", facts={"allows": ["confirm"]}, actor=SYSTEM).only()

    assert found(support, queue="to_confirm") == {order.number}
    confirm_orders([order.pk], actor=SYSTEM).only()


def test_search_finds_by_exact_reference_first(support: Visitor) -> None:
    one = make_order(external_id="WEB-77", number="SHOP-1")
    make_order(external_id="WEB-771")

    assert found(support, q=one.number) == {one.number}
    assert found(support, q="web-77") == {one.number}
    assert found(support, q="SHOP-1") == {one.number}
    assert found(support, q="WEB-77@example.com") == {one.number}


@pytest.mark.parametrize("text", ["MUG-RED", "mug-red", "MUG-R"])
def test_search_finds_by_sku_and_its_beginning(support: Visitor, text: str) -> None:
    order = make_order(lines=(neutral_line("MUG-RED"),))
    make_order(lines=(neutral_line("CUP"),))

    assert found(support, q=text) == {order.number}


def test_search_wants_every_word(support: Visitor) -> None:
    order = make_order(lines=(neutral_line("MUG-RED"),))

    assert found(support, q="MUG-RED Rosa") == {order.number}
    assert found(support, q="MUG-RED Paola") == set()


def test_search_of_nonsense_finds_nothing(support: Visitor) -> None:
    make_order()

    assert found(support, q="' OR 1=1 --%_") == set()


def test_picker_sees_orders_and_adds_none() -> None:
    make_order()
    page = visitor("Picker").get(LIST)

    assert page.status_code == 200
    assert "New order" not in text_of(page)
    assert visitor("Picker").get(f"{LIST}add/").status_code == 403


def test_orders_are_neither_saved_nor_deleted_by_hand(support: Visitor) -> None:
    order = make_order()
    manager = visitor("Manager")

    for client in (support, manager):
        assert client.get(f"{LIST}{order.pk}/delete/").status_code == 403
        assert client.post(f"{LIST}{order.pk}/change/", {"status": "completed"}).status_code == 403
    assert Order.objects.get(pk=order.pk).status == "placed"


def test_other_lists_open(support: Visitor, django_assert_max_num_queries: Any) -> None:
    make_order(payments=())
    make_confirmed()
    manager = visitor("Manager")
    for name in (
        "hold", "allocationdecision", "payment", "notification", "raworder", "customer", "saleschannel", "legalentity",
    ):  # fmt: skip
        with django_assert_max_num_queries(16):
            assert manager.get(f"/orders/{name}/").status_code == 200
    for name in ("delivery", "fact", "event", "job", "heartbeat"):
        with django_assert_max_num_queries(16):
            assert manager.get(f"/kernel/{name}/").status_code == 200
