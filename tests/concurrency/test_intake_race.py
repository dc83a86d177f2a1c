"""The same news by several doors at once: one order, one payment, one mail."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel import batches, outbox
from config.kernel.models import DocumentCounter, Event
from orders.enums import PaymentStatus
from orders.models import Customer, Notification, Order, Payment, RawOrder, SalesChannel
from orders.neutral import NeutralBuyer
from orders.services.accepting import Incoming, accept_orders
from orders.services.confirming import confirm_orders
from orders.services.mailing import send_mails
from orders.services.payments import PaymentReport, report_payments
from orders.services.raw import RawEntry, store_raw_orders
from tests.concurrency.rivals import is_somebody_waiting
from tests.factories.orders import SYSTEM, make_channel, make_order, neutral_order, neutral_payment

pytestmark = pytest.mark.django_db(transaction=True)

RIVALS = 6
KEYS = [f"A-{number}" for number in range(20)]


def at_once(act: Callable[[int], Any]) -> list[Any]:
    """Run `act(number)` in all rivals, let loose together; what each answered. A rival's error is raised."""
    start = threading.Barrier(RIVALS)
    answers: dict[int, Any] = {}
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            start.wait(timeout=30)
            answers[number] = act(number)
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(RIVALS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    if errors:
        raise errors[0]
    return [answers[number] for number in range(RIVALS)]


@pytest.mark.postgres
def test_only_the_counters_own_transaction_commits_before_it_is_on_disk() -> None:
    channel = make_channel()

    with CaptureQueriesContext(connection) as captured:
        accept_orders([Incoming(neutral_order("A-1"))], sales_channel_id=channel.pk, actor=SYSTEM)
    texts = [query["sql"] for query in captured]
    lazy = [at for at, text in enumerate(texts) if "synchronous_commit" in text]
    assert [text.split()[0] for at in lazy for text in texts[at : at + 3]] == ["SET", "INSERT", "COMMIT"]
    assert texts[lazy[0] + 1].startswith("INSERT INTO kernel_documentcounter")

    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        accept_orders([Incoming(neutral_order("A-2"))], sales_channel_id=channel.pk, actor=SYSTEM)
    assert not [query for query in captured if "synchronous_commit" in query["sql"]]


def test_accept_orders_same_orders_by_six_doors_are_accepted_once() -> None:
    channel = make_channel()
    buyer = [NeutralBuyer(name="B", email=f"b{number % 5}@example.com") for number in range(len(KEYS))]

    def accept(number: int) -> Any:
        orders = [neutral_order(key, buyer=buyer[place]) for place, key in enumerate(KEYS)]
        random.Random(number).shuffle(orders)
        return accept_orders([Incoming(order) for order in orders], sales_channel_id=channel.pk, actor=SYSTEM)

    answers = at_once(accept)

    assert [answer.refusals for answer in answers] == [{}] * RIVALS
    assert Counter(key for answer in answers for key in answer.done_ids) == Counter(KEYS)
    assert {tuple(sorted(answer.values.items())) for answer in answers} == {
        tuple(sorted(Order.objects.values_list("external_id", "pk")))
    }
    assert Customer.objects.count() == 5


@contextmanager
def a_rival_that_has_not_committed(channel: SalesChannel, key: str) -> Iterator[None]:
    """Its order is stored, and seen by nobody until it has waited for our insert a moment."""
    stored = threading.Event()

    def store() -> None:
        try:
            with transaction.atomic():
                accept_orders([Incoming(neutral_order(key))], sales_channel_id=channel.pk, actor=SYSTEM)
                stored.set()
                if connection.vendor == "postgresql":
                    is_somebody_waiting()
                else:
                    time.sleep(0.5)
        finally:
            connections.close_all()

    rival = threading.Thread(target=store)
    rival.start()
    try:
        assert stored.wait(timeout=30)
        yield
    finally:
        rival.join(timeout=60)


def test_accept_orders_a_key_twice_that_a_rival_stores_links_both_bodies_to_the_rivals_order() -> None:
    channel = make_channel()
    entries = [RawEntry(body, "s", key, body) for body, key in (("1", "A-1"), ("2", "A-1"), ("3", "A-2"))]
    raws = store_raw_orders(entries, sales_channel_id=channel.pk).values
    incoming = [Incoming(neutral_order(entry.external_id), raws[entry.key]) for entry in entries]

    with a_rival_that_has_not_committed(channel, "A-1"):
        results = accept_orders(incoming, sales_channel_id=channel.pk, actor=SYSTEM)

    assert (results.done_ids, results.unchanged_ids, results.refusals) == (["A-2"], ["A-1"], {})
    orders = dict(Order.objects.values_list("external_id", "pk"))
    assert results.values == orders
    linked = {
        pk: (order_id, problem)
        for pk, order_id, problem in RawOrder.objects.values_list("pk", "order_id", "problem")
    }
    assert [linked[raws[body]] for body in ("1", "2", "3")] == [
        (orders["A-1"], ""),
        (orders["A-1"], ""),
        (orders["A-2"], ""),
    ]
    assert Event.objects.filter(subject_type="order", kind="created").count() == 2


@pytest.mark.postgres
def test_accept_orders_in_a_callers_transaction_keeps_nothing_when_a_rival_stores_the_key() -> None:
    channel = make_channel()
    (raw,) = store_raw_orders([RawEntry("1", "s", "A-1", "1")], sales_channel_id=channel.pk).values.values()
    incoming = [Incoming(neutral_order("A-2")), Incoming(neutral_order("A-1"), raw)]

    with a_rival_that_has_not_committed(channel, "A-1"), transaction.atomic():
        with pytest.raises(IntegrityError):
            accept_orders(incoming, sales_channel_id=channel.pk, actor=SYSTEM)
        kept = list(Order.objects.values_list("external_id", flat=True))

    assert kept == ["A-1"]
    assert RawOrder.objects.get().order_id is None
    assert Event.objects.filter(subject_type="order", kind="created").count() == 1


def test_store_raw_orders_same_bodies_by_six_doors_are_kept_once() -> None:
    channel = make_channel()

    def store(number: int) -> Any:
        entries = [RawEntry(key, "s", key, key) for key in KEYS]
        random.Random(number).shuffle(entries)
        return store_raw_orders(entries, sales_channel_id=channel.pk)

    answers = at_once(store)

    assert [answer.refusals for answer in answers] == [{}] * RIVALS
    assert RawOrder.objects.count() == len(KEYS)
    assert len({tuple(sorted(answer.values.items())) for answer in answers}) == 1


def test_report_payments_same_report_by_six_doors_counts_once() -> None:
    authorised = neutral_payment(status=PaymentStatus.AUTHORISED, captured_amount=Decimal(0))
    order = make_order(payments=(authorised,))
    news = (neutral_payment(), neutral_payment("1.00", external_id="pi_2"))

    answers = at_once(lambda _number: report_payments([PaymentReport(order.pk, news)], actor=SYSTEM))

    assert sum(len(answer.done_ids) for answer in answers) == 1
    assert sum(len(answer.unchanged_ids) for answer in answers) == RIVALS - 1
    assert sorted(Payment.objects.values_list("external_id", "captured_amount", "version")) == [
        ("pi_1", Decimal(20), 3),
        ("pi_2", Decimal(1), 1),
    ]


def test_send_mails_by_six_workers_sends_one_mail() -> None:
    order = make_order()
    confirm_orders([order.pk], actor=SYSTEM).only()

    (owed,) = outbox.claim("mail")

    def send(_number: int) -> Any:
        return send_mails([owed])

    answers = at_once(send)

    assert sum(len(answer.done_ids) for answer in answers) == 1
    refused = {error.code for answer in answers for error in answer.refusals.values()}
    assert refused <= {"mail_being_sent"}
    assert len(mail.outbox) == 1
    assert Notification.objects.get().sent_at is not None


@pytest.mark.postgres
def test_accept_orders_tries_again_when_the_counter_of_numbers_is_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    channel = make_channel()
    make_order(channel=channel)
    is_locked, has_failed, answers = threading.Event(), threading.Event(), []
    is_transient = batches.is_transient

    def look(error: OperationalError) -> bool:
        has_failed.set()
        return is_transient(error)

    monkeypatch.setattr(batches, "is_transient", look)

    def accept() -> None:
        try:
            with connections["default"].cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            is_locked.wait(timeout=30)
            incoming = [Incoming(neutral_order("B-1"))]
            answers.append(accept_orders(incoming, sales_channel_id=channel.pk, actor=SYSTEM))
        finally:
            connections.close_all()

    thread = threading.Thread(target=accept)
    thread.start()
    with transaction.atomic():
        DocumentCounter.objects.select_for_update().get(kind="order")
        is_locked.set()
        assert has_failed.wait(timeout=30)
    thread.join(timeout=30)

    assert [answer.done_ids for answer in answers] == [["B-1"]]
