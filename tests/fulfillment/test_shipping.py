"""Goods leave: parcel, ledger, reservations and the order's counters move together or not at all."""

from collections.abc import Callable, Iterator

import pytest

from config.kernel import outbox
from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import BancaleError, Conflict, NotAllowed, NotFound
from config.kernel.models import Event, Fact
from config.kernel.results import Results
from fulfillment.enums import FulfillmentOrderStatus, ParcelStatus
from fulfillment.errors import (
    AlreadyShipped,
    CarrierMissing,
    NotReleased,
    TrackingNumberRefused,
    TrackingNumberTaken,
    UnitsNotReserved,
)
from fulfillment.models import FulfillmentOrder, Parcel, ParcelLine, Shipment
from fulfillment.services.cancelling import cancel_fulfillment_orders
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import PARCEL_SHIPPED, HandShipment, ship_by_hand, why_stopped
from inventory.enums import MovementKind, ReservationState
from inventory.models import BinStock, Reservation, Sku, StockLevel, StockMovement
from orders.enums import FulfillmentStatus
from orders.models import LinePart
from orders.services.backorders import fill_backorders
from tests.factories.fulfillment import ACTOR, hand, make_confirmed, make_released, make_shipped, stock
from tests.fulfillment.watching import nothing_written, statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard() -> Iterator[None]:
    """Somebody listens to shipped parcels, so that the fact is written."""
    outbox.subscribe("test", [PARCEL_SHIPPED], lambda owed: Results(one.delivery_id for one in owed))
    yield
    del outbox.SUBSCRIBERS["test"]


def test_ship_makes_one_shipment_and_a_parcel_that_is_handed_over() -> None:
    work = make_released({"MUG": 2, "BOOK": 1})

    parcel_id = ship_by_hand([HandShipment(work.pk, " GLS  Italy ", " tn 123-45 ")], actor=ACTOR).only()

    parcel = Parcel.objects.select_related("shipment").get(pk=parcel_id)
    work.refresh_from_db()
    assert (parcel.carrier, parcel.tracking_number) == ("GLS Italy", "TN 123-45")
    assert parcel.status == ParcelStatus.HANDED_OVER
    assert (parcel.order_id, parcel.shipment.order_id) == (work.order_id, work.order_id)
    assert parcel.shipment.fulfillment_order_id == work.pk
    assert parcel.shipment.number.startswith("S-")
    assert dict(ParcelLine.objects.values_list("line_part__sku__code", "quantity")) == {"MUG": 2, "BOOK": 1}
    assert work.status == FulfillmentOrderStatus.SHIPPED
    assert work.shipped_at == parcel.shipment.shipped_at


def test_ship_takes_stock_by_the_ledger_and_level_equals_its_sum() -> None:
    location = stock({"MUG": 5})
    order = make_confirmed({"MUG": 2})
    (pk,) = release_orders([order.pk], actor=ACTOR).only()

    ship_by_hand([HandShipment(pk, "GLS", "TN-1")], actor=ACTOR).raise_refusals()

    level = StockLevel.objects.get(sku__code="MUG", location=location)
    movements = StockMovement.objects.filter(level=level)
    (left,) = movements.filter(kind=MovementKind.SHIP)
    assert (level.on_hand, level.reserved, level.free) == (3, 0, 3)
    assert sum(movements.values_list("delta", flat=True)) == 3
    assert sum(BinStock.objects.filter(level=level).values_list("quantity", flat=True)) == 3
    assert (left.delta, left.balance_after) == (-2, 3)
    assert (left.reference_kind, left.reference_id) == ("fulfillment_order", pk)
    (reservation,) = Reservation.objects.filter(reference_kind="order_line_part")
    assert reservation.state == ReservationState.CONSUMED


def test_ship_counts_units_up_on_the_order() -> None:
    work = make_released({"MUG": 2})

    ship_by_hand([hand(work)], actor=ACTOR).raise_refusals()

    part = LinePart.objects.get(line__order=work.order_id)
    work.order.refresh_from_db()
    assert (part.shipped, part.allocated, part.delivered) == (2, 0, 0)
    assert work.order.fulfillment_status == FulfillmentStatus.SHIPPED


def test_ship_writes_both_machines_on_the_orders_timeline() -> None:
    parcel = make_shipped()
    work_id = parcel.shipment.fulfillment_order_id

    steps = Event.objects.filter(thread_type="order", thread_id=parcel.order_id).order_by("id")
    rows = list(steps.values_list("subject_type", "subject_id", "kind"))

    assert ("parcel", parcel.pk, "created") in rows
    assert ("parcel", parcel.pk, "hand_over") in rows
    assert ("fulfillment_order", work_id, "ship_by_hand") in rows
    assert steps.get(kind="hand_over").facts["tracking_number"] == parcel.tracking_number


