"""Mails that a person keeps back: one that is owed, or all of an order; what the order's page offers and shows."""

from typing import Any

import pytest
from django.core import mail

from config.kernel import clock, outbox
from config.kernel.actors import Actor
from config.kernel.admin import admin_url
from config.kernel.enums import DeliveryState
from config.kernel.errors import NotAllowed
from config.kernel.models import Delivery, Event
from inventory.models import StaffLocation
from orders.admin.order_mails import owed_of
from orders.enums import MailKind
from orders.mail_kinds import SUBSCRIBERS
from orders.models import Notification, Order
from orders.services.cancelling import cancel_orders
from orders.services.confirming import confirm_orders
from orders.services.mail_stopping import STOP_MAILS, allow_mails, stop_mails, suppress_mails
from tests.factories.fulfillment import make_shipped
from tests.factories.inventory import make_location
from tests.factories.orders import SYSTEM, make_order
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db


def confirmed(**fields: Any) -> Order:
    order = make_order(**fields)
    confirm_orders([order.pk], actor=SYSTEM).only()
    return order


def owed(order: Order, kind: MailKind = MailKind.CONFIRMATION) -> Delivery:
    return Delivery.objects.get(subscriber=SUBSCRIBERS[kind])


def test_suppressed_mail_never_leaves_and_the_timeline_says_why() -> None:
    order = confirmed()
    row = owed(order)

    assert suppress_mails([row.pk], reason="told by phone", actor=SYSTEM).done_ids == [row.pk]
    assert suppress_mails([row.pk], reason="again", actor=SYSTEM).unchanged_ids == [row.pk]
    outbox.deliver_due("mail")

    row.refresh_from_db()
    assert (row.state, row.last_error, mail.outbox) == (DeliveryState.SUPPRESSED, "told by phone", [])
    event = Event.objects.get(kind="mail_suppressed")
    assert (event.thread_type, event.thread_id) == ("order", order.pk)
    assert event.facts == {"mail": "confirmation", "delivery": row.pk, "reason": "told by phone"}


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("due", ""), ("failed", ""), ("dead", ""), ("in_flight", "mail_being_sent"),
        ("delivered", "mail_being_sent"), ("unknown", "mail_being_sent"),
    ],
)  # fmt: skip
def test_suppress_takes_what_has_not_left(state: str, code: str) -> None:
    row = owed(confirmed())
    Delivery.objects.filter(pk=row.pk).update(state=state)

    results = suppress_mails([row.pk], reason="x", actor=SYSTEM)

    assert [error.code for error in results.refusals.values()] == ([code] if code else [])
    row.refresh_from_db()
    assert row.state == (state if code else "suppressed")
    assert Event.objects.filter(kind="mail_suppressed").count() == (0 if code else 1)


def test_suppress_refuses_a_delivery_that_is_no_mail_and_one_of_an_order_out_of_sight() -> None:
    row = owed(confirmed())
    other = Delivery.objects.exclude(lane="mail").first() or row
    blind = Actor(SYSTEM.kind, label="x", permissions=frozenset({STOP_MAILS}), locations=frozenset())

    assert suppress_mails([other.pk, 999], reason="x", actor=SYSTEM).refusals[999].code == "not_found"
    assert other != row
    assert suppress_mails([other.pk], reason="x", actor=SYSTEM).refusals[other.pk].code == "not_found"
    assert suppress_mails([row.pk], reason="x", actor=blind).refusals[row.pk].code == "not_found"


def test_stopped_order_sends_nothing_until_it_is_allowed_again() -> None:
    order = confirmed()

    assert stop_mails([order.pk], reason="a quarrel", actor=SYSTEM).done_ids == [order.pk]
    assert stop_mails([order.pk], reason="again", actor=SYSTEM).unchanged_ids == [order.pk]
    outbox.deliver_due("mail")
    assert owed(order).last_error == "the mails of this order were stopped"
    assert allow_mails([order.pk, 999], actor=SYSTEM).refusals[999].code == "not_found"
    cancel_orders([order.pk], reason="asked", actor=SYSTEM).only()
    outbox.deliver_due("mail")

    assert [one.subject for one in mail.outbox] != []
    assert list(Notification.objects.values_list("kind", flat=True)) == [MailKind.CANCELLATION]
    kinds = Event.objects.filter(kind__startswith="mails_").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["mails_stopped", "mails_allowed"]


