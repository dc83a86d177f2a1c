"""How many statements the verbs that give and take stock need: as many for forty orders as for two."""

from collections.abc import Callable, Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.actors import Actor
from inventory.models import Location, Sku
from inventory.selectors.stock import waiting_quantity
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.services.cancelling import cancel_orders
from tests.factories.inventory import make_level, make_location, make_sku, receive
from tests.factories.orders import make_order, neutral_line

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

RULE = Actor.rule("tests")


@pytest.fixture
def near() -> Location:
    return make_location("NEAR")


@pytest.fixture
def skus(near: Location) -> list[Sku]:
    """Eight SKUs, every fourth of them out of stock."""
    skus = [make_sku() for _number in range(8)]
    for number, sku in enumerate(skus):
        make_level(sku, near, 500 if number % 4 else 0)
    return skus


def place(skus: Sequence[Sku], count: int) -> list[int]:
    orders = []
    for number in range(count):
        wanted = [skus[(number + step) % len(skus)].code for step in range(3)]
        orders.append(make_order(lines=tuple(neutral_line(code, 1 + number % 3) for code in wanted)))
    return [order.pk for order in orders]


def statements(call: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


def test_allocate_statements_do_not_grow(skus: list[Sku]) -> None:
    few, many = place(skus, 4), place(skus, 40)

    counts = [statements(lambda ids=ids: allocate_orders(ids, actor=RULE)) for ids in (few, many)]

    assert counts == [19, 19]


def test_cancel_statements_do_not_grow(skus: list[Sku]) -> None:
    few, many = place(skus, 4), place(skus, 40)
    allocate_orders(few + many, actor=RULE).raise_refusals()

    counts = [
        statements(lambda ids=ids: cancel_orders(ids, reason="test", actor=RULE)) for ids in (few, many)
    ]

    assert counts == [22, 22]


def test_fill_statements_do_not_grow(skus: list[Sku], near: Location) -> None:
    counts = []
    for number, ids in enumerate((place(skus, 4), place(skus, 40))):
        allocate_orders(ids, actor=RULE).raise_refusals()
        for sku in skus[::4]:
            receive(sku, near, waiting_quantity([sku.pk])[sku.pk], key=f"{number}:{sku.pk}")
        counts.append(statements(lambda: fill_backorders([sku.pk for sku in skus], actor=RULE)))

    assert counts == [28, 28]
