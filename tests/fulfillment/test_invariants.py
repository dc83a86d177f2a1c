"""Each promise of this room holds after the verbs, and its query sees when it is broken."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from config.kernel import clock
from config.kernel.audit import INVARIANTS, run_audit
from config.kernel.events import Entry, record_events
from config.kernel.outbox import deliver_due
from fulfillment.models import FulfillmentOrder, FulfillmentOrderLine, Parcel, ParcelLine, Shipment
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from fulfillment.states import FULFILLMENT_ORDER, SHIP_BY_HAND
from inventory.models import Reservation, Sku
from orders.enums import HoldKind
from orders.models import Address, Hold, LinePart, Order
from orders.services.cancelling import cancel_orders
from orders.services.holds import place_hold, release_holds
from orders.services.proposals.wishes import NewAddress, NewLine
from tests.factories.fulfillment import (
    ACTOR,
    hand,
    make_confirmed,
    make_delivered,
    make_released,
    make_shipped,
    stock,
)
from tests.factories.orders import neutral_address
from tests.factories.proposals import change

pytestmark = pytest.mark.django_db

OURS = sorted(code for code in INVARIANTS if code.startswith(("parcels.", "work.")))


def broken(codes: list[str] = OURS) -> dict[str, list[str]]:
    found = {
        finding.invariant.code: [f"{one.subject} {one.detail}" for one in finding.violations]
        for finding in run_audit(codes)
    }
    return {code: violations for code, violations in found.items() if violations}


def test_every_invariant_holds_at_every_stage() -> None:
    held = make_released()
    place_hold([held.order_id], kind=HoldKind.FRAUD, actor=ACTOR).raise_refusals()
    release_holds([held.order_id], kind=HoldKind.FRAUD, actor=ACTOR).raise_refusals()
    ship_by_hand([hand(held)], actor=ACTOR).raise_refusals()
    place_hold([held.order_id], kind=HoldKind.FRAUD, actor=ACTOR).raise_refusals()
    make_released()
    make_shipped()
    make_delivered()
    work = make_released()
    cancel_orders([work.order_id], reason="no", actor=ACTOR).raise_refusals()

    before_the_news, after_the_news = broken(), deliver_due("work") and broken()

    assert (before_the_news, after_the_news) == ({}, {})
    assert len(OURS) == 11


def part_of(row: Parcel | FulfillmentOrder) -> LinePart:
    return LinePart.objects.get(line__order=row.order_id)


def shipped_counter() -> None:
    LinePart.objects.filter(pk=part_of(make_shipped()).pk).update(shipped=1)


def parcel_line() -> None:
    ParcelLine.objects.filter(parcel=make_shipped()).update(quantity=1)


def consumed_reservation() -> None:
    Reservation.objects.filter(reference_id=part_of(make_shipped()).pk).update(quantity=1)


def delivered_counter() -> None:
    LinePart.objects.filter(pk=part_of(make_delivered()).pk).update(delivered=1)


def delivered_parcel() -> None:
    parcel = make_shipped()
    Parcel.objects.filter(pk=parcel.pk).update(status="delivered", delivered_at=parcel.shipment.shipped_at)


def delivered_without_time() -> None:
    Parcel.objects.filter(pk=make_delivered().pk).update(delivered_at=None)


def line_of_another_order() -> None:
    strange = part_of(make_released())
    ParcelLine.objects.filter(parcel=make_shipped()).update(line_part=strange)


def shipment_of_another_order() -> None:
    Shipment.objects.filter(pk=make_shipped().shipment_id).update(order=make_released().order_id)


def tracking_twice() -> None:
    first, second = make_shipped(number="TN-1"), make_shipped(number="TN-2")
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX parcel_tracking_once")
    Parcel.objects.filter(pk=second.pk).update(carrier="gls", tracking_number=first.tracking_number)


def asks_more_than_reserved() -> None:
    FulfillmentOrderLine.objects.filter(fulfillment_order=make_released()).update(quantity=3)


def reservation_elsewhere() -> None:
    Reservation.objects.filter(reference_id=part_of(make_released()).pk).update(reference_id=987654)


def work_of_a_cancelled_order() -> None:
    Order.objects.filter(pk=make_released().order_id).update(status="cancelled")


def asked_and_not_counted() -> None:
    Order.objects.filter(pk=make_released().order_id).update(asked_quantity=0)


def counted_and_not_asked() -> None:
    Order.objects.filter(pk=make_shipped().order_id).update(asked_quantity=2)


def shipped_without_a_parcel() -> None:
    work = make_released()
    FulfillmentOrder.objects.filter(pk=work.pk).update(status="shipped", shipped_at=work.released_at)


def left_twice() -> None:
    work_id = make_shipped().shipment.fulfillment_order_id
    FulfillmentOrder.objects.filter(pk=work_id).update(status="released", shipped_at=None)


def left_of_another_sku() -> None:
    """The work asked for two mugs and a lid; the other way round, its sums are the same."""
    parcel = make_shipped({"MUG": 2, "LID": 1})
    for rows in (ParcelLine.objects.filter(parcel=parcel), FulfillmentOrderLine.objects.all()):
        rows.filter(line_part__sku__code="MUG").update(quantity=1)
        rows.filter(line_part__sku__code="LID").update(quantity=2)


def left_from_another_location() -> None:
    work_id = make_shipped().shipment.fulfillment_order_id
    FulfillmentOrder.objects.filter(pk=work_id).update(location=stock({"LID": 1}))


def shipped_to_nowhere() -> None:
    FulfillmentOrder.objects.filter(pk=make_shipped().shipment.fulfillment_order_id).update(ship_to=None)


def shipped_elsewhere() -> None:
    """The order got another address, and no change says when."""
    order = make_shipped().order
    Order.objects.filter(pk=order.pk).update(ship_to=Address.objects.create(country_code="IT"))


def shipped_past_a_change() -> None:
    """To the address of before, by a clock that is behind, and the order has got a third one since."""
    work = make_released()
    change(work.order, NewAddress(neutral_address(line1="Via Roma 1")))
    FulfillmentOrder.objects.filter(pk=work.pk).update(status="shipped", shipped_at=work.released_at)
    thread = FULFILLMENT_ORDER.thread_of(work)
    left = Entry((FULFILLMENT_ORDER.name, work.pk), thread, SHIP_BY_HAND.name, to_status="shipped")
    record_events([left], actor=ACTOR)
    change(work.order, NewAddress(neutral_address(line1="Via Roma 3")))


def left_while_held() -> None:
    shipment = make_shipped().shipment
    Hold.objects.create(
        order=shipment.order,
        kind="fraud",
        opened_at=shipment.shipped_at - timedelta(minutes=2),
        opened_by="user",
        lifted_at=shipment.shipped_at + timedelta(minutes=2),
    )


def left_and_cancelled() -> None:
    Order.objects.filter(pk=make_shipped().order_id).update(status="cancelled")


def test_address_that_changed_after_goods_had_left_is_no_breach() -> None:
    shipped = make_shipped()
    stock({"MUG": 2})
    with clock.frozen(shipped.shipment.shipped_at + timedelta(minutes=1)):
        order = change(
            shipped.order,
            NewLine(Sku.objects.get(code="MUG").pk, 2, Decimal("10.00")),
            NewAddress(neutral_address(city="Bologna")),
        )
        (pk,) = release_orders([order.pk], actor=ACTOR).only()
        later = FulfillmentOrder.objects.get(pk=pk)
        ship_by_hand([hand(later)], actor=ACTOR).raise_refusals()

    assert shipped.shipment.fulfillment_order.ship_to_id != order.ship_to_id == later.ship_to_id
    assert broken(["work.address"]) == {}


def test_work_released_to_a_new_address_by_a_clock_that_is_behind_is_no_breach() -> None:
    stock({"MUG": 2})
    order = make_confirmed()
    order = change(order, NewAddress(neutral_address(line1="Via Roma 1")))
    with clock.frozen(clock.now() - timedelta(minutes=1)):
        (pk,) = release_orders([order.pk], actor=ACTOR).only()
    ship_by_hand([hand(FulfillmentOrder.objects.get(pk=pk))], actor=ACTOR).raise_refusals()

    assert broken(["work.address"]) == {}


def test_address_that_changed_after_goods_had_left_by_a_clock_that_is_ahead_is_no_breach() -> None:
    work = make_released()
    with clock.frozen(clock.now() + timedelta(seconds=2)):
        ship_by_hand([hand(work)], actor=ACTOR).raise_refusals()
    stock({"MUG": 2})
    mug = Sku.objects.get(code="MUG")

    change(work.order, NewLine(mug.pk, 2, Decimal("10.00")), NewAddress(neutral_address(city="Bologna")))

    assert broken(["work.address"]) == {}


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (shipped_counter, "parcels.shipped"),
        (parcel_line, "parcels.shipped"),
        (consumed_reservation, "parcels.shipped"),
        (delivered_counter, "parcels.delivered"),
        (delivered_parcel, "parcels.delivered"),
        (delivered_parcel, "parcels.story"),
        (delivered_without_time, "parcels.story"),
        (line_of_another_order, "parcels.same_order"),
        (shipment_of_another_order, "parcels.same_order"),
        (tracking_twice, "parcels.tracking"),
        (asks_more_than_reserved, "work.reserved"),
        (reservation_elsewhere, "work.reserved"),
        (work_of_a_cancelled_order, "work.called_back"),
        (asked_and_not_counted, "work.asked"),
        (counted_and_not_asked, "work.asked"),
        (asks_more_than_reserved, "work.asked"),
        (shipped_without_a_parcel, "work.ledger"),
        (parcel_line, "work.ledger"),
        (left_twice, "work.ledger"),
        (left_of_another_sku, "work.ledger"),
        (left_from_another_location, "work.ledger"),
        (shipped_to_nowhere, "work.address"),
        (shipped_elsewhere, "work.address"),
        (shipped_past_a_change, "work.address"),
        (left_while_held, "work.stopped"),
        (left_and_cancelled, "work.stopped"),
    ],
)
def test_broken_promise_is_seen(damage: Callable[[], None], code: str) -> None:
    damage()

    assert broken([code])
