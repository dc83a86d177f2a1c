"""A form that cannot be saved says so where one looks, and hands the keyboard over; nobody overwrites anybody."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from config.kernel.admin import admin_url
from inventory.models import Sku
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.pages import Person
from tests.factories.fulfillment import stock
from tests.factories.inventory import make_location

pytestmark = pytest.mark.browser
Open = Callable[..., Visit]


@pytest.fixture
def mug(manager: User) -> Sku:
    stock({"MUG": 5}, make_location("TO", name="Torino"))
    return Sku.objects.get(code="MUG")


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_refused_save_is_seen_focused_and_leads_to_the_field(
    mug: Sku, manager: User, visit: Open, beside: None, size: tuple[int, int], scheme: str
) -> None:
    tab = Person(visit(size, user=manager, scheme=scheme))
    tab.go(admin_url(Sku, "change", mug.pk))
    tab.page.locator("#id_title").fill("Renamed")
    tab.page.locator("#id_weight_grams").fill("-5")

    tab.submit("Save")

    note = tab.page.locator(".errornote")
    expect(note).to_be_focused()
    expect(note).to_be_in_viewport()
    expect(tab.page.get_by_role("heading", level=1)).not_to_contain_text("Renamed")
    note.get_by_role("link").click()
    expect(tab.page.locator("#id_weight_grams")).to_be_focused()
    expect(tab.page.locator("#id_weight_grams")).to_be_in_viewport()
    tab.look("refused form")


def test_two_tabs_on_one_person_lose_nothing(mug: Sku, manager: User, visit: Open, beside: None) -> None:
    nina = User.objects.create_user("nina", is_staff=True)
    here, there = Person(visit(DESK, user=manager)), Person(visit(DESK, user=manager))
    for tab in (here, there):
        tab.go(admin_url(User, "change", nina.pk))
    here.fill({"Email_address": "nina@example.com"})
    there.fill({"Last_name": "Rossi"})

    there.submit("Save")
    here.submit("Save")

    here.sees_message("Also changed meanwhile: Last name, by marta. That was kept.")
    nina.refresh_from_db()
    assert (nina.last_name, nina.email) == ("Rossi", "nina@example.com")
