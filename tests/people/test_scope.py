"""Verbs refuse what their actor does not see as if it did not exist, and write nothing."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from config.kernel.actors import Actor
from config.kernel.errors import NotFound, NotYourPlace
from fulfillment.enums import FulfillmentOrderStatus
from fulfillment.services.cancelling import cancel_fulfillment_orders
from fulfillment.services.shipping import ship_by_hand
from inventory.enums import AdjustmentKind
from inventory.models import Location, StockAdjustment, StockCount, StockMovement, StockReceipt, Transfer
from inventory.selectors.waterfall import waterfall
from inventory.services.adjustment_booking import AdjustedLine, AdjustmentPlan, book_adjustment
from inventory.services.counts import CountPlan, book_count
from inventory.services.policies import LevelPolicy, set_policies
from inventory.services.receipts import ReceivedLine, book_receipt
from inventory.services.receiving import Receipt, receive_stock
from inventory.services.transfers import (
    TransferReceipt,
    TransferUnits,
    book_transfer,
    receive_transfers,
    send_transfers,
)
from inventory.services.transfers.booking import TransferPlan
from orders.models import Note
from orders.services.noting import add_note
from returns.models import Rma
from returns.services.receiving import receive_returns
from tests.factories.fulfillment import hand, make_released
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku
from tests.factories.returns import make_approved, receipt

pytestmark = pytest.mark.django_db


def bound_to(*locations: Location) -> Actor:
    """A superuser's rights, at some locations only: what is refused is refused by the place."""
    user = get_user_model().objects.create_user(f"staff-{get_user_model().objects.count()}")
    actor = Actor.for_user(user)
    return Actor(actor.kind, user.pk, "", None, frozenset(one.pk for one in locations))


def test_ship_and_cancel_work_elsewhere_answer_not_found() -> None:
    work, there = make_released(), make_location()
    actor = bound_to(there)

    shipped = ship_by_hand([hand(work)], actor=actor)
    cancelled = cancel_fulfillment_orders([work.pk], actor=actor)

    assert [type(results.refusals[work.pk]) for results in (shipped, cancelled)] == [NotFound, NotFound]
    work.refresh_from_db()
    assert work.status == FulfillmentOrderStatus.RELEASED
    assert ship_by_hand([hand(work)], actor=bound_to(work.location)).done_ids == [work.pk]


def test_note_on_an_order_elsewhere_answers_not_found() -> None:
    work = make_released()

    results = add_note([work.order_id], text="Fragile", actor=bound_to(make_location()))

    assert isinstance(results.refusals[work.order_id], NotFound)
    assert not Note.objects.exists()


def test_receive_elsewhere_is_refused_by_document_and_by_line() -> None:
    here, there, sku = make_location(), make_location(), make_sku()
    actor = bound_to(here)

    with pytest.raises(NotFound):
        book_receipt([ReceivedLine(sku.pk, 3)], location_id=there.pk, note="", nonce="n", actor=actor)
    lines = [Receipt("a", sku.pk, here.pk, 1), Receipt("b", sku.pk, there.pk, 1)]
    results = receive_stock(lines, reference=("test", 1), actor=actor)

    assert results.done_ids == ["a"]
    assert isinstance(results.refusals["b"], NotFound)
    assert not StockReceipt.objects.exists()
    assert list(StockMovement.objects.values_list("level__location_id", flat=True)) == [here.pk]


def test_correct_count_and_policy_elsewhere_are_refused() -> None:
    here, there, sku = make_location(), make_location(), make_sku()
    make_level(sku, there, 5)
    actor = bound_to(here)
    plan = AdjustmentPlan(AdjustmentKind.CORRECTION, there.pk, "lost", (AdjustedLine(sku.pk, -1),))

    with pytest.raises(NotFound):
        book_adjustment(plan, nonce="n", actor=actor)
    with pytest.raises(NotFound):
        book_count(CountPlan(there.pk, (sku.pk,)), nonce="n", actor=actor)
    policy = set_policies([LevelPolicy(sku.pk, there.pk, buffer=1, reorder_point=0, target=0)], actor=actor)

    assert isinstance(policy.refusals[sku.pk, there.pk], NotFound)
    assert not StockAdjustment.objects.exists()
    assert not StockCount.objects.exists()


def test_transfer_is_sent_at_its_origin_and_received_at_its_destination() -> None:
    here, there, sku = make_location(), make_location(), make_sku()
    make_level(sku, here, 5)
    plan = TransferPlan(here.pk, there.pk, (TransferUnits(sku.pk, 2),))
    sender, receiver, stranger = bound_to(here), bound_to(there), bound_to(make_location())

    with pytest.raises(NotFound):
        book_transfer(plan, nonce="n", actor=receiver)
    pk = book_transfer(plan, nonce="n", actor=sender)

    assert isinstance(send_transfers([pk], actor=receiver).refusals[pk], NotYourPlace)
    assert isinstance(send_transfers([pk], actor=stranger).refusals[pk], NotFound)
    assert send_transfers([pk], actor=sender).done_ids == [pk]
    told = [TransferReceipt(pk, {})]
    assert isinstance(receive_transfers(told, actor=sender).refusals[pk], NotYourPlace)
    assert receive_transfers(told, actor=receiver).done_ids == [pk]
    assert Transfer.objects.get().status == "received"


def test_return_that_comes_back_elsewhere_answers_not_found() -> None:
    rma = make_approved()

    results: Any = receive_returns([receipt(rma)], actor=bound_to(make_location()))

    assert isinstance(results.refusals[rma.pk], NotFound)
    assert Rma.objects.get().received_at is None


def test_waterfall_puts_other_locations_in_one_row_and_still_sums_up() -> None:
    here, there, sku = make_location("HERE"), make_location("THERE"), make_sku()
    make_level(sku, here, 3)
    make_level(sku, there, 5, buffer=1)

    told = waterfall(sku.pk, actor=bound_to(here))

    assert [(row.kind, row.quantity) for row in told.rows] == [("on_hand", 3), ("elsewhere", 4)]
    assert told.available == waterfall(sku.pk, actor=ACTOR).available == 7
    assert not any("THERE" in row.label for row in told.rows)
