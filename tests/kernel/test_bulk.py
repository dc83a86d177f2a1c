"""Actions on many rows, on orders."""

from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from config.kernel import jobs
from config.kernel.admin import admin_url
from config.kernel.admin.bulk import enqueue_bulk
from config.kernel.admin.bulk_verbs import BULK_VERBS
from config.kernel.errors import NotFound
from config.kernel.models import Event, Fact, Job
from orders.models import Order
from orders.services import confirming, holds
from orders.services.cancelling import cancel_orders
from orders.services.holds import place_hold
from tests.factories.orders import SYSTEM, make_channel, make_order
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db
LIST = "/orders/order/"
CONFIRM = "bulk_orders_order_confirm_orders"


@pytest.fixture
def support() -> Visitor:
    return visitor("Support")


def start(client: Visitor, action: str, ids: list[int], **more: Any) -> Any:
    return client.post(LIST, {"action": action, "_selected_action": ids, "index": 0, **more})


def carry_out(client: Visitor, page: Any, *, query: str = "", **values: Any) -> Any:
    pairs: dict[str, list[str]] = {}
    for name, value in page.context["hidden"]:
        pairs.setdefault(name, []).append(value)
    return followed(client, client.post(LIST + query, {**pairs, **values}))


def followed(client: Visitor, response: Any) -> Any:
    """The page of what was done, where a press leads to it."""
    is_done = response.status_code == 302 and "/bulk/" in response.url
    return client.get(response.url) if is_done else response


def test_bulk_asks_first_with_the_count(support: Visitor) -> None:
    orders = [make_order() for _ in range(3)]

    page = start(support, CONFIRM, [order.pk for order in orders])

    said = text_of(page)
    assert "Confirm order: 3 orders" in said
    assert "3 mails “Order confirmation” go, each to its buyer." in said
    assert Event.objects.filter(kind="confirm").count() == 0


def test_bulk_shows_the_objects_and_what_becomes_of_them_now(support: Visitor) -> None:
    orders = [make_order() for _ in range(12)]
    place_hold([orders[10].pk], kind="fraud", actor=SYSTEM).only()
    cancel_orders([orders[11].pk, orders[4].pk], reason="twice", actor=SYSTEM)
    events = Event.objects.count()

    page = start(support, CONFIRM, [order.pk for order in orders])

    said = text_of(page)
    assert (
        f"2 would be refused now, the first is {orders[4].number}. Order {orders[4].number} is closed (Cancelled)."
        in said
    )
    assert (
        f"1 would be refused now: {orders[10].number}. “Confirm” is refused by an open hold: Fraud check."
        in said
    )
    assert "9 mails “Order confirmation” go, each to its buyer." in said
    rows = page.context["lines"]["rows"]
    assert len(rows) == 10
    assert [orders[number].number in row[0] for row, number in zip(rows, (4, 10, 11), strict=False)] == [
        True
    ] * 3
    assert "and 2 more" in said
    assert Event.objects.count() == events
    assert Order.objects.filter(status="confirmed").count() == 0
    assert not Fact.objects.filter(kind="order.confirmed").exists()


def test_bulk_says_which_buyers_get_no_mail_and_why(support: Visitor) -> None:
    amazon = make_channel(code="amz", kind="amazon")
    orders = [make_order(), make_order(channel=amazon), make_order(channel=amazon), make_order()]
    Order.objects.filter(pk=orders[3].pk).update(mails_stopped=True)

    said = text_of(start(support, CONFIRM, [order.pk for order in orders]))

    assert "1 mail “Order confirmation” goes to its buyer." in said
    assert "2 without a mail “Order confirmation”: the sales channel sends no such mail." in said
    assert "1 without a mail “Order confirmation”: the mails of this order were stopped." in said


