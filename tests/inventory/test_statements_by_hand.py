"""Changes by hand take a fixed number of statements, whatever the number of units; on PostgreSQL."""

from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from inventory.enums import BinKind, UnsellableReason
from inventory.models import Bin, Location, Sku, StockCountLine
from inventory.services.binning import BinMove, move_bin
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.counts import CountPlan, CountSheet, approve_counts, book_count, record_counts
from inventory.services.returning import ReturnedGoods
from inventory.services.setting_aside import Aside, change_reason, put_back, set_aside
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, reserve

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
Step = Callable[[list[Sku], Location], object]
DAMAGED = UnsellableReason.DAMAGED


def adjust(skus: list[Sku], place: Location) -> object:
    lines = [Adjustment(f"a{sku.pk}", sku.pk, place.pk, -2) for sku in skus]
    lines += [Adjustment(f"b{sku.pk}", sku.pk, place.pk, 1) for sku in skus]
    return adjust_stock(lines, reason="x", actor=ACTOR)


def aside(skus: list[Sku], place: Location) -> object:
    goods = [Aside(f"c{sku.pk}", sku.pk, place.pk, 3) for sku in skus]
    return set_aside(goods, reason=DAMAGED, note="x", actor=ACTOR)


def back(skus: list[Sku], place: Location) -> object:
    goods = [ReturnedGoods(f"d{sku.pk}", sku.pk, place.pk, 2) for sku in skus]
    return put_back(goods, reason=DAMAGED, note="x", actor=ACTOR)


def other_reason(skus: list[Sku], place: Location) -> object:
    goods = [ReturnedGoods(f"g{sku.pk}", sku.pk, place.pk, 1) for sku in skus]
    return change_reason(goods, reason=DAMAGED, becomes=UnsellableReason.QUARANTINE, note="x", actor=ACTOR)


def move(skus: list[Sku], place: Location) -> object:
    default = Bin.objects.get(location=place, kind=BinKind.DEFAULT)
    shelf = Bin.objects.create(location=place, code="S", kind=BinKind.SHELF)
    moves = [BinMove(f"e{sku.pk}", sku.pk, place.pk, default.pk, shelf.pk, 1) for sku in skus]
    return move_bin(moves, actor=ACTOR)


def lose_promised(skus: list[Sku], place: Location) -> object:
    lines = [Adjustment(f"f{sku.pk}", sku.pk, place.pk, -5) for sku in skus]
    return adjust_stock(lines, reason="x", actor=ACTOR)


def count(skus: list[Sku], place: Location) -> object:
    pk = book_count(CountPlan(place.pk, tuple(sku.pk for sku in skus)), nonce=f"n{len(skus)}", actor=ACTOR)
    found = {line.pk: 1 for line in StockCountLine.objects.filter(count=pk)}
    connection._bancale_locks = (None, -1)  # each verb is a transaction of its own in real life
    record_counts([CountSheet(pk, found)], actor=ACTOR).raise_refusals()
    connection._bancale_locks = (None, -1)
    return approve_counts([pk], actor=ACTOR)


STEPS: dict[Step, int] = {
    adjust: 32, aside: 28, back: 28, other_reason: 17, move: 28, lose_promised: 34, count: 62,
}  # fmt: skip


def test_changes_by_hand_take_as_many_statements_for_twenty_skus_as_for_one() -> None:
    counts: dict[int, dict[str, int]] = {}
    for size in (1, 20):
        skus, place = [make_sku() for _n in range(size)], make_location()
        for sku in skus:
            make_level(sku, place, 10)
            reserve(sku, place, 3, reference_id=1)
            reserve(sku, place, 3, reference_id=2)
        counts[size] = {step.__name__: _count(step, skus, place) for step in STEPS}

    assert counts[20] == counts[1]
    assert all(counts[1][step.__name__] <= most for step, most in STEPS.items()), counts[1]


def _count(step: Step, skus: list[Sku], place: Location) -> int:
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        answer = step(skus, place)
    assert not getattr(answer, "refusals", None)
    return len([query for query in queries if "SAVEPOINT" not in query["sql"]])
