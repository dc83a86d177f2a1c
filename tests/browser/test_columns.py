"""Columns of a list are chosen with the keyboard alone, and the list fits both widths."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from config.kernel.models import ChosenColumns
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.pages import Person
from tests.factories.inventory import make_location

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_columns_are_chosen_by_keyboard(
    manager: User, beside: None, visit: Callable[..., Visit], size: Any
) -> None:
    make_location("MI", name="Milano", city="Milano")
    person = Person(visit(size, user=manager))
    page = person.page
    person.go("/inventory/location/")
    person.look(f"locations-{size[0]}")
    person.follow("Columns…")
    person.look(f"columns-{size[0]}")

    up = page.get_by_role("button", name="Move Preference up")
    up.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Move Preference up")).to_be_focused()
    page.get_by_role("checkbox", name="Country").focus()
    page.keyboard.press("Space")
    person.submit("Show these columns")

    person.sees_message("Your columns are kept for this list.")
    heads = page.locator("#result_list thead th .text").all_inner_texts()
    assert [text.strip().upper() for text in heads if text.strip()] in (
        [], ["CODE", "NAME", "SELLS", "CITY", "PREFERENCE"],
    )  # fmt: skip
    person.look(f"locations-chosen-{size[0]}")
    assert "country_code" not in page.locator("#result_list tbody tr").first.inner_html()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_view_keeps_its_columns_until_others_are_saved_in_it(
    manager: User, beside: None, visit: Callable[..., Visit], size: Any
) -> None:
    make_location("MI", name="Milano", city="Milano")
    ChosenColumns.objects.create(owner=manager, model="inventory.location", names=["code", "city"])
    person = Person(visit(size, user=manager))
    page = person.page
    person.go("/inventory/location/?is_active__exact=1")
    open_filters(person)
    person.follow("Save this view")
    expect(page.locator(".consequences")).to_contain_text("It keeps these columns: Code, City.")
    person.look(f"view-with-columns-{size[0]}")
    person.fill({"Name": "Towns"})
    person.submit("Save")

    expect(page.locator(".tabs a[aria-current=page]")).to_contain_text("Towns")
    person.follow("Columns…")
    person.look(f"columns-of-a-view-{size[0]}")
    page.get_by_role("checkbox", name="Name", exact=True).check()
    person.submit("Show these columns")
    person.sees_message("You see these columns until you leave the view")
    assert columns(person) == {"code", "city", "name"}
    person.look(f"view-changed-{size[0]}")
    person.click(page.locator(".tabs a").get_by_text("Towns"))
    assert columns(person) == {"code", "city"}

    page.go_back()
    open_filters(person)
    person.follow("Change this view")
    person.submit("Save")

    assert columns(person) == {"code", "city", "name"}
    person.go("/inventory/location/")
    assert columns(person) == {"code", "city"}
    ChosenColumns.objects.all().delete()
    person.go("/inventory/location/")
    person.click(page.locator(".tabs a").get_by_text("Towns"))
    assert columns(person) == {"code", "city", "name"}


def open_filters(person: Person) -> None:
    """On a phone they are folded away until asked for, or already open where one is on."""
    box = person.page.locator("#filters-open")
    if person.is_on_phone and not box.is_checked():
        person.page.locator("label.filters-toggle").click()


def columns(person: Person) -> set[str]:
    cells = person.page.locator("#result_list tbody tr").first.locator("[class*=field-]").all()
    classes = [str(cell.get_attribute("class")).split() for cell in cells]
    return {name.removeprefix("field-") for each in classes for name in each if name.startswith("field-")}
