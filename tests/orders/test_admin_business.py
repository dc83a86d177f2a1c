"""Plain forms: channels, legal entities, customers; two people at once."""

import re
from html import unescape
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from config.kernel.admin import admin_url
from config.kernel.models import Event
from orders.enums import MailKind
from orders.models import Customer, SalesChannel
from orders.neutral import NeutralBuyer
from tests.factories.fulfillment import make_confirmed, stock
from tests.factories.orders import make_channel, make_order
from tests.kernel.visitor import Visitor, hidden, messages_of, text_of, visitor
from tests.people.test_visibility import bound

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Visitor:
    return visitor("Manager")


def url(row: Any) -> str:
    return f"/orders/{row._meta.model_name}/{row.pk}/change/"


def opened(client: Visitor, row: Any) -> dict[str, Any]:
    """The form as it would be posted unchanged."""
    page = client.get(url(row))
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in values.items() if value is not False}


def test_save_counts_the_version_and_leaves_an_event_with_names_only(manager: Visitor) -> None:
    channel = make_channel()

    response = manager.post(url(channel), {**opened(manager, channel), "name": "Bottega nuova"})

    fresh = SalesChannel.objects.get()
    assert response.status_code == 302
    assert (fresh.name, fresh.version) == ("Bottega nuova", channel.version + 1)
    event = Event.objects.get(kind="edited")
    assert (event.subject_type, event.facts) == ("saleschannel", {"fields": ["name"]})


def test_save_without_a_change_changes_nothing(manager: Visitor) -> None:
    channel = make_channel()

    manager.post(url(channel), opened(manager, channel))

    assert SalesChannel.objects.get().version == channel.version
    assert not Event.objects.filter(kind="edited").exists()


def test_manager_switches_a_kind_of_mail_off_for_a_channel(manager: Visitor) -> None:
    channel = make_channel()

    manager.post(url(channel), {**opened(manager, channel), "mails_off": ["delay"]})

    fresh = SalesChannel.objects.get()
    assert (fresh.mails_off, fresh.sends(MailKind.DELAY), fresh.sends(MailKind.SHIPPED)) == (
        ["delay"],
        False,
        True,
    )


def test_form_of_a_marketplace_shows_all_mails_off_and_keeps_them_off(manager: Visitor) -> None:
    channel = make_channel(kind="amazon")
    shown = opened(manager, channel)
    assert shown["mails_off"] == list(MailKind.values)

    manager.post(url(channel), {**shown, "name": "Amazon.it"})
    assert not SalesChannel.objects.get().sends(MailKind.CONFIRMATION)

    manager.post(url(channel), {**opened(manager, channel), "mails_off": []})
    assert SalesChannel.objects.get().sends(MailKind.CONFIRMATION)


def test_two_people_switch_mails_and_change_the_name_and_both_keep_theirs(manager: Visitor) -> None:
    channel = make_channel()
    mine = opened(manager, channel)
    visitor("Manager").post(url(channel), {**mine, "mails_off": ["delay", "hold"]})

    manager.post(url(channel), {**mine, "name": "Mine"})

    fresh = SalesChannel.objects.get()
    assert (fresh.name, fresh.mails_off) == ("Mine", ["delay", "hold"])


def test_two_people_who_change_different_fields_both_keep_theirs(manager: Visitor) -> None:
    channel = make_channel()
    mine = opened(manager, channel)
    visitor("Manager").post(url(channel), {**mine, "name": "Theirs"})

    response = manager.post(url(channel), {**mine, "dispatch_days": "7"})
    said = messages_of(response)

    fresh = SalesChannel.objects.get()
    assert response.status_code == 302
    assert (fresh.name, fresh.dispatch_days, fresh.version) == ("Theirs", 7, channel.version + 2)
    assert "Also changed meanwhile: Name, by manager-1. That was kept." in said
    told = Event.objects.filter(kind="edited").order_by("pk")
    assert [event.facts for event in told] == [{"fields": ["name"]}, {"fields": ["days to dispatch"]}]


def test_what_was_changed_is_read_in_the_readers_language(manager: Visitor) -> None:
    channel = make_channel()
    manager.defaults["HTTP_ACCEPT_LANGUAGE"] = "it"
    manager.post(url(channel), {**opened(manager, channel), "name": "Negozio"})

    said = [
        text_of(manager.get(url(channel), headers={"accept-language": spoken})) for spoken in ("it", "en")
    ]

    assert Event.objects.get(kind="edited").facts == {"fields": ["name"]}
    assert "Dettagli cambiati nome" in said[0]
    assert "Details changed name" in said[1]


def test_two_people_who_change_the_same_field_the_second_is_told(manager: Visitor) -> None:
    channel = make_channel()
    mine = opened(manager, channel)
    visitor("Manager").post(url(channel), {**mine, "name": "Theirs"})

    page = manager.post(url(channel), {**mine, "name": "Mine"})

    said = text_of(page)
    assert SalesChannel.objects.get().name == "Theirs"
    assert "It was changed while you were editing; nothing was saved." in said
    assert "Somebody else made it “Theirs”; you wrote “Mine”. Saving again" in said
    assert "Details changed name" in said

    # Saved again with today's values in sight, it is a decision.
    token = unescape(re.findall(r'name="shown" value="([^"]*)"', page.content.decode())[0])
    manager.post(url(channel), {**mine, "name": "Mine", "shown": token})
    assert SalesChannel.objects.get().name == "Mine"


