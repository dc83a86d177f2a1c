"""Available to sell, and why."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.models import Sku, StockLevel
from inventory.selectors.stock import available_to_sell
from inventory.selectors.waterfall import WaterfallRow, waterfall
from inventory.services.returning import ReturnedGoods, take_back_into_quarantine
from tests.factories.inventory import ACTOR, make_kit, make_level, make_location, make_sku, receive, reserve

pytestmark = pytest.mark.django_db


def shape(sku: Sku) -> list[tuple[str, int]]:
    return [(row.kind, row.quantity) for row in waterfall(sku.pk).rows]


def quarantine(sku: Sku, location_id: int, quantity: int) -> None:
    goods = [ReturnedGoods(f"q:{sku.pk}:{location_id}:{quantity}", sku.pk, location_id, quantity)]
    take_back_into_quarantine(goods, reference=("test", 1), actor=ACTOR).raise_refusals()


def test_waterfall_names_every_part_of_the_number() -> None:
    sku = make_sku()
    milano = make_location("MI", name="Milano", preference=1)
    store = make_location("ST", name="Shop", preference=2, can_ship=False)
    level = make_level(sku, milano, on_hand=40, buffer=5)
    make_level(sku, store, on_hand=6)
    reserve(sku, milano, 12)
    reserve(sku, store, 1)
    quarantine(sku, milano.pk, 2)
    reserve(sku, None, 20)

    found = waterfall(sku.pk)

    assert shape(sku) == [
        ("on_hand", 42),
        ("reserved", -12),
        ("unsellable", -2),
        ("buffer", -5),
        ("on_hand", 6),
        ("reserved", -1),
        ("not_selling", -5),
        ("waiting", -20),
    ]
    assert found.available == 3 == available_to_sell([sku.pk])[sku.pk]
    assert found.rows[1] == WaterfallRow("reserved", "Reserved in Milano", -12, ("reservations", level.pk))
    assert found.rows[2].label == "Quarantine in Milano"
    assert found.rows[-1].link == ("queue", sku.pk)


def test_waterfall_floor_that_bites_is_a_row() -> None:
    sku = make_sku()
    short, full = make_location("A", preference=1), make_location("B", preference=2)
    make_level(sku, short, on_hand=2, buffer=5)
    make_level(sku, full, on_hand=4)

    assert shape(sku) == [("on_hand", 2), ("buffer", -5), ("floor", 3), ("on_hand", 4)]
    assert waterfall(sku.pk).available == 4

    reserve(sku, None, 9)

    assert shape(sku)[-2:] == [("waiting", -9), ("floor", 5)]
    assert waterfall(sku.pk).available == 0 == available_to_sell([sku.pk])[sku.pk]


def test_waterfall_of_nothing_is_empty() -> None:
    sku = make_sku()

    assert waterfall(sku.pk).rows == ()
    assert available_to_sell([sku.pk, 0]) == {sku.pk: 0, 0: 0}


def test_waterfall_of_a_kit_names_its_limiting_part() -> None:
    place = make_location()
    cup, saucer, box = make_sku("CUP"), make_sku("SAUCER"), make_sku("BOX")
    kit = make_kit({cup: 2, saucer: 1, box: 1})
    receive(cup, place, 17)
    receive(saucer, place, 20)
    receive(box, place, 8)

    found = waterfall(kit.pk)

    assert [(row.label, row.quantity, row.detail) for row in found.rows] == [
        ("SAUCER is enough for 20 kits", 20, "20 available, 1 a kit"),
        ("CUP is enough for 8 kits", -12, "17 available, 2 a kit"),
        ("BOX is enough for 8 kits", 0, "8 available, 1 a kit"),
    ]
    assert found.limiting_part_id == box.pk
    assert found.available == 8 == available_to_sell([kit.pk, cup.pk])[kit.pk]


def test_available_to_sell_takes_three_statements(django_assert_num_queries) -> None:
    skus = [make_sku() for _n in range(3)]
    kit = make_kit({skus[0]: 1})

    with django_assert_num_queries(3):
        available_to_sell([kit.pk, *(sku.pk for sku in skus)])


level_figures = st.tuples(
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(0, 12),
    st.integers(0, 12),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(levels=st.lists(level_figures, max_size=4), waiting=st.lists(st.integers(1, 25), max_size=3))
def test_waterfall_rows_sum_exactly(
    levels: list[tuple[int, int, int, int, bool, bool]], waiting: list[int]
) -> None:
    with transaction.atomic():
        sku = make_sku()
        expected = 0
        for on_hand, reserved, unsellable, buffer, can_ship, is_active in levels:
            place = make_location(can_ship=can_ship)
            level = make_level(sku, place, on_hand=on_hand)
            if promised := min(reserved, on_hand):
                reserve(sku, place, promised)
            if unsellable:
                quarantine(sku, place.pk, unsellable)
            StockLevel.objects.filter(pk=level.pk).update(buffer=buffer)
            type(place).objects.filter(pk=place.pk).update(is_active=is_active)
            if can_ship and is_active:
                expected += max(0, on_hand - promised - buffer)
        for units in waiting:
            reserve(sku, None, units)
        expected = max(0, expected - sum(waiting))

        found = waterfall(sku.pk)

        assert found.available == expected == available_to_sell([sku.pk])[sku.pk]
        assert all(row.quantity and row.label for row in found.rows)
        transaction.set_rollback(True)
