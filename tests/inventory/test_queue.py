"""Nobody is overtaken, and everybody can see where they stand."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel import clock
from config.kernel.audit import Violation, run_audit
from inventory import queue_invariants
from inventory.enums import BinKind, UnsellableReason
from inventory.errors import QueueJumped
from inventory.models import Bin, Location, Reservation, Sku
from inventory.selectors.queue import QueuePlace, queue_places, waiting_in_line
from inventory.selectors.stock import available_to_sell, waiting_quantity
from inventory.services.binning import BinMove, move_bin
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.levels import lock_levels
from inventory.services.policies import LevelPolicy, set_policies
from inventory.services.reservations import Fill, fill_reservations, placing
from inventory.services.returning import ReturnedGoods
from inventory.services.setting_aside import Aside, change_reason, set_aside
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, receive, reserve

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)


@pytest.fixture
def sku() -> Sku:
    return make_sku()


@pytest.fixture
def place() -> Location:
    return make_location()


def fill(row: Reservation, quantity: int) -> None:
    with transaction.atomic():
        (level,) = lock_levels([row.sku_id])
        fill_reservations([Fill(row, level.pk, quantity)], levels=[level])


def test_new_claim_leaves_units_to_those_in_line(sku: Sku, place: Location) -> None:
    reserve(sku, None, 7, queued_at=AT)
    receive(sku, place, 10)

    with pytest.raises(QueueJumped) as refusal:
        reserve(sku, place, 4, queued_at=LATER)

    assert refusal.value.facts == {"waiting": 7, "free": 10, "asked": 4}
    assert available_to_sell([sku.pk]) == {sku.pk: 3}
    assert reserve(sku, place, 3, queued_at=LATER).state == "open"


def test_claim_queued_at_the_same_moment_stands_behind(sku: Sku, place: Location) -> None:
    reserve(sku, None, 1, queued_at=AT)
    receive(sku, place, 1)

    with pytest.raises(QueueJumped):
        reserve(sku, place, 1, queued_at=AT)


def test_older_or_more_urgent_claim_goes_first(sku: Sku, place: Location) -> None:
    reserve(sku, None, 9, queued_at=AT)
    receive(sku, place, 10)

    assert reserve(sku, place, 3, queued_at=AT - timedelta(seconds=1)).state == "open"
    assert reserve(sku, place, 3, queued_at=LATER, priority=1).state == "open"


def test_claim_of_the_same_reference_is_not_in_its_own_way(sku: Sku, place: Location) -> None:
    reserve(sku, None, 9, queued_at=AT, reference_id=5)
    receive(sku, place, 2)

    assert reserve(sku, place, 2, queued_at=AT, reference_id=5).state == "open"


def test_location_that_does_not_ship_has_no_queue(sku: Sku, place: Location) -> None:
    store = make_location(can_ship=False)
    make_level(sku, place)
    receive(sku, store, 5)
    reserve(sku, None, 9, queued_at=AT)

    assert reserve(sku, store, 5, queued_at=LATER).state == "open"


def test_fill_goes_to_the_first_in_line(sku: Sku, place: Location) -> None:
    first, second = reserve(sku, None, 4, queued_at=AT), reserve(sku, None, 4, queued_at=AT)
    receive(sku, place, 6)

    with pytest.raises(QueueJumped):
        fill(second, 3)

    fill(second, 2)
    fill(first, 4)
    assert [(row.pk, row.quantity) for row in waiting_in_line([sku.pk])] == [(second.pk, 2)]


def test_queue_places_count_units_ahead(sku: Sku) -> None:
    other = make_sku()
    middle = reserve(sku, None, 5, queued_at=LATER)
    last = reserve(sku, None, 2, queued_at=LATER)
    first = reserve(sku, None, 3, queued_at=AT)
    urgent = reserve(sku, None, 1, queued_at=LATER, priority=1)
    alone = reserve(other, None, 8)

    places = queue_places([first.pk, middle.pk, last.pk, urgent.pk, alone.pk, 0])

    assert places == {
        urgent.pk: QueuePlace(1, 0),
        first.pk: QueuePlace(2, 1),
        middle.pk: QueuePlace(3, 4),
        last.pk: QueuePlace(4, 9),
        alone.pk: QueuePlace(1, 0),
    }
    assert queue_places([last.pk]) == {last.pk: QueuePlace(4, 9)}
    assert waiting_quantity([sku.pk, other.pk]) == {sku.pk: 11, other.pk: 8}


def test_audit_late_claim_left_enough_for_those_in_line_names_nobody(sku: Sku, place: Location) -> None:
    reserve(sku, None, 3, queued_at=AT)
    receive(sku, place, 5)

    reserve(sku, place, 2, queued_at=LATER)

    assert [finding.violations for finding in run_audit(["stock.queue"])] == [()]


def test_audit_units_left_for_those_in_line_went_to_a_higher_priority_names_nobody(
    sku: Sku, place: Location
) -> None:
    reserve(sku, None, 3, queued_at=AT)
    receive(sku, place, 5)
    reserve(sku, place, 2, queued_at=LATER)

    reserve(sku, place, 3, queued_at=LATER, priority=1)

    assert [finding.violations for finding in run_audit(["stock.queue"])] == [()]


def test_audit_units_left_for_those_in_line_were_lost_names_nobody(sku: Sku, place: Location) -> None:
    reserve(sku, None, 3, queued_at=AT)
    receive(sku, place, 5)
    reserve(sku, place, 2, queued_at=LATER)

    adjust_stock([Adjustment("k", sku.pk, place.pk, -3)], reason="test", actor=ACTOR).raise_refusals()

    assert [finding.violations for finding in run_audit(["stock.queue"])] == [()]


@pytest.mark.parametrize("moved", ["between bins", "to another reason"])
def test_audit_units_that_only_moved_since_excuse_nobody(
    sku: Sku, place: Location, moved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two entries that take nothing together, one alone looks like a loss."""
    receive(sku, place, 2)
    aside = Aside("a", sku.pk, place.pk, 1)
    set_aside([aside], reason=UnsellableReason.DAMAGED, note="test", actor=ACTOR).raise_refusals()
    first = reserve(sku, None, 1, queued_at=AT)
    monkeypatch.setattr(placing, "refuse_overtaking", lambda *_given: None)
    late = reserve(sku, place, 1, queued_at=LATER)

    if moved == "between bins":
        shelf = Bin.objects.create(location=place, code="S1", kind=BinKind.SHELF)
        default = Bin.objects.get(location=place, kind=BinKind.DEFAULT)
        move_bin([BinMove("m", sku.pk, place.pk, default.pk, shelf.pk, 1)], actor=ACTOR).raise_refusals()
    else:
        why = {"reason": UnsellableReason.DAMAGED, "becomes": UnsellableReason.QUARANTINE}
        goods = [ReturnedGoods("r", sku.pk, place.pk, 1)]
        change_reason(goods, **why, note="test", actor=ACTOR).raise_refusals()

    (finding,) = run_audit(["stock.queue"])
    said = f"was taken although reservation {first.pk} waits ahead of it"
    assert finding.violations == (Violation(f"reservation:{late.pk}", said),)


