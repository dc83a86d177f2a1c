"""Promises: placed, filled, given back and shipped, under locked levels."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from config.kernel import clock
from config.kernel.errors import Conflict, IllegalTransition, InvalidInput
from inventory.errors import KitHoldsNoStock, NotEnoughReserved, NotEnoughStock
from inventory.models import Bin, BinStock, Location, Reservation, Sku, StockLevel, StockMovement
from inventory.services.binning import BinMove, move_bin
from inventory.services.levels import lock_levels
from inventory.services.receiving import Receipt, receive_stock
from inventory.services.reservations import (
    Claim,
    Fill,
    Take,
    consume_reservations,
    fill_reservations,
    place_reservations,
    placeable,
    release_reservations,
)
from tests.factories.inventory import ACTOR, make_kit, make_level, make_location, make_sku, receive, reserve

pytestmark = pytest.mark.django_db

Freed = Callable[[], list[int]]
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def sku() -> Sku:
    return make_sku()


@pytest.fixture
def place() -> Location:
    return make_location()


@pytest.fixture
def level(sku: Sku, place: Location) -> StockLevel:
    return make_level(sku, place, on_hand=10)


def figures(level: StockLevel) -> tuple[int, int]:
    level.refresh_from_db()
    return level.on_hand, level.reserved


def claim(level: StockLevel, quantity: int, reference_id: int = 1) -> Claim:
    return Claim(level.sku_id, level.pk, quantity, reference_id, 0, AT)


def place_claims(sku: Sku, *claims: Claim) -> list[Reservation]:
    with transaction.atomic():
        place_reservations("test", claims, levels=lock_levels([sku.pk]))
        return list(Reservation.objects.order_by("pk"))[-len(claims) :]


def fill(sku: Sku, *fills: Fill) -> list[Reservation]:
    with transaction.atomic():
        return fill_reservations(fills, levels=lock_levels([sku.pk]))


def release(sku: Sku, *rows: Reservation, reason: str = "cancelled") -> None:
    with transaction.atomic():
        release_reservations(rows, reason=reason, levels=lock_levels([sku.pk]), actor=ACTOR)


def consume(sku: Sku, *takes: Take) -> None:
    with transaction.atomic():
        levels = lock_levels([sku.pk])
        consume_reservations("test", takes, movement_reference=("shipment", 9), levels=levels, actor=ACTOR)


def test_place_reservations_open_and_waiting(sku: Sku, level: StockLevel, frozen_clock: datetime) -> None:
    waiting = Claim(sku.pk, None, 5, 2, 3, AT, promised_at=AT)

    rows = place_claims(sku, claim(level, 10), waiting)

    assert [(row.state, row.quantity, row.level_id) for row in rows] == [
        ("open", 10, level.pk),
        ("waiting", 5, None),
    ]
    assert (rows[0].opened_at, rows[0].waiting_since) == (frozen_clock, None)
    assert (rows[1].opened_at, rows[1].waiting_since, rows[1].priority) == (None, frozen_clock, 3)
    assert rows[1].promised_at == AT
    assert figures(level) == (10, 10)
    assert level.version == 3


def test_placeable_chooses_what_fits_each_after_those_before_it(
    sku: Sku, place: Location, level: StockLevel
) -> None:
    other, kit = make_sku(), make_sku()
    second = make_level(other, place, on_hand=10)
    reserve(other, None, 8, reference_id=900, queued_at=AT - timedelta(hours=1))
    fit = [
        claim(level, 4, 1), claim(level, 6, 2), Claim(sku.pk, None, 5, 3, 0, AT),
        claim(second, 2, 4),
    ]  # fmt: skip
    unfit = [claim(level, 7, 5), claim(second, 3, 6), claim(second, 1, 7), Claim(kit.pk, None, 1, 8, 0, AT)]

    with transaction.atomic():
        levels = lock_levels([sku.pk, other.pk])
        asked = [fit[0], unfit[0], fit[1], unfit[1], fit[2], fit[3], unfit[2], unfit[3]]
        chosen = placeable("test", asked, levels=levels, kits={kit.pk: kit.code})
        assert chosen == fit
        place_reservations("test", chosen, levels=levels)

    assert (figures(level), figures(second)) == ((10, 10), (10, 2))


def test_place_reservations_brings_locked_levels_up_to_date(sku: Sku, level: StockLevel) -> None:
    with transaction.atomic():
        (locked,) = lock_levels([sku.pk])
        place_reservations("test", [claim(level, 4)], levels=[locked])

    stored = StockLevel.objects.get(pk=level.pk)
    assert (locked.reserved, locked.free, locked.version) == (4, 6, stored.version)


def test_place_reservations_buffer_is_not_free(sku: Sku, place: Location) -> None:
    level = make_level(sku, place, on_hand=10, buffer=3)

    with pytest.raises(NotEnoughStock) as refusal:
        place_claims(sku, claim(level, 8))

    assert refusal.value.facts == {"level_id": level.pk, "free": 7, "asked": 8}
    assert figures(level) == (10, 0)
    assert not Reservation.objects.exists()


def test_place_reservations_where_a_buffer_is_not_covered_nothing_is_free(sku: Sku, place: Location) -> None:
    level = make_level(sku, place, on_hand=1, buffer=3)

    with pytest.raises(NotEnoughStock) as refusal:
        place_claims(sku, claim(level, 1))

    assert refusal.value.facts == {"level_id": level.pk, "free": 0, "asked": 1}


def test_place_reservations_two_claims_share_one_level(sku: Sku, level: StockLevel) -> None:
    with pytest.raises(NotEnoughStock):
        place_claims(sku, claim(level, 6, 1), claim(level, 5, 2))

    place_claims(sku, claim(level, 6, 1), claim(level, 4, 2))
    assert figures(level) == (10, 10)


def test_place_reservations_unfit_claims_are_refused(sku: Sku, level: StockLevel) -> None:
    foreign = make_level(make_sku(), make_location(), on_hand=4)
    kit = make_kit({sku: 2})

    for unfit, error in (
        (claim(level, 0), InvalidInput),
        (Claim(sku.pk, None, 2**31, 1, 0, AT), InvalidInput),
        (Claim(sku.pk, foreign.pk, 1, 1, 0, AT), InvalidInput),
        (Claim(kit.pk, None, 1, 1, 0, AT), KitHoldsNoStock),
    ):
        with pytest.raises(error) as refusal:
            place_claims(sku, claim(level, 1), unfit)

    assert refusal.value.facts == {"sku": kit.code}
    assert not Reservation.objects.exists()
    assert figures(level) == (10, 0)


def test_place_reservations_without_lock_statement_itself_refuses(sku: Sku, level: StockLevel) -> None:
    """Levels read before somebody else took the units: the condition inside the UPDATE holds."""
    stale = list(StockLevel.objects.select_related("location").filter(sku=sku))
    place_claims(sku, claim(level, 8))

    with pytest.raises(Conflict), transaction.atomic():
        place_reservations("test", [claim(level, 3, 2)], levels=stale)

    assert figures(level) == (10, 8)
    assert Reservation.objects.count() == 1


def test_fill_reservations_whole_opens_the_row(sku: Sku, level: StockLevel, frozen_clock: datetime) -> None:
    with clock.frozen(frozen_clock - timedelta(days=2)):
        row = reserve(sku, None, 4)

    (filled,) = fill(sku, Fill(row, level.pk, 4))

    row.refresh_from_db()
    assert filled.pk == row.pk
    assert (row.state, row.level_id, row.opened_at) == ("open", level.pk, frozen_clock)
    assert row.queued_at == row.waiting_since == frozen_clock - timedelta(days=2)
    assert figures(level) == (10, 4)


def test_fill_reservations_part_splits_and_keeps_the_place(sku: Sku, level: StockLevel) -> None:
    row = reserve(sku, None, 14, queued_at=AT, reference_id=7, priority=2)

    (opened,) = fill(sku, Fill(row, level.pk, 10))

    stored = Reservation.objects.get(pk=row.pk)
    assert (row.quantity, row.version) == (stored.quantity, stored.version)

    stored = Reservation.objects.get(pk=row.pk)
    assert (stored.state, stored.quantity) == (row.state, row.quantity) == ("waiting", 4)
    opened.refresh_from_db()
    assert (opened.state, opened.quantity, opened.queued_at, opened.priority) == ("open", 10, AT, 2)
    assert (opened.reference_kind, opened.reference_id) == ("test", 7)
    assert figures(level) == (10, 10)


def test_fill_reservations_answers_in_the_order_asked(sku: Sku, level: StockLevel) -> None:
    first, second = reserve(sku, None, 3, queued_at=AT), reserve(sku, None, 9, queued_at=AT + timedelta(1))

    opened = fill(sku, Fill(second, level.pk, 7), Fill(first, level.pk, 3))

    assert [row.quantity for row in opened] == [7, 3]


def test_fill_reservations_unfit_fills_are_refused(sku: Sku, level: StockLevel) -> None:
    waiting = reserve(sku, None, 12)
    is_open = reserve(sku, None, 1)
    is_open.state = "open"
    foreign = make_level(make_sku(), make_location(), on_hand=40)

    for unfit, error in (
        ([Fill(is_open, level.pk, 1)], IllegalTransition),
        ([Fill(waiting, level.pk, 0)], InvalidInput),
        ([Fill(waiting, level.pk, 13)], InvalidInput),
        ([Fill(waiting, foreign.pk, 1)], InvalidInput),
        ([Fill(waiting, level.pk, 11)], NotEnoughStock),
        ([Fill(waiting, level.pk, 1), Fill(waiting, level.pk, 1)], Conflict),
    ):
        with pytest.raises(error):
            fill(sku, *unfit)

    assert figures(level) == (10, 0)


def test_fill_reservations_stale_reservation_is_refused(sku: Sku, level: StockLevel) -> None:
    row = reserve(sku, None, 5)
    release(sku, Reservation.objects.get(pk=row.pk))

    for quantity in (5, 3):
        with pytest.raises(Conflict):
            fill(sku, Fill(Reservation(**stale(row)), level.pk, quantity))

    assert figures(level) == (10, 0)


def stale(row: Reservation) -> dict[str, object]:
    """A row's columns as they were read: what another process may still hold in memory."""
    return {column.attname: getattr(row, column.attname) for column in row._meta.concrete_fields}


