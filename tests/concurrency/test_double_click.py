"""Two presses of the same confirm page at the same moment: one effect, one answer. On both databases."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from config.kernel import idempotency
from config.kernel.admin import admin_url
from config.kernel.models import Event, IdempotencyKey
from orders.models import Order
from tests.factories.orders import make_order
from tests.kernel.visitor import Visitor, hidden, visitor

pytestmark = pytest.mark.django_db(transaction=True)
PRESSES = 6


def at_once(press: Callable[[], Any]) -> list[Any]:
    """Run the same press in threads that start together; their answers."""
    barrier, answers = threading.Barrier(PRESSES), []

    def run() -> None:
        try:
            barrier.wait(timeout=10)
            answers.append(press())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(PRESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def session_of(client: Visitor) -> Visitor:
    twin = Visitor()
    twin.cookies = client.cookies
    return twin


def test_presses_at_once_have_one_effect_and_one_answer() -> None:
    support, order = visitor("Support"), make_order()
    url = admin_url(Order, "confirm", order.pk)
    posted = hidden(support.get(url))

    answers = at_once(lambda: session_of(support).post(url, posted))

    assert [answer.status_code for answer in answers] == [302] * PRESSES
    assert {answer.url for answer in answers} == {admin_url(Order, "change", order.pk)}
    assert Event.objects.filter(kind="confirm").count() == 1
    assert IdempotencyKey.objects.count() == 1


def test_bulk_presses_at_once_have_one_effect() -> None:
    support = visitor("Support")
    orders = [make_order() for _ in range(3)]
    action = {"action": "bulk_orders_order_confirm_orders", "_selected_action": [one.pk for one in orders]}

    at_once(lambda: session_of(support).post("/orders/order/", {**action, "bulk_nonce": "the same"}))

    assert Event.objects.filter(kind="confirm").count() == len(orders)
    assert IdempotencyKey.objects.get().response["done"] == len(orders)


def test_version_is_the_second_fence_where_the_key_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "begin", lambda *arguments: None)
    support, order = visitor("Support"), make_order()
    url = admin_url(Order, "hold", order.pk)
    posted = {**hidden(support.get(url)), "kind": "manual", "reason": "ask the buyer"}

    answers = at_once(lambda: session_of(support).post(url, posted))

    # Those who come later are shown that the order has changed.
    assert sorted(answer.status_code for answer in answers) == [200] * (PRESSES - 1) + [302]
    assert order.holds.count() == 1
