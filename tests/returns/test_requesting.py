"""Asking for goods to come back: only what was shipped and no other return speaks for."""

import pytest

from config.kernel import outbox
from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import InvalidInput, NotAllowed, NotFound
from config.kernel.models import Event
from inventory.models import Location
from orders.enums import ImportMode
from orders.errors import OrderClosed
from orders.models import LinePart, Order
from orders.services.importing.rolling_back import roll_back_runs
from returns.admin.forms import returnable_of
from returns.enums import Reception, ReturnReason, RmaStatus
from returns.errors import LocationUnknown, NothingReturned, NotReturnable, TooManyUnits, WithoutSku
from returns.models import ReturnUnit, Rma
from returns.selectors.units import returnable_parts
from returns.services.approving import cancel_returns, reject_returns
from returns.services.receiving import ReturnReceipt, receive_returns
from returns.services.requesting import request_returns
from tests.factories.fulfillment import ACTOR, make_delivered, make_released, make_shipped
from tests.factories.imports import apply, check, make_skus, row, text_of, work
from tests.factories.inventory import make_location
from tests.factories.orders import make_order
from tests.factories.returns import (
    first_part,
    make_approved,
    make_inspected,
    make_requested,
    place_of,
    units_of,
    wish,
)
from tests.fulfillment.watching import nothing_written, statements

pytestmark = pytest.mark.django_db


def test_request_opens_an_rma_with_a_row_for_each_unit() -> None:
    parcel = make_delivered({"MUG": 3})
    place = place_of(parcel)

    pk = request_returns(
        [wish(parcel.order, 2, location=place, reason=ReturnReason.DAMAGED)], actor=ACTOR
    ).only()

    rma = Rma.objects.get(pk=pk)
    assert rma.number.startswith("R-")
    assert (rma.order_id, rma.location_id, rma.reason) == (parcel.order_id, place.pk, ReturnReason.DAMAGED)
    assert rma.status == RmaStatus.REQUESTED
    units = ReturnUnit.objects.filter(rma=rma)
    assert [(unit.reception, unit.disposition, unit.condition) for unit in units] == [
        ("expected", "", "")
    ] * 2
    assert {unit.order_id for unit in units} == {parcel.order_id}


def test_request_stands_on_the_orders_timeline_and_its_units_on_its_own() -> None:
    rma = make_requested(2, {"MUG": 2})

    events = Event.objects.filter(thread_type="order", thread_id=rma.order_id)

    assert events.get(subject_type="rma").facts == {"number": rma.number, "units": 2}
    assert not events.filter(subject_type="return_unit").exists()
    assert Event.objects.filter(thread_type="rma", thread_id=rma.pk, kind="created").count() == 2


def test_request_of_goods_under_way_is_possible() -> None:
    parcel = make_shipped({"MUG": 2})

    results = request_returns([wish(parcel.order, 2, location=place_of(parcel))], actor=ACTOR)

    assert len(results.done_ids) == 1


def test_request_twice_opens_one_rma() -> None:
    parcel = make_delivered()
    asked = wish(parcel.order, 1, location=place_of(parcel))
    pk = request_returns([asked], actor=ACTOR).only()

    with nothing_written():
        again = request_returns([asked], actor=ACTOR)

    assert again.unchanged_ids == [asked.key]
    assert again.only() == pk


def test_units_of_a_live_return_cannot_be_asked_for_again() -> None:
    rma = make_requested(1, {"MUG": 2})
    order, place = rma.order, rma.location

    results = request_returns([wish(order, 2, location=place), wish(order, 1, location=place)], actor=ACTOR)
    more = request_returns([wish(order, 1, location=place)], actor=ACTOR)

    (error,) = results.refusals.values()
    part = first_part(order)
    assert type(error) is NotReturnable
    assert error.facts["returnable"] == {part.pk: 1}
    assert len(results.done_ids) == 1
    assert type(next(iter(more.refusals.values()))) is NotReturnable
    assert returnable_parts([order.pk])[order.pk][part.pk].quantity == 0


@pytest.mark.parametrize("close", [reject_returns, cancel_returns])
def test_units_of_a_rejected_or_cancelled_return_can_be_asked_for_again(close) -> None:
    rma = make_requested(2, {"MUG": 2})
    close([rma.pk], reason="not ours", actor=ACTOR).raise_refusals()

    results = request_returns([wish(rma.order, 2, location=rma.location)], actor=ACTOR)

    assert len(results.done_ids) == 1


def test_units_that_came_back_cannot_come_back_again() -> None:
    rma = make_inspected()

    results = request_returns([wish(rma.order, 1, location=rma.location)], actor=ACTOR)

    assert type(next(iter(results.refusals.values()))) is NotReturnable


