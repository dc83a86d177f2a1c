"""Stock changed by hand, counted and sent on, in Chromium at desk and phone width."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from inventory.models import Location, Sku, StockCount, StockLevel, Transfer
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.pages import Person
from tests.factories.inventory import make_level, make_location, make_sku, reserve

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def milano(transactional_db: None) -> Location:
    return make_location(name="Milano")


@pytest.fixture
def cup(milano: Location) -> Sku:
    sku = make_sku("CUP", "Cup of white china")
    make_level(sku, milano, 10)
    reserve(sku, milano, 8, reference_id=7)
    make_location(name="Torino")
    return sku


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_stock_is_corrected_with_a_look_at_what_will_be(
    manager: User, cup: Sku, beside: None, visit: Callable[..., Visit], size: Any
) -> None:
    person = Person(visit(size, user=manager))
    page = person.page
    person.go(f"/inventory/sku/{cup.pk}/change/")
    person.follow("Correct stock…")
    page.locator("#id_form-0-quantity").fill("-4")
    page.locator("#id_reason").fill("Fell off the shelf")
    person.submit("See what will be")
    assert page.get_by_text("test 7: 2 units").is_visible()
    person.look(f"correct-{size[0]}")
    person.submit("Correct stock")
    assert page.get_by_text("−4").first.is_visible()

    person.press(
        "Undo…", then="Undo", Reason="It lay under the shelf", consequence="Gets stock: test 7: 2 units"
    )
    person.sees_badges("Correction", "Undone")
    person.sees_timeline("Undone", "Stock changed by hand")
    person.look(f"undone-{size[0]}")
    assert StockLevel.objects.get().on_hand == 10


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_stock_is_sent_and_counted(
    manager: User, cup: Sku, milano: Location, beside: None, visit: Callable[..., Visit], size: Any
) -> None:
    person = Person(visit(size, user=manager))
    page = person.page
    person.go("/inventory/transfer/add/")
    page.locator("#id_form-0-sku").fill("CUP")
    page.locator("#id_form-0-quantity").fill("2")
    person.submit("See what will be")
    person.look(f"plan-{size[0]}")
    person.submit("Plan the transfer")
    person.go(f"/inventory/transfer/{Transfer.objects.get().pk}/send/")
    person.submit("Send")
    person.press("Undo sending…", then="Undo", Reason="Wrong van")
    person.sees_badges("Draft")
    person.press("Send")
    person.go(f"/inventory/transfer/{Transfer.objects.get().pk}/receive/")
    person.look(f"receive-{size[0]}")
    person.go("/inventory/stockcount/add/")
    person.submit("Make the list")
    base = f"/inventory/stockcount/{StockCount.objects.get().pk}"
    person.go(f"{base}/count/")
    page.locator("input[name^=line_]").first.fill("7")
    person.submit("Enter what was counted")
    person.go(f"{base}/approve/")
    person.look(f"approve-{size[0]}")

    for listed in ("transfer", "stockcount", "stockadjustment"):
        person.go(f"/inventory/{listed}/")