def test_release_reservations_frees_units_and_says_so(
    sku: Sku, place: Location, level: StockLevel, freed: Freed
) -> None:
    held, waiting = reserve(sku, place, 6), reserve(sku, None, 4)
    before = freed()

    release(sku, held, waiting)

    for row in (held, waiting):
        row.refresh_from_db()
        assert (row.state, row.closed_reason) == ("released", "cancelled")
        assert row.closed_at
    assert figures(level) == (10, 0)
    assert freed() == [*before, sku.pk]


def test_release_reservations_twice_is_refused(
    sku: Sku, place: Location, level: StockLevel, freed: Freed
) -> None:
    row = reserve(sku, place, 6)
    as_read = stale(row)
    release(sku, row)
    facts = freed()

    with pytest.raises(IllegalTransition):
        release(sku, row)
    with pytest.raises(Conflict):
        release(sku, Reservation(**as_read))
    with pytest.raises(InvalidInput):
        release(sku, reserve(sku, place, 1), reason="")

    assert figures(level) == (10, 1)
    assert freed() == facts


def test_release_reservations_of_levels_that_are_not_locked_is_refused(
    sku: Sku, place: Location, level: StockLevel
) -> None:
    row = reserve(sku, place, 6)

    with transaction.atomic(), pytest.raises(InvalidInput) as refusal:
        release_reservations([row], reason="cancelled", levels=[], actor=ACTOR)

    assert refusal.value.facts["value"] == [level.pk]
    row.refresh_from_db()
    assert (row.state, figures(level)) == ("open", (10, 6))


