"""Transfers: planned, sent, in transit, received in whole or part, called back."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import IllegalTransition, InvalidInput, KeyReused, NotAllowed, NotFound
from config.kernel.models import Event
from inventory.enums import TransferStatus
from inventory.errors import (
    KitHoldsNoStock,
    LineRefused,
    LocationClosed,
    LossUnexplained,
    MoreThanSent,
    NotEnoughStock,
    QueueJumped,
    SkuHoldsStock,
)
from inventory.models import Location, Sku, StockLevel, StockMovement, Transfer, TransferLine
from inventory.selectors.stock import available_to_sell
from inventory.selectors.transit import incoming_units
from inventory.services.catalogue import PartOfKit, save_kits
from inventory.services.transfers import (
    TransferReceipt,
    TransferUnits,
    book_transfer,
    cancel_transfers,
    receive_transfers,
    send_transfers,
)
from inventory.services.transfers.booking import TransferPlan
from inventory.states import TRANSFER
from tests.factories.inventory import ACTOR, make_kit, make_level, make_location, make_sku, reserve
from tests.fulfillment.matrix import walk_every_edge

pytestmark = pytest.mark.django_db
NOBODY = Actor(ActorKind.USER, 1, "x", frozenset())


@pytest.fixture
def sku() -> Sku:
    return make_sku()


@pytest.fixture
def origin(sku: Sku) -> Location:
    place = make_location()
    make_level(sku, place, 10)
    return place


@pytest.fixture
def shop() -> Location:
    return make_location()


def plan(origin: Location, shop: Location, *units: tuple[Sku, int], nonce: str = "n") -> int:
    lines = tuple(TransferUnits(sku.pk, quantity) for sku, quantity in units)
    return book_transfer(TransferPlan(origin.pk, shop.pk, lines, "For Saturday"), nonce=nonce, actor=ACTOR)


def sent(origin: Location, shop: Location, *units: tuple[Sku, int], nonce: str = "n") -> Transfer:
    pk = plan(origin, shop, *units, nonce=nonce)
    send_transfers([pk], actor=ACTOR).raise_refusals()
    return Transfer.objects.get(pk=pk)


def figures(sku: Sku, place: Location) -> tuple[int, int]:
    level = StockLevel.objects.get(sku=sku, location=place)
    return level.on_hand, level.free


def whole() -> None:
    assert [finding.violations for finding in run_audit() if finding.violations] == []


def test_transfer_travels_from_draft_to_received(
    sku: Sku, origin: Location, shop: Location, freed: Callable[[], list[int]]
) -> None:
    pk = plan(origin, shop, (sku, 3), (sku, 1))
    transfer = Transfer.objects.get(pk=pk)
    assert (transfer.status, transfer.number[:2], transfer.note) == ("draft", "T-", "For Saturday")
    assert figures(sku, origin) == (10, 10)
    whole()

    assert send_transfers([pk], actor=ACTOR).done_ids == [pk]
    assert send_transfers([pk], actor=ACTOR).unchanged_ids == [pk]
    assert figures(sku, origin) == (6, 6)
    assert not StockLevel.objects.filter(sku=sku, location=shop).exists()
    assert incoming_units([sku.pk]) == {(sku.pk, shop.pk): 4}
    assert available_to_sell([sku.pk]) == {sku.pk: 6}
    whole()

    before = len(freed())
    assert receive_transfers([TransferReceipt(pk)], actor=ACTOR).done_ids == [pk]
    assert receive_transfers([TransferReceipt(pk)], actor=ACTOR).unchanged_ids == [pk]
    assert figures(sku, shop) == (4, 4)
    assert incoming_units([sku.pk]) == {}
    assert freed()[before:] == [sku.pk]
    entries = StockMovement.objects.filter(reference_kind="transfer", reference_id=pk).order_by("pk")
    assert [(row.kind, row.delta) for row in entries] == [("transfer_out", -4), ("transfer_in", 4)]
    kinds = Event.objects.filter(thread_type="transfer", thread_id=pk).order_by("pk")
    assert list(kinds.values_list("kind", flat=True)) == ["created", "send", "receive"]
    whole()


def test_book_transfer_twice_returns_the_first(sku: Sku, origin: Location, shop: Location) -> None:
    first = plan(origin, shop, (sku, 3))

    assert plan(origin, shop, (sku, 3)) == first
    with pytest.raises(KeyReused):
        plan(origin, shop, (sku, 4))
    assert Transfer.objects.count() == 1


def test_book_transfer_refusals_write_nothing(sku: Sku, origin: Location, shop: Location) -> None:
    with pytest.raises(InvalidInput):
        plan(origin, origin, (sku, 1))
    with pytest.raises(InvalidInput):
        plan(origin, shop)
    with pytest.raises(LocationClosed):
        plan(origin, make_location(is_active=False), (sku, 1))
    with pytest.raises(NotFound):
        plan(origin, Location(pk=0), (sku, 1))
    with pytest.raises(LineRefused) as refusal:
        plan(origin, shop, (sku, 1), (make_kit({sku: 1}), 1))
    assert str(KitHoldsNoStock(sku=Sku.objects.get(is_kit=True).code)) in str(refusal.value)
    with pytest.raises(LineRefused):
        plan(origin, shop, (sku, 0))
    with pytest.raises(NotAllowed):
        book_transfer(TransferPlan(origin.pk, shop.pk, ()), nonce="x", actor=NOBODY)
    assert not Transfer.objects.exists()


def test_send_refuses_promised_units_and_those_owed_to_the_queue(
    sku: Sku, origin: Location, shop: Location
) -> None:
    reserve(sku, origin, 4)
    more = plan(origin, shop, (sku, 7), nonce="more")
    fits = plan(origin, shop, (sku, 5), nonce="fits")
    late = plan(origin, shop, (sku, 2), nonce="late")

    results = send_transfers([more, fits, late, 0], actor=ACTOR)

    assert results.done_ids == [fits]
    assert {pk: type(error) for pk, error in results.refusals.items()} == {
        more: NotEnoughStock,
        late: NotEnoughStock,
        0: NotFound,
    }
    assert figures(sku, origin) == (5, 1)
    reserve(sku, None, 1)
    one = plan(origin, shop, (sku, 1), nonce="one")
    assert isinstance(send_transfers([one], actor=ACTOR).refusals[one], QueueJumped)
    whole()


def test_short_receipt_is_a_loss_with_a_reason(sku: Sku, origin: Location, shop: Location) -> None:
    transfer = sent(origin, shop, (sku, 5))
    line = TransferLine.objects.get()

    def receive(units: dict[int, int], reason: str = "") -> object:
        results = receive_transfers([TransferReceipt(transfer.pk, units, reason)], actor=ACTOR)
        return results.refusals.get(transfer.pk)

    assert isinstance(receive({line.pk: 3}), LossUnexplained)
    assert isinstance(receive({line.pk: 6}), MoreThanSent)
    assert isinstance(receive({line.pk: -1}, "x"), InvalidInput)
    assert isinstance(receive({line.pk + 1: 1}), InvalidInput)
    assert not StockLevel.objects.filter(location=shop, on_hand__gt=0).exists()

    assert receive({line.pk: 3}, "Box was torn") is None
    line.refresh_from_db()
    transfer.refresh_from_db()
    assert (line.received, line.lost, line.in_transit, transfer.loss_reason) == (3, 2, 0, "Box was torn")
    assert figures(sku, shop) == (3, 3)
    event = Event.objects.get(thread_type="transfer", kind="receive")
    assert (event.facts["lost"], event.facts["reason"]) == (2, "Box was torn")
    whole()


def test_transfer_of_which_nothing_arrives_is_all_lost(sku: Sku, origin: Location, shop: Location) -> None:
    transfer = sent(origin, shop, (sku, 5))
    line = TransferLine.objects.get()

    receive_transfers([TransferReceipt(transfer.pk, {line.pk: 0}, "Stolen")], actor=ACTOR).raise_refusals()

    assert TransferLine.objects.get().lost == 5
    assert not StockLevel.objects.filter(location=shop).exists()
    whole()


def test_cancel_brings_units_in_transit_back(sku: Sku, origin: Location, shop: Location) -> None:
    transfer, draft = sent(origin, shop, (sku, 5)), plan(origin, shop, (sku, 1), nonce="draft")

    results = cancel_transfers([transfer.pk, draft], reason="Wrong van", actor=ACTOR)

    assert results.done_ids == [transfer.pk, draft]
    assert cancel_transfers([draft], reason="Again", actor=ACTOR).unchanged_ids == [draft]
    assert figures(sku, origin) == (10, 10)
    assert incoming_units([sku.pk]) == {}
    refused = receive_transfers([TransferReceipt(transfer.pk)], actor=ACTOR).refusals[transfer.pk]
    assert isinstance(refused, IllegalTransition)
    whole()


def test_receive_at_a_closed_location_is_refused(sku: Sku, origin: Location, shop: Location) -> None:
    transfer = sent(origin, shop, (sku, 5))
    Location.objects.filter(pk=shop.pk).update(is_active=False)

    results = receive_transfers([TransferReceipt(transfer.pk)], actor=ACTOR)

    assert isinstance(results.refusals[transfer.pk], LocationClosed)
    whole()


def test_transfer_verbs_need_their_rights(sku: Sku, origin: Location, shop: Location) -> None:
    transfer = sent(origin, shop, (sku, 5))

    with pytest.raises(NotAllowed):
        send_transfers([transfer.pk], actor=NOBODY)
    with pytest.raises(NotAllowed):
        receive_transfers([TransferReceipt(transfer.pk)], actor=NOBODY)
    with pytest.raises(NotAllowed):
        cancel_transfers([transfer.pk], reason="x", actor=NOBODY)
    with pytest.raises(InvalidInput):
        cancel_transfers([transfer.pk], reason=" ", actor=ACTOR)


def test_sku_in_transit_cannot_become_a_kit(origin: Location, shop: Location) -> None:
    sku, part = make_sku(), make_sku()
    make_level(sku, origin, 5)
    sent(origin, shop, (sku, 5))

    results = save_kits([sku.pk], parts={sku.pk: [PartOfKit(part.pk)]}, actor=ACTOR)

    assert isinstance(results.refusals[sku.pk], SkuHoldsStock)


@pytest.mark.parametrize("status", TransferStatus.values)
def test_transfer_edges_are_the_table(sku: Sku, origin: Location, shop: Location, status: str) -> None:
    transfer = sent(origin, shop, (sku, 1))
    at = transfer.sent_at
    Transfer.objects.filter(pk=transfer.pk).update(
        status=status, received_at=at if status == TransferStatus.RECEIVED else None
    )

    walk_every_edge(
        TRANSFER,
        transfer,
        status,
        lambda edge: {"received_at": at} if edge.target == TransferStatus.RECEIVED else None,
    )


def test_transfer_verbs_take_as_many_statements_for_twenty_skus_as_for_one(
    origin: Location, shop: Location
) -> None:
    counts: dict[int, list[int]] = {}
    for size in (1, 20):
        skus = [make_sku() for _number in range(size)]
        for one in skus:
            make_level(one, origin, 5)
        pk = plan(origin, shop, *((one, 2) for one in skus), nonce=f"n{size}")
        counts[size] = []
        for verb in (
            lambda pk=pk: send_transfers([pk], actor=ACTOR),
            lambda pk=pk: receive_transfers([TransferReceipt(pk)], actor=ACTOR),
        ):
            with CaptureQueriesContext(connection) as queries:
                verb().raise_refusals()
            counts[size].append(len([query for query in queries if "SAVEPOINT" not in query["sql"]]))

    assert counts[1] == counts[20]
    assert max(counts[1]) <= 22