def test_form_pressed_again_after_a_refusal_overwrites_nothing_that_others_changed_beside(
    manager: Visitor,
) -> None:
    channel = make_channel()
    mine = opened(manager, channel)
    changed = {"name": "Theirs", "dispatch_days": "7", "mails_off": ["delay"], "auto_confirm": "on"}
    visitor("Manager").post(url(channel), {**mine, **changed})

    form = manager.post(url(channel), {**mine, "name": "Mine"}).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    manager.post(url(channel), {name: one for name, one in shown.items() if one not in (None, False)})

    fresh = SalesChannel.objects.get()
    assert (fresh.name, fresh.dispatch_days, fresh.mails_off) == ("Mine", 7, ["delay"])
    assert fresh.auto_confirm


def test_form_without_its_token_is_refused(manager: Visitor) -> None:
    channel = make_channel()

    page = manager.post(url(channel), {**opened(manager, channel), "name": "Mine", "shown": "forged"})

    assert "The form is not complete; open it again." in text_of(page)
    assert SalesChannel.objects.get().name == channel.name


def test_channel_is_added_with_its_first_event(manager: Visitor) -> None:
    entity = make_channel().legal_entity
    given = {
        "name": "Phone", "code": "phone", "kind": "phone", "legal_entity": entity.pk, "currency": "EUR",
        "language": "it", "dispatch_days": "2", "priority": "0", "is_active": "on",
    }  # fmt: skip

    response = manager.post("/orders/saleschannel/add/", given)

    assert response.status_code == 302
    added = SalesChannel.objects.get(code="phone")
    assert added.version == 1
    assert Event.objects.filter(subject_type="saleschannel", subject_id=added.pk, kind="created").count() == 1


def test_customer_shows_its_orders_and_is_never_deleted(manager: Visitor) -> None:
    order = make_order()
    page = manager.get(url(order.customer))

    assert f"?customer__id__exact={order.customer_id}" in page.content.decode()
    listed = manager.get(f"/orders/order/?customer__id__exact={order.customer_id}")
    assert [row.pk for row in listed.context["cl"].result_list] == [order.pk]
    assert manager.post(f"/orders/customer/{order.customer_id}/delete/", {"post": "yes"}).status_code == 403
    assert Customer.objects.count() == 1


def test_customer_is_saved_with_the_lists_counts_in_the_way(manager: Visitor) -> None:
    customer = make_order().customer
    assert customer is not None

    assert manager.post(url(customer), {**opened(manager, customer), "phone": "123"}).status_code == 302

    assert Customer.objects.get().phone == "123"


def test_support_sees_a_channel_and_cannot_change_it() -> None:
    channel = make_channel()
    support = visitor("Support")

    assert support.get(url(channel)).status_code == 200
    assert support.post(url(channel), {"name": "Mine"}).status_code == 403


def test_customers_who_look_alike_are_merged_from_the_page() -> None:
    support = visitor("Support")
    keep = make_order(buyer=NeutralBuyer(name="Rosa", email="rosa@example.com", phone="011 1")).customer
    other = make_order(buyer=NeutralBuyer(name="R. Neri", email="neri@example.com", phone="011 1")).customer
    page = admin_url(Customer, "change", keep.pk)
    assert "Probably the same buyer: R. Neri (same phone)" in text_of(support.get(page))

    assert support.press(admin_url(Customer, "merge", keep.pk), others=[other.pk]).status_code == 302

    said = text_of(support.get(page))
    assert "neri@example.com" in said
    assert "Probably the same buyer" not in said
    assert "Merged into Rosa." in text_of(support.get(admin_url(Customer, "change", other.pk)))
    listed = support.get(admin_url(Customer, "changelist") + "?q=neri@example.com")
    assert [row.pk for row in listed.context["cl"].result_list] == [keep.pk]
    assert visitor("Picker").get(admin_url(Customer, "merge", keep.pk)).status_code == 403


def buyer_of(name: str, email: str, phone: str = "") -> Customer:
    customer = make_order(buyer=NeutralBuyer(name=name, email=email, phone=phone)).customer
    assert customer is not None
    return customer