@pytest.mark.parametrize("verb", [suppress_mails, stop_mails])
def test_keeping_mails_back_needs_its_permission(verb: Any) -> None:
    nobody = Actor(SYSTEM.kind, label="x", permissions=frozenset())

    with pytest.raises(NotAllowed):
        verb([1], reason="x", actor=nobody)


def test_order_owes_the_mails_of_its_parcels_too() -> None:
    order, other = make_shipped().order, make_order()

    assert MailKind.SHIPPED in {row.mail_kind for row in owed_of(order)}  # type: ignore[attr-defined]
    assert owed_of(other) == []


@pytest.fixture
def support() -> Visitor:
    return visitor("Support")


def test_customer_service_keeps_a_mail_back_from_the_order_page(support: Visitor) -> None:
    order = confirmed()
    page = text_of(support.get(admin_url(order, "change", order.pk)))
    assert "Order confirmation Due" in page

    answer = support.press(
        admin_url(Order, "suppress_mails", order.pk), mails=[owed(order).pk], reason="told by phone"
    )

    assert answer.status_code == 302
    assert owed(order).state == DeliveryState.SUPPRESSED
    page = text_of(support.get(admin_url(order, "change", order.pk)))
    assert "Mail not to be sent Order confirmation: told by phone" in page


def test_customer_service_stops_an_order_s_mails_and_allows_them(support: Visitor) -> None:
    order = confirmed()

    assert support.press(admin_url(Order, "stop_mails", order.pk), reason="a quarrel").status_code == 302
    order.refresh_from_db()
    assert (order.mails_stopped, order.version) == (True, 3)
    assert "Mails stopped Allow mails" in text_of(support.get(admin_url(order, "change", order.pk)))
    assert support.press(admin_url(Order, "allow_mails", order.pk)).status_code == 302

    assert not Order.objects.get(pk=order.pk).mails_stopped


def test_customer_service_sends_a_mail_once_more_after_reading_it(support: Visitor) -> None:
    order = confirmed()
    outbox.deliver_due("mail")
    sent = Notification.objects.get()
    Order.objects.update(email="new@example.com")

    said = text_of(support.get(admin_url(sent, "resend", sent.pk)))
    for words in ("once more to new@example.com", "went to " + sent.recipient, sent.subject):
        assert words in said
    support.press(admin_url(sent, "resend", sent.pk), reason="deleted")
    with clock.frozen(clock.now()):
        outbox.deliver_due("mail")

    assert [one.to for one in mail.outbox] == [[order.email], ["new@example.com"]]


def test_resend_of_a_stopped_order_says_that_nobody_would_get_it(support: Visitor) -> None:
    order = confirmed()
    outbox.deliver_due("mail")
    stop_mails([order.pk], reason="a quarrel", actor=SYSTEM).only()
    sent = Notification.objects.get()

    said = text_of(support.get(admin_url(sent, "resend", sent.pk)))

    assert "Nobody would get it: the mails of this order were stopped." in said


def test_preview_page_shows_every_kind_and_sends_nothing(support: Visitor) -> None:
    order = confirmed()

    for kind in MailKind:
        page = support.get(admin_url(Order, "mails", order.pk), {"kind": kind.value})
        assert page.context["preview"].kind == kind
        assert order.email in text_of(page)

    assert (mail.outbox, Notification.objects.exists()) == ([], False)


@pytest.mark.parametrize("role", ["Picker", "Reader"])
def test_who_sees_no_buyer_sees_no_mail_and_presses_nothing(role: str) -> None:
    order = confirmed()
    client = visitor(role)

    page = text_of(client.get(admin_url(order, "change", order.pk)))
    refused = [
        client.get(admin_url(Order, name, order.pk)).status_code
        for name in ("mails", "stop_mails", "suppress_mails")
    ]

    assert refused == [403, 403, 403]
    assert order.email not in page
    assert "Stop mails" not in page


def test_order_of_another_place_has_no_preview(support: Visitor) -> None:
    from django.contrib.auth import get_user_model

    order = confirmed()
    StaffLocation.objects.create(user=get_user_model().objects.latest("pk"), location=make_location("FAR"))

    assert support.get(admin_url(Order, "mails", order.pk)).status_code == 404
