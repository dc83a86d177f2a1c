"""Columns of saved views: kept, restored, changed while the view is open, and never more than a reader may see."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.models import ChosenColumns, SavedView
from tests.factories.inventory import make_location
from tests.kernel.visitor import Visitor, messages_of, text_of, visitor

pytestmark = pytest.mark.django_db
LIST, ORDERS = "/inventory/location/", "/orders/order/"
OWN = ["code", "name", "selling", "city", "country_code", "preference"]
QUERY = "is_active__exact=1"


def choose(client: Visitor, *names: str, at: str = "", within: str = LIST, **more: Any) -> Any:
    return client.post(f"{within}columns/?{at}", {"order": list(names), "shown": list(names), **more})


def save(client: Visitor, at: str = QUERY, within: str = LIST, **values: Any) -> Any:
    return client.post(f"{within}views/save/?{at}", {"name": "Mine", **values})


def shown(client: Visitor, url: str = LIST) -> list[str]:
    return [name for name in client.get(url).context["cl"].list_display if name != "action_checkbox"]


def test_view_restores_the_columns_it_was_saved_with_and_the_plain_list_keeps_ones_own() -> None:
    anna = visitor("Manager")
    choose(anna, "city", "code")
    page = anna.get(f"{LIST}views/save/?{QUERY}")
    assert "It keeps these columns: City, Code." in text_of(page)
    opened = save(anna)["Location"]

    choose(anna, "code", "name")

    assert SavedView.objects.get().columns == ["city", "code"]
    assert shown(anna, opened) == ["city", "code"]
    assert shown(anna) == ["code", "name"]
    assert shown(anna, f"{LIST}?{QUERY}") == ["code", "name"]


def test_view_saved_without_a_choice_shows_everybody_their_own_columns() -> None:
    anna = visitor("Manager")
    assert "everybody sees their own columns in it" in text_of(anna.get(f"{LIST}views/save/?{QUERY}"))
    opened = save(anna)["Location"]
    assert SavedView.objects.get().columns == []

    ChosenColumns.objects.create(
        owner_id=anna.session["_auth_user_id"], model="inventory.location", names=["code", "city"]
    )

    assert shown(anna, opened) == ["code", "city"]
    assert LIST + "views/1" not in anna.get(LIST).content.decode()
    assert "Change this view" in text_of(anna.get(f"{LIST}?{QUERY}"))


def test_columns_changed_in_a_view_last_until_it_is_left_and_are_kept_by_saving_it_again() -> None:
    anna = visitor("Manager")
    choose(anna, "code", "city")
    opened = save(anna)["Location"]
    pk = SavedView.objects.get().pk

    response = choose(anna, "code", "name", at=opened.partition("?")[2])

    assert messages_of(response)[-1:] == [
        "You see these columns until you leave the view; save it to keep them in it."
    ]
    changed = response["Location"]
    assert changed == f"{opened}&columns=code%2Cname"
    assert shown(anna, changed) == ["code", "name"]
    assert (shown(anna, opened), shown(anna)) == (["code", "city"], ["code", "city"])
    listed = text_of(anna.get(changed))
    assert ("Save as another view" in listed, "Change this view" in listed) == (True, True)
    again = f"{LIST}views/{pk}/?{changed.partition('?')[2]}"
    assert f'href="{again.replace("&", "&amp;")}"' in anna.get(changed).content.decode()
    assert "It keeps these columns: Code, Name." in text_of(anna.get(again))

    assert anna.post(again, {"name": "Mine"})["Location"] == opened

    assert shown(anna, opened) == ["code", "name"]
    assert shown(anna) == ["code", "city"]
    assert SavedView.objects.get().query == QUERY


def test_the_views_own_columns_come_back_by_a_press() -> None:
    anna = visitor("Manager")
    choose(anna, "code", "city")
    opened = save(anna)["Location"]
    changed = choose(anna, "code", "name", at=opened.partition("?")[2])["Location"]
    page = anna.get(f"{LIST}columns/?{changed.partition('?')[2]}")
    assert "in the view “Mine”" in text_of(page)
    assert [row["name"] for row in page.context["rows"] if row["shown"]] == ["code", "name"]

    back = choose(anna, "code", at=changed.partition("?")[2], reset="1")

    assert back["Location"] == opened
    assert messages_of(back)[-1] == "The view shows its own columns again."
    assert ChosenColumns.objects.get().names == ["code", "city"]


def test_renaming_a_view_changes_nothing_else() -> None:
    anna = visitor("Manager")
    choose(anna, "code", "city")
    save(anna)
    view = SavedView.objects.get()
    SavedView.objects.update(columns=["code", "city", "of_another_release"])

    anna.post(f"{LIST}views/{view.pk}/", {"name": "Ours"})

    view.refresh_from_db()
    assert (view.name, view.query, view.columns) == ("Ours", QUERY, ["code", "city", "of_another_release"])


def test_a_view_narrowed_stays_open_and_takes_the_filters_over_when_saved() -> None:
    make_location("MI", name="Milano")
    anna = visitor("Manager")
    choose(anna, "code", "city")
    opened = save(anna)["Location"]

    page = anna.get(f"{opened}&q=Mil")
    listed = page.context["cl"]

    assert shown(anna, f"{opened}&q=Mil") == ["code", "city"]
    assert "view=" in listed.get_query_string({"o": "1"})
    assert listed.clear_all_filters_qs == "?q=Mil"
    assert 'name="view"' in page.content.decode()
    again = f"{LIST}views/{SavedView.objects.get().pk}/?{opened.partition('?')[2]}&q=Mil"
    assert "Its filters, search and order become those of the list" in text_of(anna.get(again))
    anna.post(again, {"name": "Mine"})
    assert SavedView.objects.get().query == f"{QUERY}&q=Mil"
    assert SavedView.objects.get().columns == ["code", "city"]


def test_two_views_of_the_same_filters_show_their_own_columns() -> None:
    anna = visitor("Manager")
    choose(anna, "code", "city")
    first = save(anna)["Location"]
    choose(anna, "code", "name")
    second = save(anna, name="Other")["Location"]

    assert (shown(anna, first), shown(anna, second)) == (["code", "city"], ["code", "name"])
    html = anna.get(second).content.decode()
    assert html.count('aria-current="page">Other') == 1
    assert 'aria-current="page">Mine' not in html


def test_columns_alone_are_a_view() -> None:
    anna = visitor("Manager")
    assert "Save this view" not in text_of(anna.get(LIST))
    choose(anna, "code", "city")
    assert "Save this view" in text_of(anna.get(LIST))

    opened = save(anna, "")["Location"]

    assert opened == f"{LIST}?view={SavedView.objects.get().pk}"
    choose(anna, reset="1")
    assert (shown(anna, opened), shown(anna)) == (["code", "city"], OWN)


def test_shared_view_shows_its_columns_to_others_without_those_they_may_not_see() -> None:
    manager, picker = visitor("Manager"), visitor("Picker")
    mine, theirs = shown(manager, ORDERS), shown(picker, ORDERS)
    hidden = [name for name in mine if name not in theirs]
    assert hidden
    wanted = [*hidden, theirs[1], theirs[0]]
    choose(manager, *wanted, within=ORDERS)
    opened = save(manager, "status__exact=placed", ORDERS, is_shared="on")["Location"]
    pk = SavedView.objects.get().pk
    assert shown(manager, opened) == wanted

    page = picker.get(opened)

    assert shown(picker, opened) == [theirs[1], theirs[0]]
    html = page.content.decode()
    assert not [name for name in hidden if f"column-{name}" in html or f"field-{name}" in html]
    asked = f"{opened}&columns={','.join(wanted)}"
    assert shown(picker, asked) == [theirs[1], theirs[0]]
    assert picker.get(f"{ORDERS}views/{pk}/?{opened.partition('?')[2]}").status_code == 404
    kept = text_of(picker.get(f"{ORDERS}views/save/?{asked.partition('?')[2]}"))
    assert [name for name in hidden if manager_label(manager, name) in kept] == []
    save(picker, asked.partition("?")[2], ORDERS)
    assert SavedView.objects.exclude(pk=pk).get().columns == [theirs[1], theirs[0]]


def manager_label(manager: Visitor, name: str) -> str:
    rows = manager.get(f"{ORDERS}columns/").context["rows"]
    return next(str(row["label"]) for row in rows if row["name"] == name)


def test_view_of_another_that_is_not_shared_lends_nobody_its_columns() -> None:
    anna, ben = visitor("Manager"), visitor("Manager")
    choose(anna, "code", "city")
    opened = save(anna)["Location"]

    assert shown(ben, opened) == OWN
    for nonsense in ("x", "999999999999999999999", "-1", ""):
        assert shown(ben, f"{LIST}?view={nonsense}&columns=,,nothing,") == OWN


def test_list_in_a_view_costs_one_statement_less_and_none_more_a_row() -> None:
    anna, counts = visitor("Manager"), []
    choose(anna, "code", "city")
    opened = save(anna)["Location"]
    anna.get(opened)
    for code in ("A", "B", "C"):
        make_location(code)
        for url in (f"{LIST}?{QUERY}", opened):
            with CaptureQueriesContext(connection) as captured:
                anna.get(url)
            counts.append(len(captured))

    assert counts[1] == counts[0] - 1
    assert counts[2:] == counts[:2] * 2
