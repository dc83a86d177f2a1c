"""The History of a place, as it is read at desk and phone width."""

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
def test_history_tells_what_a_save_changed(
    manager: User, beside: None, visit: Callable[..., Visit], size: Any
) -> None:
    place = make_location("MI", name="Milano", city="Milano")
    person = Person(visit(size, user=manager))
    person.go(f"/inventory/location/{place.pk}/change/")
    person.look(f"location-{size[0]}")
    person.page.locator("#id_name").fill("Milano Nord")
    person.page.locator("#id_preference").fill("5")
    person.click(person.page.locator("input[name=_continue], input[name=_save]").first)
    person.go(f"/inventory/location/{place.pk}/change/")

    person.open_button("History")

    person.look(f"history-{size[0]}")
    first = person.page.locator("table.history tbody tr").first
    expect(first).to_contain_text("marta")
    expect(first).to_contain_text("Milano → Milano Nord")
    expect(first).to_contain_text("100 → 5")