def test_bulk_confirm_page_costs_the_same_statements_for_one_and_many(support: Visitor) -> None:
    orders = [make_order() for _ in range(8)]
    start(support, CONFIRM, [orders[0].pk])

    counts = []
    for some in (orders[:1], orders):
        with CaptureQueriesContext(connection) as asked:
            start(support, CONFIRM, [order.pk for order in some])
        counts.append(len(asked))

    assert counts[0] == counts[1] <= 40


def test_large_selection_is_not_looked_at(support: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("bulk", "bulk_looks"):
        monkeypatch.setattr(f"config.kernel.admin.{module}.MAX_BATCH", 2)
    orders = [make_order() for _ in range(3)]
    cancel_orders([orders[0].pk], reason="twice", actor=SYSTEM).only()

    said = text_of(start(support, CONFIRM, [order.pk for order in orders]))

    assert "would be refused now" not in said
    assert "The mail “Order confirmation” goes to each buyer whose channel sends it." in said
    assert "Each is judged by itself" in said


def test_titles_and_buttons_drop_the_ellipsis_and_group_numbers(support: Visitor) -> None:
    order = make_order()

    asked = text_of(start(support, "bulk_orders_order_tag_orders", [order.pk]))
    lines = text_of(support.get(admin_url(Order, "cancel_lines", order.pk)))

    assert "Tag: 1 order" in asked
    assert "Tag (1)" in asked
    assert f"Cancel lines: {order.number}" in lines
    assert not [word for word in ("Tag…:", "Tag… (", "Cancel lines…:") if word in asked + lines]
    ids = list(range(1, 1608))
    for language, title in (("en", "Tag “x”: 1,607 orders"), ("it", "Tag “x”: 1.607 ordini")):
        with translation.override(language):
            job = enqueue_bulk(BULK_VERBS["bulk_orders_order_tag_orders"], ids, {"tags": "x"}, actor=SYSTEM)
        assert Job.objects.get(pk=job).title == title


def test_bulk_reports_done_and_each_refusal_and_tries_those_again(support: Visitor) -> None:
    orders = [make_order() for _ in range(4)]
    place_hold([orders[1].pk], kind="fraud", actor=SYSTEM).only()
    cancel_orders([orders[2].pk], reason="twice", actor=SYSTEM).only()

    page = carry_out(support, start(support, CONFIRM, [order.pk for order in orders]))

    said = text_of(page)
    assert "2 done, 2 refused" in said
    assert f"{orders[1].number} “Confirm” is refused by an open hold: Fraud check." in said
    assert f"{orders[2].number} Order {orders[2].number} is closed (Cancelled)." in said
    assert Event.objects.filter(kind="confirm").count() == 2
    assert [row["id"] for row in page.context["refused"]] == [orders[1].pk, orders[2].pk]

    retry = {name: [value] for name, value in page.context["retry"]["hidden"]}
    again = followed(support, support.post(LIST, {**retry, "_selected_action": [orders[1].pk, orders[2].pk]}))
    assert again.context["done"] == 0
    assert len(again.context["refused"]) == 2


def test_bulk_pressed_twice_has_one_effect_and_the_same_answer(support: Visitor) -> None:
    order = make_order()
    asked = start(support, CONFIRM, [order.pk])

    first, second = carry_out(support, asked), carry_out(support, asked)

    assert (first.context["done"], second.context["done"]) == (1, 1)
    assert Event.objects.filter(kind="confirm").count() == 1


@pytest.mark.parametrize("across", ["0", "1"])
def test_bulk_pressed_twice_in_a_queue_that_it_empties_has_the_same_answer(
    support: Visitor, across: str
) -> None:
    orders = [make_order() for _number in range(2)]
    asked = start(support, CONFIRM, [order.pk for order in orders], select_across=across)

    first, second = (carry_out(support, asked, query="?status__exact=placed") for _press in range(2))

    assert (first.context["done"], second.context["done"]) == (2, 2)
    assert Event.objects.filter(kind="confirm").count() == 2


def test_bulk_across_pages_does_no_more_than_it_showed(support: Visitor) -> None:
    orders = [make_order() for _number in range(2)]
    asked = start(support, CONFIRM, [orders[0].pk], select_across="1")
    late = make_order()

    page = carry_out(support, asked)

    assert "It changed while you were looking. Nothing was done. Confirm order: 3 orders" in text_of(page)
    assert Event.objects.filter(kind="confirm").count() == 0
    assert carry_out(support, page).context["done"] == 3
    assert Order.objects.get(pk=late.pk).status == "confirmed"


def test_bulk_with_a_form_asks_for_what_is_missing(support: Visitor) -> None:
    order = make_order()
    asked = start(support, "bulk_orders_order_cancel_orders", [order.pk])

    page = carry_out(support, asked)

    assert "This field is required." in text_of(page)
    done = carry_out(support, page, reason="out of stock")
    assert done.context["done"] == 1
    assert Event.objects.get(kind="cancel").facts == {"reason": "out of stock"}


def test_bulk_pressed_again_with_another_form_says_that_it_was_not_done(support: Visitor) -> None:
    order = make_order()
    page = start(support, "bulk_orders_order_hold_orders", [order.pk])
    first = {"kind": "manual", "reason": "Call first", "refuses": "everything"}
    assert carry_out(support, page, **first).context["done"] == 1
    assert carry_out(support, page, **first).context["done"] == 1

    again = carry_out(support, page, **first | {"kind": "fraud"})

    assert "This was pressed before, in another way. Nothing was done now" in text_of(again)
    assert list(order.holds.values_list("kind", flat=True)) == ["manual"]
    assert carry_out(support, again, **first | {"kind": "fraud"}).context["done"] == 1
    assert list(order.holds.order_by("pk").values_list("kind", flat=True)) == ["manual", "fraud"]


def test_people_see_only_the_actions_they_may_take() -> None:
    make_order()
    page = visitor("", "orders.view_order", "orders.hold_order").get(LIST)

    assert "bulk_orders_order_hold_orders" in page.content.decode()
    assert CONFIRM not in page.content.decode()
    assert "delete_selected" not in page.content.decode()


def test_person_without_the_right_cannot_post_the_action() -> None:
    order = make_order()
    client = visitor("Picker")

    start(client, CONFIRM, [order.pk], bulk_nonce="n")

    assert Order.objects.get(pk=order.pk).status == "placed"


def test_more_than_200_become_a_job_with_its_result(
    support: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.kernel.admin.bulk.MAX_BATCH", 2)
    orders = [make_order() for _ in range(5)]
    place_hold([orders[3].pk], kind="fraud", actor=SYSTEM).only()
    page = start(support, CONFIRM, [orders[0].pk], select_across="1")
    assert "it runs as a job" in text_of(page)

    response = carry_out(support, page)
    again = carry_out(support, page)

    job = Job.objects.get()
    assert response.url == again.url == admin_url(Job, "change", job.pk)
    assert (job.total_count, job.state) == (5, "queued")
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done_count) == ("done", 5)
    assert job.result["done"] == 4
    assert [pk for pk, _reason in job.result["refused"]] == [orders[3].pk]

    manager = visitor("Manager")
    shown = text_of(manager.get(admin_url(Job, "change", job.pk)))
    assert orders[3].number in shown
    assert "“Confirm” is refused by an open hold" in shown
    manager.press(admin_url(Job, "retry_refused", job.pk))
    assert Job.objects.latest("pk").params["ids"] == [orders[3].pk]


def test_job_cut_off_in_the_middle_goes_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.kernel.admin.bulk.MAX_BATCH", 2)
    orders = [make_order() for _ in range(4)]
    pk = enqueue_bulk(BULK_VERBS[CONFIRM], [order.pk for order in orders], {}, actor=SYSTEM)
    Job.objects.filter(pk=pk).update(result={"done": 2, "unchanged": 0, "refused": [], "at": 2})

    jobs.run_job(pk)

    assert Job.objects.get(pk=pk).result["done"] == 4
    assert Event.objects.filter(kind="confirm").count() == 2


def test_job_page_tells_its_progress_to_the_open_page() -> None:
    manager = visitor("Manager")
    pk = jobs.enqueue_job(
        "bulk_verb", title="Long", params={"bulk": CONFIRM, "ids": []}, actor=SYSTEM, total=7
    )

    page = manager.get(admin_url(Job, "change", pk))
    assert f'data-refresh-url="/kernel/job/{pk}/progress/"' in page.content.decode()
    answer = manager.get(f"/kernel/job/{pk}/progress/").json()
    assert answer["reload"] is False
    assert "0 of 7" in answer["html"]

    manager.press(admin_url(Job, "cancel", pk))
    assert Job.objects.get(pk=pk).state == "cancelled"
    assert manager.get(f"/kernel/job/{pk}/progress/").json()["reload"] is True
    assert visitor("", "orders.view_order").get(f"/kernel/job/{pk}/progress/").status_code == 403


NOTHING_DONE = "An error stopped it and nothing was done; you may press again. It stands in the log."
PART_DONE = "An error stopped it after a part was done: look at the list again. It stands in the log."


def press(client: Visitor, page: Any) -> list[str]:
    """What the list says after a press that leads to no page of its own."""
    answered = carry_out(client, page)
    return [str(message) for message in client.get(answered.url).context["messages"]]


def raising(error: Exception) -> Any:
    def fail(*_given: Any) -> None:
        raise error

    return fail


def test_bulk_that_breaks_before_anything_is_done_says_so_and_may_be_pressed_again(
    support: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    orders = [make_order() for _number in range(2)]
    asked = start(support, CONFIRM, [order.pk for order in orders])

    with monkeypatch.context() as broken:
        broken.setattr(confirming, "record_facts", raising(RuntimeError("broken")))
        said = press(support, asked)
    again = carry_out(support, asked)

    assert said == [NOTHING_DONE]
    assert f"{CONFIRM} broke" in caplog.text
    assert again.context["done"] == 2
    assert Event.objects.filter(kind="confirm").count() == 2


def test_bulk_that_breaks_half_way_is_not_done_again(
    support: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One order stands alone after the batch was halved, and is done; at the other one something breaks."""
    orders = [make_order() for _number in range(2)]
    asked = start(support, CONFIRM, [order.pk for order in orders])

    def fail(facts: Any) -> None:
        if len(facts) > 1:
            raise IntegrityError("halve")
        if facts[0].subject[1] == orders[1].pk:
            raise RuntimeError("broken")

    with monkeypatch.context() as broken:
        broken.setattr(confirming, "record_facts", fail)
        said = press(support, asked)

    assert said == press(support, asked) == [PART_DONE]
    assert list(Order.objects.filter(status="confirmed")) == [orders[0]]


def test_bulk_that_is_refused_as_a_whole_says_why(
    support: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = start(support, CONFIRM, [make_order().pk])

    with monkeypatch.context() as broken:
        broken.setattr(confirming, "record_facts", raising(NotFound()))
        said = press(support, asked)

    assert said == ["It does not exist any more."]
    assert "broke" not in caplog.text
    assert carry_out(support, asked).context["done"] == 1


def test_undo_that_breaks_leads_back_to_what_was_done(
    support: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = make_order()
    asked = start(support, "bulk_orders_order_hold_orders", [order.pk])
    done = carry_out(support, asked, kind="manual", reason="test")
    page = done.request["PATH_INFO"]

    with monkeypatch.context() as broken:
        broken.setattr(holds, "lift", raising(RuntimeError("broken")))
        back = support.post(page)
    said = [str(message) for message in support.get(back.url).context["messages"]]

    assert (back.url, said) == (page, [NOTHING_DONE])
    assert order.holds.filter(lifted_at=None).count() == 1
    support.post(page)
    assert not order.holds.filter(lifted_at=None).exists()