def test_ship_records_the_fact_once(heard: None) -> None:
    work = make_released()
    request = hand(work)

    first = ship_by_hand([request], actor=ACTOR)
    again = ship_by_hand([request], actor=ACTOR)

    fact = Fact.objects.get(kind=PARCEL_SHIPPED)
    assert (fact.subject_type, fact.subject_id) == ("parcel", first.only())
    assert fact.payload == {"order_id": work.order_id}
    assert again.unchanged_ids == [work.pk]


def test_ship_twice_changes_nothing_and_names_the_parcel() -> None:
    parcel = make_shipped(number="TN-1")
    request = HandShipment(parcel.shipment.fulfillment_order_id, "gls", "tn-1 ")

    with nothing_written():
        again = ship_by_hand([request], actor=ACTOR)

    assert again.unchanged_ids == [request.key]
    assert again.only() == parcel.pk


def test_ship_again_with_another_number_is_refused_with_the_parcel_that_left() -> None:
    parcel = make_shipped(number="TN-1")

    with nothing_written():
        results = ship_by_hand(
            [HandShipment(parcel.shipment.fulfillment_order_id, "GLS", "TN-2")], actor=ACTOR
        )

    (error,) = results.refusals.values()
    assert type(error) is AlreadyShipped
    assert "GLS TN-1" in str(error)


@pytest.mark.parametrize(
    "number", ["", "   ", "ABC", "X" * 61, "AB_CD", "AB/CD", "-ABC", "ABC-", "ÄBCD", "AB\x00CD"]
)
def test_ship_with_a_number_that_is_none_is_refused(number: str) -> None:
    work = make_released()

    with nothing_written():
        results = ship_by_hand([HandShipment(work.pk, "GLS", number)], actor=ACTOR)

    assert type(results.refusals[work.pk]) is TrackingNumberRefused


@pytest.mark.parametrize("carrier", ["", "  ", "G" * 61])
def test_ship_without_a_carrier_is_refused(carrier: str) -> None:
    work = make_released()

    with nothing_written():
        results = ship_by_hand([HandShipment(work.pk, carrier, "TN-1")], actor=ACTOR)

    assert type(results.refusals[work.pk]) is CarrierMissing


def test_ship_with_a_number_of_another_parcel_names_its_order() -> None:
    other = make_shipped(number="TN-1")
    work = make_released()

    with nothing_written():
        results = ship_by_hand([HandShipment(work.pk, "gls", "tn-1")], actor=ACTOR)

    error = results.refusals[work.pk]
    assert type(error) is TrackingNumberTaken
    assert (error.facts["parcel_id"], error.facts["order_id"]) == (other.pk, other.order_id)
    assert other.order.number in str(error)


def test_same_number_of_another_carrier_is_fine() -> None:
    make_shipped(number="TN-1")
    work = make_released()

    results = ship_by_hand([HandShipment(work.pk, "BRT", "TN-1")], actor=ACTOR)

    assert results.done_ids == [work.pk]


def test_same_number_twice_in_a_batch_ships_the_first_only() -> None:
    first, second = make_released(), make_released()

    results = ship_by_hand([HandShipment(one.pk, "GLS", "TN-1") for one in (first, second)], actor=ACTOR)

    assert results.done_ids == [first.pk]
    error = results.refusals[second.pk]
    assert type(error) is TrackingNumberTaken
    assert first.number in str(error)
    assert Parcel.objects.count() == 1


def test_ship_work_that_was_called_back_is_refused() -> None:
    work = make_released()
    cancel_fulfillment_orders([work.pk], actor=ACTOR).raise_refusals()

    with nothing_written():
        results = ship_by_hand([hand(work)], actor=ACTOR)

    assert type(results.refusals[work.pk]) is NotReleased


def test_ship_work_that_does_not_exist_is_refused() -> None:
    with nothing_written():
        results = ship_by_hand([HandShipment(987654, "GLS", "TN-1")], actor=ACTOR)

    assert type(results.refusals[987654]) is NotFound


def test_ship_units_that_are_no_longer_reserved_is_refused_with_what_is_missing() -> None:
    work = make_released({"MUG": 2})
    part = LinePart.objects.get(line__order=work.order_id)
    Reservation.objects.filter(reference_id=part.pk).update(quantity=1)

    with nothing_written():
        results = ship_by_hand([hand(work)], actor=ACTOR)

    error = results.refusals[work.pk]
    assert type(error) is UnitsNotReserved
    assert error.facts["missing"] == {part.pk: 1}


def test_two_pieces_of_work_of_one_order_ship_in_one_batch() -> None:
    location = stock({"MUG": 1})
    order = make_confirmed({"MUG": 3})
    release_orders([order.pk], actor=ACTOR).raise_refusals()
    stock({"MUG": 2}, location)
    fill_backorders([Sku.objects.get(code="MUG").pk], actor=ACTOR)
    work = list(FulfillmentOrder.objects.filter(pk__in=release_orders([order.pk], actor=ACTOR).only()))

    results = ship_by_hand([hand(one) for one in work], actor=ACTOR)

    assert len(results.done_ids) == 2
    moved = StockMovement.objects.filter(kind=MovementKind.SHIP).values_list("reference_id", "delta")
    assert sorted(moved) == sorted([(work[0].pk, -2), (work[1].pk, -1)])
    assert LinePart.objects.get(line__order=order).shipped == 3
    assert StockLevel.objects.get(location=location).on_hand == 0


