"""What the warehouse does not see of a buyer, and cannot find out by asking."""

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.urls import reverse

from config.kernel.admin import admin_url
from fulfillment.models import FulfillmentOrder
from orders.models import Address, Customer, Order
from orders.selectors.search import search_numbers
from tests.factories.fulfillment import make_confirmed, make_released, make_shipped
from tests.factories.orders import make_order
from tests.kernel.visitor import hidden, text_of, visitor
from tests.people.planted import make_business
from tests.people.routes import model_routes, site_urls

pytestmark = pytest.mark.django_db
HIDDEN = ("ada@example.com", "+39 011 555", "Please ring twice")


def buyer_of(order: Order) -> Order:
    """The same buyer, whatever the factory named."""
    order.ship_to.phone, order.ship_to.name = "+39 011 555", "Ada Lovelace"
    order.ship_to.save()
    Order.objects.filter(pk=order.pk).update(email="ada@example.com", note="Please ring twice")
    return Order.objects.get(pk=order.pk)


def test_picker_reads_name_and_address_but_no_contact_no_money() -> None:
    order = buyer_of(make_confirmed())

    page = visitor("Picker").get(admin_url(Order, "change", order.pk))

    said = text_of(page)
    assert "Ada Lovelace" in said
    for secret in (*HIDDEN, "EUR", "€", "Paid", "Payment reported"):
        assert secret not in said, secret
    assert {"money", "payments", "mails"} <= {
        name for name, shown in page.context["page"].items() if shown == []
    }


def test_support_reads_all_of_it() -> None:
    order = buyer_of(make_confirmed())

    said = text_of(visitor("Support").get(admin_url(Order, "change", order.pk)))

    for shown in (*HIDDEN, "Paid"):
        assert shown in said, shown


def test_name_and_street_are_gone_for_the_picker_once_the_goods_left() -> None:
    parcel = make_shipped()
    order = buyer_of(parcel.order)
    work = parcel.shipment.fulfillment_order
    picker, support = visitor("Picker"), visitor("Support")
    url = admin_url(FulfillmentOrder, "change", work.pk)

    assert "Ada Lovelace" not in text_of(picker.get(url))
    assert order.ship_to.line1 not in text_of(picker.get(url))
    assert "Ada Lovelace" in text_of(support.get(url))


def test_picker_reads_the_address_of_live_work_without_the_telephone() -> None:
    work = make_released()
    buyer_of(work.order)

    said = text_of(visitor("Picker").get(admin_url(FulfillmentOrder, "change", work.pk)))

    assert "Ada Lovelace" in said
    for secret in HIDDEN:
        assert secret not in said


BUYER = {
    "name": "Ada Byron-King", "company": "Analytical Engines", "line1": "12 St James’s Square", "line2": "Attic door",
    "postal_code": "SW1Y 4JH", "city": "Ockham Park", "region": "Surrey Hills", "phone": "+39 011 555",
}  # fmt: skip


def told_of_the_buyer(client: Any) -> dict[str, list[str]]:
    """Of every page that opens, of every row: what of the buyer stands on it."""
    Address.objects.update(**BUYER)
    Customer.objects.update(name=BUYER["name"], phone=BUYER["phone"])
    Customer.objects.filter(pk=Customer.objects.values("pk")[:1]).update(email="ada@example.com")
    Order.objects.update(email="ada@example.com", note="Please ring twice")
    urls = [
        route.url(pk)
        for route in model_routes()
        for pk in (
            route.model._default_manager.values_list("pk", flat=True)[:20] if route.takes_row else [None]
        )
    ]
    asked = [f"{reverse('admin:find')}?q=Byron", f"{reverse('admin:palette')}?q=byron"]
    found = {}
    for url in [*urls, *site_urls(), *asked]:
        answer = client.get(url)
        said = answer.content.decode() if answer.status_code == 200 and not answer.streaming else ""
        if secrets := [text for text in (*BUYER.values(), *HIDDEN) if text in said]:
            found[url] = secrets
    return found


def test_reader_reads_nothing_of_any_buyer_on_any_page() -> None:
    make_business()
    make_confirmed(external_id="B-1")

    assert told_of_the_buyer(visitor("Reader")) == {}


