"""One mail a confirmed order: whatever is delivered twice, crashes, or is refused."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from config.kernel import clock, outbox
from config.kernel.enums import DeliveryState
from config.kernel.models import Attempt, Delivery, Event
from orders.enums import MailKind, NeutralState
from orders.models import Notification, Order
from orders.neutral import NeutralBuyer
from orders.services import mailing
from orders.services.confirming import confirm_orders
from orders.services.mail_occasions import Occasion
from orders.services.mail_outcomes import mark_mails_sent, send_mails_again
from orders.services.mail_texts import write_mail
from tests.factories.orders import SYSTEM, make_channel, make_order

pytestmark = pytest.mark.django_db

LATER = timedelta(minutes=20)


class Crash(BaseException):
    """What a killed process looks like from inside: no `except Exception` sees it."""


def confirmed(**fields: Any) -> Order:
    order = make_order(**fields)
    confirm_orders([order.pk], actor=SYSTEM).only()
    return order


def begin(order: Order) -> Notification:
    """A worker that is about to send."""
    occasion = Occasion(order, MailKind.CONFIRMATION, delivery_id=Delivery.objects.get(lane="mail").pk)
    row = mailing._begin(occasion, write_mail(occasion))
    assert row is not None
    return row


def deliver(after: timedelta = timedelta()) -> Delivery:
    """Run the mail lane as a worker would do `after` from now, and return its only delivery."""
    with clock.frozen(clock.now() + after):
        outbox.reclaim()
    with clock.frozen(clock.now() + after + LATER):
        outbox.deliver_due("mail")
    return Delivery.objects.get(lane="mail")


@pytest.fixture
def crash_after_sending(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process dies when the server has taken the mail and before we have written that down."""

    def send_and_die(self: EmailBackend, messages: Any) -> int:
        mail.outbox.extend(messages)
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", send_and_die)
        yield


def crashed() -> None:
    with pytest.raises(Crash):
        outbox.deliver_due("mail")


def test_send_mails_sends_once_and_says_so() -> None:
    order = confirmed()

    delivery = deliver()

    (message,) = mail.outbox
    row = Notification.objects.get()
    assert delivery.state == DeliveryState.DELIVERED
    assert (message.to, message.from_email) == ([order.email], "orders@example.com")
    assert (row.order, row.kind, row.parcel_set, row.recipient) == (
        order,
        MailKind.CONFIRMATION,
        "",
        order.email,
    )
    assert row.sent_at is not None
    assert message.extra_headers["Message-ID"] == row.message_id
    assert (message.subject, message.body, message.alternatives[0].content) == (
        row.subject,
        row.body_text,
        row.body_html,
    )
    event = Event.objects.get(kind="mail_sent")
    assert (event.thread_id, event.facts["notification"]) == (order.pk, row.pk)


def test_send_mails_delivered_twice_sends_once() -> None:
    order = confirmed()
    deliver()
    Delivery.objects.update(state=DeliveryState.DUE)

    delivery = deliver()

    assert (delivery.state, len(mail.outbox)) == (DeliveryState.DELIVERED, 1)
    assert Notification.objects.get().order == order


def test_send_mails_crash_between_sending_and_sent_is_unknown(crash_after_sending: None) -> None:
    confirmed()
    crashed()

    delivery = deliver(after=timedelta(minutes=3))

    assert (delivery.state, len(mail.outbox)) == (DeliveryState.UNKNOWN, 1)
    assert Notification.objects.get().sent_at is None
    assert [attempt.outcome for attempt in Attempt.objects.order_by("number")] == ["failed", "unknown"]


def unknown_mail(monkeypatch: pytest.MonkeyPatch) -> Notification:
    confirmed()
    with monkeypatch.context() as patched:

        def lose(self: EmailBackend, messages: Any) -> int:
            raise TimeoutError

        patched.setattr(EmailBackend, "send_messages", lose)
        assert deliver().state == DeliveryState.UNKNOWN
    return Notification.objects.get()


def test_send_mails_again_after_an_unknown_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    row = unknown_mail(monkeypatch)

    with clock.frozen(clock.now() + timedelta(hours=1)):
        assert send_mails_again([row.pk], actor=SYSTEM).done_ids == [row.pk]
    delivery = deliver(after=timedelta(hours=2))

    assert (delivery.state, len(mail.outbox)) == (DeliveryState.DELIVERED, 1)
    assert mail.outbox[0].extra_headers["Message-ID"] == row.message_id
    assert Event.objects.filter(kind="mail_forgotten").count() == 1


