"""Each invariant of the stock room's documents is broken by hand once, and seen."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.db import connection

from config.kernel.actors import Actor, ActorKind
from inventory.models import Location, Sku, StockCount, StockCountLine, StockMovement, Transfer
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.counts import CountPlan, CountSheet, approve_counts, book_count, record_counts
from inventory.services.transfers import (
    TransferReceipt,
    TransferUnits,
    book_transfer,
    receive_transfers,
    send_transfers,
)
from inventory.services.transfers.booking import TransferPlan
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku

pytestmark = pytest.mark.django_db

Audit = Callable[[], dict[str, list[str]]]
Lift = Callable[..., AbstractContextManager[None]]


def run(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


@pytest.fixture
def sku() -> Sku:
    return make_sku()


@pytest.fixture
def place(sku: Sku) -> Location:
    place = make_location()
    make_level(sku, place, 10)
    return place


def transfer(sku: Sku, place: Location, *, received: bool) -> Transfer:
    plan = TransferPlan(place.pk, make_location().pk, (TransferUnits(sku.pk, 4),))
    pk = book_transfer(plan, nonce="n", actor=ACTOR)
    send_transfers([pk], actor=ACTOR).raise_refusals()
    if received:
        receive_transfers([TransferReceipt(pk)], actor=ACTOR).raise_refusals()
    return Transfer.objects.get(pk=pk)


@pytest.mark.parametrize(
    ("damage", "codes"),
    [
        ("sent = sent + 1", {"stock.transfers", "stock.in_transit"}),
        ("received = received - 1, lost = 1", {"stock.transfers", "stock.in_transit"}),
        ("lost = 1, received = 3", {"stock.transfers", "stock.in_transit"}),
        ("received = 3", {"stock.transfers", "stock.in_transit"}),
    ],
)
def test_transfer_that_tells_another_story_than_the_ledger_is_seen(
    sku: Sku, place: Location, audit: Audit, damage: str, codes: set[str]
) -> None:
    row = transfer(sku, place, received=True)
    assert audit() == {}

    run(f"UPDATE inventory_transferline SET {damage} WHERE transfer_id = %s", row.pk)

    assert audit() == {code: [f"transfer:{row.pk}"] for code in codes}


def test_transfer_that_came_back_to_draft_is_seen(sku: Sku, place: Location, audit: Audit) -> None:
    row = transfer(sku, place, received=False)

    run("UPDATE inventory_transfer SET status = 'draft' WHERE id = %s", row.pk)

    assert audit() == {"stock.in_transit": [f"transfer:{row.pk}"]}


def approved(sku: Sku, place: Location, units: int, *, approver: Actor) -> StockCount:
    counter = Actor(ActorKind.USER, 7, "anna", frozenset({"inventory.count_stock"}))
    pk = book_count(CountPlan(place.pk, (sku.pk,)), nonce="n", actor=counter)
    found = {line.pk: units for line in StockCountLine.objects.filter(count=pk)}
    record_counts([CountSheet(pk, found)], actor=counter).raise_refusals()
    approve_counts([pk], actor=approver).raise_refusals()
    return StockCount.objects.get(pk=pk)


def test_count_that_corrected_something_else_is_seen(sku: Sku, place: Location, audit: Audit) -> None:
    row = approved(sku, place, 8, approver=ACTOR)
    assert audit() == {}

    run("UPDATE inventory_stockcountline SET counted = 9 WHERE count_id = %s", row.pk)

    assert audit() == {"stock.counts": [f"stock_count:{row.pk}"]}


def test_count_that_corrected_before_approval_is_seen(sku: Sku, place: Location, audit: Audit) -> None:
    row = approved(sku, place, 8, approver=ACTOR)

    run("UPDATE inventory_stockcount SET status = 'counted', approved_at = NULL WHERE id = %s", row.pk)

    assert audit() == {"stock.counts": [f"stock_count:{row.pk}"]}


def test_large_variance_approved_by_the_counter_is_seen(sku: Sku, place: Location, audit: Audit) -> None:
    row = approved(sku, place, 2, approver=Actor(ActorKind.USER, 8, "ben"))
    assert audit() == {}

    run("UPDATE inventory_stockcount SET counter_id = 8 WHERE id = %s", row.pk)

    assert audit() == {"stock.count_approver": [f"stock_count:{row.pk}"]}


def test_large_variance_approved_by_the_same_job_is_seen(sku: Sku, place: Location, audit: Audit) -> None:
    row = approved(sku, place, 2, approver=ACTOR)
    job = "UPDATE inventory_stockcount SET counter_kind = 'system', counter_id = NULL, counter_label = %s"
    run(f"{job} WHERE id = %s", "another", row.pk)
    assert audit() == {}

    run(f"{job} WHERE id = %s", ACTOR.label, row.pk)

    assert audit() == {"stock.count_approver": [f"stock_count:{row.pk}"]}


def test_adjustment_that_moved_nothing_or_says_no_reason_is_seen(
    sku: Sku, place: Location, audit: Audit
) -> None:
    line = Adjustment("k", sku.pk, place.pk, 1)
    adjust_stock([line], reason="Found", actor=ACTOR).raise_refusals()
    assert audit() == {}

    run("UPDATE inventory_stockadjustment SET reason = ''")
    assert list(audit()) == ["stock.adjustments"]
    run("UPDATE inventory_stockadjustment SET id = id + 1, reason = 'x'")
    assert list(audit()) == ["stock.causes", "stock.adjustments"]


@pytest.mark.parametrize(
    "damage",
    [
        "reference_kind = 'stock_receipt'",
        "reference_kind = 'stock_count'",
        "reference_kind = 'transfer', kind = 'transfer_out'",
        "kind = 'scrap'",
        "reference_id = reference_id + 1",
    ],
)
def test_movement_that_its_document_cannot_have_made_is_seen(
    sku: Sku, place: Location, audit: Audit, unguarded: Lift, damage: str
) -> None:
    adjust_stock([Adjustment("k", sku.pk, place.pk, 1)], reason="Found", actor=ACTOR).raise_refusals()
    entry = StockMovement.objects.latest("pk")
    assert audit() == {}

    with unguarded():
        run(f"UPDATE inventory_stockmovement SET {damage} WHERE id = %s", entry.pk)
        found = audit()

    assert found.pop("stock.causes") == [f"stock_movement:{entry.pk}"]
    assert set(found) <= {"stock.adjustments"}


def test_movement_of_a_transfer_at_another_place_or_of_another_sku_is_seen(
    sku: Sku, place: Location, audit: Audit, unguarded: Lift
) -> None:
    row = transfer(sku, place, received=True)
    other = make_sku()
    make_level(other, place, 5)
    adjust_stock([Adjustment("k", other.pk, place.pk, 1)], reason="Found", actor=ACTOR).raise_refusals()
    entry = StockMovement.objects.latest("pk")
    assert audit() == {}

    with unguarded():
        document = "reference_kind = 'transfer', kind = 'transfer_in', reference_id = %s"
        run(f"UPDATE inventory_stockmovement SET {document} WHERE id = %s", row.pk, entry.pk)
        found = audit()

    assert found["stock.causes"] == [f"stock_movement:{entry.pk}"]
