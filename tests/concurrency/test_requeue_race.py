"""Two who are moved in one line at the same moment, on real PostgreSQL: each is told its place as if alone."""

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from unittest import mock

import pytest

from inventory.models import Reservation
from inventory.owners import OWNERS
from inventory.services.levels import Stock
from inventory.services.reservations import Requeue, requeue_reservations, requeueing
from tests.concurrency.rivals import comes_to_wait, together, violations
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, reserve
from tests.inventory.test_requeueing import Hearer

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
BACK, FRONT = -5, 5
# (from, to) of who is sent to the back and of who is called to the front, one after the other or the other way.
ONE_BY_ONE = [((1, 3), (2, 1)), ((2, 3), (3, 1))]


class MovedBoth:
    """The first of three is sent to the back; between its two looks at the line the last is called to the front."""

    def __init__(self, *, has_level: bool) -> None:
        self.looked, self.done = threading.Event(), threading.Event()
        sku = make_sku()
        if has_level:
            make_level(sku, make_location(), on_hand=0)
        line = [
            reserve(sku, None, 1, queued_at=AT + timedelta(hours=place), reference_id=place + 1)
            for place in range(3)
        ]
        self.first, self.last = line[0].pk, line[-1].pk

    def moves(self, owner: Hearer) -> tuple[tuple[int, int], tuple[int, int]]:
        with mock.patch.object(requeueing, "_write", partial(self._write, requeueing._write)):
            together([self._to_the_back, self._to_the_front])
        told = {one.reservation_id: (one.place_before, one.place) for one in owner.told}
        return told[self.first], told[self.last]

    def _to_the_back(self) -> None:
        requeue_reservations([Requeue(self.first, BACK)], reason="test", actor=ACTOR).raise_refusals()

    def _to_the_front(self) -> None:
        self.looked.wait(timeout=30)
        requeue_reservations([Requeue(self.last, FRONT)], reason="test", actor=ACTOR).raise_refusals()
        self.done.set()

    def _write(self, write: Callable[..., None], rows: Sequence[Reservation], wanted: dict[int, int]) -> None:
        if self.first in wanted:
            self.looked.set()
            comes_to_wait(self.done.is_set)
        write(rows, wanted)


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> Hearer:
    hearer = Hearer()
    monkeypatch.setitem(OWNERS, "test", [hearer])
    return hearer


@pytest.mark.parametrize("has_level", [True, False])
def test_two_moved_at_once_are_told_their_places_one_by_one(owner: Hearer, has_level: bool) -> None:
    assert MovedBoth(has_level=has_level).moves(owner) in ONE_BY_ONE
    assert violations() == []


@pytest.mark.parametrize("has_level", [True, False])
def test_without_the_lock_both_are_told_places_that_never_were(
    owner: Hearer, has_level: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlocked(_sku_ids: Iterable[int]) -> Any:
        return Stock([], [], {})

    monkeypatch.setattr(requeueing, "lock_stock", unlocked)

    assert MovedBoth(has_level=has_level).moves(owner) == ((1, 3), (3, 1))
