"""Columns of a list as each person wants them: kept, moved, reset, and never more than they may see."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.columns import arranged
from config.kernel.models import ChosenColumns
from tests.factories.inventory import make_level, make_location, make_sku
from tests.kernel.visitor import Visitor, messages_of, visitor

pytestmark = pytest.mark.django_db
LIST, PAGE = "/inventory/location/", "/inventory/location/columns/"
OWN = ["code", "name", "selling", "city", "country_code", "preference"]


def choose(client: Visitor, *names: str, order: list[str] | None = None, **more: Any) -> Any:
    return client.post(PAGE, {"order": order or list(names), "shown": list(names), **more})


def shown(client: Visitor, url: str = LIST) -> list[str]:
    return [name for name in client.get(url).context["cl"].list_display if name != "action_checkbox"]


def order_of(page: Any) -> list[str]:
    return [row["name"] for row in page.context["rows"]]


def test_list_shows_the_chosen_columns_in_their_order_to_this_person_only() -> None:
    make_location("MI")
    anna, ben = visitor("Manager"), visitor("Manager")
    assert shown(anna) == OWN

    response = choose(anna, "preference", "code", "city", save="1")

    assert response.headers["Location"] == LIST
    assert messages_of(response) == ["Your columns are kept for this list."]
    assert shown(anna) == ["preference", "code", "city"]
    assert shown(ben) == OWN
    again = choose(anna, "code", "name", save="1")
    assert again.status_code == 302
    assert shown(anna) == ["code", "name"]
    assert ChosenColumns.objects.count() == 1


def test_reset_and_choosing_all_as_they_are_keep_nothing() -> None:
    anna = visitor("Manager")
    choose(anna, "code", "city", save="1")

    choose(anna, "code", reset="1")
    assert shown(anna) == OWN
    choose(anna, *OWN, save="1")

    assert not ChosenColumns.objects.exists()


def test_arrows_move_a_column_and_keep_the_ticks_without_saving() -> None:
    anna = visitor("Manager")
    ticks = ["code", "city"]

    page = anna.post(PAGE, {"order": OWN, "shown": ticks, "up": "city"})
    assert order_of(page) == ["code", "name", "city", "selling", "country_code", "preference"]
    page = anna.post(PAGE, {"order": order_of(page), "shown": ticks, "down": "code"})
    assert order_of(page) == ["name", "code", "city", "selling", "country_code", "preference"]
    assert [row["name"] for row in page.context["rows"] if row["shown"]] == ticks
    top = anna.post(PAGE, {"order": OWN, "shown": ticks, "up": "code"})

    assert order_of(top) == OWN
    assert not ChosenColumns.objects.exists()


def test_the_column_that_opens_the_row_stays_and_keeps_the_link() -> None:
    place = make_location("MI", name="Milano", city="Torino")
    anna = visitor("Manager")

    choose(anna, "city", save="1")

    assert shown(anna) == ["city", "code"]
    choose(anna, "city", "code", save="1")
    html = anna.get(LIST).content.decode()
    assert f'<a href="/inventory/location/{place.pk}/change/">MI</a>' in html


def test_columns_that_a_person_may_not_see_are_neither_offered_nor_shown() -> None:
    manager, picker = visitor("Manager"), visitor("Picker")
    page = "/orders/order/columns/"
    hidden = set(order_of(manager.get(page))) - set(order_of(picker.get(page)))
    assert hidden

    picker.post(page, {"order": [*hidden, "number"], "shown": [*hidden, "number"], "save": "1"})

    assert not hidden & set(shown(picker, "/orders/order/"))
    ChosenColumns.objects.all().delete()
    owner = picker.session["_auth_user_id"]
    ChosenColumns.objects.create(owner_id=owner, model="orders.order", names=[*hidden, "gone"])
    assert not hidden & set(shown(picker, "/orders/order/"))


def test_an_address_sorts_by_the_same_column_whatever_was_chosen() -> None:
    make_location("B", name="Alba", preference=1)
    make_location("A", name="Zara", preference=2)
    anna, ben = visitor("Manager"), visitor("Manager")
    choose(anna, "name", "code", "city", save="1")

    for client in (anna, ben):
        names = [row.name for row in client.get(f"{LIST}?o=1").context["cl"].result_list]
        assert names == ["Alba", "Zara"]
        assert [row.code for row in client.get(f"{LIST}?o=-0").context["cl"].result_list] == ["B", "A"]
    page = anna.get(f"{LIST}?o=1")
    headed = page.content.decode()
    assert page.context["cl"].get_query_string({"p": 2}) == "?o=1&p=2"
    assert "?o=-1" in headed
    assert "?o=0.1" in headed


def test_sorting_by_a_hidden_column_falls_back_to_the_lists_own_order() -> None:
    make_location("B", city="Alba", preference=1)
    make_location("A", city="Zara", preference=2)
    anna = visitor("Manager")
    choose(anna, "code", "name", save="1")

    for order in ("3", "-3", "4"):
        codes = [row.code for row in anna.get(f"{LIST}?o={order}").context["cl"].result_list]
        assert codes == ["B", "A"], order


def test_filters_survive_the_choice() -> None:
    anna = visitor("Manager")
    listed = anna.get(f"{LIST}?is_active__exact=1").content.decode()
    assert f"{PAGE}?is_active__exact=1" in listed

    response = anna.post(f"{PAGE}?is_active__exact=1", {"order": OWN, "shown": OWN, "save": "1"})

    assert response.headers["Location"] == f"{LIST}?is_active__exact=1"


def test_page_needs_the_right_to_the_list() -> None:
    stranger = visitor("", "orders.view_order")

    assert stranger.get(PAGE).status_code == 403
    assert stranger.post(PAGE, {"order": OWN, "shown": OWN}).status_code == 403
    assert not ChosenColumns.objects.exists()


def test_list_costs_the_same_statements_with_and_without_a_choice() -> None:
    make_level(make_sku(), make_location(), 3)
    anna, counts = visitor("Manager"), []
    anna.get("/inventory/stocklevel/")
    for names in (("sku_said", "here"), ()):
        if names:
            anna.post("/inventory/stocklevel/columns/", {"order": names, "shown": names, "save": "1"})
        with CaptureQueriesContext(connection) as captured:
            anna.get("/inventory/stocklevel/")
        counts.append(sum("chosencolumns" in one["sql"] for one in captured.captured_queries))

    assert counts == [1, 1]


def test_arranged_leaves_out_what_is_gone_and_keeps_the_first() -> None:
    own, every = ["a", "b"], ["a", "b", "c"]

    assert arranged(own, every, []) == ["a", "b"]
    assert arranged(own, every, ["x"]) == ["a", "b"]
    assert arranged(own, every, ["c", "x", "b"]) == ["a", "c", "b"]
    assert arranged(own, every, ["c", "a"]) == ["c", "a"]
