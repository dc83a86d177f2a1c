"""A loss below what is reserved: who loses, in which order, and who hears of it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from config.kernel.actors import Actor
from config.kernel.errors import Conflict
from inventory.enums import UnsellableReason
from inventory.models import Location, Reservation, Sku, StockLevel
from inventory.owners import OWNERS, Loss, Reference
from inventory.selectors.losses import losses
from inventory.services import losses as loss_services
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.levels import lock_levels
from inventory.services.setting_aside import Aside, set_aside
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, reserve

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


class Hearer:
    """An owner that writes down what it is told."""

    def __init__(self) -> None:
        self.locked: list[int] = []
        self.told: list[tuple[int, int]] = []
        self.bound: dict[tuple[int, int], int] = {}

    def lock(self, reference_ids: Collection[int]) -> None:
        self.locked += sorted(reference_ids)

    def bound_units(self, reference_ids: Collection[int]) -> Mapping[tuple[int, int], int]:
        return self.bound

    def lose(self, losses: Sequence[Loss], *, actor: Actor) -> None:
        self.told += [(loss.reference[1], loss.quantity) for loss in losses]
        assert {loss.document[0] for loss in losses} == {"stock_adjustment"}


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> Hearer:
    hearer = Hearer()
    monkeypatch.setitem(OWNERS, "test", [hearer])
    return hearer


@pytest.fixture
def sku() -> Sku:
    return make_sku()


@pytest.fixture
def place(sku: Sku) -> Location:
    place = make_location()
    make_level(sku, place, 10)
    return place


def lose(sku: Sku, place: Location, units: int) -> Any:
    line = Adjustment(f"k{units}", sku.pk, place.pk, -units)
    return adjust_stock([line], reason="Not there", actor=ACTOR)


def standing(sku: Sku) -> list[tuple[int, str, int]]:
    """(reference, state, units) of every live reservation."""
    rows = Reservation.objects.filter(sku=sku).order_by("reference_id", "state", "pk")
    return [(row.reference_id, row.state, row.quantity) for row in rows]


def test_loss_of_free_units_leaves_promises_alone(sku: Sku, place: Location, owner: Hearer) -> None:
    reserve(sku, place, 6, reference_id=1)

    lose(sku, place, 4).raise_refusals()

    assert standing(sku) == [(1, "open", 6)]
    assert (owner.locked, owner.told) == ([], [])


def test_loss_below_reserved_turns_the_last_in_line_into_waiting(
    sku: Sku, place: Location, owner: Hearer, audit: Callable[[], dict], freed: Callable[[], list[int]]
) -> None:
    reserve(sku, place, 4, reference_id=1, queued_at=AT + timedelta(hours=2))
    reserve(sku, place, 4, reference_id=2, queued_at=AT)
    reserve(sku, place, 2, reference_id=3, queued_at=AT + timedelta(hours=3), priority=5)
    before = len(freed())

    lose(sku, place, 6).raise_refusals()

    assert standing(sku) == [(1, "waiting", 4), (2, "open", 2), (2, "waiting", 2), (3, "open", 2)]
    level = StockLevel.objects.get()
    assert (level.on_hand, level.reserved, level.free) == (4, 4, 0)
    assert (owner.locked, sorted(owner.told)) == ([1, 2], [(1, 4), (2, 2)])
    rest = Reservation.objects.get(reference_id=2, state="waiting")
    assert (rest.queued_at, rest.level_id, rest.opened_at) == (AT, None, None)
    assert rest.waiting_since is not None
    assert freed()[before:] == [sku.pk]
    assert audit() == {}


def test_loss_takes_the_latest_promise_first(sku: Sku, place: Location, owner: Hearer) -> None:
    promises = {1: AT + timedelta(days=3), 2: None, 3: AT + timedelta(days=9), 4: AT + timedelta(days=1)}
    for reference_id, promised_at in promises.items():
        reserve(sku, place, 2, reference_id=reference_id, queued_at=AT, promised_at=promised_at)

    lose(sku, place, 2 + 5).raise_refusals()

    assert standing(sku) == [
        (1, "open", 1),
        (1, "waiting", 1),
        (2, "waiting", 2),
        (3, "waiting", 2),
        (4, "open", 2),
    ]


def test_loss_takes_units_that_are_worked_on_last(sku: Sku, place: Location, owner: Hearer) -> None:
    reserve(sku, place, 4, reference_id=1, queued_at=AT)
    reserve(sku, place, 4, reference_id=2, queued_at=AT + timedelta(hours=1))
    owner.bound = {(2, place.pk): 3}

    lose(sku, place, 5).raise_refusals()
    assert standing(sku) == [(1, "open", 2), (1, "waiting", 2), (2, "open", 3), (2, "waiting", 1)]

    lose(sku, place, 4).raise_refusals()
    assert standing(sku) == [
        (1, "waiting", 2),
        (1, "waiting", 2),
        (2, "open", 1),
        (2, "waiting", 1),
        (2, "waiting", 2),
    ]


def test_set_aside_below_reserved_breaks_promises_too(
    sku: Sku, place: Location, owner: Hearer, audit: Callable[[], dict]
) -> None:
    reserve(sku, place, 9, reference_id=1)

    goods = [Aside("a", sku.pk, place.pk, 3)]
    set_aside(goods, reason=UnsellableReason.DAMAGED, note="Wet", actor=ACTOR).raise_refusals()

    assert standing(sku) == [(1, "open", 7), (1, "waiting", 2)]
    assert owner.told == [(1, 2)]
    assert audit() == {}


def test_units_added_in_the_same_call_save_the_promise(sku: Sku, place: Location, owner: Hearer) -> None:
    reserve(sku, place, 10, reference_id=1)
    lines = [Adjustment("a", sku.pk, place.pk, -3), Adjustment("b", sku.pk, place.pk, 3)]

    adjust_stock(lines, reason="Mixed up", actor=ACTOR).raise_refusals()

    assert standing(sku) == [(1, "open", 10)]
    assert owner.told == []


def test_losses_of_nothing_short_take_no_query(
    sku: Sku, place: Location, django_assert_num_queries: Any
) -> None:
    with transaction.atomic():
        levels = lock_levels([sku.pk])
        with django_assert_num_queries(0):
            assert losses(levels, {(sku.pk, place.pk): 10}) == []


def test_loss_begins_again_when_somebody_else_was_promised_meanwhile(
    sku: Sku, place: Location, owner: Hearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking for owners and locking the levels another promise is made, which is the last in line."""
    reserve(sku, place, 6, reference_id=1, queued_at=AT)
    look = loss_services.lock_owners
    looks: list[frozenset[Reference]] = []

    def look_then_promise(cuts: Any) -> frozenset[Reference]:
        looks.append(look(cuts))
        if len(looks) == 1:
            return frozenset()
        return looks[-1]

    monkeypatch.setattr("inventory.services.correcting.lock_owners", look_then_promise)

    lose(sku, place, 5).raise_refusals()

    assert len(looks) == 2
    assert standing(sku) == [(1, "open", 5), (1, "waiting", 1)]


def test_loss_gives_up_when_promises_never_stand_still(
    sku: Sku, place: Location, owner: Hearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve(sku, place, 10, reference_id=1)
    monkeypatch.setattr("inventory.services.correcting.lock_owners", lambda _cuts: frozenset())

    (refusal,) = lose(sku, place, 1).refusals.values()

    assert type(refusal) is Conflict
    assert standing(sku) == [(1, "open", 10)]
    assert StockLevel.objects.get().on_hand == 10
