"""The lists under Insight: words where the database has codes, and names where it has keys, at a bounded cost."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.kernel import clock, heartbeat
from config.kernel.admin.subjects import fact_words, job_words, subject_type_words, subscriber_words
from config.kernel.events import Entry, Thread, record_events
from config.kernel.jobs import JOB_KINDS, enqueue_job
from config.kernel.models import Delivery, Event, Fact
from config.kernel.outbox import SUBSCRIBERS, NewFact, record_facts
from config.kernel.states import MACHINES
from inventory.services.levels import REORDER_POINT_CROSSED
from orders.models import Customer
from tests.factories.fulfillment import make_shipped
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Visitor:
    return visitor(superuser=True)


def list_of(manager: Visitor, name: str, **asked: Any) -> Any:
    return manager.get(reverse(f"admin:kernel_{name}_changelist"), asked)


def test_everything_that_is_recorded_owed_or_run_has_words() -> None:
    kinds = {kind for one in SUBSCRIBERS.values() for kind in one.kinds if not kind.startswith("test")}

    assert [kind for kind in sorted(kinds) if fact_words(kind) == kind] == []
    assert [name for name in sorted(SUBSCRIBERS) if subscriber_words(name) == name] == []
    assert [kind for kind in sorted(JOB_KINDS) if job_words(kind) == kind] == []


def test_no_two_subjects_are_called_the_same() -> None:
    called = [subject_type_words(name) for name in MACHINES]

    assert len(called) == len(set(called))


def test_facts_and_deliveries_say_what_happened_in_lists_and_filters(manager: Visitor) -> None:
    make_shipped()

    facts, deliveries = text_of(list_of(manager, "fact")), text_of(list_of(manager, "delivery"))

    assert facts.count("Parcel shipped") == deliveries.count("Parcel shipped") + 1 == 2
    assert "Reserve stock for the order" in deliveries
    for code in ("parcel.shipped", "orders.shipped_mail", "orders.allocate_accepted"):
        assert code not in facts + deliveries, code
    fact = Fact.objects.get(kind="parcel.shipped")
    assert "Parcel shipped" in text_of(manager.get(reverse("admin:kernel_fact_change", args=[fact.pk])))


def test_filters_of_jobs_and_signs_of_life_are_in_words(manager: Visitor) -> None:
    enqueue_job("stock_check", title="Check", params={}, actor=ACTOR)
    heartbeat.beat("beat")

    assert "Check of the stock" in text_of(list_of(manager, "job"))
    assert "Timetable of the periodic work" in text_of(list_of(manager, "heartbeat"))


def test_events_name_an_order_by_its_number_and_are_found_by_it(manager: Visitor) -> None:
    order = make_shipped().order

    page = list_of(manager, "event", q=order.number)

    assert order.number != str(order.pk)
    assert {row.thread_id for row in page.context["cl"].result_list} == {order.pk}
    assert f"order {order.number}" in text_of(page)
    assert f"order {order.pk} " not in text_of(page)
    assert list_of(manager, "event", q="no such thing").context["cl"].result_count == 0


@pytest.mark.parametrize(
    ("rights", "is_named"),
    [
        ((), False),
        (("orders.view_customer",), False),
        (("orders.view_personal",), False),
        (("orders.view_customer", "orders.view_personal"), True),
    ],
)
def test_buyers_are_named_to_those_alone_who_may_read_their_names(
    rights: tuple[str, ...], is_named: bool
) -> None:
    customer = Customer.objects.create(name="Rosa Neri", email="rosa@example.com", created_at=clock.now())
    about = ("customer", customer.pk)
    entry = Entry(about, Thread(*about), "renamed")
    with transaction.atomic():
        record_events([entry], actor=ACTOR)
        record_facts([NewFact(REORDER_POINT_CROSSED, about)])
    fact = Fact.objects.get()
    at = clock.now()
    Delivery.objects.create(fact=fact, subscriber="test", lane="work", state="dead", due_at=at, settled_at=at)
    rows = {"event": Event.objects.get(), "fact": fact, "delivery": Delivery.objects.latest("pk")}
    reader = visitor("", *(f"kernel.view_{name}" for name in rows), *rights)

    for name, row in rows.items():
        for page in (
            list_of(reader, name),
            reader.get(reverse(f"admin:kernel_{name}_change", args=[row.pk])),
        ):
            said, html = text_of(page), page.content.decode()
            assert ("customer Rosa Neri" in said, f"customer {customer.pk} " in said) == (
                is_named,
                not is_named,
            ), name
            assert (reverse("admin:orders_customer_change", args=[customer.pk]) in html) is is_named, name


@pytest.mark.parametrize("name", ["fact", "delivery"])
def test_facts_and_deliveries_are_found_by_the_number_they_show(manager: Visitor, name: str) -> None:
    orders = [make_shipped().order for _number in range(2)]

    page = list_of(manager, name, q=orders[0].number)

    found = [getattr(row, "fact", row) for row in page.context["cl"].result_list]
    assert {(fact.subject_type, fact.subject_id) for fact in found} == {("order", orders[0].pk)}
    assert f"order {orders[0].number}" in text_of(page)
    assert list_of(manager, name, q="no such thing").context["cl"].result_count == 0
    assert list_of(manager, name, q="order.").context["cl"].result_count > len(found)


def test_lists_of_facts_cost_the_same_however_many_levels_they_name(manager: Visitor) -> None:
    costs, place = [], make_location()
    for count in (1, 3):
        levels = [make_level(make_sku(), place) for _number in range(count)]
        record_facts([NewFact(REORDER_POINT_CROSSED, ("stock_level", level.pk)) for level in levels])
        list_of(manager, "fact")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            list_of(manager, "fact")
        costs.append(len(asked))

    assert costs[0] == costs[1]
