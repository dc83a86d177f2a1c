"""`cut_reservations`: part of a promise given back; the rest keeps its row and its place in line."""

import pytest
from django.db import transaction

from config.kernel.errors import Conflict, InvalidInput
from inventory.models import Location, Reservation, Sku, StockLevel
from inventory.services.levels import lock_levels
from inventory.services.reservations import Cut, cut_reservations, release_reservations
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, reserve
from tests.fulfillment.watching import nothing_written

pytestmark = pytest.mark.django_db


@pytest.fixture
def sku() -> Sku:
    return make_sku()


@pytest.fixture
def place(sku: Sku) -> Location:
    place = make_location()
    make_level(sku, place, on_hand=10)
    return place


def cut(*cuts: Cut) -> None:
    with transaction.atomic():
        levels = lock_levels({one.reservation.sku_id for one in cuts})
        cut_reservations(cuts, reason="test", levels=levels, actor=ACTOR)


def release(*rows: Reservation) -> None:
    with transaction.atomic():
        levels = lock_levels({row.sku_id for row in rows})
        release_reservations(rows, reason="test", levels=levels, actor=ACTOR)


def test_cut_part_of_an_open_one_frees_it_and_the_row_follows(sku: Sku, place: Location) -> None:
    row = reserve(sku, place, 6)
    version = row.version

    cut(Cut(row, 2))

    stored = Reservation.objects.get(pk=row.pk)
    assert (row.quantity, row.version) == (stored.quantity, stored.version) == (4, version + 1)
    piece = Reservation.objects.exclude(pk=row.pk).get()
    assert (piece.state, piece.quantity, piece.queued_at) == ("released", 2, row.queued_at)
    level = StockLevel.objects.get()
    assert (level.reserved, level.free) == (4, 6)


def test_cut_part_of_a_waiting_one_leaves_its_place(sku: Sku, place: Location) -> None:
    row = reserve(sku, None, 6)

    cut(Cut(row, 5))

    assert list(Reservation.objects.order_by("pk").values_list("state", "quantity")) == [
        ("waiting", 1),
        ("released", 5),
    ]


@pytest.mark.parametrize("quantity", [0, -1, 7])
def test_cut_of_other_units_than_it_holds_is_refused(sku: Sku, place: Location, quantity: int) -> None:
    row = reserve(sku, place, 6)

    with nothing_written(), pytest.raises(InvalidInput):
        cut(Cut(row, quantity))


def test_cut_of_a_closed_one_is_refused(sku: Sku, place: Location) -> None:
    row = reserve(sku, place, 6)
    cut(Cut(row, 6))

    with nothing_written(), pytest.raises(Conflict):
        cut(Cut(row, 1))


def test_cut_of_one_that_was_closed_meanwhile_is_refused(sku: Sku, place: Location) -> None:
    row = reserve(sku, place, 6)
    stale = Reservation.objects.get(pk=row.pk)
    cut(Cut(row, 6))

    with nothing_written(), pytest.raises(Conflict):
        cut(Cut(stale, 1))


def test_cut_of_one_that_is_closed_is_refused(sku: Sku, place: Location) -> None:
    row = reserve(sku, place, 6)
    cut(Cut(row, 6))

    with nothing_written(), pytest.raises(Conflict, match="closed"):
        cut(Cut(Reservation.objects.get(pk=row.pk), 2))


def test_cut_of_one_twice_is_refused(sku: Sku, place: Location) -> None:
    """Else only the last would be taken off the row, and both given back."""
    row = reserve(sku, place, 6)

    with nothing_written(), pytest.raises(Conflict):
        cut(Cut(row, 2), Cut(row, 3))


def test_release_of_one_twice_is_refused(sku: Sku, place: Location) -> None:
    """Else its units would be taken off the level's promises twice, and those of others be free."""
    row = reserve(sku, place, 3)
    reserve(sku, place, 5)

    with nothing_written(), pytest.raises(Conflict):
        release(row, row)
