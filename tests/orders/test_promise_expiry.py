"""An order's reservation runs out: counters, axes and timeline follow; it can be allocated again."""

from datetime import timedelta

import pytest

from config.kernel import clock, outbox
from config.kernel.audit import run_audit
from config.kernel.models import Event
from inventory.models import Reservation
from inventory.services.reservations import expire_reservations
from inventory.tasks import sweep_reservations
from orders.enums import FulfillmentStatus
from orders.models import LinePart, Order
from orders.services.allocating import allocate_orders
from tests.factories.fulfillment import make_released, stock
from tests.factories.inventory import ACTOR
from tests.factories.orders import SYSTEM, make_order, neutral_line

pytestmark = pytest.mark.django_db


def allocated_until_now(units: int) -> Order:
    order = make_order(lines=(neutral_line("MUG", units),))
    allocate_orders([order.pk], actor=SYSTEM).raise_refusals()
    Reservation.objects.update(expires_at=clock.now())
    return order


def breaches() -> list[str]:
    return [finding.invariant.code for finding in run_audit() if finding.violations]


def test_expired_promise_is_undecided_again_and_told_on_the_order() -> None:
    stock({"MUG": 5})
    order = allocated_until_now(7)

    sweep_reservations()

    order.refresh_from_db()
    part = LinePart.objects.get(line__order=order)
    assert (part.allocated, order.fulfillment_status) == (0, FulfillmentStatus.UNALLOCATED)
    event = Event.objects.get(kind="promise_expired")
    assert (event.thread_id, event.facts) == (order.pk, {"units": 7, "parts": {str(part.pk): 7}})
    assert breaches() == []


def test_expired_promise_is_given_again_by_allocating() -> None:
    stock({"MUG": 5})
    order = allocated_until_now(3)
    sweep_reservations()

    allocate_orders([order.pk], actor=SYSTEM).raise_refusals()

    order.refresh_from_db()
    assert order.fulfillment_status == FulfillmentStatus.ALLOCATED
    assert breaches() == []


def test_promise_of_which_the_warehouse_works_on_part_expires_in_part() -> None:
    make_released({"MUG": 5}, goods={"MUG": 2})
    stock({"MUG": 3})
    outbox.deliver_due("work")
    part = LinePart.objects.get()
    assert part.allocated == 5
    Reservation.objects.filter(state="open").update(expires_at=clock.now() - timedelta(hours=1))

    sweep_reservations()
    sweep_reservations()

    part.refresh_from_db()
    assert part.allocated == 2
    assert sorted(Reservation.objects.filter(state="open").values_list("quantity", "expires_at")) == [
        (2, None)
    ]
    expired, kept = (Event.objects.get(kind=kind) for kind in ("promise_expired", "promise_kept"))
    assert (expired.facts["units"], kept.facts["units"]) == (3, 2)
    assert breaches() == []


def test_promise_that_the_warehouse_works_on_does_not_expire() -> None:
    stock({"MUG": 5})
    make_released({"MUG": 2})
    Reservation.objects.update(expires_at=clock.now() - timedelta(hours=1))

    results = expire_reservations(list(Reservation.objects.values_list("pk", flat=True)), actor=ACTOR)

    assert results.counts() == {"done": 0, "unchanged": 1, "refused": 0}
    assert list(Reservation.objects.values_list("state", "expires_at")) == [("open", None)]
    part = LinePart.objects.get()
    event = Event.objects.get(kind="promise_kept")
    assert (event.thread_id, event.facts) == (part.line.order_id, {"units": 2, "parts": {str(part.pk): 2}})
    assert breaches() == []
