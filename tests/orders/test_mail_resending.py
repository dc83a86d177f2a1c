"""A mail sent once more: deliberate, with a reason, and once however often it is pressed."""

from datetime import timedelta

import pytest
from django.core import mail

from config.kernel import clock, outbox
from config.kernel.admin import admin_url
from config.kernel.enums import DeliveryState
from config.kernel.models import Delivery, Event
from orders.mail_kinds import AGAIN_MAIL
from orders.models import Notification, Order
from orders.services.confirming import confirm_orders
from orders.services.mail_resending import resend_mails
from tests.factories.orders import SYSTEM, make_order
from tests.kernel.visitor import visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent() -> Notification:
    order = make_order()
    confirm_orders([order.pk], actor=SYSTEM).only()
    outbox.deliver_due("mail")
    return Notification.objects.get()


def test_resend_sends_the_same_words_to_the_address_of_now(sent: Notification) -> None:
    Order.objects.update(email="new@example.com")

    assert resend_mails([sent.pk], reason="never arrived", actor=SYSTEM).done_ids == [sent.pk]
    outbox.deliver_due("mail")

    first, second = mail.outbox
    assert (second.to, second.subject, second.body) == (["new@example.com"], first.subject, first.body)
    copy = Notification.objects.exclude(pk=sent.pk).get()
    assert copy.message_id != sent.message_id
    assert (copy.kind, copy.parcel_set[0], copy.sent_at is not None) == (sent.kind, "+", True)
    event = Event.objects.get(kind="mail_again")
    assert event.facts == {"mail": "confirmation", "notification": sent.pk, "reason": "never arrived"}


def test_resend_pressed_twice_sends_once(sent: Notification) -> None:
    resend_mails([sent.pk], reason="never arrived", actor=SYSTEM).only()
    assert resend_mails([sent.pk], reason="never arrived", actor=SYSTEM).unchanged_ids == [sent.pk]
    outbox.deliver_due("mail")
    assert resend_mails([sent.pk], reason="never arrived", actor=SYSTEM).unchanged_ids == [sent.pk]
    Delivery.objects.update(state=DeliveryState.DUE)
    outbox.deliver_due("mail")

    assert (len(mail.outbox), Event.objects.filter(kind="mail_again").count()) == (2, 1)


def test_resend_a_minute_later_is_another_mail(sent: Notification) -> None:
    resend_mails([sent.pk], reason="lost", actor=SYSTEM).only()
    outbox.deliver_due("mail")

    with clock.frozen(clock.now() + timedelta(minutes=2)):
        assert resend_mails([sent.pk], reason="lost again", actor=SYSTEM).done_ids == [sent.pk]
        outbox.deliver_due("mail")

    assert len(mail.outbox) == 3
    assert len(set(Notification.objects.values_list("message_id", flat=True))) == 3


def test_resend_to_nobody_is_suppressed(sent: Notification) -> None:
    Order.objects.update(email="")
    resend_mails([sent.pk], reason="lost", actor=SYSTEM).only()
    outbox.deliver_due("mail")

    delivery = Delivery.objects.get(subscriber=AGAIN_MAIL)
    assert (delivery.state, len(mail.outbox)) == (DeliveryState.SUPPRESSED, 1)


def test_resend_refuses_what_did_not_leave_and_what_is_unknown(sent: Notification) -> None:
    Notification.objects.update(sent_at=None)

    results = resend_mails([sent.pk, 999], reason="lost", actor=SYSTEM)

    codes = {pk: error.code for pk, error in results.refusals.items()}
    assert codes == {sent.pk: "mail_being_sent", 999: "not_found"}
    assert not Delivery.objects.filter(subscriber=AGAIN_MAIL).exists()
    assert not Event.objects.filter(kind="mail_again").exists()


def test_resend_by_a_manager_from_the_mails_page(sent: Notification) -> None:
    manager = visitor("Manager")

    response = manager.press(admin_url(Notification, "resend", sent.pk), reason="never arrived")

    assert response.status_code == 302
    assert Delivery.objects.filter(subscriber=AGAIN_MAIL).count() == 1


def test_resend_is_refused_to_readers(sent: Notification) -> None:
    assert visitor("Reader").get(admin_url(Notification, "resend", sent.pk)).status_code in {403, 404}
