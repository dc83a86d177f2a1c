"""Stock of orders that nobody has paid: an end at allocation, gone with the payment, given back when it comes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from config.kernel import clock, outbox
from config.kernel.audit import run_audit
from config.kernel.models import Delivery, Event, Fact
from inventory.models import Reservation, StockLevel
from inventory.tasks import sweep_reservations
from orders.changes import SetQuantity
from orders.enums import FulfillmentStatus, HoldKind, PaymentStatus
from orders.models import LinePart, Order, SalesChannel
from orders.neutral import NeutralPayment
from orders.selectors.work import to_allocate
from orders.services.allocating import allocate_orders
from orders.services.holds import place_hold, release_holds
from orders.services.payments import PaymentReport, report_payments
from orders.services.proposals.wishes import NewAddress
from orders.tasks import sweep_backorders
from tests.factories.fulfillment import stock
from tests.factories.orders import (
    SYSTEM,
    make_channel,
    make_order,
    neutral_address,
    neutral_line,
    neutral_payment,
)
from tests.factories.proposals import change

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
END = NOW + timedelta(hours=48)


@pytest.fixture(autouse=True)
def at_nine():
    with clock.frozen(NOW):
        yield


def allocated(units: int = 3, *, hours: int | None = 48, payments: tuple[NeutralPayment, ...] = ()) -> Order:
    channel = make_channel(unpaid_hold_hours=hours)
    order = make_order(channel=channel, lines=(neutral_line("MUG", units),), payments=payments)
    allocate_orders([order.pk], actor=SYSTEM).raise_refusals()
    return order


def pay(order: Order, status: PaymentStatus = PaymentStatus.CAPTURED) -> None:
    captured = Decimal(30) if status == PaymentStatus.CAPTURED else Decimal(0)
    payment = neutral_payment("30.00", status=status, captured_amount=captured)
    report_payments([PaymentReport(order.pk, (payment,))], actor=SYSTEM).raise_refusals()


def rows() -> list[tuple[str, int, datetime | None]]:
    return list(Reservation.objects.order_by("pk").values_list("state", "quantity", "expires_at"))


def expire() -> None:
    with clock.frozen(END):
        sweep_reservations()
        outbox.deliver_due("work")
        sweep_backorders()


def told() -> list[tuple[str, dict]]:
    """What the timeline says of the end of what is held."""
    events = Event.objects.filter(kind__in=["stock_limited", "stock_unlimited"], thread_type="order")
    return list(events.order_by("pk").values_list("kind", "facts"))


def parts(units: int) -> dict[str, int]:
    return {str(LinePart.objects.get().pk): units}


def breaches() -> list[str]:
    return [finding.invariant.code for finding in run_audit() if finding.violations]


def test_allocate_orders_gives_what_an_unpaid_order_holds_and_waits_for_an_end() -> None:
    stock({"MUG": 5})

    allocated(7)

    assert rows() == [("open", 5, END), ("waiting", 2, END)]
    assert breaches() == []


@pytest.mark.parametrize(
    ("hours", "payments"), [(None, ()), (48, (neutral_payment("30.00"),))], ids=["channel", "paid"]
)
def test_allocate_orders_without_setting_or_when_paid_gives_no_end(
    hours: int | None, payments: tuple[NeutralPayment, ...]
) -> None:
    stock({"MUG": 5})

    allocated(hours=hours, payments=payments)

    assert rows() == [("open", 3, None)]


@pytest.mark.parametrize("status", [PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED])
def test_report_payments_takes_the_end_off(status: PaymentStatus) -> None:
    stock({"MUG": 5})
    order = allocated(7)

    pay(order, status)
    expire()

    assert rows() == [("open", 5, None), ("waiting", 2, None)]
    assert told() == [("stock_unlimited", {"units": 7, "parts": parts(7)})]
    pay(order, status)
    assert len(told()) == 1
    assert breaches() == []


def test_report_payments_of_a_pending_payment_leaves_the_end() -> None:
    stock({"MUG": 5})
    order = allocated()
    pending = neutral_payment(
        status=PaymentStatus.PENDING, authorised_amount=Decimal(0), captured_amount=Decimal(0)
    )

    report_payments([PaymentReport(order.pk, (pending,))], actor=SYSTEM).raise_refusals()

    assert rows() == [("open", 3, END)]


def test_report_payments_of_a_voided_payment_gives_an_end_again() -> None:
    stock({"MUG": 5})
    order = allocated()
    pay(order, PaymentStatus.AUTHORISED)

    with clock.frozen(NOW + timedelta(hours=5)):
        voided = neutral_payment("30.00", status=PaymentStatus.VOIDED, captured_amount=Decimal(0))
        report_payments([PaymentReport(order.pk, (voided,))], actor=SYSTEM).raise_refusals()

    end = END + timedelta(hours=5)
    assert rows() == [("open", 3, end)]
    assert told()[1:] == [("stock_limited", {"units": 3, "parts": parts(3), "until": end.isoformat()})]


def test_hold_placed_and_lifted_by_hand_gives_and_takes_the_end() -> None:
    stock({"MUG": 5})
    order = allocated(payments=(neutral_payment("30.00"),))

    place_hold([order.pk], kind=HoldKind.UNPAID, actor=SYSTEM).only()
    held = rows()
    release_holds([order.pk], kind=HoldKind.UNPAID, actor=SYSTEM).only()

    assert (held, rows()) == ([("open", 3, END)], [("open", 3, None)])


def test_expired_order_gives_all_back_and_no_sweep_allocates_it_again() -> None:
    stock({"MUG": 5})
    order = allocated(7)

    expire()
    expire()

    order.refresh_from_db()
    level = StockLevel.objects.get()
    assert [state for state, _units, _end in rows()] == ["expired", "expired"]
    assert (level.on_hand, level.reserved) == (5, 0)
    assert order.fulfillment_status == FulfillmentStatus.UNALLOCATED
    assert list(to_allocate(Order.objects.all())) == [order]
    assert Event.objects.filter(kind="promise_expired").count() == 1
    assert breaches() == []


def test_expired_order_stays_as_it_is_when_its_news_come_twice() -> None:
    stock({"MUG": 5})
    order = allocated()
    outbox.deliver_due("work")
    expire()
    accepted = Delivery.objects.filter(subscriber="orders.allocate_accepted", fact__subject_id=order.pk)
    accepted.update(state="due", settled_at=None, due_at=NOW)

    outbox.deliver_due("work")

    assert [state for state, _units, _end in rows()] == ["expired"]
    assert accepted.get().state == "delivered"


def test_payment_after_the_end_allocates_anew_through_the_outbox() -> None:
    stock({"MUG": 5})
    order = allocated()
    expire()

    pay(order)
    pay(order)
    assert Fact.objects.filter(kind="order.stock_due").count() == 1
    outbox.deliver_due("work")

    order.refresh_from_db()
    assert rows()[1:] == [("open", 3, None)]
    assert order.fulfillment_status == FulfillmentStatus.ALLOCATED
    assert breaches() == []


def test_payment_of_an_allocated_order_asks_for_nothing() -> None:
    stock({"MUG": 5})
    order = allocated()

    pay(order)

    assert not Fact.objects.filter(kind="order.stock_due").exists()


def test_allocating_by_hand_after_the_end_gives_a_new_one() -> None:
    stock({"MUG": 5})
    order = allocated()
    expire()

    with clock.frozen(END):
        allocate_orders([order.pk], actor=SYSTEM).raise_refusals()

    assert rows()[1:] == [("open", 3, END + timedelta(hours=48))]


def test_units_that_come_for_a_waiting_unpaid_order_keep_its_end() -> None:
    allocated()

    stock({"MUG": 2})
    outbox.deliver_due("work")

    assert sorted(rows()) == [("open", 2, END), ("waiting", 1, END)]
    expire()
    assert StockLevel.objects.get().reserved == 0
    assert breaches() == []


def test_channel_with_no_hour_is_refused_by_the_database() -> None:
    channel = make_channel()

    with pytest.raises(IntegrityError), transaction.atomic():
        SalesChannel.objects.filter(pk=channel.pk).update(unpaid_hold_hours=0)


@pytest.mark.parametrize("wish", ["address", "quantity"])
def test_change_of_an_unpaid_order_gives_no_stock_back_that_had_gone(wish: str) -> None:
    stock({"MUG": 9})
    order = allocated()
    expire()
    wishes = {
        "address": NewAddress(neutral_address(line1="Via Roma 1")),
        "quantity": SetQuantity(order.lines.get().pk, 4),
    }

    with clock.frozen(END):
        changed = change(order, wishes[wish])

    assert (changed.fulfillment_status, [row[0] for row in rows()]) == ("unallocated", ["expired"])
    assert breaches() == []
    with clock.frozen(END + timedelta(hours=1)):
        pay(order)
        outbox.deliver_due("work")
    assert [row[0] for row in rows()] == ["expired", "open"]


def test_change_of_an_unpaid_order_that_has_stock_again_takes_more() -> None:
    stock({"MUG": 9})
    order = allocated()
    expire()
    with clock.frozen(END):
        allocate_orders([order.pk], actor=SYSTEM).raise_refusals()

        changed = change(Order.objects.get(pk=order.pk), SetQuantity(order.lines.get().pk, 4))

    assert changed.allocated_quantity == 4
    assert breaches() == []
