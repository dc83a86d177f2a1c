"""Goods come back: into quarantine and the ledger, never twice."""

import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import BancaleError, IllegalTransition, NotAllowed, NotFound
from config.kernel.models import Event
from inventory.enums import MovementKind, UnsellableReason
from inventory.errors import KitHoldsNoStock, LocationClosed
from inventory.models import Location, Sku, StockLevel, StockMovement, UnsellableStock
from inventory.services.catalogue import PartOfKit, save_kits
from orders.models import LinePart
from returns.enums import Reception, RmaStatus
from returns.errors import NothingArrived, UnitsContradict, UnitsUnknown, WithoutSku
from returns.models import ReturnUnit, Rma
from returns.services.approving import cancel_returns, mark_returns_in_transit
from returns.services.inspecting import inspect_returns
from returns.services.receiving import ReturnReceipt, receive_returns
from tests.factories.fulfillment import ACTOR
from tests.factories.inventory import make_sku
from tests.factories.returns import (
    AS_NEW,
    inspection,
    make_approved,
    make_inspected,
    make_received,
    make_requested,
    receipt,
    units_of,
)
from tests.fulfillment.watching import nothing_written, statements

pytestmark = pytest.mark.django_db


def level_of(rma: Rma) -> StockLevel:
    return StockLevel.objects.get(sku__code="MUG", location=rma.location)


def status_of(rma: Rma) -> str:
    return Rma.objects.get(pk=rma.pk).status


def test_received_units_stand_in_quarantine() -> None:
    rma = make_approved(2, {"MUG": 3})

    results = receive_returns([receipt(rma)], actor=ACTOR)

    level = level_of(rma)
    assert results.only() == 2
    assert (level.on_hand, level.unsellable, level.free) == (2, 2, 0)
    assert UnsellableStock.objects.get(level=level, reason=UnsellableReason.QUARANTINE).quantity == 2
    assert sum(StockMovement.objects.filter(level=level).values_list("delta", flat=True)) == 2
    (movement,) = StockMovement.objects.filter(level=level, kind=MovementKind.RETURN)
    assert (movement.reference_kind, movement.reference_id, movement.delta) == ("rma", rma.pk, 2)
    assert {(unit.reception, unit.disposition) for unit in units_of(rma)} == {("received", "quarantine")}
    assert status_of(rma) == RmaStatus.RECEIVED
    assert LinePart.objects.get(line__order=rma.order_id).returned == 2


def test_received_from_transit_too() -> None:
    rma = make_approved()
    mark_returns_in_transit([rma.pk], actor=ACTOR).raise_refusals()

    assert receive_returns([receipt(rma)], actor=ACTOR).done_ids == [rma.pk]


def test_the_same_receipt_twice_posts_nothing_twice() -> None:
    rma = make_approved(2, {"MUG": 2})
    found = receipt(rma)
    receive_returns([found], actor=ACTOR).raise_refusals()

    with nothing_written():
        again = receive_returns([found], actor=ACTOR)

    assert again.unchanged_ids == [rma.pk]


def test_the_same_receipt_after_inspection_changes_nothing() -> None:
    rma = make_inspected()

    with nothing_written():
        again = receive_returns([receipt(rma)], actor=ACTOR)

    assert again.unchanged_ids == [rma.pk]


def test_second_box_brings_the_rest() -> None:
    rma = make_approved(3, {"MUG": 3})
    receive_returns([receipt(rma, 1)], actor=ACTOR).raise_refusals()

    results = receive_returns([receipt(rma)], actor=ACTOR)

    assert results.only() == 2
    assert level_of(rma).on_hand == 3
    assert LinePart.objects.get(line__order=rma.order_id).returned == 3
    assert Event.objects.filter(subject_type="rma", subject_id=rma.pk, kind="receive").count() == 1


