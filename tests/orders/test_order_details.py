"""The form of an order's details: two people merge, or are told; who sees which field."""

from typing import Any

import pytest

from config.kernel.admin import admin_url
from config.kernel.models import Event
from orders.admin.details import TAGS
from orders.models import Order
from orders.neutral import NeutralBuyer
from orders.selectors.notes import tag_names
from orders.services.noting import set_tags
from tests.factories.orders import SYSTEM, make_order
from tests.fulfillment.watching import nothing_written
from tests.kernel.visitor import Visitor, messages_of, text_of, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def order() -> Order:
    made = make_order(buyer=NeutralBuyer(name="Ada Verdi", email="ada@example.com", language="it"))
    Order.objects.update(note="Ring twice\nthen knock ")
    set_tags([made.pk], add=["VIP", "gift"], actor=SYSTEM).raise_refusals()
    return made


@pytest.fixture
def anna() -> Visitor:
    return visitor("Support")


@pytest.fixture
def bruno() -> Visitor:
    return visitor("Support")


def url(order: Order) -> str:
    return admin_url(Order, "edit", order.pk)


def opened(client: Visitor, order: Order) -> dict[str, Any]:
    """The form as a browser would post it unchanged."""
    form = client.get(url(order)).context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: "" if one is None else str(one).replace("\n", "\r\n") for name, one in values.items()}


def kinds() -> list[str]:
    events = Event.objects.filter(kind__in=["edited", "tagged", "untagged"], actor_kind="user").order_by("pk")
    return [str(event.facts.get("field", event.kind)) for event in events]


def test_details_and_tags_are_saved_and_told_by_their_editor(order: Order, anna: Visitor) -> None:
    shown = opened(anna, order)

    response = anna.post(
        url(order), {**shown, "email": "Ada@example.org", "required_on": "2026-03-09", "tags": "vip, late"}
    )

    fresh = Order.objects.get()
    assert (response.status_code, response["Location"]) == (302, admin_url(Order, "change", order.pk))
    assert messages_of(response) == ["Saved."]
    assert (fresh.email, str(fresh.required_on), fresh.note) == (
        "ada@example.org", "2026-03-09", "Ring twice\nthen knock ",
    )  # fmt: skip
    assert sorted(tag_names(order)) == ["VIP", "late"]
    assert kinds() == ["email", "required_on", "tagged", "untagged"]
    said = text_of(anna.get(response["Location"]))
    assert "E-mail address changed ada@example.com → ada@example.org" in said
    assert "Wanted day changed – → 9 Mar 2026" in said


def test_save_without_a_change_and_a_double_click_write_nothing(order: Order, anna: Visitor) -> None:
    shown = opened(anna, order)

    with nothing_written():
        same = anna.post(url(order), shown)
    changed = {**shown, "language": "en", "tags": "VIP, gift, late"}
    anna.post(url(order), changed)
    with nothing_written():
        again = anna.post(url(order), changed)

    assert messages_of(same) == ["Nothing differs from what stands here already."]
    assert again.status_code == 302


def test_disjoint_saves_merge_and_the_second_is_told_what_else_changed_and_by_whom(
    order: Order, anna: Visitor, bruno: Visitor
) -> None:
    here, there = opened(anna, order), opened(bruno, order)
    anna.post(url(order), {**here, "email": "ada@example.org"})

    response = bruno.post(url(order), {**there, "tags": "VIP, gift, late"})

    assert Order.objects.get().email == "ada@example.org"
    assert sorted(tag_names(order)) == ["VIP", "gift", "late"]
    assert messages_of(response) == [
        "Saved.", "Also changed meanwhile: E-mail, by support-0. That was kept.",
    ]  # fmt: skip
    assert kinds() == ["email", "tagged"]


def test_tags_of_two_people_merge_one_by_one(order: Order, anna: Visitor, bruno: Visitor) -> None:
    here, there = opened(anna, order), opened(bruno, order)
    anna.post(url(order), {**here, "tags": "vip, urgent"})

    response = bruno.post(url(order), {**there, "tags": "GIFT, late"})

    assert sorted(tag_names(order)) == ["late", "urgent"]
    assert messages_of(response)[1] == "Also changed meanwhile: Tags, by support-0. That was kept."


