"""Shipping meets itself and a cancellation, on real PostgreSQL: one parcel, and never one for a cancelled order."""

import threading
from typing import Any
from unittest import mock

import pytest

from config.kernel.errors import BancaleError, Conflict
from config.kernel.outbox import deliver_due
from fulfillment.errors import AlreadyShipped, LineStopped, TrackingNumberTaken
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services import locking, shipping
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import HandShipment, ship_by_hand
from inventory.enums import MovementKind
from inventory.models import StockMovement
from orders import errors as order_errors
from orders.enums import OrderStatus
from orders.models import Order
from orders.services.cancelling import cancel_orders
from tests.concurrency.rivals import Call, at_once, comes_to_wait, violations
from tests.factories.fulfillment import ACTOR, make_confirmed, stock

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

RIVALS, ROUNDS = 8, 12


def released(count: int = 1) -> list[FulfillmentOrder]:
    stock({"MUG": 2 * count})
    orders = [make_confirmed().pk for _order in range(count)]
    pks = [pk for work in release_orders(orders, actor=ACTOR).values.values() for pk in work]
    return list(FulfillmentOrder.objects.filter(pk__in=pks).order_by("pk"))


def shipping_of(work: FulfillmentOrder, number: str) -> Call:
    return lambda: ship_by_hand([HandShipment(work.pk, "GLS", number)], actor=ACTOR)


def cancelling_of(order_id: int) -> Call:
    return lambda: cancel_orders([order_id], reason="no", actor=ACTOR)


def test_the_same_work_shipped_by_eight_leaves_once() -> None:
    (work,) = released()

    answers = at_once([shipping_of(work, f"TN-{number:04}") for number in range(RIVALS)])

    assert sorted(map(str, answers)) == sorted(map(str, ["done", *[AlreadyShipped] * (RIVALS - 1)]))
    assert Parcel.objects.count() == 1
    assert list(StockMovement.objects.filter(kind=MovementKind.SHIP).values_list("delta", flat=True)) == [-2]
    deliver_due("work")
    deliver_due("mail")
    assert violations() == []


def test_one_number_typed_for_two_orders_at_once_goes_to_one_of_them() -> None:
    first, second = released(2)

    answers = at_once([shipping_of(first, "TN-0001"), shipping_of(second, "TN-0001")])

    assert answers.count("done") == 1
    assert {*answers} <= {"done", TrackingNumberTaken, Conflict}
    assert Parcel.objects.count() == 1


def test_ship_and_cancel_at_once_never_do_both() -> None:
    work = released(ROUNDS)

    for number, one in enumerate(work):
        ship, cancel = at_once([shipping_of(one, f"TN-{number:04}"), cancelling_of(one.order_id)])
        assert (ship, cancel) in {("done", order_errors.AlreadyShipped), (LineStopped, "done")}

    cancelled = Order.objects.filter(status=OrderStatus.CANCELLED)
    assert not Parcel.objects.filter(order__in=cancelled).exists()
    deliver_due("work")
    deliver_due("mail")
    assert violations() == []


def cancel_meanwhile(work: FulfillmentOrder) -> tuple[bool, Any, Any]:
    """Cancel the order between the guard's look and the stock's leaving.

    Whether the cancellation had to wait, and what the two answered.
    """
    rival = threading.Thread(target=lambda: answers.extend(at_once([cancelling_of(work.order_id)])))
    answers: list[Any] = []
    waited: list[bool] = []
    take_stock = shipping._take_stock

    def after_a_while(*given: Any, **named: Any) -> None:
        rival.start()
        waited.append(comes_to_wait(lambda: not rival.is_alive()))
        take_stock(*given, **named)

    with mock.patch.object(shipping, "_take_stock", after_a_while):
        try:
            shipped: Any = shipping_of(work, "TN-0001")().is_done(work.pk)
        except BancaleError as error:
            shipped = type(error)
    rival.join(timeout=30)
    return waited[0], shipped, answers[0]


def test_cancel_waits_for_a_shipment_under_way() -> None:
    (work,) = released()

    assert cancel_meanwhile(work) == (True, True, order_errors.AlreadyShipped)


def test_control_without_the_lock_the_cancellation_slips_in() -> None:
    """Then only the reservations, gone by now, keep the goods here."""
    (work,) = released()

    with mock.patch.object(
        locking, "lock_orders", lambda ids: list(Order.objects.filter(pk__in=ids).order_by("pk"))
    ):
        waited, shipped, cancelled = cancel_meanwhile(work)

    assert (waited, cancelled) == (False, "done")
    assert shipped is not True
    assert Parcel.objects.count() == 0
