"""Undo against undo, and against whoever wants the units, on real PostgreSQL."""

from collections.abc import Callable

import pytest

from inventory.errors import NotEnoughStock
from inventory.models import Reservation, StockLevel, StockMovement
from inventory.services.receipts import ReceivedLine, book_receipt
from inventory.services.undoing import undo_receipts
from tests.concurrency.test_stock_races import PROCESSES, at_once
from tests.factories.inventory import ACTOR, make_location, make_sku, reserve
from tests.inventory.conftest import stock_breaches

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def undoer(pk: int) -> Callable[[], str]:
    def act() -> str:
        results = undo_receipts([pk], reason="Typed twice", actor=ACTOR)
        return type(results.refusals[pk]).__name__ if results.refusals else "undone"

    return act


def test_undo_at_once_happens_once() -> None:
    sku, place = make_sku(), make_location()
    ids = [
        book_receipt([ReceivedLine(sku.pk, 5)], location_id=place.pk, note="", nonce=nonce, actor=ACTOR)
        for nonce in ("a", "b")
    ]

    told = at_once(*[undoer(ids[0])] * PROCESSES)

    assert told == {"undone": 1, "AlreadyUndone": PROCESSES - 1}
    assert StockLevel.objects.get().on_hand == 5
    assert StockMovement.objects.filter(is_undo=True).count() == 1
    assert stock_breaches() == {}


def test_undo_and_reservation_never_get_the_same_units() -> None:
    for turn in range(6):
        sku, place = make_sku(), make_location()
        pk = book_receipt(
            [ReceivedLine(sku.pk, 5)], location_id=place.pk, note="", nonce=f"n{turn}", actor=ACTOR
        )

        def claim(sku=sku, place=place) -> str:  # type: ignore[no-untyped-def]
            reserve(sku, place, 3, reference_id=1)
            return "reserved"

        told = at_once(undoer(pk), claim)

        level = StockLevel.objects.get(sku=sku)
        if told["undone"]:
            assert told == {"undone": 1, NotEnoughStock.__name__: 1}
            assert (level.on_hand, level.reserved) == (0, 0)
        else:
            assert told == {"UnitsTaken": 1, "reserved": 1}
            assert (level.on_hand, level.reserved) == (5, 3)
        assert stock_breaches() == {}
    assert Reservation.objects.count() <= 6