def test_same_field_is_refused_with_both_values_and_own_entries_stay(
    order: Order, anna: Visitor, bruno: Visitor
) -> None:
    here, there = opened(anna, order), opened(bruno, order)
    anna.post(
        url(order), {**here, "email": "anna@example.org", "language": "en", "tags": "VIP, gift, urgent"}
    )

    with nothing_written():
        page = bruno.post(url(order), {**there, "email": "bruno@example.org", "tags": "VIP, gift, late"})

    said = text_of(page)
    assert page.status_code == 200
    assert "It was changed while you were editing; nothing was saved." in said
    assert "Somebody else made it “anna@example.org”; you wrote “bruno@example.org”." in said
    assert "E-mail address changed ada@example.com → anna@example.org" in said
    form = page.context["form"]
    shown = {name: form[name].value() for name in form.fields}
    assert (shown["email"], shown["language"]) == ("bruno@example.org", "en")
    assert shown["tags"] == "VIP, gift, urgent, late"
    return_to = {name: "" if one is None else one for name, one in shown.items()}

    # Pressed again with today's values in sight it is a decision, about that field alone.
    answer = bruno.post(url(order), return_to)
    assert messages_of(answer) == ["Saved."]
    fresh = Order.objects.get()
    assert (fresh.email, fresh.language) == ("bruno@example.org", "en")
    assert sorted(tag_names(order)) == ["VIP", "gift", "late", "urgent"]


def test_field_that_was_wrong_in_itself_is_compared_when_it_is_right(
    order: Order, anna: Visitor, bruno: Visitor
) -> None:
    here, there = opened(anna, order), opened(bruno, order)
    anna.post(url(order), {**here, "email": "anna@example.org", "note": "Knock"})
    page = bruno.post(url(order), {**there, "email": "bruno@", "note": "Shout"})
    form = page.context["form"]
    shown = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}

    with nothing_written():
        page = bruno.post(url(order), {**shown, "email": "bruno@example.org"})

    assert "Somebody else made it “anna@example.org”; you wrote “bruno@example.org”." in text_of(page)


def test_form_without_its_token_or_with_anothers_is_refused(order: Order, anna: Visitor) -> None:
    shown = opened(anna, order)
    of_a_tagger = opened(visitor("", "orders.view_order", "orders.tag_order"), order)["shown"]

    with nothing_written():
        for token in ("", "forged", of_a_tagger):
            page = anna.post(url(order), {**shown, "note": "x", "shown": token})
            assert "The form is not complete; open it again." in text_of(page)


@pytest.mark.parametrize(
    ("role", "status"),
    [("Manager", 200), ("Support", 200), ("Picker", 403), ("Reader", 403), ("Integration", 403)],
)
def test_who_may_open_and_save(order: Order, role: str, status: int) -> None:
    person, shown = visitor(role), opened(visitor("Manager"), order)

    assert person.get(url(order)).status_code == status
    if status == 403:
        with nothing_written():
            assert person.post(url(order), {**shown, "note": "x"}).status_code == 403
    page = text_of(person.get(admin_url(Order, "change", order.pk)))
    assert ("Edit details…" in page) == (status == 200)


def test_who_may_only_tag_sees_and_changes_nothing_of_the_buyer(order: Order, anna: Visitor) -> None:
    tagger = visitor("", "orders.view_order", "orders.tag_order")
    shown = opened(tagger, order)
    anna.post(url(order), {**opened(anna, order), "email": "ada@example.org", "tags": "VIP"})

    response = tagger.post(url(order), {**shown, "tags": "VIP, gift, late", "email": "mine@example.org"})

    assert set(shown) == {"shown", "tags"}
    assert "ada@" not in text_of(tagger.get(url(order)))
    assert Order.objects.get().email == "ada@example.org"
    assert sorted(tag_names(order)) == ["VIP", "late"]
    assert messages_of(response)[1] == "Also changed meanwhile: Tags, by support-0. That was kept."


def test_who_may_only_edit_leaves_the_tags_as_they_are(order: Order) -> None:
    editor = visitor("", "orders.view_order", "orders.edit_order", "orders.view_personal")
    shown = opened(editor, order)

    response = editor.post(url(order), {**shown, "note": "Knock", "tags": "mine"})

    assert (TAGS in shown, messages_of(response)) == (False, ["Saved."])
    assert (Order.objects.get().note, sorted(tag_names(order))) == ("Knock", ["VIP", "gift"])


def test_warehouse_reads_of_an_edit_only_what_it_may(order: Order, anna: Visitor) -> None:
    changed = {"email": "ada@example.org", "language": "en", "note": "Knock", "required_on": "2026-03-09"}
    anna.post(url(order), {**opened(anna, order), **changed})

    said = text_of(visitor("Picker").get(admin_url(Order, "change", order.pk)))

    assert "Wanted day changed – → 9 Mar 2026" in said
    for secret in (
        "example.org",
        "Knock",
        "Ring twice",
        "E-mail address changed",
        "Language of mails",
        "Buyer’s note changed",
    ):
        assert secret not in said, secret


def test_tag_that_cannot_be_saves_nothing_of_the_details_either(order: Order, anna: Visitor) -> None:
    shown = opened(anna, order)

    with nothing_written():
        page = anna.post(url(order), {**shown, "note": "Knock", "tags": "x" * 41})

    assert "accepted are 1 to 40 characters without a comma" in text_of(page)
    assert page.context["form"]["note"].value() == "Knock"