def test_wrong_goods_enter_no_stock_and_end_the_return_when_nothing_else_is_expected() -> None:
    rma = make_approved(1)
    (unit,) = units_of(rma)

    results = receive_returns([ReturnReceipt(rma.pk, wrong=[unit.pk])], actor=ACTOR)

    unit.refresh_from_db()
    assert results.values[rma.pk] == 0
    assert (unit.reception, unit.disposition) == (Reception.WRONG, "")
    assert level_of(rma).on_hand == 0
    assert status_of(rma) == RmaStatus.INSPECTED


def test_units_not_named_stay_expected_until_staff_say_they_are_lost() -> None:
    rma = make_approved(2, {"MUG": 2})
    receive_returns([receipt(rma, 1)], actor=ACTOR).raise_refusals()
    inspect_returns([inspection(rma, AS_NEW)], actor=ACTOR).raise_refusals()
    assert status_of(rma) == RmaStatus.RECEIVED
    missing = ReturnUnit.objects.get(rma=rma, reception=Reception.EXPECTED)

    receive_returns([ReturnReceipt(rma.pk, lost=[missing.pk])], actor=ACTOR).raise_refusals()

    missing.refresh_from_db()
    assert missing.reception == Reception.LOST
    assert status_of(rma) == RmaStatus.INSPECTED


def test_a_lost_unit_may_turn_up_while_the_return_is_open() -> None:
    rma = make_approved(2, {"MUG": 2})
    first, second = units_of(rma)
    receive_returns(
        [ReturnReceipt(rma.pk, arrived=[first.pk], lost=[second.pk])], actor=ACTOR
    ).raise_refusals()

    receive_returns([ReturnReceipt(rma.pk, arrived=[second.pk])], actor=ACTOR).raise_refusals()

    assert level_of(rma).on_hand == 2


@pytest.mark.parametrize("make", [make_requested, make_inspected])
def test_receive_from_elsewhere_is_refused(make) -> None:
    rma = make()
    ReturnUnit.objects.filter(rma=rma).update(reception="expected", disposition="")

    with nothing_written():
        results = receive_returns([receipt(rma)], actor=ACTOR)

    assert type(results.refusals[rma.pk]) is IllegalTransition


def test_receive_of_a_cancelled_return_is_refused() -> None:
    rma = make_approved()
    cancel_returns([rma.pk], reason="kept", actor=ACTOR).raise_refusals()

    with nothing_written():
        results = receive_returns([receipt(rma)], actor=ACTOR)

    assert type(results.refusals[rma.pk]) is IllegalTransition


def test_receipt_of_nothing_is_refused() -> None:
    rma = make_approved()
    (unit,) = units_of(rma)

    with nothing_written():
        empty = receive_returns([ReturnReceipt(rma.pk)], actor=ACTOR)
        all_lost = receive_returns([ReturnReceipt(rma.pk, lost=[unit.pk])], actor=ACTOR)

    assert type(empty.refusals[rma.pk]) is NothingArrived
    assert type(all_lost.refusals[rma.pk]) is NothingArrived


def test_receipt_that_contradicts_itself_or_what_is_known_is_refused() -> None:
    rma = make_received(1)
    (unit,) = units_of(rma)
    other = make_approved(1)
    (fresh,) = units_of(other)

    with nothing_written():
        late = receive_returns([ReturnReceipt(rma.pk, wrong=[unit.pk])], actor=ACTOR)
        both = receive_returns([ReturnReceipt(other.pk, arrived=[fresh.pk], wrong=[fresh.pk])], actor=ACTOR)

    assert type(late.refusals[rma.pk]) is UnitsContradict
    assert type(both.refusals[other.pk]) is UnitsContradict


def test_units_of_another_return_are_refused() -> None:
    rma, other = make_approved(), make_approved()

    with nothing_written():
        results = receive_returns([ReturnReceipt(rma.pk, [units_of(other)[0].pk])], actor=ACTOR)

    assert type(results.refusals[rma.pk]) is UnitsUnknown


