"""What was not delivered, told in words: what it is, what it is about, why it failed, and what can be done."""

from collections.abc import Iterator

import pytest
from django.utils.translation import override

from config.kernel import clock
from config.kernel.admin import admin_url
from config.kernel.admin.failure_words import failure_text, failure_words
from config.kernel.admin.subjects import subscriber_words
from config.kernel.answers import answer_by_subject
from config.kernel.models import Attempt, Delivery, Fact
from config.kernel.outbox import SUBSCRIBERS, Owed, settle
from config.kernel.results import Results
from orders.errors import OrderClosed
from orders.models import MailDelivery
from tests.factories.fulfillment import make_shipped
from tests.factories.orders import make_order
from tests.kernel.visitor import text_of, visitor

pytestmark = pytest.mark.django_db
HEADER = "BadHeaderError: Header values can't contain newlines (got 'Ada\\nBcc: x' for header 'Subject')"


@pytest.fixture(autouse=True)
def languages_as_before() -> Iterator[None]:
    """A request's language stays in its thread."""
    with override("en"):
        yield


def owed(subscriber: str, subject: tuple[str, int], error: str, **fields: object) -> Delivery:
    kind, pk = subject
    at = clock.now()
    fact = Fact.objects.create(
        kind="parcel.shipped", subject_type=kind, subject_id=pk, recorded_at=at, **fields
    )
    return Delivery.objects.create(
        fact=fact,
        subscriber=subscriber,
        lane="mail",
        state="dead",
        due_at=at,
        settled_at=at,
        last_error=error,
    )


def test_every_subscriber_is_called_something() -> None:
    assert [name for name in SUBSCRIBERS if subscriber_words(name) == name] == []


def test_list_of_deliveries_names_the_object_and_the_fault() -> None:
    parcel = make_shipped(number="GLS77")
    row = owed("orders.shipped_mail", ("parcel", parcel.pk), HEADER, payload={"order_id": parcel.order_id})
    boss = visitor(superuser=True)

    listed = boss.get(admin_url(Delivery, "changelist"), {"state__exact": "dead"})
    page = boss.get(admin_url(Delivery, "change", row.pk))

    said = text_of(listed)
    assert "Shipped parcel GLS GLS77" in said or "parcel GLS GLS77" in said
    assert (
        f'<a href="{admin_url(parcel, "change", parcel.pk)}">parcel GLS GLS77</a>' in listed.content.decode()
    )
    assert "A line break stands in the subject or in an address" in said
    assert "BadHeaderError" not in said
    assert "Take it out of the mail's text" in text_of(page)


def test_log_of_mails_says_the_fault_and_what_to_do() -> None:
    parcel = make_shipped()
    row = owed("orders.shipped_mail", ("parcel", parcel.pk), HEADER, payload={"order_id": parcel.order_id})
    desk = visitor("Support")

    listed = text_of(desk.get(admin_url(MailDelivery, "changelist")))
    page = text_of(desk.get(admin_url(MailDelivery, "change", row.pk)))

    assert "A line break stands in the subject or in an address" in listed
    assert "Take it out of the mail's text" in page


def test_delivery_about_what_is_no_more_has_no_link() -> None:
    owed("channels.tell", ("parcel", 999), "gone")

    html = visitor(superuser=True).get(admin_url(Delivery, "changelist")).content.decode()

    assert "parcel 999" in html
    assert "/fulfillment/parcel/999/" not in html


@pytest.mark.parametrize(
    ("error", "title", "advice"),
    [
        ("", "", ""),
        ("the subscriber gave no answer", "the subscriber gave no answer", "Mend what it names"),
        (
            "The mail was not accepted: BadHeaderError",
            "A line break stands in the subject or in an address",
            "No mail",
        ),
        ("TimeoutError: timed out", "The server did not answer in time", "Check the address"),
        ("KeyError: 'x'", "The program could not do it", "Show this text"),
    ],
)
def test_failure_words(error: str, title: str, advice: str) -> None:
    told = failure_words(error)

    assert told.title == title
    assert told.advice.startswith(advice)


def test_reason_that_a_worker_kept_is_read_in_the_readers_language() -> None:
    with override("it"):
        told = failure_words("the sales channel sends no such mail")

    assert told.title == "il canale di vendita non invia questa e-mail"


def test_refusal_that_a_worker_kept_of_a_delivery_is_read_in_the_readers_language() -> None:
    order = make_order()
    row = owed("orders.auto_confirm", ("order", order.pk), "")
    Delivery.objects.update(state="in_flight", settled_at=None, attempt_count=1)
    Attempt.objects.create(delivery=row, number=1, started_at=row.due_at)
    asked = Owed(
        row.pk, row.fact_id, "order.confirmable", "order", order.pk, {}, row.due_at, 1, row.subscriber
    )
    answers: Results[int] = Results([order.pk])
    answers.refuse(order.pk, OrderClosed(order.number, "cancelled"))

    settle({row.pk: 1}, answer_by_subject([asked], answers))

    row.refresh_from_db()
    assert (row.state, row.last_error) == ("suppressed", Attempt.objects.get().error)
    told = []
    for language in ("en", "it"):
        with override(language):
            told.append(failure_text(row.last_error))
    assert told == [
        f"Order {order.number} is closed (Cancelled).",
        f"L’ordine {order.number} è chiuso (Annullato).",
    ]


def test_pages_of_facts_and_deliveries_are_called_in_words() -> None:
    parcel = make_shipped()
    row = owed("orders.shipped_mail", ("parcel", parcel.pk), "the sales channel sends no such mail")
    Attempt.objects.create(
        delivery=row, number=1, started_at=row.due_at, outcome="suppressed", error=row.last_error
    )
    boss = visitor(superuser=True)
    boss.defaults["HTTP_ACCEPT_LANGUAGE"] = "it"

    delivery = boss.get(admin_url(Delivery, "change", row.pk))
    fact = boss.get(admin_url(Fact, "change", row.fact_id))

    assert "<title>Spedizione · Bancale</title>" in delivery.content.decode()
    assert "<title>Collo spedito · Bancale</title>" in fact.content.decode()
    said = text_of(delivery)
    assert "Tentativo" in said
    assert "Started at" not in said
    assert said.count("il canale di vendita non invia questa e-mail") == 3
    assert "sends no such mail" not in said
    assert f'<a href="{admin_url(Delivery, "change", row.pk)}">Spedizione</a>' in fact.content.decode()


def test_failure_text_keeps_the_programs_own_words() -> None:
    with override("en"):
        told = [failure_text(error) for error in ("", "ValueError: boom")]

    assert told == ["", "The program could not do it (ValueError: boom)"]
