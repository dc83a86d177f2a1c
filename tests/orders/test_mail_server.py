"""What a mail server may answer, and what is then owed: against a real SMTP conversation."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from config.kernel import clock, outbox
from config.kernel.enums import DeliveryState
from config.kernel.models import Delivery
from config.setup.ports import spare_port
from orders.models import Notification
from orders.services.confirming import confirm_orders
from tests.factories.orders import SYSTEM, make_order

pytestmark = pytest.mark.django_db


class Server:
    """Answers as told, and keeps what it accepted. An answer of None at DATA: takes the mail and hangs up."""

    def __init__(self) -> None:
        self.mail, self.rcpt, self.data = "250 OK", "250 OK", "250 OK"
        self.accepted: list[bytes] = []

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        envelope.mail_from = address
        return self.mail

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.data == "hang up":
            self.accepted.append(envelope.content)
            server.transport.abort()
            await asyncio.sleep(0)
            return "250 OK"
        if self.data.startswith("250"):
            self.accepted.append(envelope.content)
        return self.data


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    answers = Server()
    port = spare_port()
    controller = Controller(answers, hostname="127.0.0.1", port=port, ready_timeout=60)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    settings.EMAIL_TIMEOUT = 60
    yield answers
    controller.stop()


def deliver(hours: int = 1) -> list[str]:
    with clock.frozen(clock.now() + timedelta(hours=hours)):
        outbox.deliver_due("mail")
    return list(Delivery.objects.filter(lane="mail").order_by("pk").values_list("state", flat=True))


def test_mail_is_accepted(server: Server) -> None:
    order = make_order()
    confirm_orders([order.pk], actor=SYSTEM)

    assert deliver() == [DeliveryState.DELIVERED]
    (content,) = server.accepted
    assert f"<confirmation.{order.pk}.{order.number}@127.0.0.1>".encode() in content
    assert b"Auto-Submitted: auto-generated" in content


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("mail", "451 later"),
        ("mail", "550 never"),
        ("rcpt", "450 mailbox busy"),
        ("rcpt", "550 no such user"),
        ("data", "452 full"),
        ("data", "554 refused"),
    ],
)
def test_mail_that_the_server_refused_is_tried_again(server: Server, step: str, answer: str) -> None:
    order = make_order()
    confirm_orders([order.pk], actor=SYSTEM)
    setattr(server, step, answer)

    assert deliver() == [DeliveryState.FAILED]
    delivery = Delivery.objects.get(lane="mail")
    assert (Notification.objects.count(), server.accepted) == (0, [])
    assert answer[:3] in delivery.last_error
    assert order.email not in delivery.last_error
    setattr(server, step, "250 OK")
    assert deliver(hours=2) == [DeliveryState.DELIVERED]
    assert (Notification.objects.count(), len(server.accepted)) == (1, 1)


def test_mail_whose_answer_is_lost_is_unknown_and_never_sent_again(server: Server) -> None:
    confirm_orders([make_order().pk], actor=SYSTEM)
    server.data = "hang up"

    assert deliver() == [DeliveryState.UNKNOWN]
    server.data = "250 OK"

    assert deliver(hours=24) == [DeliveryState.UNKNOWN]
    assert (len(server.accepted), Notification.objects.get().sent_at) == (1, None)


def test_mail_server_that_is_away_is_asked_once_for_a_whole_batch(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.core.mail.backends.smtp import EmailBackend

    asked = []

    def refuse(self: EmailBackend) -> None:
        asked.append(1)
        raise ConnectionRefusedError

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    monkeypatch.setattr(EmailBackend, "open", refuse)
    orders = [make_order() for _number in range(3)]
    confirm_orders([order.pk for order in orders], actor=SYSTEM)

    assert deliver() == [DeliveryState.FAILED] * 3
    assert (len(asked), Notification.objects.count()) == (1, 0)
    assert "cannot be reached" in Delivery.objects.filter(lane="mail").first().last_error


def test_mail_server_that_breaks_off_leaves_only_that_mail_unknown(server: Server) -> None:
    orders = [make_order() for _number in range(3)]
    confirm_orders([order.pk for order in orders], actor=SYSTEM)
    server.data = "hang up"

    assert deliver() == [DeliveryState.UNKNOWN, DeliveryState.FAILED, DeliveryState.FAILED]
    server.data = "250 OK"
    assert deliver(hours=2) == [DeliveryState.UNKNOWN, DeliveryState.DELIVERED, DeliveryState.DELIVERED]
    assert (len(server.accepted), Notification.objects.filter(sent_at=None).count()) == (3, 1)


def test_mail_refused_for_one_buyer_reaches_the_next(server: Server) -> None:
    first, second = make_order(), make_order()
    confirm_orders([first.pk, second.pk], actor=SYSTEM)

    async def only_second(server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address == first.email:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    server.handle_RCPT = only_second

    assert deliver() == [DeliveryState.FAILED, DeliveryState.DELIVERED]
    assert Notification.objects.get().order == second