def test_unit_that_was_something_else_can_be_asked_for_again() -> None:
    rma = make_approved()
    (unit,) = units_of(rma)
    receive_returns([ReturnReceipt(rma.pk, wrong=[unit.pk])], actor=ACTOR).raise_refusals()

    results = request_returns([wish(rma.order, 1, location=rma.location)], actor=ACTOR)

    assert len(results.done_ids) == 1


def test_units_that_were_not_shipped_are_refused() -> None:
    work = make_released()

    with nothing_written():
        results = request_returns([wish(work.order, 1, location=work.location)], actor=ACTOR)

    assert type(next(iter(results.refusals.values()))) is NotReturnable


def test_parts_of_another_order_are_refused() -> None:
    parcel, other = make_delivered(), make_delivered()
    units = {first_part(other.order).pk: 1}

    with nothing_written():
        results = request_returns([wish(parcel.order, location=place_of(parcel), units=units)], actor=ACTOR)

    assert type(next(iter(results.refusals.values()))) is NotReturnable


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"order_id": 987654}, NotFound),
        ({"reason": "because"}, InvalidInput),
        ({"location_id": 987654}, LocationUnknown),
        ({"units": {}}, NothingReturned),
        ({"units": {1: 0}}, NothingReturned),
        ({"units": {1: -1}}, NothingReturned),
        ({"units": {1: 501}}, TooManyUnits),
    ],
)
def test_request_that_makes_no_sense_is_refused(fields: dict, error: type[Exception]) -> None:
    parcel = make_delivered()

    with nothing_written():
        results = request_returns([wish(parcel.order, location=place_of(parcel), **fields)], actor=ACTOR)

    assert type(next(iter(results.refusals.values()))) is error


def test_closed_place_takes_nothing_back() -> None:
    parcel = make_delivered()
    place = place_of(parcel)
    Location.objects.filter(pk=place.pk).update(is_active=False)

    with nothing_written():
        results = request_returns([wish(parcel.order, location=place)], actor=ACTOR)

    assert type(next(iter(results.refusals.values()))) is LocationUnknown


def test_request_needs_the_permission() -> None:
    parcel = make_delivered()
    asked = wish(parcel.order, location=place_of(parcel))

    with nothing_written(), pytest.raises(NotAllowed):
        request_returns([asked], actor=Actor(ActorKind.USER, 1, "x", frozenset({"returns.approve_rma"})))

    may = Actor(ActorKind.USER, 1, "x", frozenset({"returns.request_rma"}))
    assert request_returns([asked], actor=may).done_ids == [asked.key]


def test_request_takes_as_many_statements_for_three_as_for_one() -> None:
    parcels = [make_delivered() for _parcel in range(4)]
    wishes = [wish(one.order, location=place_of(one)) for one in parcels]

    few = statements(lambda: request_returns(wishes[:1], actor=ACTOR))
    many = statements(lambda: request_returns(wishes[1:], actor=ACTOR))

    assert many == few
    assert LinePart.objects.filter(return_units__reception=Reception.EXPECTED).count() == 4


def test_request_for_goods_without_a_sku_is_refused_beside_good_ones() -> None:
    order = make_order(is_history=True, skus=False)
    place, good = make_location(), make_delivered()

    results = request_returns(
        [wish(order, location=place, key="r:1"), wish(good.order, location=place, key="r:2")], actor=ACTOR
    )

    assert results.done_ids == ["r:2"]
    refusal = results.refusals["r:1"]
    assert type(refusal) is WithoutSku
    assert str(refusal) == "What has no SKU cannot be counted back into stock: A mug."
    assert returnable_of(order) == {}
    assert Rma.objects.count() == 1


def test_returns_of_an_import_that_is_rolled_back_are_called_off_and_no_more_are_opened() -> None:
    make_skus("MUG")
    run = apply(check(text_of(row("W-1")), mode=ImportMode.HISTORY))
    order, place = Order.objects.get(), make_location()
    rma = Rma.objects.get(pk=request_returns([wish(order, location=place)], actor=ACTOR).only())
    work(roll_back_runs([run.pk], actor=ACTOR).only())

    outbox.deliver_due("work")

    rma.refresh_from_db()
    assert (rma.status, rma.closed_reason) == (RmaStatus.CANCELLED, "order void")
    again = wish(order, location=place)
    assert isinstance(request_returns([again], actor=ACTOR).refusals[again.key], OrderClosed)
    assert [found for finding in run_audit() for found in finding.violations] == []