def test_audit_units_left_for_those_in_line_went_back_to_an_older_place_names_nobody(
    sku: Sku, place: Location
) -> None:
    """As those of an order do that an import had changed and gives back."""
    reserve(sku, None, 3, queued_at=AT)
    receive(sku, place, 5)
    reserve(sku, place, 2, queued_at=LATER)

    reserve(sku, place, 2, queued_at=AT - timedelta(hours=1))

    assert [finding.violations for finding in run_audit(["stock.queue"])] == [()]


@pytest.mark.parametrize("kept_by", ["buffer", "is_active", "can_ship"])
def test_audit_units_left_for_those_in_line_are_offered_no_more_names_nobody(
    sku: Sku, place: Location, kept_by: str
) -> None:
    """One waits and two come, to two places; of these the one that was left is kept back before the line is served."""
    with clock.frozen(AT):
        other = make_location()
        reserve(sku, None, 1, queued_at=AT)
        receive(sku, place, 1)
        receive(sku, other, 1)
    with clock.frozen(LATER):
        reserve(sku, place, 1, queued_at=LATER)

    with clock.frozen(LATER + timedelta(minutes=1)):
        keep_back(sku, other, kept_by)

    assert [finding.violations for finding in run_audit(["stock.queue"])] == [()]


@pytest.mark.parametrize("kept_by", ["buffer", "is_active", "can_ship"])
def test_audit_units_kept_back_before_excuse_nobody(
    sku: Sku, place: Location, kept_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.frozen(AT):
        other = make_location()
        first = reserve(sku, None, 1, queued_at=AT)
        receive(sku, place, 1)
        receive(sku, other, 1)
        keep_back(sku, other, kept_by)
    monkeypatch.setattr(placing, "refuse_overtaking", lambda *_given: None)

    with clock.frozen(LATER):
        late = reserve(sku, place, 1, queued_at=LATER)

    (finding,) = run_audit(["stock.queue"])
    said = f"was taken although reservation {first.pk} waits ahead of it"
    assert finding.violations == (Violation(f"reservation:{late.pk}", said),)


def test_audit_units_that_arrived_since_and_are_kept_back_excuse_nobody(
    sku: Sku, place: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One late takes the only unit; a month later ten come to a level that keeps ten."""
    with clock.frozen(AT):
        other = make_location()
        make_level(sku, other)
        first = reserve(sku, None, 1, queued_at=AT)
        receive(sku, place, 1)
    monkeypatch.setattr(placing, "refuse_overtaking", lambda *_given: None)
    with clock.frozen(LATER):
        late = reserve(sku, place, 1, queued_at=LATER)

    with clock.frozen(LATER + timedelta(days=31)):
        set_policies([LevelPolicy(sku.pk, other.pk, buffer=10)], actor=ACTOR).raise_refusals()
        receive(sku, other, 10)

    (finding,) = run_audit(["stock.queue"])
    said = f"was taken although reservation {first.pk} waits ahead of it"
    assert finding.violations == (Violation(f"reservation:{late.pk}", said),)


@pytest.mark.parametrize(("shown", "found"), [(50, 3), (2, 2)])
def test_audit_reads_what_a_sku_offered_once_and_ends_with_the_last_it_shows(
    sku: Sku, place: Location, shown: int, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve(sku, None, 9, queued_at=AT)
    receive(sku, place, 4)
    monkeypatch.setattr(placing, "refuse_overtaking", lambda *_given: None)
    late = [reserve(sku, place, 1, queued_at=LATER) for _each in range(3)]
    monkeypatch.setattr(queue_invariants, "SHOWN", shown)

    with CaptureQueriesContext(connection) as statements:
        violations = [violation.subject for violation in queue_invariants.nobody_overtaken()]

    assert violations == [f"reservation:{one.pk}" for one in late[:found]]
    assert len(statements) == 4 + 3 * found, (
        "the takers, a SKU's levels and two histories, and three for each"
    )


def keep_back(sku: Sku, place: Location, how: str) -> None:
    """By a buffer of one unit, or by a location that is closed or ships no more."""
    if how == "buffer":
        set_policies([LevelPolicy(sku.pk, place.pk, buffer=1)], actor=ACTOR).raise_refusals()
    else:
        setattr(place, how, False)
        place.save()


@pytest.mark.parametrize("gone", ["lost", "given to a higher priority", "given to an older place"])
def test_audit_units_gone_since_excuse_no_more_than_their_number(
    sku: Sku, place: Location, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three wait and three come; somebody late takes two, and the last one goes."""
    first = reserve(sku, None, 3, queued_at=AT)
    receive(sku, place, 3)
    monkeypatch.setattr(placing, "refuse_overtaking", lambda *_given: None)
    late = reserve(sku, place, 2, queued_at=LATER)

    if gone == "lost":
        adjust_stock([Adjustment("k", sku.pk, place.pk, -1)], reason="test", actor=ACTOR).raise_refusals()
    elif gone == "given to a higher priority":
        reserve(sku, place, 1, queued_at=LATER, priority=1)
    else:
        reserve(sku, place, 1, queued_at=AT - timedelta(hours=1))

    (finding,) = run_audit(["stock.queue"])
    said = f"was taken although reservation {first.pk} waits ahead of it"
    assert finding.violations == (Violation(f"reservation:{late.pk}", said),)


def test_reservation_is_named_by_its_sku_and_state(sku: Sku) -> None:
    row = reserve(sku, None, 7, queued_at=AT)

    assert str(row) == f"7 × {sku.code}, Waiting for stock"
