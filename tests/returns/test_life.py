"""One order's whole life, from acceptance to the returned unit back on the shelf."""

import pytest

from config.kernel.audit import run_audit
from config.kernel.outbox import deliver_due
from fulfillment.enums import ParcelStatus
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from fulfillment.services.tracking import record_tracking
from inventory.models import StockLevel, StockMovement
from orders.enums import FulfillmentStatus, OrderStatus
from orders.models import LinePart, Order
from returns.enums import RmaStatus
from returns.models import Rma
from returns.services.approving import approve_returns
from returns.services.inspecting import inspect_returns, resolve_returns
from returns.services.receiving import receive_returns
from returns.services.requesting import request_returns
from tests.factories.fulfillment import ACTOR, hand, make_confirmed, stock, told
from tests.factories.returns import AS_NEW, BROKEN, inspection, receipt, wish

pytestmark = pytest.mark.django_db


def violations() -> list[str]:
    return [
        f"{finding.invariant.code} {one.subject}: {one.detail}"
        for finding in run_audit()
        for one in finding.violations
    ]


def test_order_lives_from_accepted_to_restocked_and_audit_stays_clean() -> None:
    location = stock({"MUG": 10, "BOOK": 1})
    order = make_confirmed({"MUG": 3, "BOOK": 1})
    assert order.fulfillment_status == FulfillmentStatus.ALLOCATED

    (work_id,) = release_orders([order.pk], actor=ACTOR).only()
    parcel = Parcel.objects.get(
        pk=ship_by_hand([hand(FulfillmentOrder.objects.get(pk=work_id))], actor=ACTOR).only()
    )
    order.refresh_from_db()
    assert order.fulfillment_status == FulfillmentStatus.SHIPPED
    record_tracking([told(parcel, ParcelStatus.DELIVERED)], actor=ACTOR).raise_refusals()
    order.refresh_from_db()
    assert (order.fulfillment_status, order.status) == (FulfillmentStatus.DELIVERED, OrderStatus.COMPLETED)

    rma = Rma.objects.get(pk=request_returns([wish(order, 2, location=location)], actor=ACTOR).only())
    approve_returns([rma.pk], actor=ACTOR).raise_refusals()
    receive_returns([receipt(rma)], actor=ACTOR).raise_refusals()
    mugs = StockLevel.objects.get(sku__code="MUG", location=location)
    assert (mugs.on_hand, mugs.reserved, mugs.unsellable) == (9, 0, 2)
    inspect_returns([inspection(rma, AS_NEW, BROKEN)], actor=ACTOR).raise_refusals()
    resolve_returns([rma.pk], actor=ACTOR).raise_refusals()

    mugs.refresh_from_db()
    rma.refresh_from_db()
    part = LinePart.objects.get(line__order=order, sku__code="MUG")
    assert rma.status == RmaStatus.RESOLVED
    assert (mugs.on_hand, mugs.reserved, mugs.unsellable, mugs.free) == (8, 0, 0, 8)
    assert (part.shipped, part.delivered, part.returned, part.allocated) == (3, 3, 2, 0)
    assert sum(StockMovement.objects.filter(level=mugs).values_list("delta", flat=True)) == 8
    deliver_due("work")
    deliver_due("mail")
    assert violations() == []


def test_orders_of_two_places_ship_apart_and_audit_stays_clean() -> None:
    stock({"MUG": 2})
    stock({"BOOK": 1})
    order = make_confirmed({"MUG": 2, "BOOK": 1})

    work = release_orders([order.pk], actor=ACTOR).only()
    ship_by_hand([hand(FulfillmentOrder.objects.get(pk=work[0]))], actor=ACTOR).raise_refusals()

    assert len(work) == 2
    order = Order.objects.get(pk=order.pk)
    assert order.fulfillment_status == FulfillmentStatus.PARTLY_SHIPPED
    deliver_due("work")
    deliver_due("mail")
    assert violations() == []
