"""The log of mails: every one that is owed or was sent, each try, and what may be done about it by whom."""

from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel import clock, outbox
from config.kernel.admin import admin_url
from config.kernel.enums import DeliveryState
from config.kernel.languages import kept_words
from config.kernel.models import Delivery
from orders.enums import OrderStatus
from orders.errors import OrderClosed
from orders.models import MailDelivery, Notification, Order
from orders.services.confirming import confirm_orders
from orders.services.mail_resending import resend_mails
from tests.factories.fulfillment import make_shipped
from tests.factories.orders import SYSTEM, make_order
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db

LOG = "/orders/maildelivery/"


def confirmed(**fields: Any) -> Order:
    order = make_order(**fields)
    confirm_orders([order.pk], actor=SYSTEM).only()
    return order


def page_of(row: MailDelivery) -> str:
    return admin_url(row, "change", row.pk)


@pytest.fixture
def support() -> Visitor:
    return visitor("Support")


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> MailDelivery:
    """Tried once, and refused by the server."""
    confirmed()

    def refuse(self: EmailBackend, messages: Any) -> int:
        raise ValueError("no")

    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", refuse)
        outbox.deliver_due("mail")
    return MailDelivery.objects.get()


def test_log_lists_what_is_due_sent_and_repeated_with_kind_order_and_recipient(support: Visitor) -> None:
    order = confirmed()
    outbox.deliver_due("mail")
    sent = Notification.objects.get()
    resend_mails([sent.pk], reason="lost", actor=SYSTEM).only()
    Order.objects.update(email="new@example.com")

    page = support.get(LOG)

    rows = page.context["cl"].result_list
    assert [(str(row.mail_kind), row.state, row.order_pk) for row in rows] == [
        ("confirmation", "due", order.pk),
        ("confirmation", "delivered", order.pk),
    ]
    said = text_of(page)
    assert f"Order confirmation {order.number}" in said
    assert sent.recipient in said
    assert "new@example.com" in said


def test_page_of_a_mail_tells_each_try_with_time_outcome_and_error(
    refused: MailDelivery, support: Visitor
) -> None:
    attempt = refused.attempts.get()
    said = text_of(support.get(page_of(refused)))

    assert "Order confirmation" in said
    assert "The mail was not accepted: ValueError" in said
    assert (attempt.outcome, attempt.ended_at is not None) == ("failed", True)
    assert said.count("Failed") >= 2

    with clock.frozen(clock.now() + outbox.LONGEST_PAUSE):
        outbox.deliver_due("mail")
    said = text_of(support.get(page_of(refused)))
    assert Notification.objects.get().subject in said
    assert refused.attempts.count() == 2


def test_filters_and_search_by_the_order_s_number(support: Visitor, refused: MailDelivery) -> None:
    shipped = make_shipped().order
    outbox.deliver_due("mail")

    def found(**asked: str) -> set[str]:
        rows = support.get(LOG, asked).context["cl"].result_list
        return {row.subscriber for row in rows}

    assert found(q=shipped.number) == {"orders.confirmation_mail", "orders.shipped_mail"}
    assert found(q="nothing") == set()
    assert found(mail="orders.shipped_mail") == {"orders.shipped_mail"}
    assert found(queue="waiting") == {"orders.confirmation_mail"}
    assert found(outcome="dead") == set()


def test_recipient_is_hidden_from_who_sees_no_buyers(refused: MailDelivery) -> None:
    order = Order.objects.get()
    client = visitor("", "orders.view_maildelivery")

    for page in (client.get(LOG), client.get(page_of(refused))):
        assert page.status_code == 200
        assert order.email not in page.content.decode()
        assert order.number in page.content.decode()


@pytest.mark.parametrize("role", ["Picker", "Reader", "Integration"])
def test_others_open_no_log(role: str, refused: MailDelivery) -> None:
    client = visitor(role)

    assert [client.get(url).status_code for url in (LOG, page_of(refused))] == [403, 403]


def test_mail_is_kept_back_from_its_page(refused: MailDelivery, support: Visitor) -> None:
    answer = support.press(admin_url(refused, "keep_back", refused.pk), reason="told by phone")

    assert answer.status_code == 302
    assert Delivery.objects.get(pk=refused.pk).state == DeliveryState.SUPPRESSED
    assert support.get(admin_url(refused, "retry", refused.pk)).status_code == 403


def test_manager_tries_one_that_was_given_up_again(refused: MailDelivery) -> None:
    Delivery.objects.filter(pk=refused.pk).update(state=DeliveryState.DEAD)

    assert visitor("Manager").press(admin_url(refused, "retry", refused.pk)).status_code == 302
    outbox.deliver_due("mail")

    assert len(mail.outbox) == 1


def test_list_costs_the_same_for_one_and_for_many(support: Visitor) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert support.get(LOG).status_code == 200
        return len(captured)

    confirmed()
    outbox.deliver_due("mail")
    support.get(LOG)
    one = cost()
    for _n in range(3):
        confirmed()
    outbox.deliver_due("mail")

    assert cost() == one


def test_refusal_that_a_worker_kept_of_a_mail_is_read_in_the_readers_language(refused: MailDelivery) -> None:
    kept = kept_words(OrderClosed("B-1", OrderStatus.CANCELLED))
    MailDelivery.objects.update(last_error=kept)

    said = text_of(visitor(superuser=True).get(page_of(refused)))

    assert "Order B-1 is closed (Cancelled)." in said
    assert "è chiuso" not in said
