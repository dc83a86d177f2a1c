"""What was booked by mistake is taken back by opposite entries, once, and not where later facts stand on it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import IllegalTransition, InvalidInput, NotAllowed, NotFound, NotYourPlace
from config.kernel.models import Event
from inventory.enums import AdjustmentKind, BinKind, UnsellableReason
from inventory.errors import (
    AlreadyUndone,
    CountedSince,
    NotEnoughUnsellable,
    UndoneSince,
    UnitsMoved,
    UnitsTaken,
)
from inventory.models import (
    Bin,
    BinStock,
    Location,
    Sku,
    StockAdjustment,
    StockCount,
    StockCountLine,
    StockLevel,
    StockMovement,
    StockReceipt,
    TransferLine,
)
from inventory.services.adjustment_booking import AdjustedLine, AdjustmentPlan, book_adjustment
from inventory.services.counts import (
    CountPlan,
    CountSheet,
    Judged,
    approve_counts,
    book_count,
    record_counts,
)
from inventory.services.receipts import ReceivedLine, book_receipt
from inventory.services.transfers import TransferReceipt, TransferUnits, book_transfer, receive_transfers
from inventory.services.transfers import send_transfers as send
from inventory.services.transfers.booking import TransferPlan
from inventory.services.undoing import undo_adjustments, undo_counts, undo_receipts, undo_sending
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, receive, reserve
from tests.inventory.test_correcting import NOBODY

pytestmark = pytest.mark.django_db

Audit = Callable[[], dict[str, list[str]]]
WHY: dict[str, Any] = {"reason": "Typed twice", "actor": ACTOR}


@pytest.fixture
def sku() -> Sku:
    return make_sku()


@pytest.fixture
def place(sku: Sku) -> Location:
    place = make_location()
    make_level(sku, place, 10)
    return place


def level(place: Location) -> StockLevel:
    return StockLevel.objects.get(location=place)


def figures(place: Location) -> tuple[int, int, int, dict[str, int]]:
    """On hand, reserved, set aside, and units by bin."""
    row = level(place)
    bins = BinStock.objects.filter(level=row, quantity__gt=0).values_list("bin__code", "quantity")
    return row.on_hand, row.reserved, row.unsellable, dict(bins)


def receipt(sku: Sku, place: Location, *units: int) -> int:
    lines = [ReceivedLine(sku.pk, some) for some in units]
    return book_receipt(lines, location_id=place.pk, note="DDT", nonce=f"n{units}", actor=ACTOR)


def adjusted(sku: Sku, place: Location, kind: AdjustmentKind, units: int, **more: Any) -> int:
    line = AdjustedLine(sku.pk, units, **more)
    plan = AdjustmentPlan(kind, place.pk, "Seen", (line,), becomes=UnsellableReason.QUARANTINE)
    return book_adjustment(plan, nonce=f"{kind}{units}", actor=ACTOR)


def counted(sku: Sku, place: Location, units: int, *, approve: bool = True) -> int:
    pk = book_count(CountPlan(place.pk, (sku.pk,)), nonce=f"c{units}", actor=ACTOR)
    found = {line.pk: units for line in StockCountLine.objects.filter(count=pk)}
    record_counts([CountSheet(pk, found)], actor=ACTOR).raise_refusals()
    if approve:
        approve_counts([pk], actor=Actor(ActorKind.USER, 8, "ben")).raise_refusals()
    return pk


def test_undo_receipt_posts_the_opposite_and_keeps_both(
    sku: Sku, place: Location, audit: Audit, freed: Callable[[], list[int]]
) -> None:
    before = figures(place)
    pk = receipt(sku, place, 4, 3)
    heard = freed()

    assert undo_receipts([pk], **WHY).done_ids == [pk]

    assert figures(place) == before
    entries = StockMovement.objects.filter(reference_kind="stock_receipt", reference_id=pk).order_by("pk")
    told = [(row.kind, row.delta, row.is_undo, row.reason) for row in entries]
    assert told == [
        ("receive", 4, False, "DDT"),
        ("receive", 3, False, "DDT"),
        ("receive", -7, True, "Typed twice"),
    ]
    assert StockReceipt.objects.get().undone_at is not None
    event = Event.objects.get(kind="undone")
    assert (event.subject_type, event.subject_id, event.facts) == (
        "stock_receipt", pk, {"reason": "Typed twice", "units": 7},
    )  # fmt: skip
    assert freed() == heard
    assert audit() == {}


def test_undo_twice_is_refused_and_moves_nothing_more(sku: Sku, place: Location, audit: Audit) -> None:
    pk = receipt(sku, place, 4)
    undo_receipts([pk], **WHY).raise_refusals()
    moved = StockMovement.objects.count()

    refusal = undo_receipts([pk], **WHY).refusals[pk]

    assert isinstance(refusal, AlreadyUndone)
    assert str(refusal) == f"R-{pk} has been undone already."
    assert StockMovement.objects.count() == moved
    assert Event.objects.filter(kind="undone").count() == 1
    assert audit() == {}


def test_undo_receipt_of_promised_units_is_refused(sku: Sku, place: Location) -> None:
    pk = receipt(sku, place, 4)
    reserve(sku, place, 11)
    moved = StockMovement.objects.count()

    refusal = undo_receipts([pk], **WHY).refusals[pk]

    assert isinstance(refusal, UnitsTaken)
    assert dict(refusal.facts) == {"sku": sku.code, "place": place.name, "asked": 4, "free": 3}
    assert StockMovement.objects.count() == moved
    assert StockReceipt.objects.get().undone_at is None
    assert not Event.objects.filter(kind="undone").exists()


def test_undo_receipt_of_units_in_another_bin_is_refused_until_they_are_back(
    sku: Sku, place: Location
) -> None:
    shelf = Bin.objects.create(location=place, code="S1", kind=BinKind.SHELF)
    default = Bin.objects.get(location=place, kind=BinKind.DEFAULT)
    pk = receipt(sku, place, 4)
    moved = adjusted(sku, place, AdjustmentKind.MOVE, 12, bin_id=default.pk, to_bin_id=shelf.pk)

    refusal = undo_receipts([pk], **WHY).refusals[pk]
    assert isinstance(refusal, UnitsMoved)
    assert dict(refusal.facts) == {"sku": sku.code, "bin": default.code, "found": 2, "asked": 4}

    undo_adjustments([moved], **WHY).raise_refusals()
    undo_receipts([pk], **WHY).raise_refusals()
    assert figures(place) == (10, 0, 0, {default.code: 10})


@pytest.mark.parametrize(
    ("kind", "units", "frees"),
    [
        (AdjustmentKind.CORRECTION, 3, False),
        (AdjustmentKind.CORRECTION, -3, True),
        (AdjustmentKind.SET_ASIDE, 3, True),
        (AdjustmentKind.PUT_BACK, 2, False),
        (AdjustmentKind.SCRAP, 2, False),
        (AdjustmentKind.OTHER_REASON, 2, False),
    ],
)
def test_undo_adjustment_restores_every_kind(
    sku: Sku,
    place: Location,
    audit: Audit,
    freed: Callable[[], list[int]],
    kind: AdjustmentKind,
    units: int,
    frees: bool,
) -> None:
    adjusted(sku, place, AdjustmentKind.SET_ASIDE, 4)
    before, aside = figures(place), level(place).unsellable_rows.get().quantity
    pk = adjusted(sku, place, kind, units)
    heard = freed()

    undo_adjustments([pk], **WHY).raise_refusals()

    assert Event.objects.get(kind="undone").facts["units"] == abs(units)
    assert figures(place) == before
    assert level(place).unsellable_rows.get(reason=UnsellableReason.DAMAGED).quantity == aside
    assert freed() == heard + ([sku.pk] if frees else [])
    assert audit() == {}


def test_undo_set_aside_that_was_written_off_is_refused(sku: Sku, place: Location) -> None:
    pk = adjusted(sku, place, AdjustmentKind.SET_ASIDE, 4)
    adjusted(sku, place, AdjustmentKind.SCRAP, 3)

    assert isinstance(undo_adjustments([pk], **WHY).refusals[pk], NotEnoughUnsellable)
    assert level(place).unsellable == 1


def test_undo_needs_its_own_right_and_the_right_of_the_kind(sku: Sku, place: Location) -> None:
    pk, moved = receipt(sku, place, 4), adjusted(sku, place, AdjustmentKind.CORRECTION, 1)
    picker = Actor(ActorKind.USER, 1, "x", frozenset({"inventory.undo_stockadjustment"}))

    for call, ids in ((undo_receipts, [pk]), (undo_adjustments, [moved])):
        with pytest.raises(NotAllowed):
            call(ids, reason="x", actor=NOBODY)
    assert isinstance(undo_adjustments([moved], reason="x", actor=picker).refusals[moved], NotAllowed)
    with pytest.raises(InvalidInput):
        undo_receipts([pk], reason=" ", actor=ACTOR)
    assert isinstance(undo_receipts([0], **WHY).refusals[0], NotFound)
    assert level(place).on_hand == 15


def test_undo_elsewhere_is_refused(sku: Sku, place: Location) -> None:
    pk, moved = receipt(sku, place, 4), adjusted(sku, place, AdjustmentKind.CORRECTION, 1)
    other = Actor(ActorKind.USER, 1, "x", None, frozenset({make_location().pk}))

    assert isinstance(undo_receipts([pk], reason="x", actor=other).refusals[pk], NotFound)
    assert isinstance(undo_adjustments([moved], reason="x", actor=other).refusals[moved], NotFound)


def test_undo_adjustment_at_two_places_needs_both(sku: Sku, place: Location) -> None:
    from inventory.services.correcting import Adjustment, adjust_stock

    shop = make_location()
    lines = [Adjustment("a", sku.pk, place.pk, 1), Adjustment("b", sku.pk, shop.pk, 1)]
    adjust_stock(lines, reason="Found", actor=ACTOR).raise_refusals()
    pk = StockAdjustment.objects.get().pk
    bound = Actor(ActorKind.USER, 1, "x", None, frozenset({place.pk}))

    assert isinstance(undo_adjustments([pk], reason="x", actor=bound).refusals[pk], NotYourPlace)
    assert level(shop).on_hand == 1


@pytest.mark.parametrize("approve", [True, False])
def test_undo_of_what_a_count_has_seen_is_refused(sku: Sku, place: Location, approve: bool) -> None:
    pk = receipt(sku, place, 4)
    number = StockCount.objects.get(pk=counted(sku, place, 10, approve=approve)).number

    refusal = undo_receipts([pk], **WHY).refusals[pk]

    assert isinstance(refusal, CountedSince)
    assert refusal.facts["count"] == number
    later = receipt(sku, place, 2)
    assert undo_receipts([later], **WHY).done_ids == [later]


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (AdjustmentKind.SCRAP, {}),
        (AdjustmentKind.OTHER_REASON, {}),
        (AdjustmentKind.MOVE, {"bin_id": "DEFAULT", "to_bin_id": "S1"}),
    ],
)
def test_undo_of_what_no_count_looks_at_goes_on_after_one(
    sku: Sku, place: Location, audit: Audit, kind: AdjustmentKind, more: dict[str, str]
) -> None:
    """Counted is what is for sale: neither its bins nor what is set aside."""
    Bin.objects.create(location=place, code="S1", kind=BinKind.SHELF)
    Bin.objects.filter(location=place, kind=BinKind.DEFAULT).update(code="DEFAULT")
    ids = dict(Bin.objects.filter(location=place).values_list("code", "pk"))
    adjusted(sku, place, AdjustmentKind.SET_ASIDE, 4)
    pk = adjusted(sku, place, kind, 2, **{name: ids[code] for name, code in more.items()})
    counted(sku, place, 6)
    sellable = level(place).unpromised

    assert undo_adjustments([pk], **WHY).done_ids == [pk]

    assert level(place).unpromised == sellable == 6
    assert audit() == {}


def test_undo_count_takes_back_what_it_corrected_and_another_count_may_follow(
    sku: Sku, place: Location, audit: Audit
) -> None:
    before = figures(place)
    pk = counted(sku, place, 6)
    assert level(place).on_hand == 6

    assert undo_counts([pk], **WHY).done_ids == [pk]

    assert figures(place) == before
    count = StockCount.objects.get()
    assert (count.status, count.lines.get().counted) == ("undone", 6)
    assert Event.objects.get(subject_type="stock_count", kind="undo").facts["reason"] == "Typed twice"
    assert isinstance(undo_counts([pk], **WHY).refusals[pk], AlreadyUndone)
    assert audit() == {}
    counted(sku, place, 9)
    assert level(place).on_hand == 9
    assert audit() == {}


@pytest.mark.parametrize("is_same", [True, False])
def test_undo_of_a_correction_that_an_approved_count_took_for_its_own_is_refused(
    sku: Sku, place: Location, audit: Audit, is_same: bool
) -> None:
    pk = counted(sku, place, 8, approve=False)
    by_hand = adjusted(sku, place, AdjustmentKind.CORRECTION, -2)
    judged = {StockCountLine.objects.get().pk: Judged(-2, is_same)}
    approve_counts([pk], judged=judged, actor=Actor.system("other")).raise_refusals()

    results = undo_adjustments([by_hand], **WHY)

    assert isinstance(results.refusals.get(by_hand), CountedSince) == is_same
    assert level(place).on_hand == 8
    assert audit() == {}


def test_undo_count_before_a_later_one_or_before_approval_is_refused(sku: Sku, place: Location) -> None:
    first = counted(sku, place, 8)
    waiting = counted(sku, place, 7, approve=False)

    assert isinstance(undo_counts([first], **WHY).refusals[first], CountedSince)
    assert isinstance(undo_counts([waiting], **WHY).refusals[waiting], IllegalTransition)
    with pytest.raises(NotAllowed):
        undo_counts([first], reason="x", actor=NOBODY)
    assert level(place).on_hand == 8


def test_count_of_a_moment_before_an_undo_is_refused(sku: Sku, place: Location) -> None:
    from config.kernel import clock

    pk = receipt(sku, place, 4)
    moment = clock.now()
    undo_receipts([pk], **WHY).raise_refusals()
    count = book_count(CountPlan(place.pk, (sku.pk,)), nonce="n", actor=ACTOR)
    found = {line.pk: 10 for line in StockCountLine.objects.filter(count=count)}

    refused = record_counts([CountSheet(count, found, moment)], actor=ACTOR).refusals[count]

    assert isinstance(refused, UndoneSince)
    assert record_counts([CountSheet(count, found)], actor=ACTOR).done_ids == [count]
    assert StockCountLine.objects.get().variance == 0


def test_undo_sending_makes_a_draft_that_can_be_sent_again(
    sku: Sku, place: Location, audit: Audit, freed: Callable[[], list[int]]
) -> None:
    shelf = Bin.objects.create(location=place, code="S1", kind=BinKind.SHELF)
    default = Bin.objects.get(location=place, kind=BinKind.DEFAULT)
    adjusted(sku, place, AdjustmentKind.MOVE, 8, bin_id=default.pk, to_bin_id=shelf.pk)
    before, shop = figures(place), make_location()
    plan = TransferPlan(place.pk, shop.pk, (TransferUnits(sku.pk, 5),))
    pk = book_transfer(plan, nonce="n", actor=ACTOR)
    assert isinstance(undo_sending([pk], **WHY).refusals[pk], IllegalTransition)
    for _turn in range(2):
        send([pk], actor=ACTOR).raise_refusals()

        assert undo_sending([pk], **WHY).done_ids == [pk]

        assert figures(place) == before
        assert TransferLine.objects.get().sent == 0
        assert freed()[-1:] == [sku.pk]
        assert audit() == {}
    assert isinstance(undo_sending([pk], **WHY).refusals[pk], IllegalTransition)

    send([pk], actor=ACTOR).raise_refusals()
    receive_transfers([TransferReceipt(pk)], actor=ACTOR).raise_refusals()
    assert isinstance(undo_sending([pk], **WHY).refusals[pk], IllegalTransition)
    with pytest.raises(NotAllowed):
        undo_sending([pk], reason="x", actor=NOBODY)
    bound = Actor(ActorKind.USER, 1, "x", None, frozenset({shop.pk}))
    assert isinstance(undo_sending([pk], reason="x", actor=bound).refusals[pk], NotYourPlace)
    assert level(shop).on_hand == 5


def test_undo_many_judges_each_by_what_the_others_leave(sku: Sku, place: Location, audit: Audit) -> None:
    first, second = receipt(sku, place, 4), receipt(sku, place, 5)
    reserve(sku, place, 13)

    results = undo_receipts([second, first, 0], **WHY)

    assert results.done_ids == [second]
    assert isinstance(results.refusals[first], UnitsTaken)
    assert isinstance(results.refusals[0], NotFound)
    assert level(place).on_hand == 14
    assert audit() == {}


def test_undo_costs_the_same_statements_for_one_and_many(
    sku: Sku, place: Location, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for size in (1, 5):
        ids = [receipt(sku, place, size, number) for number in range(1, size + 1)]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            undo_receipts(ids, **WHY).raise_refusals()
        counts.append(len(captured))

    assert counts[0] == counts[1] <= 22


def test_undone_document_that_left_something_is_seen(
    sku: Sku, place: Location, audit: Audit, unguarded: Any
) -> None:
    pk = receipt(sku, place, 4)
    StockReceipt.objects.filter(pk=pk).update(undone_at=StockReceipt.objects.get().received_at)
    assert audit() == {"stock.undone": [f"stock_receipt:{pk}"]}

    StockReceipt.objects.filter(pk=pk).update(undone_at=None)
    undo_receipts([pk], **WHY).raise_refusals()
    StockReceipt.objects.filter(pk=pk).update(undone_at=None)
    assert audit() == {"stock.undone": [f"stock_receipt:{pk}"]}


def test_ledger_refuses_to_change_also_after_the_new_column(sku: Sku, place: Location) -> None:
    receive(sku, place, 1)

    with pytest.raises(IntegrityError), transaction.atomic():
        StockMovement.objects.update(is_undo=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        StockMovement.objects.all().delete()