def test_customer_who_looks_different_is_looked_for_then_merged() -> None:
    support = visitor("Support")
    keep, other = buyer_of("Rosa Neri", "rosa@example.com"), buyer_of("R. Bianchi", "rb@example.com", "011 5")
    merge = admin_url(Customer, "merge", keep.pk)
    shown = support.get(merge)
    assert "E-mail, name or phone, or a part of it." in text_of(shown)
    assert "rb@example.com" not in text_of(shown)

    nobody = support.post(merge, {**hidden(shown), "find": "nobody"})
    assert "Nobody else is found by this." in text_of(nobody)
    themselves = support.post(merge, {**hidden(nobody), "find": "rosa@example.com"})
    assert "Nobody else is found by this." in text_of(themselves)
    found = support.post(merge, {**hidden(themselves), "find": "bianchi"})
    assert "Nothing was done yet: tick who is the same buyer." in text_of(found)
    assert "R. Bianchi · rb@example.com · 011 5" in text_of(found)
    unticked = support.post(merge, {**hidden(found), "find": "bianchi"})
    assert "Tick who is the same buyer, or look for them." in text_of(unticked)
    assert not Customer.objects.exclude(merged_into=None).exists()
    done = support.post(merge, {**hidden(unticked), "find": "bianchi", "others": [other.pk]})

    assert done.status_code == 302
    other.refresh_from_db()
    assert other.merged_into_id == keep.pk
    assert support.get(admin_url(Customer, "merge", other.pk)).status_code == 302


def test_button_that_looks_merges_nobody_and_complains_of_nothing_found_only() -> None:
    support = visitor("Support")
    keep, other = buyer_of("Rosa Neri", "rosa@example.com"), buyer_of("R. Bianchi", "rb@example.com")
    merge = admin_url(Customer, "merge", keep.pk)
    search = {"look": "1", "find": "bianchi"}

    nobody = support.post(merge, {**hidden(support.get(merge)), "look": "1", "find": "nobody"})
    found = support.post(merge, {**hidden(nobody), **search})
    again = support.post(merge, {**hidden(found), **search, "others": [other.pk]})

    assert "Nobody else is found by this." in text_of(nobody)
    assert "R. Bianchi · rb@example.com" in text_of(found)
    assert [page.context["form"].errors for page in (found, again)] == [{}, {}]
    assert not Customer.objects.exclude(merged_into=None).exists()
    done = support.post(merge, {**hidden(again), "find": "bianchi", "others": [other.pk]})
    assert done.status_code == 302
    assert list(keep.merged.all()) == [other]


def test_merge_waits_where_other_words_were_written_than_those_shown() -> None:
    support = visitor("Support")
    keep, twin = (
        buyer_of("Rosa", "rosa@example.com", "011 1"),
        buyer_of("R. Neri", "neri@example.com", "011 1"),
    )
    merge = admin_url(Customer, "merge", keep.pk)
    late = buyer_of("Late Bianchi", "late@example.com")

    first = support.post(merge, {**hidden(support.get(merge)), "find": "bianchi", "others": [twin.pk]})

    assert first.status_code == 200
    assert not Customer.objects.exclude(merged_into=None).exists()
    stranger = buyer_of("Someone", "someone@example.com")
    wrong = support.post(merge, {**hidden(first), "find": "bianchi", "others": [stranger.pk]})
    assert wrong.status_code == 200
    both = support.post(merge, {**hidden(first), "find": "bianchi", "others": [twin.pk, late.pk]})
    assert both.status_code == 302
    assert set(keep.merged.all()) == {twin, late}


def test_merge_shows_a_person_bound_to_a_location_only_customers_of_its_orders() -> None:
    here = stock({"MUG": 1})
    order = make_confirmed({"MUG": 1})
    assert order.customer is not None
    Customer.objects.filter(pk=order.customer_id).update(name="Rosa", phone="011 1")
    twin = buyer_of("R. Bianchi", "rb@example.com", "011 1")
    person = bound("Support", here)
    page, merge = url(order.customer), admin_url(Customer, "merge", order.customer_id)
    assert "Probably the same buyer" not in text_of(person.get(page))

    answer = person.post(merge, {**hidden(person.get(merge)), "find": "bianchi", "others": [twin.pk]})

    assert "Nobody else is found by this." in text_of(answer)
    assert "rb@example.com" not in text_of(answer)
    free = visitor("Support")
    assert "Probably the same buyer: R. Bianchi" in text_of(free.get(page))
    assert "rb@example.com · 011 1" not in text_of(free.get(merge))
    assert "rb@example.com · same phone" in text_of(free.get(merge))


@pytest.mark.parametrize("priority", [-1001, 1001])
def test_channel_priority_stays_within_what_people_may_give_in_line(priority: int) -> None:
    with pytest.raises(ValidationError) as found:
        make_channel(priority=priority).clean_fields()

    assert list(found.value.message_dict) == ["priority"]
    make_channel(code="first", priority=1000).clean_fields()


def test_email_of_a_customer_is_kept_as_intake_looks_for_it() -> None:
    customer = buyer_of("Rosa", "rosa@example.com")
    manager, url = visitor("Manager"), admin_url(customer, "change", customer.pk)
    typed = {"name": "Rosa", "email": "Rosa.Neri@Example.com", "phone": "", "language": ""}

    manager.post(url, {**hidden(manager.get(url)), **typed})

    customer.refresh_from_db()
    assert customer.email == "rosa.neri@example.com"
    assert buyer_of("Rosa", "ROSA.NERI@example.com") == customer
