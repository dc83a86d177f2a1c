"""Taking a bulk action back: exactly what was done, once, by those who may."""

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel import clock, jobs
from config.kernel.admin import admin_url
from config.kernel.admin.bulk_verbs import BULK_VERBS
from config.kernel.errors import NotAllowed
from config.kernel.models import Fact, Job
from fulfillment.enums import ParcelStatus
from fulfillment.services.tracking import record_tracking
from orders.models import Hold, Notification, Order, OrderTag
from orders.services.cancelling import cancel_orders
from orders.services.completing import complete_orders
from orders.services.holding_again import hold_again
from orders.services.holds import place_hold, release_holds
from orders.services.noting import set_tags
from tests.factories.fulfillment import make_delivered, make_shipped, told
from tests.factories.orders import SYSTEM, make_order
from tests.inventory.test_correcting import NOBODY
from tests.kernel.test_bulk import carry_out, followed, start
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db
HOLD, TAG = "bulk_orders_order_hold_orders", "bulk_orders_order_tag_orders"
LIFT, COMPLETE = "bulk_orders_order_release_holds", "bulk_orders_order_complete_orders"


@pytest.fixture
def support() -> Visitor:
    return visitor("Support")


def undo(client: Visitor, page: Any) -> Any:
    pairs: dict[str, list[str]] = {}
    for name, value in page.context["undo"]["hidden"]:
        pairs.setdefault(name, []).append(value)
    return followed(client, client.post(page.context["undo"]["url"], pairs))


def test_undo_of_holds_lifts_exactly_those_that_were_placed(support: Visitor) -> None:
    orders = [make_order() for _number in range(3)]
    place_hold([orders[0].pk], kind="manual", reason="ask", actor=SYSTEM).only()
    place_hold([orders[1].pk], kind="manual", reason="older", actor=SYSTEM).only()
    asked = start(support, HOLD, [order.pk for order in orders])
    held = carry_out(support, asked, query="?status__exact=placed", kind="manual", reason="ask")
    assert (held.context["done"], held.context["unchanged"]) == (2, 1)
    assert "Undo (2)" in text_of(held)

    back, again = undo(support, held), undo(support, held)

    assert (back.context["done"], again.context["done"]) == (2, 2)
    left = Hold.objects.filter(lifted_at=None).order_by("order").values_list("order", "reason")
    assert list(left) == [(orders[0].pk, "ask"), (orders[1].pk, "older")]


def test_undo_of_a_tag_leaves_those_who_had_it(support: Visitor) -> None:
    orders = [make_order() for _number in range(2)]
    set_tags([orders[0].pk], add=["vip"], actor=SYSTEM).only()

    tagged = carry_out(support, start(support, TAG, [order.pk for order in orders]), tags="vip")
    undo(support, tagged)

    assert list(OrderTag.objects.values_list("order", flat=True)) == [orders[0].pk]


def test_undo_of_completing_opens_exactly_those_again_that_were_completed(support: Visitor) -> None:
    sent, over, new = make_shipped().order, make_delivered({"JUG": 1}).order, make_order()

    ended = carry_out(support, start(support, COMPLETE, [sent.pk, over.pk, new.pk]))

    assert (ended.context["done"], ended.context["unchanged"]) == (1, 1)
    assert [row["id"] for row in ended.context["refused"]] == [new.pk]
    assert Order.objects.get(pk=sent.pk).status == "completed"
    assert undo(support, ended).context["done"] == 1
    statuses = Order.objects.filter(pk__in=[sent.pk, over.pk]).order_by("pk")
    assert list(statuses.values_list("status", flat=True)) == ["confirmed", "completed"]


def test_undo_of_completing_what_arrived_meanwhile_leaves_it_in_the_queue_of_what_is_to_be_closed(
    support: Visitor,
) -> None:
    parcel = make_shipped()
    ended = carry_out(support, start(support, COMPLETE, [parcel.order_id]))
    record_tracking([told(parcel, ParcelStatus.DELIVERED)], actor=SYSTEM).raise_refusals()
    assert to_close(support) == []

    undo(support, ended)

    order = Order.objects.get()
    assert (order.status, order.fulfillment_status) == ("confirmed", "delivered")
    assert to_close(support) == [order.pk]
    complete_orders(to_close(support), actor=SYSTEM).raise_refusals()
    assert to_close(support) == []


def to_close(person: Visitor) -> list[int]:
    page = person.get(admin_url(Order, "changelist"), {"queue": "not_closed"})
    return [row.pk for row in page.context["cl"].result_list]


def test_undo_is_not_offered_where_it_would_take_back_more(support: Visitor) -> None:
    order = make_order()

    several = carry_out(support, start(support, TAG, [order.pk]), tags="vip, gift")
    confirmed = carry_out(support, start(support, "bulk_orders_order_confirm_orders", [order.pk]))

    assert several.context["undo"] is None
    assert confirmed.context["undo"] is None
    assert "Undo" not in text_of(confirmed)


