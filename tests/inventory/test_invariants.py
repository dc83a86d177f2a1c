"""Each invariant of the room is broken by hand once, and seen."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.db import IntegrityError, connection, transaction

from config.kernel import clock
from config.kernel.errors import Conflict
from inventory.enums import MovementKind, UnsellableReason
from inventory.models import Barcode, Bin, Reservation, Sku, StockLevel, StockMovement
from inventory.services import movements
from inventory.services.levels import lock_levels
from inventory.services.movements import Cause, Posting, post_movements
from inventory.services.returning import ReturnedGoods, take_back_into_quarantine
from tests.factories.inventory import ACTOR, make_kit, make_level, make_location, make_sku, receive, reserve

pytestmark = pytest.mark.django_db

Audit = Callable[[], dict[str, list[str]]]
Lift = Callable[..., AbstractContextManager[None]]
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def level() -> StockLevel:
    """Ten units, four of them promised, and two more in quarantine."""
    sku, place = make_sku(), make_location()
    make_level(sku, place, on_hand=10)
    reserve(sku, place, 4)
    goods = [ReturnedGoods("r", sku.pk, place.pk, 2)]
    take_back_into_quarantine(goods, reference=("return", 1), actor=ACTOR).raise_refusals()
    return StockLevel.objects.get(sku=sku)


def run(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def test_audit_of_sound_stock_is_clean(level: StockLevel, audit: Audit) -> None:
    make_kit({level.sku: 2})
    reserve(level.sku, None, 50)

    assert audit() == {}


DAMAGE = {
    "on hand": (
        "UPDATE inventory_stocklevel SET on_hand = on_hand + 1 WHERE id = %s",
        {"stock.on_hand_ledger", "stock.on_hand_bins"},
    ),
    "bins": (
        "UPDATE inventory_binstock SET quantity = quantity + 1 WHERE level_id = %s",
        {"stock.on_hand_bins", "stock.bin_ledger", "stock.quarantine_bin"},
    ),
    "reserved": ("UPDATE inventory_stocklevel SET reserved = reserved - 1 WHERE id = %s", {"stock.reserved"}),
    "reservation": (
        "UPDATE inventory_reservation SET quantity = quantity + 1 WHERE level_id = %s",
        {"stock.reserved"},
    ),
    "unsellable": (
        "UPDATE inventory_stocklevel SET unsellable = unsellable - 1 WHERE id = %s",
        {"stock.unsellable", "stock.quarantine_bin"},
    ),
    "reasons": (
        "UPDATE inventory_unsellablestock SET quantity = quantity + 1 WHERE level_id = %s",
        {"stock.unsellable", "stock.unsellable_ledger"},
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_figure_that_drifts_from_its_sum_is_found(level: StockLevel, audit: Audit, what: str) -> None:
    sql, codes = DAMAGE[what]

    run(sql, level.pk)

    assert set(audit()) == codes


def test_movement_that_vanishes_is_found(level: StockLevel, audit: Audit, unguarded: Lift) -> None:
    entry = StockMovement.objects.get(kind="return")

    with pytest.raises(IntegrityError), transaction.atomic():
        run("DELETE FROM inventory_stockmovement WHERE id = %s", entry.pk)
    with unguarded():
        run("DELETE FROM inventory_stockmovement WHERE id = %s", entry.pk)

    assert set(audit()) == {
        "stock.on_hand_ledger",
        "stock.bin_ledger",
        "stock.unsellable",
        "stock.unsellable_ledger",
    }


def test_balance_that_does_not_follow_is_found(level: StockLevel, audit: Audit, unguarded: Lift) -> None:
    entry = StockMovement.objects.get(kind="receive")

    with unguarded():
        run("UPDATE inventory_stockmovement SET balance_after = 9 WHERE id = %s", entry.pk)

    assert audit() == {"stock.balance_chain": [f"stock_movement:{entry.pk}"]}


def test_promise_beyond_hand_is_found(level: StockLevel, audit: Audit, unguarded: Lift) -> None:
    sql = "UPDATE inventory_stocklevel SET reserved = 11 WHERE id = %s"

    with pytest.raises(IntegrityError), transaction.atomic():
        run(sql, level.pk)
    with unguarded("inventory_stocklevel", "stock_level_promises_held"):
        run(sql, level.pk)
        found = audit()

    assert found["stock.within_hand"] == [f"stock_level:{level.pk}"]


def wait_then_overtake(sku: Sku) -> tuple[Reservation, Reservation]:
    """One waits, stock comes, and an open reservation behind it is made to look taken later."""
    with clock.frozen(AT):
        waiting = reserve(sku, None, 9, queued_at=AT)
    open_row = Reservation.objects.get(sku=sku, state="open")
    later = clock.now() + timedelta(hours=1)  # after all that the fixture moved
    Reservation.objects.filter(pk=open_row.pk).update(queued_at=later, opened_at=later)
    return waiting, open_row


def test_overtaken_reservation_is_found(level: StockLevel, audit: Audit) -> None:
    _waiting, taken = wait_then_overtake(level.sku)

    assert audit() == {"stock.queue": [f"reservation:{taken.pk}"]}


@pytest.mark.parametrize(
    "case", ["before it waited", "older place", "other priority", "same reference", "closed place"]
)
def test_fair_reservation_is_not_accused(level: StockLevel, audit: Audit, case: str) -> None:
    waiting, taken = wait_then_overtake(level.sku)
    row = Reservation.objects.filter(pk=taken.pk)

    if case == "before it waited":
        Reservation.objects.filter(pk=waiting.pk).update(waiting_since=clock.now() + timedelta(hours=2))
    elif case == "older place":
        row.update(queued_at=AT - timedelta(hours=1))
    elif case == "other priority":
        row.update(priority=1)
    elif case == "same reference":
        row.update(reference_id=waiting.reference_id)
    else:
        type(level.location).objects.filter(pk=level.location_id).update(can_ship=False)

    assert audit() == {}


def test_location_without_its_bins_is_found(audit: Audit) -> None:
    place = make_location()

    place.bins.all().delete()

    assert audit() == {"stock.bins": [f"location:{place.pk}"] * 2}


def test_bin_of_another_location_is_found(level: StockLevel, audit: Audit) -> None:
    other = make_location().bins.get(kind="default")

    run("UPDATE inventory_bin SET kind = 'shelf', code = 'X' WHERE id = %s", other.pk)
    default = level.location.bins.get(kind="default")
    run("UPDATE inventory_bin SET location_id = %s WHERE id = %s", other.location_id, default.pk)

    found = audit()
    assert len(found["stock.bin_ledger"]) == 1
    assert found["stock.bins"] == [f"location:{level.location_id}"]


def test_kits_that_break_their_rules_are_found(level: StockLevel, audit: Audit) -> None:
    kit = make_kit({make_sku(): 1})
    run("UPDATE inventory_sku SET is_kit = %s WHERE id = %s", True, level.sku_id)

    assert audit() == {"stock.kits": [f"sku:{level.sku_id}"] * 2}

    run("UPDATE inventory_kitpart SET part_id = %s WHERE kit_id = %s", level.sku_id, kit.pk)

    assert audit() == {"stock.kits": [f"sku:{level.sku_id}"] * 2 + [f"sku:{kit.pk}"]}


def test_barcode_that_is_another_skus_code_is_found(level: StockLevel, audit: Audit) -> None:
    sku = make_sku("MUG")
    Barcode.objects.create(sku=sku, code="MUG")
    Barcode.objects.create(sku=make_sku("CUP"), code="800")

    assert audit() == {}

    Barcode.objects.create(sku=sku, code="CUP")

    assert audit() == {"stock.codes": [f"sku:{sku.pk}"]}


def test_closed_reservation_without_reason_is_found(level: StockLevel, audit: Audit) -> None:
    waiting = reserve(level.sku, None, 3)
    run(
        "UPDATE inventory_reservation SET state = 'released', closed_at = queued_at WHERE id = %s", waiting.pk
    )

    assert audit() == {"stock.closed_reservations": [f"reservation:{waiting.pk}"]}


def test_reservation_with_a_level_of_another_sku_is_found(level: StockLevel, audit: Audit) -> None:
    other = make_sku()
    receive(other, level.location, 1)

    run("UPDATE inventory_reservation SET sku_id = %s WHERE level_id = %s", other.pk, level.pk)

    assert set(audit()) == {"stock.reservation_level"}


def out_of_quarantine(level: StockLevel) -> None:
    """Set-aside units, on the first shelf that a picker empties."""
    bins = {row.kind: row.pk for row in Bin.objects.filter(location=level.location)}
    moves = [
        Posting(level.pk, bins["quarantine"], MovementKind.MOVE, delta=-1),
        Posting(level.pk, bins["default"], MovementKind.MOVE, delta=1),
    ]
    with transaction.atomic():
        post_movements(moves, levels=lock_levels([level.sku_id]), cause=Cause(("test", 1), ACTOR))


def test_units_that_are_set_aside_are_not_moved_out_of_quarantine(level: StockLevel, audit: Audit) -> None:
    with pytest.raises(Conflict):
        out_of_quarantine(level)

    assert audit() == {}


def test_units_that_are_set_aside_and_lie_elsewhere_are_found(level: StockLevel, audit: Audit) -> None:
    with mock.patch.object(movements, "_refuse_mingling"):
        out_of_quarantine(level)

    assert audit() == {"stock.quarantine_bin": [f"stock_level:{level.pk}"]}


def test_units_set_aside_without_being_moved_are_refused(level: StockLevel) -> None:
    place = Bin.objects.get(location=level.location, kind="default").pk
    aside = Posting(
        level.pk,
        place,
        MovementKind.SET_ASIDE,
        unsellable_delta=1,
        unsellable_reason=UnsellableReason.DAMAGED,
    )

    with pytest.raises(Conflict), transaction.atomic():
        post_movements([aside], levels=lock_levels([level.sku_id]), cause=Cause(("test", 1), ACTOR))
