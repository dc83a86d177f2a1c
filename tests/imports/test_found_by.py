"""An order that a file changed is found by what it says now, and after a roll back by what it said before."""

import pytest

from orders.models import ImportOrder, Order
from orders.selectors.search import search_orders
from orders.services.importing.finishing import finish_runs
from orders.services.importing.rolling_back import roll_back_runs
from tests.factories.imports import apply, check, make_skus, row, text_of, work
from tests.factories.orders import SYSTEM, make_channel

pytestmark = pytest.mark.django_db
CHANGED = {"email": "bruno@example.com", "ship_name": "Bruno Verdi"}


def found(text: str) -> int:
    return search_orders(Order.objects.all(), text).count()


def test_order_changed_by_a_file_is_found_by_its_new_buyer_until_that_is_rolled_back() -> None:
    make_skus("MUG")
    channel = make_channel()
    first = apply(check(text_of(row("W-1")), channel=channel))
    work(finish_runs([first.pk], actor=SYSTEM).only())
    run = apply(check(text_of(row("W-1", **CHANGED)), channel=channel))

    after = [found(text) for text in ("Verdi", "bruno@example.com", "bruno@", "w-1@example.com", "w-1@")]
    work(roll_back_runs([run.pk], actor=SYSTEM).only())
    back = [found(text) for text in ("Verdi", "bruno@example.com", "bruno@", "w-1@example.com", "w-1@")]

    assert (after, back) == ([1, 1, 1, 0, 0], [0, 0, 0, 1, 1])
    assert ImportOrder.objects.get(run=run).note == ""
