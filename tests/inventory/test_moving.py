"""`move_reservations`: units promised from another level, their place in line kept, split where need be."""

from collections.abc import Callable
from unittest import mock

import pytest
from django.db import transaction

from config.kernel.errors import Conflict, InvalidInput
from inventory.errors import NotEnoughStock, QueueJumped
from inventory.models import Reservation, StockLevel
from inventory.services.levels import lock_levels
from inventory.services.reservations import Move, move_reservations, moving
from tests.factories.inventory import make_level, make_location, make_sku, reserve

pytestmark = pytest.mark.django_db


def move(sku, *moves: Move) -> None:
    with transaction.atomic():
        move_reservations(moves, levels=lock_levels([sku.pk]))


def reserved() -> list[tuple[str, int]]:
    return list(StockLevel.objects.order_by("pk").values_list("location__code", "reserved"))


def rows() -> list[tuple[str, int]]:
    return list(Reservation.objects.order_by("pk").values_list("level__location__code", "quantity"))


def test_move_whole_reservation_keeps_its_row() -> None:
    sku, here, there = make_sku(), make_location("A"), make_location("B")
    make_level(sku, here, 3)
    target = make_level(sku, there, 5)
    row = reserve(sku, here, 3)
    version = row.version

    move(sku, Move(row, target.pk, 3))

    after = Reservation.objects.get()
    assert after.version == version + 1
    assert (after.pk, after.level_id, after.queued_at, after.opened_at) == (
        row.pk, target.pk, row.queued_at, row.opened_at,
    )  # fmt: skip
    assert reserved() == [("A", 0), ("B", 3)]


def test_move_part_splits_and_to_two_places_takes_the_row_over() -> None:
    sku = make_sku()
    levels = [make_level(sku, make_location(code), 5) for code in "ABC"]
    row = reserve(sku, levels[0].location, 5)

    move(sku, Move(row, levels[1].pk, 2))
    assert rows() == [("A", 3), ("B", 2)]

    row.refresh_from_db()
    move(sku, Move(row, levels[1].pk, 1), Move(row, levels[2].pk, 2))
    assert rows() == [("B", 1), ("B", 2), ("C", 2)]
    assert reserved() == [("A", 0), ("B", 3), ("C", 2)]


def test_two_promises_change_places_where_nothing_else_is_free() -> None:
    sku = make_sku()
    first, second = (make_level(sku, make_location(code), 2) for code in "AB")
    one, other = reserve(sku, first.location, 2), reserve(sku, second.location, 2)

    move(sku, Move(one, second.pk, 2), Move(other, first.pk, 2))

    assert reserved() == [("A", 2), ("B", 2)]


def test_promises_change_places_where_a_loss_bit_into_the_buffer() -> None:
    sku = make_sku()
    first, second = (make_level(sku, make_location(code), 2) for code in "AB")
    one, other = reserve(sku, first.location, 2), reserve(sku, second.location, 2)
    StockLevel.objects.update(buffer=1)

    move(sku, Move(one, second.pk, 2), Move(other, first.pk, 2))

    assert rows() == [("B", 2), ("A", 2)]


def test_move_is_refused_and_writes_nothing() -> None:
    sku, other = make_sku(), make_sku()
    here, there = make_level(sku, make_location("A"), 5), make_level(sku, make_location("B"), 1)
    foreign = make_level(other, there.location, 9)
    row, waiting = reserve(sku, here.location, 3), reserve(sku, None, 9)

    for wrong, error in (
        (Move(row, there.pk, 3), NotEnoughStock),
        (Move(row, foreign.pk, 1), InvalidInput),
        (Move(row, there.pk, 4), InvalidInput),
        (Move(row, there.pk, 0), InvalidInput),
        (Move(waiting, there.pk, 1), Conflict),
    ):
        with pytest.raises(error):
            move(sku, wrong)

    assert reserved()[:2] == [("A", 3), ("B", 0)]


@pytest.mark.parametrize("buffer", [0, 2])
def test_move_one_unit_to_a_full_level_is_refused_with_what_is_free(buffer: int) -> None:
    sku = make_sku()
    here = make_level(sku, make_location("A"), 3)
    there = make_level(sku, make_location("B"), 1)
    row = reserve(sku, here.location, 1)
    reserve(sku, there.location, 1)
    StockLevel.objects.filter(pk=there.pk).update(buffer=buffer)

    with pytest.raises(NotEnoughStock) as refusal:
        move(sku, Move(row, there.pk, 1))

    assert refusal.value.facts == {"level_id": there.pk, "free": 0, "asked": 1}
    assert reserved() == [("A", 1), ("B", 1)]


def vanishing() -> tuple[StockLevel, StockLevel, Callable[[], None]]:
    """A level whose buffer is all that it has, another with free units, and a move that takes them."""
    sku = make_sku()
    here, there = (make_level(sku, make_location(code), 5) for code in "AB")
    row = reserve(sku, here.location, 5)
    StockLevel.objects.filter(pk=here.pk).update(buffer=5)
    return here, there, lambda: move(sku, Move(row, there.pk, 5))


def test_move_is_refused_where_what_it_leaves_vanishes_into_a_buffer_and_others_wait() -> None:
    here, _there, press = vanishing()
    reserve(here.sku, None, 3)

    with pytest.raises(QueueJumped) as refusal:
        press()

    assert refusal.value.facts == {"waiting": 3, "free": 5, "asked": 5}
    assert reserved() == [("A", 5), ("B", 0)]


def test_move_into_what_is_free_for_nobody_passes_where_nobody_waits() -> None:
    _here, _there, press = vanishing()

    press()

    assert reserved() == [("A", 0), ("B", 5)]


def test_without_the_refusal_the_waiting_units_would_be_gone() -> None:
    here, _there, press = vanishing()
    reserve(here.sku, None, 3)

    with mock.patch.object(moving, "refuse_lost_units"):
        press()

    assert sum(max(0, level.free) for level in StockLevel.objects.all()) == 0
