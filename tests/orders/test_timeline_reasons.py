"""The timeline says why an order was held and what was paid, to those who may read it."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.admin.timeline import in_words
from config.kernel.models import Event
from orders.admin.orders import OrderAdmin as _OrderAdmin  # noqa: F401
from orders.enums import PaymentStatus
from orders.models import Hold, Order
from orders.services.holds import place_hold, release_holds
from orders.services.payments import PaymentReport, report_payments
from tests.factories.orders import SYSTEM, make_order, neutral_payment
from tests.kernel.visitor import text_of, visitor

pytestmark = pytest.mark.django_db
REASON = "Rosa calls back on Friday"


def held_and_lifted() -> Order:
    order = make_order()
    place_hold([order.pk], kind="manual", reason=REASON, actor=SYSTEM).only()
    release_holds([order.pk], kind="manual", actor=SYSTEM).only()
    return order


def page_of(role: str, order: Order) -> str:
    return text_of(visitor(role).get(f"/orders/order/{order.pk}/change/"))


def test_timeline_names_the_typed_reason_of_a_hold_and_of_its_lifting() -> None:
    order = held_and_lifted()

    said = page_of("Support", order)

    assert f"Held by staff {REASON}" in said
    assert f"Hold lifted: Held by staff {REASON}" in said


def test_reason_of_a_hold_is_not_in_the_event_and_goes_with_its_row() -> None:
    order = held_and_lifted()
    assert not [event for event in Event.objects.all() if REASON in str(event.facts)]

    Hold.objects.update(reason="")

    assert REASON not in page_of("Support", order)
    assert "Held by staff" in page_of("Support", order)


def test_reason_of_a_hold_is_kept_from_people_who_see_nothing_personal() -> None:
    order = held_and_lifted()

    for role in ("Picker", "Reader"):
        said = page_of(role, order)
        assert REASON not in said
        assert "Held by staff" in said
        assert "Hold lifted: Held by staff" in said


def test_reasons_cost_one_statement_for_any_number_of_holds() -> None:
    order = make_order()
    for number in range(3):
        place_hold([order.pk], kind="manual", reason=f"{REASON} {number}", actor=SYSTEM).only()
    release_holds([order.pk], kind="manual", actor=SYSTEM).only()
    events = list(Event.objects.filter(thread_type="order", kind__startswith="hold_"))

    with CaptureQueriesContext(connection) as asked:
        rows = in_words(events)

    assert len(asked) == 1
    assert sorted(row.detail for row in rows) == sorted(2 * [f"{REASON} {number}" for number in range(3)])


def test_timeline_names_the_amount_of_a_payment_reported_with_the_order_or_later() -> None:
    later = make_order(payments=())
    authorised = neutral_payment(status=PaymentStatus.AUTHORISED, captured_amount=Decimal(0))
    report_payments([PaymentReport(later.pk, (authorised,))], actor=SYSTEM).only()

    assert "Payment reported captured €20.00" in page_of("Support", make_order())
    assert "Payment reported authorised €20.00" in page_of("Support", later)
    assert "Payment reported" not in page_of("Picker", later)
