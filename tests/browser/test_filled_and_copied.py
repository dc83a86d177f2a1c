"""What one press fills in, copies or prints, so that nobody types it off the screen."""

from base64 import b32decode
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django_otp.oath import totp
from playwright.sync_api import expect

from config.kernel.admin import admin_url
from orders.models import Order
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.pages import Person
from tests.factories.inventory import make_sku
from tests.factories.orders import make_order, neutral_line

Open = Callable[..., Visit]


@pytest.fixture
def unknown(manager: User) -> Order:
    """An order whose line is ours under another code."""
    make_sku("JUG-05", title="Jug")
    make_sku("PLATE", title="Plate")
    return make_order(lines=(neutral_line("jug_5", 1), neutral_line("plates", 1)), skus=False)


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_alike_sku_is_filled_in_with_the_code_that_it_is_for(
    size: tuple[int, int], manager: User, unknown: Order, visit: Open
) -> None:
    person = Person(visit(size, user=manager))
    person.go(admin_url(Order, "map_sku", unknown.pk))
    person.look("map a SKU")

    person.page.get_by_role("button", name="PLATE", exact=True).click()

    expect(person.page.get_by_label("SKU of ours")).to_have_value("PLATE")
    expect(person.page.get_by_label("SKU of ours")).to_be_focused()
    expect(person.page.get_by_label("SKU as sent")).to_have_value("plates")
    person.submit("Map it")
    person.sees_message("Mapped")


def test_recovery_codes_are_copied_at_once_and_printed_without_the_frame(manager: User, visit: Open) -> None:
    window = visit(DESK, user=manager)
    window.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=window.address)
    person, page = Person(window), window.page
    person.go("/account/factor/")
    secret = page.locator("p span.mono").inner_text().replace(" ", "")
    page.get_by_label("Code").fill(f"{totp(b32decode(secret + '=' * (-len(secret) % 8))):06}")
    person.submit("Confirm")
    person.look("recovery codes")
    codes = page.locator("#recovery-codes li").all_inner_texts()

    page.get_by_role("button", name="Copy all").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(codes)
    assert len(codes) == len(set(codes)) > 4
    page.evaluate("window.print = () => { document.title = 'printed'; }")
    page.get_by_role("button", name="Print").click()
    expect(page).to_have_title("printed")
    page.emulate_media(media="print")
    expect(page.get_by_text("Bancale, marta")).to_be_visible()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
