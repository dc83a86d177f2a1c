"""What stock will be: figures, promises, those in line, alerts."""

from datetime import timedelta
from typing import Any

import pytest

from config.kernel import clock
from inventory.models import Location, Sku, StockLevel
from inventory.selectors.previews import Change, Preview, preview
from tests.factories.inventory import make_level, make_location, make_sku, reserve

pytestmark = pytest.mark.django_db


@pytest.fixture
def sku() -> Sku:
    return make_sku("CUP")


@pytest.fixture
def place(sku: Sku) -> Location:
    place = make_location()
    make_level(sku, place, 10)
    return place


def seen(shown: Preview) -> list[tuple[int, ...]]:
    return [
        (line.on_hand, line.on_hand_after, line.reserved, line.reserved_after, line.free, line.free_after)
        for line in shown.lines
    ]


def test_preview_serves_the_queue_in_order_and_says_who_still_waits(sku: Sku, place: Location) -> None:
    reserve(sku, place, 10)
    now = clock.now()
    reserve(sku, None, 4, reference_id=2, queued_at=now)
    reserve(sku, None, 3, reference_id=1, queued_at=now - timedelta(hours=1))

    shown = preview({(sku.pk, place.pk): Change(on_hand=5)})

    assert [(one.reference, one.units) for one in shown.served] == [(("test", 1), 3), (("test", 2), 2)]
    assert shown.waiting == {sku.pk: 2}
    assert seen(shown) == [(10, 15, 10, 15, 0, 0)]


def test_preview_of_a_place_that_does_not_sell_serves_nobody(sku: Sku, place: Location) -> None:
    reserve(sku, place, 10)
    reserve(sku, None, 4)
    store = make_location(can_ship=False)

    shown = preview({(sku.pk, store.pk): Change(on_hand=5)})

    assert (shown.served, shown.waiting) == ((), {sku.pk: 4})
    assert seen(shown) == [(0, 5, 0, 0, 0, 5)]


@pytest.mark.parametrize(
    ("point", "delta", "alert"),
    [(5, -5, "raised"), (5, -4, ""), (12, 3, "cleared"), (12, 2, ""), (0, -9, "")],
)
def test_preview_tells_of_alerts(sku: Sku, place: Location, point: int, delta: int, alert: str) -> None:
    StockLevel.objects.update(reorder_point=point)

    (line,) = preview({(sku.pk, place.pk): Change(on_hand=delta)}).lines

    assert line.alert == alert


def test_preview_of_units_that_go_to_the_queue_clears_no_alert(sku: Sku, place: Location) -> None:
    reserve(sku, place, 10)
    reserve(sku, None, 4)
    StockLevel.objects.update(reorder_point=3)

    (line,) = preview({(sku.pk, place.pk): Change(on_hand=5)}).lines

    assert (line.unpromised_after, line.alert) == (1, "")


def test_preview_mark_follows_stock_and_change(sku: Sku, place: Location) -> None:
    def mark(units: int) -> str:
        return preview({(sku.pk, place.pk): Change(on_hand=units)}).signature

    first = mark(-2)
    assert first == mark(-2)
    assert first != mark(-3)
    reserve(sku, place, 1)
    assert first != mark(-2)


def test_preview_costs_the_same_statements_for_one_and_many(
    place: Location, django_assert_max_num_queries: Any
) -> None:
    skus = [make_sku() for _n in range(5)]
    for one in skus:
        make_level(one, place, 2)

    with django_assert_max_num_queries(5):
        preview({(one.pk, place.pk): Change(on_hand=1) for one in skus})


def test_preview_serves_who_lost_from_another_place_in_the_old_order(sku: Sku, place: Location) -> None:
    now = clock.now()
    other = make_location()
    make_level(sku, other, 2)
    reserve(sku, place, 10, reference_id=1, queued_at=now - timedelta(hours=2))
    make_level(make_sku("MUG"), other, 9)

    shown = preview({(sku.pk, place.pk): Change(on_hand=-3)})

    assert [(one.reference, one.quantity) for one in shown.losses] == [(("test", 1), 3)]
    assert [(one.reference, one.units) for one in shown.served] == [(("test", 1), 2)]
    assert shown.waiting == {sku.pk: 1}
    assert seen(shown) == [(10, 7, 10, 7, 0, 0)]


def test_preview_of_promises_that_break_names_who_stands_before_them(sku: Sku, place: Location) -> None:
    now = clock.now()
    other = make_location()
    make_level(sku, other, 10)
    reserve(sku, other, 10, reference_id=3, queued_at=now)
    reserve(sku, place, 10, reference_id=1, queued_at=now)
    reserve(sku, None, 4, reference_id=2, queued_at=now - timedelta(hours=1))

    shown = preview({(sku.pk, place.pk): Change(on_hand=-3), (sku.pk, other.pk): Change(on_hand=5)})

    assert [(one.reference, one.quantity) for one in shown.losses] == [(("test", 1), 3)]
    assert [(one.reference, one.units) for one in shown.served] == [(("test", 2), 4), (("test", 1), 1)]
    assert shown.waiting == {sku.pk: 2}


def test_preview_of_promises_that_break_costs_no_statement_more_for_many(
    place: Location, django_assert_num_queries: Any
) -> None:
    skus = [make_sku() for _n in range(5)]
    for number, one in enumerate(skus):
        make_level(one, place, 2)
        reserve(one, place, 2, reference_id=number)

    for some in (skus[:1], skus):
        with django_assert_num_queries(6):
            preview({(one.pk, place.pk): Change(on_hand=-1) for one in some})
