"""Undo against undo, and against whoever wants the units, on real PostgreSQL."""

import multiprocessing
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from config.kernel.errors import Conflict
from inventory.errors import NotEnoughStock
from inventory.models import Location, Reservation, Sku, StockLevel, StockMovement, StockReceipt
from inventory.services import levels, movements
from inventory.services.receipts import ReceivedLine, book_receipt
from inventory.services.reservations import placing
from inventory.services.undoing import documents, undo_receipts
from tests.concurrency.test_stock_races import PROCESSES, at_once
from tests.factories.inventory import ACTOR, make_location, make_sku, reserve
from tests.inventory.conftest import stock_breaches
from tests.planted.bugs import unlocked

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
UNITS, CLAIMED = 5, 3


def received(sku: Sku, place: Location, nonce: str) -> int:
    return book_receipt(
        [ReceivedLine(sku.pk, UNITS)], location_id=place.pk, note="", nonce=nonce, actor=ACTOR
    )


def undoer(pk: int) -> Callable[[], str]:
    def act() -> str:
        results = undo_receipts([pk], reason="Typed twice", actor=ACTOR)
        return type(results.refusals[pk]).__name__ if results.refusals else "undone"

    return act


def undo_at_once(rivals: int) -> Counter[str]:
    """One of two receipts is undone by so many at once; what each was told."""
    sku, place = make_sku(), make_location()
    first, _second = (received(sku, place, nonce) for nonce in ("a", "b"))
    return at_once(*[undoer(first)] * rivals)


def together(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, rivals: int) -> None:
    """Let nobody go on into a function before all have come to it."""
    met, act = multiprocessing.get_context("fork").Barrier(rivals), getattr(owner, name)

    def wait(*given: Any, **named: Any) -> Any:
        met.wait(timeout=30)
        return act(*given, **named)

    monkeypatch.setattr(owner, name, wait)


def without_document_locks(monkeypatch: pytest.MonkeyPatch, rivals: int) -> None:
    """All read the receipt before any has undone it."""
    monkeypatch.setattr(documents, "lock_rows", lambda _kind, rows: list(rows))
    together(monkeypatch, documents, "reverse", rivals)


def test_undo_at_once_happens_once() -> None:
    told = undo_at_once(PROCESSES)

    assert told == {"undone": 1, "AlreadyUndone": PROCESSES - 1}
    assert StockLevel.objects.get().on_hand == UNITS
    assert StockMovement.objects.filter(is_undo=True).count() == 1
    assert stock_breaches() == {}


def test_undo_at_once_without_the_lock_is_still_stopped_by_its_own_statement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_document_locks(monkeypatch, 2)

    told = undo_at_once(2)

    assert told == {"undone": 1, Conflict.__name__: 1}
    assert StockLevel.objects.get().on_hand == UNITS
    assert StockMovement.objects.filter(is_undo=True).count() == 1


def test_undo_at_once_without_either_happens_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the same race takes the units of another receipt, and the same figures show it."""
    without_document_locks(monkeypatch, 2)
    monkeypatch.setattr(
        documents, "_standing", lambda model, pks: model._default_manager.filter(pk__in=list(pks))
    )

    told = undo_at_once(2)

    assert told == {"undone": 2}
    assert StockLevel.objects.get().on_hand == 0
    assert StockMovement.objects.filter(is_undo=True).count() == 2
    assert StockReceipt.objects.filter(undone_at=None).count() == 1


def undo_beside_a_claim(
    nonce: str, begin: Callable[[], None] = lambda: None
) -> tuple[Counter[str], StockLevel]:
    """A receipt is undone while somebody reserves of its units; what both were told, and the level afterwards."""
    sku, place = make_sku(), make_location()
    pk = received(sku, place, nonce)
    begin()

    def claim() -> str:
        reserve(sku, place, CLAIMED, reference_id=1)
        return "reserved"

    return at_once(undoer(pk), claim), StockLevel.objects.get(sku=sku)


def is_one_of_two(told: Counter[str], level: StockLevel) -> bool:
    """Whether one of the two went first, and the other was told why it cannot be."""
    after = (dict(told), level.on_hand, level.reserved)
    return after in (
        ({"undone": 1, NotEnoughStock.__name__: 1}, 0, 0),
        ({"UnitsTaken": 1, "reserved": 1}, UNITS, CLAIMED),
    )


def test_undo_and_reservation_never_get_the_same_units() -> None:
    for turn in range(6):
        told, level = undo_beside_a_claim(f"n{turn}")

        assert is_one_of_two(told, level), told
        assert stock_breaches() == {}
    assert Reservation.objects.count() <= 6


def test_undo_and_reservation_without_the_levels_lock_both_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: both judge the same free units. The database has the last word, and the race tells."""

    def begin() -> None:
        monkeypatch.setattr(levels, "_locked", unlocked)
        together(monkeypatch, levels, "change_levels", 2)
        for user in (movements, placing):
            monkeypatch.setattr(user, "change_levels", levels.change_levels)

    told, level = undo_beside_a_claim("n", begin)

    assert not is_one_of_two(told, level), told
    assert stock_breaches() == {}
