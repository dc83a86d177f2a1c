"""Columns that people may add to the order list: what stands in them, who is offered them, what they cost."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.templatetags.admin_list import result_headers
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.models import SavedView
from orders.models import Order
from orders.privacy import SEE_PERSONAL
from orders.services.holds import place_hold
from orders.services.noting import set_tags
from tests.factories.fulfillment import make_confirmed, make_shipped
from tests.factories.orders import SYSTEM, make_order, neutral_line
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db
LIST = "/orders/order/"
OWN = [
    "number", "status_held", "goods", "payment", "sales_channel", "buyer", "total", "placed", "leaves_by",
]  # fmt: skip
PERSONAL = {"buyer_email", "buyer_phone", "ship_city", "buyer_note"}


def optional() -> list[Any]:
    return list(admin.site.get_model_admin(Order).optional_columns)


def choose(client: Visitor, *names: str, at: str = "") -> Any:
    return client.post(f"{LIST}columns/?{at}", {"order": names, "shown": names, "save": "1"})


def shown(client: Visitor, url: str = LIST) -> list[str]:
    return [name for name in client.get(url).context["cl"].list_display if name != "action_checkbox"]


def statements(client: Visitor, url: str = LIST) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_list_shows_its_own_columns_until_others_are_chosen() -> None:
    make_order()
    anna = visitor("Manager")
    assert shown(anna) == OWN
    offered = anna.get(f"{LIST}columns/").context["rows"]
    assert [row["name"] for row in offered if row["shown"]] == OWN
    assert {column.name for column in optional()} <= {row["name"] for row in offered if not row["shown"]}

    choose(anna, "number", "tags", "units")

    assert shown(anna) == ["number", "tags", "units"]
    choose(anna, *OWN)
    assert shown(anna) == OWN
    assert "Save this view" not in text_of(anna.get(LIST))


def test_each_column_says_what_it_is_named_for() -> None:
    lines = tuple(neutral_line(code, units) for code, units in (("A", 2), ("B", 1), ("C", 4), ("D", 1)))
    held = make_order(external_id="WEB-9", lines=lines, payments=(), shipping_method="Express", note="Ring")
    place_hold([held.pk], kind="fraud", actor=SYSTEM).only()
    set_tags([held.pk], add=["gift", "VIP"], actor=SYSTEM).only()
    Order.objects.filter(pk=held.pk).update(email="ada@example.com")
    held.ship_to.phone = "+39 011 555"
    held.ship_to.save()
    anna = visitor("Manager")
    choose(anna, "number", *(column.name for column in optional()))

    said = text_of(anna.get(LIST))

    for words in (
        "WEB-9", "2 × A, 1 × B, 4 × C and 1 line more", " 8 ", "gift, VIP", "Fraud", "Unpaid", "ada@example.com",
        "+39 011 555", "Torino", "Italy", "Express", "Bottega srl", "Ring",
    ):  # fmt: skip
        assert words in said, words


def test_locations_and_tracking_numbers_are_those_of_the_goods() -> None:
    parcel = make_shipped(number="TN-7")
    waiting = make_confirmed({"CUP": 1}, external_id="A-2")
    anna = visitor("Manager")
    choose(anna, "number", "ships_from", "tracking")
    place = parcel.shipment.fulfillment_order.location.name

    said = text_of(anna.get(LIST))

    assert f"{parcel.order.number} {place} GLS TN-7" in said
    assert f"{waiting.number} – –" in said


def test_personal_columns_are_for_those_who_see_personal_data() -> None:
    order = make_order(note="Please ring twice")
    Order.objects.filter(pk=order.pk).update(email="ada@example.com")
    every = ["number", *(column.name for column in optional())]
    address = f"{LIST}?columns={','.join(every)}"
    assert {column.name for column in optional() if column.needs == SEE_PERSONAL} == PERSONAL

    for role, sees in (("Support", True), ("Picker", False), ("Reader", False)):
        client = visitor(role)
        offered = {row["name"] for row in client.get(f"{LIST}columns/").context["rows"]}
        choose(client, *every)
        for url in (LIST, address):
            html = client.get(url).content.decode()
            assert set(shown(client, url)) & PERSONAL == (PERSONAL if sees else set()), role
            assert ("ada@example.com" in html, "Please ring twice" in html) == (sees, sees), role
        assert offered & PERSONAL == (PERSONAL if sees else set()), role


SORTED_BY = {"received": "id", "buyer_email": "email"}


@pytest.mark.parametrize("name", SORTED_BY)
def test_column_with_an_index_sorts_page_by_page_both_ways(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [make_order(external_id=f"A-{place}") for place in range(5)]
    for order, email in zip(orders, ("d@x.it", "a@x.it", "", "c@x.it", "a@x.it"), strict=True):
        Order.objects.filter(pk=order.pk).update(email=email)
    wanted = list(Order.objects.order_by(SORTED_BY[name], "pk").values_list("pk", flat=True))
    monkeypatch.setattr(admin.site.get_model_admin(Order), "list_per_page", 2)
    anna = visitor("Manager")
    choose(anna, "number", name, "tags")
    headings = {str(one["text"]).lower(): one for one in result_headers(anna.get(LIST).context["cl"])}
    heading = headings[str(next(one.label for one in optional() if one.name == name))]

    for sign, expected in (("", wanted), ("-", wanted[::-1])):
        url, found = heading["url_primary"].replace("o=-", "o=").replace("o=", f"o={sign}"), []
        while url:
            listed = anna.get(f"{LIST}{url}").context["cl"]
            found += [row.pk for row in listed.result_list]
            url = listed.steps.get("next", "")
        assert found == expected
    assert not headings["tags"]["sortable"]


def test_view_keeps_optional_columns() -> None:
    make_order()
    anna = visitor("Manager")
    choose(anna, "number", "tags", "buyer_email")
    opened = anna.post(f"{LIST}views/save/?status__exact=placed", {"name": "Mine", "is_shared": "on"})
    assert SavedView.objects.get().columns == ["number", "tags", "buyer_email"]
    choose(anna, *OWN)

    assert shown(anna, opened["Location"]) == ["number", "tags", "buyer_email"]
    assert shown(visitor("Picker"), opened["Location"]) == ["number", "tags"]


def test_addresses_sort_by_the_same_columns_as_before() -> None:
    first, second = make_order(external_id="A-1"), make_order(external_id="A-2")
    anna = visitor("Manager")
    choose(anna, "tags", "number", "placed")

    for url in (f"{LIST}?o=1", f"{LIST}?o=1&columns=number"):
        rows = anna.get(url).context["cl"].result_list
        assert [row.pk for row in rows] == [first.pk, second.pk]


def many(count: int) -> None:
    for place in range(count):
        order = make_order(external_id=f"M-{place}", payments=())
        set_tags([order.pk], add=["gift"], actor=SYSTEM).only()


def test_columns_cost_nothing_until_chosen_then_one_statement_each_at_any_number_of_rows() -> None:
    anna = visitor("Manager")
    reading = [column.name for column in optional() if column.reads is not None]
    plain = [column.name for column in optional() if column.reads is None]
    make_order(external_id="M")
    statements(anna)
    own = statements(anna)
    assert own <= 12

    for names, more in (
        (plain, 0),
        (reading[:1], 1),
        (reading, len(reading)),
        ([*plain, *reading], len(reading)),
    ):
        choose(anna, "number", *names)
        assert statements(anna) == own + more, names
    many(30)
    assert statements(anna) == own + len(reading)
    choose(anna, *OWN)
    assert statements(anna) == own


def test_pages_of_a_long_list_read_the_columns_of_their_own_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    many(5)
    anna = visitor("Manager")
    choose(anna, "number", "units")
    monkeypatch.setattr(admin.site.get_model_admin(Order), "list_per_page", 2)
    listed = anna.get(LIST).context["cl"]

    page = anna.get(LIST + listed.steps["next"])

    assert len(page.context["cl"].result_list) == 2
    assert page.content.decode().count('<span class="num">2</span>') == 2
