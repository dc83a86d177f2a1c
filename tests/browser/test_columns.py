"""Columns of a list are chosen with the keyboard alone, and the list fits both widths."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

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
