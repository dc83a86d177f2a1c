"""Counts: listed, counted, approved by somebody else where they differ much; movements since are accounted for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from config.kernel import clock
from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import IllegalTransition, InvalidInput, KeyReused, NotAllowed, NotFound
from config.kernel.models import Event
from inventory.enums import CountStatus, UnsellableReason
from inventory.errors import (
    AdjustedSince,
    CountedAgain,
    CountedSince,
    CountIncomplete,
    KitHoldsNoStock,
    NotEnoughStock,
    SecondPersonNeeded,
)
from inventory.models import (
    Location,
    Reservation,
    Sku,
    StockCount,
    StockCountLine,
    StockLevel,
    StockMovement,
)
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.counts import (
    CountPlan,
    CountSheet,
    Judged,
    approve_counts,
    book_count,
    cancel_counts,
    record_counts,
    recount,
)
from inventory.services.receipts import ReceivedLine, book_receipt
from inventory.services.setting_aside import Aside, set_aside
from inventory.services.undoing import undo_receipts
from inventory.states import STOCK_COUNT
from tests.factories.inventory import ACTOR, make_kit, make_level, make_location, make_sku, receive, reserve
from tests.fulfillment.matrix import walk_every_edge
from tests.fulfillment.watching import statements

pytestmark = pytest.mark.django_db
NOBODY = Actor(ActorKind.USER, 1, "x", frozenset())
RIGHTS = frozenset({"inventory.count_stock", "inventory.approve_stockcount"})
ANNA, BEN = (Actor(ActorKind.USER, pk, name, RIGHTS) for pk, name in ((11, "anna"), (12, "ben")))


@pytest.fixture
def sku() -> Sku:
    return make_sku()


@pytest.fixture
def place(sku: Sku) -> Location:
    place = make_location()
    make_level(sku, place, 10)
    return place


def listed(place: Location, *skus: Sku, nonce: str = "n") -> int:
    return book_count(CountPlan(place.pk, tuple(sku.pk for sku in skus)), nonce=nonce, actor=ANNA)


def count(pk: int, *units: int, **more: Any) -> None:
    lines = StockCountLine.objects.filter(count=pk).order_by("pk")
    found = dict(zip(lines.values_list("pk", flat=True), units, strict=True))
    record_counts([CountSheet(pk, found, **more)], actor=ANNA).raise_refusals()


def counted(place: Location, sku: Sku, units: int, nonce: str = "n") -> int:
    pk = listed(place, sku, nonce=nonce)
    count(pk, units)
    return pk


def on_hand(sku: Sku) -> int:
    return StockLevel.objects.get(sku=sku).on_hand


def whole() -> None:
    assert [finding.violations for finding in run_audit() if finding.violations] == []


def test_count_travels_from_list_to_corrected_books(
    sku: Sku, place: Location, freed: Callable[[], list[int]]
) -> None:
    other = make_sku()
    pk = listed(place, sku, other)
    assert StockCount.objects.get(pk=pk).number[:2] == "C-"

    count(pk, 8, 3)
    count_row = StockCount.objects.get(pk=pk)
    assert (count_row.status, count_row.counter_id, count_row.tolerance) == ("counted", 11, 3)
    assert on_hand(sku) == 10
    assert not StockLevel.objects.filter(sku=other).exists()
    before = len(freed())

    assert approve_counts([pk], actor=ANNA).done_ids == [pk]
    assert approve_counts([pk], actor=BEN).unchanged_ids == [pk]

    assert (on_hand(sku), on_hand(other)) == (8, 3)
    assert freed()[before:] == [other.pk]
    entries = StockMovement.objects.filter(reference_kind="stock_count", reference_id=pk)
    assert sorted(entries.values_list("kind", "delta")) == [("correction", -2), ("correction", 3)]
    events = Event.objects.filter(thread_type="stock_count", thread_id=pk).order_by("pk")
    assert [row.kind for row in events] == ["created", "count", "approve"]
    assert events[2].facts["found"] == 3
    assert events[2].facts["missing"] == 2
    whole()


def test_count_without_skus_lists_what_is_on_hand(sku: Sku, place: Location) -> None:
    make_level(make_sku(), place, 0)
    make_level(make_sku(), make_location(), 4)

    pk = listed(place)

    assert list(StockCountLine.objects.filter(count=pk).values_list("sku", flat=True)) == [sku.pk]


def test_book_count_twice_and_refusals(sku: Sku, place: Location) -> None:
    first = listed(place, sku)
    assert listed(place, sku) == first
    with pytest.raises(KeyReused):
        listed(place)
    with pytest.raises(NotFound):
        listed(Location(pk=0), sku, nonce="a")
    with pytest.raises(NotFound):
        listed(place, Sku(pk=0), nonce="b")
    with pytest.raises(KitHoldsNoStock):
        listed(place, make_kit({sku: 1}), nonce="c")
    with pytest.raises(InvalidInput):
        listed(make_location(), nonce="d")
    with pytest.raises(NotAllowed):
        book_count(CountPlan(place.pk), nonce="e", actor=NOBODY)
    assert StockCount.objects.count() == 1


def test_larger_variance_needs_another_person(sku: Sku, place: Location) -> None:
    pk = counted(place, sku, 6)

    results = approve_counts([pk], actor=ANNA)
    refusal = results.refusals[pk]
    assert isinstance(refusal, SecondPersonNeeded)
    assert refusal.facts == {"sku": sku.code, "variance": -4, "tolerance": 3}
    assert on_hand(sku) == 10

    assert approve_counts([pk], actor=BEN).done_ids == [pk]
    assert on_hand(sku) == 6
    whole()


def test_tolerance_is_the_locations_when_it_was_counted(sku: Sku, place: Location) -> None:
    Location.objects.filter(pk=place.pk).update(count_tolerance=0)
    pk = counted(place, sku, 9)
    Location.objects.filter(pk=place.pk).update(count_tolerance=9)

    assert isinstance(approve_counts([pk], actor=ANNA).refusals[pk], SecondPersonNeeded)


def test_system_cannot_approve_its_own_count(sku: Sku, place: Location) -> None:
    pk = listed(place, sku)
    line = StockCountLine.objects.get()
    record_counts([CountSheet(pk, {line.pk: 1})], actor=ACTOR).raise_refusals()

    assert isinstance(approve_counts([pk], actor=ACTOR).refusals[pk], SecondPersonNeeded)
    assert approve_counts([pk], actor=Actor.system("other")).done_ids == [pk]


def test_movements_since_counting_are_accounted_for(sku: Sku, place: Location) -> None:
    pk = counted(place, sku, 9)
    receive(sku, place, 5)
    broken = [Aside("a", sku.pk, place.pk, 2)]
    set_aside(broken, reason=UnsellableReason.DAMAGED, note="x", actor=ACTOR).raise_refusals()

    approve_counts([pk], actor=BEN).raise_refusals()

    assert on_hand(sku) == 10 + 5 - 1
    whole()


def corrected(sku: Sku, place: Location, units: int, key: str = "a") -> None:
    line = [Adjustment(key, sku.pk, place.pk, units)]
    adjust_stock(line, reason="Not there", actor=ACTOR).raise_refusals()


@pytest.mark.parametrize(
    ("found", "by_hand", "is_same", "after"),
    [
        (8, -2, True, 8), (8, -2, False, 6), (8, -1, True, 8), (8, -3, True, 8),
        (12, 2, True, 12), (12, 2, False, 14), (8, 3, True, 8), (8, 3, False, 11),
    ],
)  # fmt: skip
def test_correction_by_hand_since_counting_is_part_of_the_difference_or_another_matter(
    sku: Sku, place: Location, found: int, by_hand: int, is_same: bool, after: int
) -> None:
    pk = counted(place, sku, found)
    line = StockCountLine.objects.get()
    corrected(sku, place, by_hand)
    receive(sku, place, 5)

    refusal = approve_counts([pk], actor=BEN).refusals[pk]
    assert isinstance(refusal, AdjustedSince)
    assert refusal.facts == {"sku": sku.code, "units": f"{by_hand:+d}"}
    assert (on_hand(sku), StockCount.objects.get().status) == (15 + by_hand, "counted")

    judged = {line.pk: Judged(by_hand, is_same)}
    assert approve_counts([pk], judged=judged, actor=BEN).done_ids == [pk]

    line.refresh_from_db()
    assert (on_hand(sku), line.by_hand) == (after + 5, by_hand if is_same else 0)
    facts = Event.objects.get(kind="approve").facts
    assert facts.get("by_hand") == (by_hand if is_same else None)
    whole()


def test_correction_by_hand_that_came_after_the_judgement_is_asked_for_anew(
    sku: Sku, place: Location
) -> None:
    pk = counted(place, sku, 8)
    judged = {StockCountLine.objects.get().pk: Judged(-1, True)}
    corrected(sku, place, -1)
    corrected(sku, place, -1, key="b")

    refusal = approve_counts([pk], judged=judged, actor=BEN).refusals[pk]

    assert isinstance(refusal, AdjustedSince)
    assert (refusal.facts["units"], on_hand(sku)) == ("-2", 8)


def test_corrections_by_hand_that_undo_each_other_or_come_before_or_elsewhere_ask_nothing(
    sku: Sku, place: Location
) -> None:
    other = make_location()
    make_level(sku, other, 5)
    corrected(sku, place, -1)
    pk = counted(place, sku, 8)
    corrected(sku, place, -2, key="b")
    corrected(sku, place, 2, key="c")
    corrected(sku, other, -3, key="d")

    approve_counts([pk], actor=BEN).raise_refusals()

    assert StockLevel.objects.get(location=place).on_hand == 8
    whole()


def test_approve_counts_of_what_another_count_has_corrected_is_refused(sku: Sku, place: Location) -> None:
    other = make_sku()
    make_level(other, place, 4)
    first, second, third = (counted(place, sku, 8, nonce) for nonce in "abc")
    both = listed(place, sku, other, nonce="d")
    count(both, 10, 3)

    together = approve_counts([first, second], actor=BEN)
    later = approve_counts([third, both], actor=BEN)

    assert (together.done_ids, later.done_ids) == ([first], [both])
    number = StockCount.objects.get(pk=first).number
    refusals = [together.refusals[second], later.refusals[third]]
    assert [type(refusal) for refusal in refusals] == [CountedAgain] * 2
    assert [refusal.facts for refusal in refusals] == [{"sku": sku.code, "other": number}] * 2
    assert (on_hand(sku), on_hand(other)) == (8, 3)
    assert StockCount.objects.get(pk=third).status == "counted"

    recount([third], reason="Counted before", actor=BEN).raise_refusals()
    count(third, 7)
    approve_counts([third], actor=BEN).raise_refusals()
    assert on_hand(sku) == 7
    whole()


def test_what_moved_between_counting_and_writing_down_is_taken_off(sku: Sku, place: Location) -> None:
    pk = listed(place, sku)
    counted_at = clock.now()
    with clock.frozen(counted_at + timedelta(minutes=5)):
        receive(sku, place, 5)
    with clock.frozen(counted_at + timedelta(minutes=6)):
        aside = [Aside("a", sku.pk, place.pk, 2)]
        set_aside(aside, reason=UnsellableReason.DAMAGED, note="x", actor=ACTOR).raise_refusals()
    with clock.frozen(counted_at + timedelta(minutes=9)):
        count(pk, 9, counted_at=counted_at)

    line = StockCountLine.objects.get()
    assert (line.expected, line.counted, line.variance) == (10, 9, -1)
    with clock.frozen(counted_at + timedelta(minutes=10)):
        approve_counts([pk], actor=BEN).raise_refusals()
    level = StockLevel.objects.get()
    assert (level.on_hand, level.unsellable) == (14, 2)
    whole()


def test_what_a_process_with_a_faster_clock_booked_before_is_on_the_shelf(sku: Sku, place: Location) -> None:
    pk = listed(place, sku)
    at = clock.now()
    with clock.frozen(at + timedelta(seconds=1)):
        paper = book_receipt([ReceivedLine(sku.pk, 5)], location_id=place.pk, note="", nonce="r", actor=ACTOR)
    with clock.frozen(at):
        count(pk, 15)

    line = StockCountLine.objects.get()
    assert (line.expected, line.counted, line.variance) == (15, 15, 0)
    refused = undo_receipts([paper], reason="Typed twice", actor=ACTOR).refusals[paper]
    assert isinstance(refused, CountedSince)


def test_counts_are_written_down_and_approved_in_statements_whose_number_does_not_grow(
    place: Location,
) -> None:
    taken = []
    for many in (2, 12):
        pks = []
        for number in range(many):
            skus = [make_sku() for _sku in range(3)]
            for sku in skus:
                make_level(sku, place, 4)
            pks.append(listed(place, *skus, nonce=f"{many}:{number}"))
        moment = clock.now() - timedelta(minutes=1)
        sheets = [
            CountSheet(pk, {line.pk: 3 for line in StockCountLine.objects.filter(count=pk)}, moment)
            for pk in pks
        ]
        written = statements(lambda sheets=sheets: record_counts(sheets, actor=ANNA).raise_refusals())
        booked = statements(lambda pks=pks: approve_counts(pks, actor=ANNA).raise_refusals())
        taken.append((written, booked))

    assert set(StockCountLine.objects.values_list("expected", "counted")) == {(0, 3)}
    if connection.vendor == "postgresql":
        assert taken[0] == taken[1] == (11, 21)
    whole()


def test_two_counts_of_one_sku_at_two_moments_each_expect_what_was_there_then(
    sku: Sku, place: Location
) -> None:
    early, late = (listed(place, sku, nonce=nonce) for nonce in "ab")
    moment = clock.now()
    with clock.frozen(moment + timedelta(minutes=5)):
        receive(sku, place, 5)
    with clock.frozen(moment + timedelta(minutes=9)):
        lines = dict(StockCountLine.objects.values_list("count", "pk"))
        sheets = [CountSheet(early, {lines[early]: 10}, moment), CountSheet(late, {lines[late]: 15})]
        record_counts(sheets, actor=ANNA).raise_refusals()

    assert list(StockCountLine.objects.order_by("pk").values_list("expected", flat=True)) == [10, 15]
    counted_at = list(StockCount.objects.order_by("pk").values_list("counted_at", flat=True))
    assert counted_at == [moment, moment + timedelta(minutes=9)]
    assert set(StockCount.objects.values_list("tolerance", flat=True)) == {3}


def test_count_below_reserved_breaks_promises(sku: Sku, place: Location) -> None:
    reserve(sku, place, 9, reference_id=1)
    pk = counted(place, sku, 7)

    approve_counts([pk], actor=ANNA).raise_refusals()

    rows = Reservation.objects.order_by("pk").values_list("state", "quantity")
    assert list(rows) == [("open", 7), ("waiting", 2)]
    whole()


def test_approve_refuses_when_more_is_missing_than_is_left(sku: Sku, place: Location) -> None:
    pk = counted(place, sku, 4)
    corrected(sku, place, -8)
    judged = {StockCountLine.objects.get().pk: Judged(-8, False)}

    results = approve_counts([pk, 0], judged=judged, actor=BEN)

    assert {key: type(error) for key, error in results.refusals.items()} == {pk: NotEnoughStock, 0: NotFound}
    assert on_hand(sku) == 2
    assert StockCount.objects.get().status == "counted"


def test_record_counts_refusals_write_nothing(sku: Sku, place: Location) -> None:
    pk = listed(place, sku)
    line = StockCountLine.objects.get()
    later = clock.now() + timedelta(hours=1)

    def refused(sheet: CountSheet) -> type:
        return type(record_counts([sheet], actor=ANNA).refusals[sheet.key])

    assert refused(CountSheet(pk, {})) is CountIncomplete
    assert refused(CountSheet(pk, {line.pk: -1})) is InvalidInput
    assert refused(CountSheet(pk, {line.pk: 1}, later)) is InvalidInput
    assert refused(CountSheet(0, {})) is NotFound
    with pytest.raises(NotAllowed):
        record_counts([CountSheet(pk, {line.pk: 1})], actor=NOBODY)
    assert StockCount.objects.get().status == "draft"

    assert isinstance(approve_counts([pk], actor=BEN).refusals[pk], IllegalTransition)
    count(pk, 10)
    assert record_counts([CountSheet(pk, {line.pk: 1})], actor=ANNA).unchanged_ids == [pk]


def test_recount_starts_over_and_cancel_ends(sku: Sku, place: Location) -> None:
    pk = counted(place, sku, 1)

    assert recount([pk], reason="Wrong shelf", actor=ANNA).done_ids == [pk]
    assert recount([pk], reason="Wrong shelf", actor=ANNA).unchanged_ids == [pk]
    row = StockCount.objects.get()
    assert (row.status, row.counted_at, row.counter_id) == ("draft", None, None)
    assert StockCountLine.objects.get().counted is None

    assert cancel_counts([pk], reason="No time", actor=ACTOR).done_ids == [pk]
    assert cancel_counts([pk], reason="No time", actor=ACTOR).unchanged_ids == [pk]
    assert on_hand(sku) == 10
    for verb in (recount, cancel_counts):
        with pytest.raises(NotAllowed):
            verb([pk], reason="x", actor=NOBODY)
    with pytest.raises(NotAllowed):
        approve_counts([pk], actor=NOBODY)
    whole()


@pytest.mark.parametrize("status", CountStatus.values)
def test_count_edges_are_the_table(sku: Sku, place: Location, status: str) -> None:
    at = clock.now()
    row = StockCount.objects.get(pk=counted(place, sku, 10))
    approved = at if status in (CountStatus.APPROVED, CountStatus.UNDONE) else None
    StockCount.objects.filter(pk=row.pk).update(status=status, counted_at=at, approved_at=approved)

    walk_every_edge(
        STOCK_COUNT,
        row,
        status,
        lambda edge: {"approved_at": at} if edge.target == CountStatus.APPROVED else None,
    )
