"""Bulk work is a fixed number of statements on PostgreSQL: 20 lines ask as many as one."""

from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel import clock
from inventory.models import Location, Sku
from inventory.services.levels import lock_levels
from inventory.services.receiving import Receipt, receive_stock
from inventory.services.reservations import (
    Claim,
    Fill,
    Take,
    consume_reservations,
    fill_reservations,
    place_reservations,
    release_reservations,
)
from inventory.services.returning import (
    ReturnedGoods,
    put_back_for_sale,
    scrap_unsellable,
    take_back_into_quarantine,
)
from tests.factories.inventory import ACTOR, make_location, make_sku

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

Step = Callable[[list[Sku], Location], object]


def receive(skus: list[Sku], place: Location) -> object:
    receipts = [Receipt(f"r{sku.pk}", sku.pk, place.pk, 10) for sku in skus]
    return receive_stock(receipts, reference=("test", 1), actor=ACTOR)


def _goods(skus: list[Sku], place: Location, quantity: int) -> list[ReturnedGoods]:
    return [ReturnedGoods(f"b{sku.pk}", sku.pk, place.pk, quantity) for sku in skus]


def take_back(skus: list[Sku], place: Location) -> object:
    return take_back_into_quarantine(_goods(skus, place, 3), reference=("test", 1), actor=ACTOR)


def put_back(skus: list[Sku], place: Location) -> object:
    return put_back_for_sale(_goods(skus, place, 1), reference=("test", 1), actor=ACTOR)


def scrap(skus: list[Sku], place: Location) -> object:
    return scrap_unsellable(_goods(skus, place, 1), reference=("test", 1), actor=ACTOR)


def place_open_and_waiting(skus: list[Sku], place: Location) -> object:
    levels = lock_levels(sku.pk for sku in skus)
    at = clock.now()
    claims = [Claim(level.sku_id, level.pk, 6, level.sku_id, 0, at) for level in levels]
    claims += [Claim(level.sku_id, None, 8, -level.sku_id, 0, at) for level in levels]
    place_reservations("test", claims, levels=levels)
    return None


def consume_part(skus: list[Sku], place: Location) -> object:
    levels = lock_levels(sku.pk for sku in skus)
    takes = [Take(sku.pk, place.pk, 4) for sku in skus]
    consume_reservations("test", takes, movement_reference=("test", 2), levels=levels, actor=ACTOR)
    return None


def fill_part(skus: list[Sku], place: Location) -> object:
    levels = lock_levels(sku.pk for sku in skus)
    of_sku = {level.sku_id: level.pk for level in levels}
    rows = {row.sku_id: row for sku in skus for row in sku.reservations.filter(state="waiting")}
    with CaptureQueriesContext(connection) as queries:
        fill_reservations([Fill(rows[sku.pk], of_sku[sku.pk], 3) for sku in skus], levels=levels)
    return len(queries)


def release_all(skus: list[Sku], place: Location) -> object:
    levels = lock_levels(sku.pk for sku in skus)
    rows = [row for sku in skus for row in sku.reservations.filter(state__in=["open", "waiting"])]
    with CaptureQueriesContext(connection) as queries:
        release_reservations(rows, reason="test", levels=levels, actor=ACTOR)
    return len(queries)


# The most that each may take, facts and deliveries included.
STEPS: dict[Step, int] = {
    receive: 20,
    place_open_and_waiting: 7,
    consume_part: 10,
    fill_part: 5,
    take_back: 20,
    put_back: 20,
    scrap: 16,
    release_all: 7,
}


def test_stock_verbs_take_as_many_statements_for_twenty_skus_as_for_one() -> None:
    counts: dict[int, dict[str, int]] = {}
    for size in (1, 20):
        skus, place = [make_sku() for _n in range(size)], make_location()
        counts[size] = {step.__name__: _count(step, skus, place) for step in STEPS}

    assert counts[20] == counts[1]
    assert all(counts[1][step.__name__] <= most for step, most in STEPS.items()), counts[1]


def _count(step: Step, skus: list[Sku], place: Location) -> int:
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        answer = step(skus, place)
    if isinstance(answer, int):
        return answer
    assert not getattr(answer, "refusals", None)
    own = [query for query in queries if "SAVEPOINT" not in query["sql"]]
    return len(own)
