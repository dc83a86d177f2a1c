"""What happened to the order after its release is seen at the last moment, under its lock."""

import pytest

from config.kernel.outbox import deliver_due
from fulfillment.enums import FulfillmentOrderStatus
from fulfillment.errors import AddressChanged, LineStopped, NotReleased, OrderHeld
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services.cancelling import cancel_fulfillment_orders
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from orders.enums import HoldKind
from orders.models import Address, Order
from orders.services.cancelling import cancel_orders
from orders.services.holds import place_hold, release_holds
from tests.factories.fulfillment import ACTOR, hand, make_released
from tests.fulfillment.watching import nothing_written

pytestmark = pytest.mark.django_db


def test_order_cancelled_after_release_does_not_ship() -> None:
    work = make_released()
    cancel_orders([work.order_id], reason="changed their mind", actor=ACTOR).raise_refusals()

    with nothing_written():
        results = ship_by_hand([hand(work)], actor=ACTOR)

    error = results.refusals[work.pk]
    assert type(error) is LineStopped
    assert work.order.number in str(error)


def test_cancelled_orders_work_is_called_back_by_the_outbox_and_then_not_shippable() -> None:
    work = make_released()
    cancel_orders([work.order_id], reason="changed their mind", actor=ACTOR).raise_refusals()

    deliver_due("work")

    work.refresh_from_db()
    assert work.status == FulfillmentOrderStatus.CANCELLED
    assert type(ship_by_hand([hand(work)], actor=ACTOR).refusals[work.pk]) is NotReleased


@pytest.mark.parametrize(
    "kind", [HoldKind.MANUAL, HoldKind.FRAUD, HoldKind.CANCEL_REQUESTED, HoldKind.UNPAID]
)
def test_order_held_after_release_does_not_ship_until_the_hold_is_lifted(kind: HoldKind) -> None:
    work = make_released()
    place_hold([work.order_id], kind=kind, reason="look", actor=ACTOR).raise_refusals()

    with nothing_written():
        refused = ship_by_hand([hand(work)], actor=ACTOR)
    release_holds([work.order_id], kind=kind, actor=ACTOR).raise_refusals()
    shipped = ship_by_hand([hand(work)], actor=ACTOR)

    error = refused.refusals[work.pk]
    assert type(error) is OrderHeld
    assert error.facts["holds"] == [kind]
    assert str(kind.label) in str(error)
    assert shipped.done_ids == [work.pk]


def test_order_readdressed_after_release_ships_only_after_a_new_release() -> None:
    work = make_released()
    moved = Address.objects.create(name="Rosa Neri", line1="Via Roma 1", city="Milano", country_code="IT")
    Order.objects.filter(pk=work.order_id).update(ship_to=moved)

    with nothing_written():
        refused = ship_by_hand([hand(work)], actor=ACTOR)
    cancel_fulfillment_orders([work.pk], actor=ACTOR).raise_refusals()
    (pk,) = release_orders([work.order_id], actor=ACTOR).only()
    shipped = ship_by_hand([hand(FulfillmentOrder.objects.get(pk=pk))], actor=ACTOR)

    error = refused.refusals[work.pk]
    assert type(error) is AddressChanged
    assert (error.facts["released_to"], error.facts["ship_to"]) == (work.ship_to_id, moved.pk)
    assert shipped.done_ids == [pk]
    assert FulfillmentOrder.objects.get(pk=pk).ship_to == moved
    assert Parcel.objects.count() == 1