def test_a_refused_piece_of_work_does_not_spoil_the_others() -> None:
    good, bad = make_released(), make_released()

    results = ship_by_hand([hand(good), HandShipment(bad.pk, "GLS", "?")], actor=ACTOR)

    assert (results.done_ids, list(results.refusals)) == ([good.pk], [bad.pk])
    assert Shipment.objects.count() == 1


def forget_an_allocated_unit(work: FulfillmentOrder) -> str:
    """As if the order's counter had drifted from its reservations."""
    part = LinePart.objects.get(line__order=work.order_id)
    LinePart.objects.filter(pk=part.pk).update(allocated=1)
    return f"part {part.pk}: 2 units to be shipped, 1 can be"


def empty_the_bins(work: FulfillmentOrder) -> str:
    """As if bins had drifted from their level."""
    level = StockLevel.objects.get(
        reservations__reference_id=LinePart.objects.get(line__order=work.order_id).pk
    )
    BinStock.objects.filter(level=level).update(quantity=1)
    return f"the bins of level {level.pk} hold less than the 2 units to ship"


@pytest.mark.parametrize("damage", [forget_an_allocated_unit, empty_the_bins])
def test_work_that_cannot_be_counted_is_refused_alone_and_the_others_of_the_batch_leave(
    damage: Callable[[FulfillmentOrder], str], heard: None
) -> None:
    first, bad, last = (make_released({code: 2}) for code in ("MUG", "TIN", "PEN"))
    words = damage(bad)

    results = ship_by_hand([hand(one) for one in (first, bad, last)], actor=ACTOR)

    assert (results.done_ids, list(results.refusals)) == ([first.pk, last.pk], [bad.pk])
    assert type(results.refusals[bad.pk]) is Conflict
    assert str(results.refusals[bad.pk]).endswith(words)
    assert list(Shipment.objects.order_by("pk").values_list("order", flat=True)) == [
        first.order_id, last.order_id,
    ]  # fmt: skip
    assert Fact.objects.filter(kind=PARCEL_SHIPPED).count() == 2
    assert not Event.objects.filter(thread_id=bad.order_id, kind="shipped").exists()
    with nothing_written():
        ship_by_hand([hand(bad)], actor=ACTOR)


def test_two_pieces_of_work_that_share_what_is_counted_as_allocated_leave_one_after_the_other() -> None:
    location = stock({"MUG": 1})
    order = make_confirmed({"MUG": 3})
    release_orders([order.pk], actor=ACTOR).raise_refusals()
    stock({"MUG": 2}, location)
    fill_backorders([Sku.objects.get(code="MUG").pk], actor=ACTOR)
    one, two = release_orders([order.pk], actor=ACTOR).only()
    LinePart.objects.filter(line__order=order).update(allocated=2)

    results = ship_by_hand([HandShipment(pk, "GLS", f"TN-{pk}") for pk in (one, two)], actor=ACTOR)

    assert (results.done_ids, list(results.refusals)) == ([one], [two])
    assert LinePart.objects.get(line__order=order).shipped == 1


def test_page_of_work_that_cannot_be_counted_says_so() -> None:
    work = make_released({"MUG": 2})
    words = forget_an_allocated_unit(work)

    assert str(why_stopped(work)).endswith(words)


def test_ship_needs_the_permission() -> None:
    work = make_released()
    may_not = Actor(ActorKind.USER, 1, "rosa", frozenset({"fulfillment.release_fulfillmentorder"}))
    may = Actor(ActorKind.USER, 1, "rosa", frozenset({"fulfillment.ship_fulfillmentorder"}))

    with nothing_written(), pytest.raises(NotAllowed):
        ship_by_hand([hand(work)], actor=may_not)

    assert ship_by_hand([hand(work)], actor=may).done_ids == [work.pk]


def test_ship_takes_as_many_statements_for_three_as_for_one() -> None:
    stock({"MUG": 100})
    orders = [make_confirmed().pk for _order in range(4)]
    work = [pk for pks in release_orders(orders, actor=ACTOR).values.values() for pk in pks]

    few = statements(lambda: ship_by_hand([HandShipment(work[0], "GLS", "TN-10")], actor=ACTOR))
    many = statements(
        lambda: ship_by_hand([HandShipment(pk, "GLS", f"TN-2{pk}") for pk in work[1:]], actor=ACTOR)
    )

    assert many == few


def test_refusals_carry_words_of_their_own() -> None:
    errors: list[BancaleError] = [TrackingNumberRefused(value="?"), CarrierMissing(value="")]

    assert len({error.code for error in errors}) == 2