def test_mark_mails_sent_after_an_unknown_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    row = unknown_mail(monkeypatch)

    with clock.frozen(clock.now() + timedelta(hours=1)):
        assert mark_mails_sent([row.pk], reason="seen in the log", actor=SYSTEM).done_ids == [row.pk]
        assert mark_mails_sent([row.pk], reason="again", actor=SYSTEM).unchanged_ids == [row.pk]
        assert send_mails_again([row.pk], actor=SYSTEM).unchanged_ids == [row.pk]

    assert Delivery.objects.get(lane="mail").state == DeliveryState.DELIVERED
    assert (Notification.objects.get().sent_at is not None, mail.outbox) == (True, [])


def test_mail_outcomes_refuse_one_in_the_making_and_one_unknown() -> None:
    order = confirmed()
    row = begin(order)

    results = send_mails_again([row.pk, 999], actor=SYSTEM)

    assert {pk: error.code for pk, error in results.refusals.items()} == {
        row.pk: "mail_being_sent",
        999: "not_found",
    }
    assert Notification.objects.count() == 1


def test_send_mails_rival_in_the_middle_waits_for_it() -> None:
    order = confirmed()
    row = begin(order)
    Notification.objects.update(sending_at=clock.now() + LATER)

    assert deliver().state == DeliveryState.FAILED
    Notification.objects.filter(pk=row.pk).update(sent_at=clock.now())
    delivery = deliver(after=timedelta(hours=1))

    assert (delivery.state, mail.outbox) == (DeliveryState.DELIVERED, [])


SUPPRESSED = [
    ({"buyer": NeutralBuyer(name="Rosa")}, "no e-mail"),
    ({"buyer": NeutralBuyer(email="not an address")}, "not valid"),
    ({"buyer": NeutralBuyer(email="a@example.com\nBcc: b@example.com")}, "not valid"),
]


@pytest.mark.parametrize(("fields", "reason"), SUPPRESSED)
def test_send_mails_suppressed(fields: dict[str, Any], reason: str) -> None:
    confirmed(**fields)

    delivery = deliver()

    assert delivery.state == DeliveryState.SUPPRESSED
    assert reason in delivery.last_error
    assert (mail.outbox, Notification.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"is_history": True}, "history"),
        ({"is_test": True}, "test order"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "void"}, "cancelled"),
    ],
)
def test_send_mails_suppressed_by_what_the_order_is_now(columns: dict[str, Any], reason: str) -> None:
    order = confirmed()
    Order.objects.filter(pk=order.pk).update(**columns)

    delivery = deliver()

    assert (delivery.state, mail.outbox) == (DeliveryState.SUPPRESSED, [])
    assert reason in delivery.last_error


def test_history_and_cancelled_orders_owe_no_mail() -> None:
    make_order(is_history=True)
    make_order(state=NeutralState.CANCELLED)

    assert Delivery.objects.filter(lane="mail").count() == 0


def test_send_mails_sender_is_the_channels() -> None:
    channel = make_channel(sender_name='Rossi, "Carlo"', sender_email="shop@example.com")
    confirmed(channel=channel)

    deliver()

    assert mail.outbox[0].message()["From"] == '"Rossi, \\"Carlo\\"" <shop@example.com>'


def test_send_mails_line_break_in_a_header_is_refused_and_leaves_nothing() -> None:
    channel = make_channel(sender_name="Shop\nBcc: spy@example.com", sender_email="shop@example.com")
    confirmed(channel=channel)

    delivery = deliver()

    assert (delivery.state, mail.outbox, Notification.objects.count()) == (DeliveryState.FAILED, [], 0)
    assert "BadHeaderError" in delivery.last_error


def test_send_mails_line_break_in_a_subject_becomes_a_space() -> None:
    confirmed(number="1\r\nBcc: spy@example.com")

    deliver()

    (message,) = mail.outbox
    assert message.subject == "Ordine 1 Bcc: spy@example.com confermato – Bottega"
    assert (message.bcc, message.recipients()) == ([], message.to)