def test_release_reservations_keeps_as_much_of_the_reason_as_there_is_room_for(
    sku: Sku, place: Location, level: StockLevel
) -> None:
    row = reserve(sku, place, 6)

    release(sku, row, reason="r" * 41)

    row.refresh_from_db()
    assert row.closed_reason == "r" * 40


def test_consume_reservations_two_documents_empty_the_bins_one_after_the_other(
    sku: Sku, place: Location, level: StockLevel
) -> None:
    shelf = Bin.objects.create(location=place, code="S1", kind="shelf")
    default = Bin.objects.get(location=place, kind="default")
    move = BinMove("k", sku.pk, place.pk, default.pk, shelf.pk, 7)
    move_bin([move], actor=ACTOR).raise_refusals()
    for reference_id in (1, 2):
        reserve(sku, place, 4, reference_id=reference_id)

    consume(sku, *(Take(number, place.pk, 4, ("fulfillment_order", number)) for number in (1, 2)))

    entries = StockMovement.objects.filter(kind="ship").order_by("pk")
    assert list(entries.values_list("reference_id", "bin__code", "delta")) == [
        (1, default.code, -3),
        (1, "S1", -1),
        (2, "S1", -4),
    ]
    assert dict(BinStock.objects.values_list("bin__code", "quantity")) == {default.code: 0, "S1": 2}
    assert figures(level) == (2, 0)


