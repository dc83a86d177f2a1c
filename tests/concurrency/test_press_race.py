"""A button is pressed while somebody else holds what its verb locks first, on real PostgreSQL.

Whoever holds that goes on to the row the button is about. A press that had locked the row before would wait for them,
and they for it.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.models import Model

from config.kernel.admin import TransitionAdmin, admin_url
from inventory.admin.records import StockLevelAdmin
from inventory.admin.reservations import ReservationAdmin
from inventory.models import Reservation
from orders.admin.customers import CustomerAdmin
from orders.models import Customer
from orders.services.allocating import allocate_orders
from orders.services.locking import lock_orders
from tests.concurrency.rivals import is_free, is_somebody_waiting, lock_row
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, receive
from tests.factories.orders import make_order
from tests.kernel.visitor import hidden, visitor

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

# What somebody locks first, the row that they come to then, the button on its page, and what is typed there.
Meeting = tuple[Callable[[], Any], Model, str, dict[str, object]]


def moved_in_line() -> Meeting:
    """An order's units wait behind another's; whoever cancels it holds the order, then changes what waits."""
    sku = make_sku("MUG")
    make_level(sku, make_location())
    orders = [make_order(), make_order()]
    allocate_orders([order.pk for order in orders], actor=ACTOR).raise_refusals()
    last = Reservation.objects.latest("queued_at")
    page = {"priority": 1, "reason": "test"}
    return lambda: lock_orders([orders[-1].pk]), last, "requeue", page


def kept_back() -> Meeting:
    """A SKU lies at two locations; whoever takes some of it locks both levels, the older one first."""
    sku = make_sku()
    older, younger = make_level(sku, make_location()), make_level(sku, make_location())
    receive(sku, younger.location, 5)
    page = {"buffer": 2, "reorder_point": 0, "target": 0}
    return lambda: lock_row(older), younger, "policy", page


def merged() -> Meeting:
    """Whoever merges buyers locks their orders, then the buyers."""
    keep, other = make_order(), make_order()
    page = {"others": [other.customer_id]}
    return lambda: lock_orders([other.pk]), Customer.objects.get(pk=keep.customer_id), "merge", page


CASES = {
    "in line": (moved_in_line, ReservationAdmin),
    "level": (kept_back, StockLevelAdmin),
    "merge": (merged, CustomerAdmin),
}


def pressed_beside(meeting: Meeting) -> tuple[bool, int, str]:
    """Whether whoever locks first comes to the row beside the press; what the press answers then, and its address."""
    lock_first, row, name, typed = meeting
    client, url = visitor(superuser=True), admin_url(type(row), name, row.pk)
    posted = {**hidden(client.get(url)), **typed}
    answers: list[Any] = []

    def press() -> None:
        try:
            answers.append(client.post(url, posted))
        finally:
            connections.close_all()

    rival = threading.Thread(target=press)
    with transaction.atomic():
        lock_first()
        rival.start()
        assert is_somebody_waiting(), "the press waits for what is locked"
        is_reached = is_free(row)
    rival.join(timeout=30)
    return is_reached, answers[0].status_code, answers[0].headers.get("Location", "")


@pytest.mark.parametrize("case", CASES)
def test_press_holds_nothing_that_whoever_it_waits_for_comes_to(case: str) -> None:
    meeting = CASES[case][0]()
    row = meeting[1]

    assert pressed_beside(meeting) == (True, 302, admin_url(type(row), "change", row.pk))


@pytest.mark.parametrize("case", CASES)
def test_control_press_that_locks_its_row_first_waits_in_a_circle(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare, page = CASES[case]
    monkeypatch.setattr(page, "locked", TransitionAdmin.locked)

    is_reached, status, _url = pressed_beside(prepare())

    assert (is_reached, status) == (False, 302)