def test_customer_service_would_be_found_reading_of_buyers() -> None:
    """The negative control: the same pages show all of it to those who may see it."""
    make_business()

    found = told_of_the_buyer(visitor("Support"))

    assert {text for texts in found.values() for text in texts} >= {*BUYER.values(), *HIDDEN}


@pytest.mark.parametrize("asked", ["ada@example.com", "ada", "Lovelace", "+39 011 555"])
def test_picker_finds_no_order_by_its_buyer(asked: str) -> None:
    buyer_of(make_order())
    url = reverse("admin:orders_order_changelist")

    assert visitor("Picker").get(url, {"q": asked}).context["cl"].result_count == 0
    box = visitor("Picker").get(reverse("admin:find"), {"q": asked})
    assert box["Location"].startswith(url)


def test_picker_finds_an_order_by_its_number_and_its_goods() -> None:
    order = buyer_of(make_order())
    every = Order.objects.all()

    assert list(search_numbers(every, order.number)) == [order]
    assert list(search_numbers(every, order.lines.get().sku_code[:4].lower())) == [order]
    assert not search_numbers(every, f"{order.number} nothing").exists()


def test_list_of_the_picker_has_no_buyer_and_no_amount() -> None:
    buyer_of(make_order())
    url = reverse("admin:orders_order_changelist")

    columns = {role: visitor(role).get(url).context["cl"].list_display for role in ("Picker", "Support")}

    assert {"buyer", "total", "payment"} & set(columns["Picker"]) == set()
    assert {"buyer", "total", "payment"} <= set(columns["Support"])
    assert visitor("Picker").get(url, {"payment_status__exact": "paid"}).status_code == 400


def test_picker_opens_neither_customers_nor_payments_nor_mails() -> None:
    picker = visitor("Picker")

    for model in ("customer", "payment", "notification", "raworder"):
        assert picker.get(reverse(f"admin:orders_{model}_changelist")).status_code == 403


def test_manager_gives_a_role_but_not_more_than_they_hold() -> None:
    manager = visitor("Manager")
    person = get_user_model().objects.create_user("nina", is_staff=True)
    picker = Group.objects.get(name="Picker")
    url = admin_url(person, "change", person.pk)
    forms = {"staff_locations-TOTAL_FORMS": 0, "staff_locations-INITIAL_FORMS": 0}

    page = manager.get(url)
    manager.post(
        url,
        {
            "username": "nina", "is_active": "on", "is_staff": "on", "is_superuser": "on",
            "groups": [picker.pk], "user_permissions": [1], **hidden(page), **forms,
        },
    )  # fmt: skip

    person.refresh_from_db()
    assert "Warehouse" in text_of(page)
    assert list(person.groups.all()) == [picker]
    assert not person.is_superuser
    assert not person.user_permissions.exists()


def test_manager_reaches_no_superuser_by_page_or_password() -> None:
    owner: Any = get_user_model().objects.create_superuser("owner", password="forbice-pallet-9")
    manager = visitor("Manager")

    page = manager.get(admin_url(owner, "change", owner.pk))
    manager.post(
        reverse("admin:auth_user_password_change", args=[owner.pk]),
        {"password1": "scaffale-nastro-7", "password2": "scaffale-nastro-7"},
    )

    owner.refresh_from_db()
    assert (page.status_code, page["Location"]) == (302, "/")
    assert owner.check_password("forbice-pallet-9")


@pytest.mark.parametrize("list_name", ["orders_order", "returns_rma"])
def test_search_boxes_offer_the_e_mail_only_to_who_may_see_it(list_name: str) -> None:
    url = reverse(f"admin:{list_name}_changelist")
    boxes = re.compile(r'<input type="search"[^>]*>')

    of_support = boxes.findall(visitor("Support").get(url).content.decode())
    of_reader = boxes.findall(visitor("Reader").get(url).content.decode())

    assert [("e-mail" in box) for box in of_support] == [True, True]
    assert [("e-mail" in box) for box in of_reader] == [False, False]
    assert "tracking" in of_reader[0]