def test_undo_of_lifting_places_the_same_holds_again_where_the_order_is_still_open(support: Visitor) -> None:
    orders = [make_order() for _number in range(3)]
    facts = {"allows": ["confirm"]}
    place_hold([orders[0].pk], kind="manual", reason="first", facts=facts, actor=SYSTEM).only()
    for order in orders:
        place_hold([order.pk], kind="manual", reason="ask", actor=SYSTEM).only()
    lifted = carry_out(support, start(support, LIFT, [order.pk for order in orders]), kind="manual")
    assert lifted.context["done"] == 3
    cancel_orders([orders[2].pk], reason="twice", actor=SYSTEM).only()

    page = support.get(lifted.request["PATH_INFO"])
    back = undo(support, page)

    assert (back.context["done"], [row["id"] for row in back.context["refused"]]) == (2, [orders[2].pk])
    assert f"Order {orders[2].number} is closed (Cancelled)." in text_of(back)
    held = (
        Hold.objects.filter(lifted_at=None)
        .order_by("order", "reason")
        .values_list("order", "reason", "facts")
    )
    assert list(held) == [
        (orders[0].pk, "ask", {}),
        (orders[0].pk, "first", facts),
        (orders[1].pk, "ask", {}),
    ]
    again = support.get(lifted.request["PATH_INFO"])
    assert again.context["undo"] is None
    assert "It was taken back:" in text_of(again)


def test_results_keep_their_address_for_who_pressed_and_list_every_kind_of_answer(support: Visitor) -> None:
    orders = [make_order() for _number in range(24)]
    set_tags([orders[0].pk], add=["vip"], actor=SYSTEM).only()

    page = carry_out(support, start(support, TAG, [order.pk for order in orders]), tags="vip")

    url = page.request["PATH_INFO"]
    said = text_of(support.get(url))
    assert "Tag “vip”: 23 done" in said
    assert [row["label"] for row in page.context["unchanged_rows"]["rows"]] == [orders[0].number]
    assert len(page.context["done_rows"]["rows"]) == 20
    assert "and 3 more" in said
    assert visitor("Support").get(url).status_code == 404
    assert support.get("/kernel/job/bulk/nothing/").status_code == 404


@pytest.fixture
def opposite(monkeypatch: pytest.MonkeyPatch) -> str:
    """What takes a tag off needs a right of its own for once, so that the two can be told apart."""
    need, name = "orders.confirm_order", "bulk_orders_order_untag_orders"
    monkeypatch.setitem(BULK_VERBS, name, replace(BULK_VERBS[name], permission=need))
    return need


def tagger(*more: str) -> Visitor:
    return visitor("", "orders.view_order", "orders.tag_order", "kernel.view_job", *more)


def test_undo_needs_the_right_of_the_opposite(opposite: str) -> None:
    for more, taken_back in (((), False), ((opposite,), True)):
        client, order = tagger(*more), make_order()
        page = carry_out(client, start(client, TAG, [order.pk]), tags="vip")

        assert ("Undo (1)" in text_of(page), page.context["undo"] is not None) == (taken_back, taken_back)
        answer = client.post(page.request["PATH_INFO"])

        assert answer.status_code == (302 if taken_back else 403)
        assert OrderTag.objects.filter(order=order).exists() != taken_back


def test_undo_needs_the_right_at_the_moment_of_the_press(opposite: str) -> None:
    order = make_order()
    client = tagger(opposite)
    page = carry_out(client, start(client, TAG, [order.pk]), tags="vip")
    url, user = page.context["undo"]["url"], get_user_model().objects.get(pk=client.session["_auth_user_id"])

    user.user_permissions.remove(Permission.objects.get(codename="confirm_order"))

    assert client.get(page.request["PATH_INFO"]).context["undo"] is None
    assert client.post(url).status_code == 403
    assert OrderTag.objects.count() == 1


def test_undo_needs_the_right_of_what_was_done_still(support: Visitor) -> None:
    order = make_order()
    page = carry_out(support, start(support, TAG, [order.pk]), tags="vip")
    support_user = support.session["_auth_user_id"]
    get_user_model().objects.get(pk=support_user).groups.clear()

    assert support.post(page.context["undo"]["url"]).status_code == 403
    assert OrderTag.objects.count() == 1


