"""A payment against the end of what the order holds, on real PostgreSQL: either it keeps its units or it asks anew."""

from datetime import timedelta

import pytest

from config.kernel import clock, outbox
from config.kernel.audit import run_audit
from config.kernel.models import Event
from inventory.models import Reservation, StockLevel
from inventory.services.reservations import expire_reservations
from orders.models import Order
from orders.services.allocating import allocate_orders
from orders.services.payments import PaymentReport, report_payments
from tests.concurrency.test_stock_races import at_once
from tests.factories.inventory import ACTOR, make_location, make_sku, receive
from tests.factories.orders import make_channel, make_order, neutral_line, neutral_payment

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ROUNDS = 12


def due_order(code: str) -> Order:
    """An unpaid order whose units go back from now on."""
    order = make_order(channel=make_channel(unpaid_hold_hours=1), lines=(neutral_line(code, 2),), payments=())
    with clock.frozen(clock.now() - timedelta(minutes=61)):
        allocate_orders([order.pk], actor=ACTOR).raise_refusals()
    return order


def test_payment_and_expiry_at_once_leave_the_order_its_units() -> None:
    for _round in range(ROUNDS):
        sku, place = make_sku(), make_location()
        receive(sku, place, 5)
        order = due_order(sku.code)
        rows = [row.pk for row in Reservation.objects.filter(sku=sku)]

        def pay(order_id: int = order.pk) -> str:
            report_payments([PaymentReport(order_id, (neutral_payment("20.00"),))], actor=ACTOR)
            return "paid"

        def expire(pks: tuple[int, ...] = tuple(rows)) -> str:
            expire_reservations(pks, actor=ACTOR)
            return "swept"

        assert at_once(pay, expire, expire) == {"paid": 1, "swept": 2}
        outbox.deliver_due("work")

        live = Reservation.objects.get(sku=sku, state="open")
        expired = Reservation.objects.filter(sku=sku, state="expired").count()
        assert (live.quantity, live.expires_at) == (2, None)
        assert StockLevel.objects.get(sku=sku).reserved == 2
        assert Event.objects.filter(kind="promise_expired", subject_id=order.pk).count() == expired
        order.refresh_from_db()
        assert (order.fulfillment_status, order.payment_status) == ("allocated", "paid")
    findings = [one for one in run_audit() if one.invariant.code != "outbox.age"]
    assert [(one.invariant.code, one.violations) for one in findings if one.violations] == []