def test_consume_reservations_ships_from_bins_and_ledger(
    sku: Sku, place: Location, level: StockLevel
) -> None:
    row = reserve(sku, place, 6, reference_id=1)

    consume(sku, Take(1, place.pk, 6))

    row.refresh_from_db()
    assert (row.state, row.closed_reason) == ("consumed", "shipped")
    assert figures(level) == (4, 0)
    entry = StockMovement.objects.get(kind="ship")
    assert (entry.delta, entry.balance_after) == (-6, 4)
    assert (entry.reference_kind, entry.reference_id) == ("shipment", 9)
    assert BinStock.objects.get(level=level).quantity == 4


def test_consume_reservations_part_leaves_the_rest_open(sku: Sku, place: Location, level: StockLevel) -> None:
    reserve(sku, place, 6, reference_id=1, queued_at=AT)

    consume(sku, Take(1, place.pk, 2))

    rows = Reservation.objects.order_by("id").values_list("state", "quantity", "queued_at")
    assert list(rows) == [("consumed", 2, AT), ("open", 4, AT)]
    assert figures(level) == (8, 4)


def test_consume_reservations_uses_oldest_rows_first(sku: Sku, place: Location, level: StockLevel) -> None:
    reserve(sku, place, 2, reference_id=1, queued_at=AT + timedelta(1))
    reserve(sku, place, 3, reference_id=1, queued_at=AT)

    consume(sku, Take(1, place.pk, 1), Take(1, place.pk, 3))

    states = Reservation.objects.order_by("id").values_list("state", "quantity")
    assert list(states) == [("consumed", 1), ("consumed", 3), ("open", 1)]


def test_consume_reservations_empties_default_bin_then_the_fullest(sku: Sku, place: Location) -> None:
    small, large = (Bin.objects.create(location=place, code=code) for code in ("A", "B"))
    default = place.bins.get(kind="default")
    receive_stock(
        [
            Receipt("s", sku.pk, place.pk, 3, small.pk),
            Receipt("l", sku.pk, place.pk, 8, large.pk),
            Receipt("d", sku.pk, place.pk, 2),
        ],
        reference=("test", 1),
        actor=ACTOR,
    )
    reserve(sku, place, 12, reference_id=1)

    consume(sku, Take(1, place.pk, 12))

    entries = (
        StockMovement.objects.filter(kind="ship").order_by("id").values_list("bin", "delta", "balance_after")
    )
    assert list(entries) == [(default.pk, -2, 11), (large.pk, -8, 3), (small.pk, -2, 1)]


def test_consume_reservations_more_than_open_is_refused(sku: Sku, place: Location, level: StockLevel) -> None:
    reserve(sku, place, 6, reference_id=417)
    other = make_location()

    for takes in (
        [Take(417, place.pk, 7)],
        [Take(417, place.pk, 4), Take(417, place.pk, 3)],
        [Take(2, place.pk, 1)],
        [Take(417, other.pk, 1)],
        [Take(417, place.pk, 0)],
    ):
        with pytest.raises(NotEnoughReserved) as refusal:
            consume(sku, *takes)

    assert refusal.value.facts == {"found": 6, "asked": 0, "reference_id": 417, "location_id": place.pk}
    consume(sku, Take(417, place.pk, 6))
    with pytest.raises(NotEnoughReserved):
        consume(sku, Take(417, place.pk, 6))
    assert figures(level) == (4, 0)
    assert StockMovement.objects.filter(kind="ship").count() == 1


def test_consume_reservations_units_in_quarantine_bin_are_not_shipped(
    sku: Sku, place: Location, level: StockLevel
) -> None:
    reserve(sku, place, 10, reference_id=1)
    quarantine = place.bins.get(kind="quarantine")
    BinStock.objects.filter(level=level).update(bin=quarantine)

    with pytest.raises(Conflict):
        consume(sku, Take(1, place.pk, 10))

    assert figures(level) == (10, 10)
    receive(sku, place, 10)
    consume(sku, Take(1, place.pk, 10))