def test_undo_of_a_job_needs_the_right_of_the_opposite(
    opposite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for more, taken_back in (((), False), ((opposite,), True)):
        client, orders = tagger(*more), [make_order() for _number in range(3)]
        job = run_job_of(client, monkeypatch, TAG, [one.pk for one in orders], tags="vip")
        count = Job.objects.count()

        assert ("Undo" in text_of(client.get(admin_url(Job, "change", job.pk)))) == taken_back
        client.press(admin_url(Job, "undo", job.pk))

        assert Job.objects.count() == count + taken_back


def run_job_of(
    client: Visitor, monkeypatch: pytest.MonkeyPatch, action: str, ids: list[int], **values: Any
) -> Job:
    monkeypatch.setattr("config.kernel.admin.bulk.MAX_BATCH", 2)
    carry_out(client, start(client, action, ids), **values)
    job = Job.objects.latest("pk")
    jobs.run_job(job.pk)
    return Job.objects.get(pk=job.pk)


def test_job_is_taken_back_on_exactly_what_it_did_once(
    support: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [make_order() for _number in range(7)]
    set_tags([orders[2].pk], add=["vip"], actor=SYSTEM).only()
    job = run_job_of(support, monkeypatch, TAG, [order.pk for order in orders], tags="vip")
    assert job.result["spans"] == [[0, 2], [3, 7]]
    assert (job.result["done"], job.title) == (6, "Tag “vip”: 7 orders")
    page = support.get(admin_url(Job, "change", job.pk))
    assert "Tags vip" in text_of(page)
    assert [row["label"] for row in page.context["page"]["unchanged"]["rows"]] == [orders[2].number]

    answer = support.press(admin_url(Job, "undo", job.pk))
    back = Job.objects.latest("pk")
    assert answer.url == admin_url(Job, "change", back.pk)
    jobs.run_job(back.pk)

    assert list(OrderTag.objects.values_list("order", flat=True)) == [orders[2].pk]
    assert Job.objects.get(pk=back.pk).result["done"] == 6
    said = text_of(support.get(admin_url(Job, "change", job.pk)))
    assert "It was taken back:" in said
    assert "Undo" not in said
    count = Job.objects.count()
    assert support.get(admin_url(Job, "undo", job.pk)).status_code == 302
    assert Job.objects.count() == count


def test_job_that_lifted_holds_is_taken_back_and_refuses_what_moved_on(
    support: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [make_order() for _number in range(3)]
    for order in orders:
        place_hold([order.pk], kind="fraud", reason="three cards", actor=SYSTEM).only()
    job = run_job_of(support, monkeypatch, LIFT, [order.pk for order in orders], kind="fraud")
    cancel_orders([orders[1].pk], reason="twice", actor=SYSTEM).only()

    support.press(admin_url(Job, "undo", job.pk))
    back = Job.objects.latest("pk")
    jobs.run_job(back.pk)

    back.refresh_from_db()
    assert back.result["done"] == 2
    assert [pk for pk, _why in back.result["refused"]] == [orders[1].pk]
    held = Hold.objects.filter(lifted_at=None).order_by("order").values_list("order", "kind", "reason")
    assert list(held) == [(order.pk, "fraud", "three cards") for order in (orders[0], orders[2])]


def test_job_without_an_opposite_or_for_who_may_not_do_it_offers_no_undo(
    support: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [make_order() for _number in range(3)]
    confirmed = run_job_of(
        support, monkeypatch, "bulk_orders_order_confirm_orders", [one.pk for one in orders]
    )
    tagged = run_job_of(support, monkeypatch, TAG, [one.pk for one in orders], tags="vip")
    picker = visitor("Picker")

    assert support.get(admin_url(Job, "undo", confirmed.pk)).status_code == 302
    assert "Undo" not in text_of(picker.get(admin_url(Job, "change", tagged.pk)))
    picker.press(admin_url(Job, "undo", tagged.pk))
    assert OrderTag.objects.count() == 3
    assert Job.objects.count() == 2


def test_hold_again_asks_no_buyer_twice_and_changes_nothing_the_second_time() -> None:
    asked, not_yet = make_order(), make_order()
    ids = [asked.pk, not_yet.pk]
    before = clock.now()
    place_hold(ids, kind="address", actor=SYSTEM).raise_refusals()
    first = Hold.objects.get(order=asked)
    Notification.objects.create(
        order=asked, kind="hold", parcel_set=f"hold:{first.pk}", recipient="a@example.com", language="en",
        subject="", body_text="", body_html="", message_id="1", sending_at=before, sent_at=before,
    )  # fmt: skip
    release_holds(ids, kind="address", actor=SYSTEM).raise_refusals()
    last = Fact.objects.latest("pk").pk

    assert hold_again(ids, kind="address", since=before, actor=SYSTEM).done_ids == ids
    assert hold_again(ids, kind="address", since=before, actor=SYSTEM).unchanged_ids == ids

    assert Hold.objects.filter(lifted_at=None).count() == 2
    told = Fact.objects.filter(kind="order.hold_needs_buyer", pk__gt=last).values_list(
        "subject_id", flat=True
    )
    assert list(told) == [not_yet.pk]
    assert hold_again(ids, kind="address", since=clock.now(), actor=SYSTEM).unchanged_ids == ids
    with pytest.raises(NotAllowed):
        hold_again(ids, kind="address", since=before, actor=NOBODY)


def test_hold_again_costs_the_same_statements_for_one_and_many() -> None:
    orders = [make_order() for _number in range(6)]
    ids = [order.pk for order in orders]
    since = clock.now()
    place_hold(ids, kind="fraud", actor=SYSTEM).raise_refusals()
    release_holds(ids, kind="fraud", actor=SYSTEM).raise_refusals()

    counts = []
    for some in (ids[:1], ids[1:]):
        with CaptureQueriesContext(connection) as asked:
            assert hold_again(some, kind="fraud", since=since, actor=SYSTEM).done_ids == some
        counts.append(len(asked))

    assert counts[0] == counts[1]
    assert Order.objects.filter(holds__lifted_at=None, holds__kind="fraud").count() == 6
