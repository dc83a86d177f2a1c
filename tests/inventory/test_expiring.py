"""Reservations with an end: closed when it has come, their units free, their owners told."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from config.kernel import clock
from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import NotAllowed
from inventory.enums import ReservationState
from inventory.models import Location, Reservation, Sku, StockLevel
from inventory.owners import OWNERS, Expired, Loss, Requeued
from inventory.selectors.stock import available_to_sell
from inventory.services.levels import lock_levels
from inventory.services.reservations import (
    Fill,
    end_reservations_at,
    expire_reservations,
    fill_reservations,
)
from inventory.tasks import sweep_reservations
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, receive, reserve

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
END = AT + timedelta(minutes=30)


class Hearer:
    """An owner that writes down what it is told."""

    def __init__(self) -> None:
        self.locked: list[int] = []
        self.told: list[tuple[int, int, bool]] = []
        self.kept: list[tuple[int, int]] = []
        self.bound: dict[tuple[int, int], int] = {}

    def lock(self, reference_ids: Collection[int]) -> None:
        self.locked += reference_ids

    def bound_units(self, reference_ids: Collection[int]) -> Mapping[tuple[int, int], int]:
        return self.bound

    def lose(self, losses: Sequence[Loss], *, actor: Actor) -> None:
        raise AssertionError("nothing was lost")

    def expire(self, expired: Sequence[Expired], *, actor: Actor) -> None:
        self.told += [(one.reference[1], one.quantity, one.was_open) for one in expired]

    def keep(self, kept: Sequence[Expired], *, actor: Actor) -> None:
        self.kept += [(one.reference[1], one.quantity) for one in kept]

    def requeue(self, moved: Sequence[Requeued], *, actor: Actor) -> None:
        raise AssertionError("nobody was moved")


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


@pytest.fixture(autouse=True)
def _at_the_end() -> Iterator[None]:
    with clock.frozen(END):
        yield


def expire(*rows: Reservation) -> dict[str, int]:
    return dict(expire_reservations([row.pk for row in rows], actor=ACTOR).counts())


def test_expire_reservations_frees_units_and_tells_the_owner(
    sku: Sku, place: Location, owner: Hearer, audit: Callable[[], dict], freed: Callable[[], list[int]]
) -> None:
    held = reserve(sku, place, 4, reference_id=1, expires_at=END)
    queued = reserve(sku, None, 9, reference_id=2, expires_at=AT)
    before = len(freed())

    assert expire(held, queued) == {"done": 2, "unchanged": 0, "refused": 0}

    rows = Reservation.objects.order_by("pk").values_list("state", "closed_at", "closed_reason")
    assert list(rows) == [("expired", END, "expired")] * 2
    assert StockLevel.objects.get().reserved == 0
    assert available_to_sell([sku.pk]) == {sku.pk: 10}
    assert owner.locked == [1, 2]
    assert owner.told == [(1, 4, True), (2, 9, False)]
    assert freed()[before:] == [sku.pk]
    assert audit() == {}


def test_expire_reservations_second_call_changes_nothing(
    sku: Sku, place: Location, owner: Hearer, freed: Callable[[], list[int]]
) -> None:
    held = reserve(sku, place, 4, expires_at=AT)
    expire(held)
    before = (Reservation.objects.get().version, freed(), owner.told[:])

    assert expire(held) == {"done": 0, "unchanged": 1, "refused": 0}

    assert (Reservation.objects.get().version, freed(), owner.told) == before


def test_expire_reservations_before_the_end_or_without_one_is_refused(
    sku: Sku, place: Location, owner: Hearer
) -> None:
    early = reserve(sku, place, 1, expires_at=END + timedelta(seconds=1))
    endless = reserve(sku, place, 1)

    results = expire_reservations([early.pk, endless.pk, 404], actor=ACTOR)

    assert [error.code for error in results.refusals.values()] == ["not_expired", "not_expired", "not_found"]
    assert StockLevel.objects.get().reserved == 2
    assert owner.told == []


def test_expire_reservations_leaves_what_the_owner_works_on_without_an_end(
    sku: Sku, place: Location, owner: Hearer
) -> None:
    held = reserve(sku, place, 4, reference_id=1, expires_at=AT)
    owner.bound = {(1, place.pk): 4}

    assert expire(held) == {"done": 0, "unchanged": 1, "refused": 0}

    version = held.version
    held.refresh_from_db()
    assert (held.state, held.quantity, held.expires_at, owner.told) == ("open", 4, None, [])
    assert (held.version, owner.kept) == (version + 1, [(1, 4)])


def test_expire_reservations_closes_the_units_that_the_owner_does_not_work_on(
    sku: Sku, place: Location, owner: Hearer, audit: Callable[[], dict], freed: Callable[[], list[int]]
) -> None:
    held = reserve(sku, place, 4, reference_id=1, expires_at=AT)
    elsewhere = reserve(sku, place, 3, reference_id=2, expires_at=AT)
    owner.bound = {(1, place.pk): 1}
    before = len(freed())

    results = expire_reservations([held.pk, elsewhere.pk], actor=ACTOR)

    assert (results.done_ids, results.values) == ([held.pk, elsewhere.pk], {held.pk: 3, elsewhere.pk: 3})
    rows = Reservation.objects.order_by("pk").values_list("reference_id", "quantity", "state", "expires_at")
    assert list(rows) == [(1, 1, "open", None), (2, 3, "expired", AT), (1, 3, "expired", AT)]
    assert (owner.kept, sorted(owner.told)) == ([(1, 1)], [(1, 3, True), (2, 3, True)])
    assert StockLevel.objects.get().reserved == 1
    assert freed()[before:] == [sku.pk]
    assert audit() == {}


def test_expire_reservations_counts_work_against_the_oldest_units_of_a_place(
    sku: Sku, place: Location, owner: Hearer, audit: Callable[[], dict]
) -> None:
    endless = reserve(sku, place, 2, reference_id=1)
    held = reserve(sku, place, 4, reference_id=1, expires_at=AT)
    owner.bound = {(1, place.pk): 3, (1, place.pk + 1): 9, (2, place.pk): 0}

    assert expire(held) == {"done": 1, "unchanged": 0, "refused": 0}

    rows = Reservation.objects.order_by("pk").values_list("pk", "quantity", "state")
    assert list(rows)[:2] == [(endless.pk, 2, "open"), (held.pk, 1, "open")]
    assert (owner.kept, owner.told) == ([(1, 1)], [(1, 3, True)])
    assert audit() == {}


def test_end_reservations_at_moves_the_end_of_what_has_another_or_none(sku: Sku, place: Location) -> None:
    endless, early = (
        reserve(sku, place, 1, reference_id=1),
        reserve(sku, place, 2, reference_id=1, expires_at=AT),
    )
    timely = reserve(sku, None, 4, reference_id=1, expires_at=END)
    other = reserve(sku, place, 3, reference_id=2, expires_at=AT)
    versions = dict(Reservation.objects.values_list("pk", "version"))

    assert end_reservations_at("test", [1], until=END) == {1: 3}

    rows = {row.pk: (row.expires_at, row.version - versions[row.pk]) for row in Reservation.objects.all()}
    assert rows == {endless.pk: (END, 1), early.pk: (END, 1), timely.pk: (END, 0), other.pk: (AT, 0)}
    assert end_reservations_at("test", [1], until=END) == {}


def test_expire_reservations_without_permission_is_refused(sku: Sku, place: Location) -> None:
    held = reserve(sku, place, 4, expires_at=AT)
    clerk = Actor(ActorKind.USER, 1, "clerk", frozenset())

    with pytest.raises(NotAllowed):
        expire_reservations([held.pk], actor=clerk)

    assert Reservation.objects.get().state == ReservationState.OPEN


def test_part_filled_reservation_keeps_its_end(sku: Sku, place: Location, owner: Hearer) -> None:
    queued = reserve(sku, None, 9, expires_at=END + timedelta(minutes=1))
    receive(sku, place, 1)
    (level,) = lock_levels([sku.pk])
    fill_reservations([Fill(queued, level.pk, 5)], levels=[level])

    assert set(Reservation.objects.values_list("expires_at", flat=True)) == {END + timedelta(minutes=1)}


def test_sweep_closes_what_is_due_and_the_audit_sees_what_is_not(
    sku: Sku, place: Location, owner: Hearer, audit: Callable[[], dict]
) -> None:
    due = reserve(sku, place, 4, expires_at=END)
    late = reserve(sku, place, 1, expires_at=END + timedelta(minutes=1))
    with clock.frozen(END + timedelta(minutes=2)):
        assert audit() == {"stock.expired": [f"reservation:{due.pk}"]}

    sweep_reservations()
    sweep_reservations()

    states = Reservation.objects.values_list("pk", "state")
    assert dict(states) == {due.pk: "expired", late.pk: "open"}
    assert len(owner.told) == 1
    with clock.frozen(END + timedelta(minutes=2)):
        assert audit() == {}