def test_closed_place_and_unknown_return_are_refused() -> None:
    rma = make_approved()
    Location.objects.filter(pk=rma.location_id).update(is_active=False)

    with nothing_written():
        results = receive_returns([receipt(rma), ReturnReceipt(987654, [1])], actor=ACTOR)

    assert {key: type(error) for key, error in results.refusals.items()} == {
        rma.pk: LocationClosed,
        987654: NotFound,
    }


def test_what_does_not_arrive_is_said_of_a_closed_place_too() -> None:
    rma, other = make_approved(2, {"MUG": 2}), make_approved(1, {"CUP": 1})
    _here, missing = units_of(rma)
    (strange,) = units_of(other)
    receive_returns([receipt(rma, 1)], actor=ACTOR).raise_refusals()
    inspect_returns([inspection(rma, AS_NEW)], actor=ACTOR).raise_refusals()
    Location.objects.update(is_active=False)

    receipts = [ReturnReceipt(rma.pk, lost=[missing.pk]), ReturnReceipt(other.pk, wrong=[strange.pk])]
    results = receive_returns(receipts, actor=ACTOR)

    assert results.done_ids == [rma.pk, other.pk]
    assert (status_of(rma), status_of(other)) == (RmaStatus.INSPECTED, RmaStatus.INSPECTED)


def test_receive_needs_its_own_permission_only() -> None:
    rma = make_approved()

    with nothing_written(), pytest.raises(NotAllowed):
        receive_returns(
            [receipt(rma)], actor=Actor(ActorKind.USER, 1, "x", frozenset({"returns.inspect_rma"}))
        )

    may = Actor(ActorKind.USER, 1, "x", frozenset({"returns.receive_rma"}))
    assert receive_returns([receipt(rma)], actor=may).done_ids == [rma.pk]


def test_receive_takes_as_many_statements_for_three_as_for_one() -> None:
    rmas = [make_approved() for _rma in range(4)]

    few = statements(lambda: receive_returns([receipt(rmas[0])], actor=ACTOR))
    many = statements(lambda: receive_returns([receipt(rma) for rma in rmas[1:]], actor=ACTOR))

    assert many - few == 2  # the test's own reading of units


def test_goods_whose_sku_became_a_kit_are_refused_beside_good_ones() -> None:
    sold, other = make_approved(1, {"MUG": 1}), make_approved(1, {"CUP": 1})
    Sku.objects.filter(code="MUG").update(is_kit=True)

    results = receive_returns([receipt(sold), receipt(other)], actor=ACTOR)

    assert results.done_ids == [other.pk]
    assert isinstance(results.refusals[sold.pk], KitHoldsNoStock)
    assert (status_of(sold), status_of(other)) == ("approved", "received")
    assert StockMovement.objects.filter(kind=MovementKind.RETURN).count() == 1


def test_save_kits_refuses_a_sku_that_is_on_its_way_back() -> None:
    rma = make_approved(2, {"MUG": 2})
    mug, tin = Sku.objects.get(code="MUG"), make_sku("TIN")

    def refusal() -> BancaleError | None:
        return save_kits([mug.pk], parts={mug.pk: [PartOfKit(tin.pk)]}, actor=ACTOR).refusals.get(mug.pk)

    assert str(refusal()) == "MUG is on its way back from customers (2), so it cannot become a kit."
    cancel_returns([rma.pk], reason="test", actor=ACTOR).raise_refusals()
    assert refusal() is None


def test_receive_goods_without_a_sku_is_refused_beside_good_ones() -> None:
    nameless, other = make_approved(1, {"MUG": 1}), make_approved(1, {"CUP": 1})
    LinePart.objects.filter(sku__code="MUG").update(sku=None)

    results = receive_returns([receipt(nameless), receipt(other)], actor=ACTOR)

    assert results.done_ids == [other.pk]
    assert isinstance(results.refusals[nameless.pk], WithoutSku)
    assert (status_of(nameless), status_of(other)) == ("approved", "received")
    assert receive_returns(
        [ReturnReceipt(nameless.pk, wrong=[unit.pk for unit in units_of(nameless)])], actor=ACTOR
    ).done_ids == [nameless.pk]
