"""What pages say before anybody presses, and how a press is taken back, at a desk and on a phone, read by axe."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from orders.enums import ChannelKind
from orders.models import Order
from orders.services.holds import place_hold
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.pages import Person
from tests.factories.fulfillment import stock
from tests.factories.orders import SYSTEM, make_channel, make_order

both_sizes = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])


@pytest.fixture
def orders(manager: User) -> list[Order]:
    """Eleven placed ones of which two are held, one of a marketplace; three mugs and a phone channel."""
    make_channel(code="phone", name="Phone", kind=ChannelKind.PHONE)
    stock({"MUG": 3})
    placed = [make_order() for _number in range(10)]
    placed.append(make_order(channel=make_channel(code="amz", name="Amazon", kind=ChannelKind.AMAZON)))
    place_hold(
        [placed[2].pk, placed[3].pk], kind="fraud", reason="Three cards", actor=SYSTEM
    ).raise_refusals()
    return placed


@both_sizes
def test_new_order_offers_skus_and_works_out_what_it_comes_to_while_typing(
    orders: list[Order], manager: User, visit: Callable[..., Visit], size: tuple[int, int]
) -> None:
    marta = Person(visit(size, user=manager))
    marta.go("/orders/order/add/")
    page = marta.page

    page.locator("#id_form-0-sku").press_sequentially("mu", delay=30)
    expect(page.locator("#skus option")).to_have_attribute("label", "A mug · 3 free")
    assert page.locator("#skus option").get_attribute("value") == "MUG"
    assert page.locator('#id_country_code_countries option[value="Italy"]').get_attribute("label") == "IT"
    page.locator("#id_form-0-sku").fill("mug")
    page.locator("#id_form-0-quantity").fill("5")
    page.locator("#id_form-0-unit_amount").fill("10.00")

    sums = page.locator("[data-sums-here]")
    expect(sums).to_contain_text("€50.00")
    expect(sums).to_contain_text("3 free, 2 wait for stock")
    marta.look("new-order-worked-out")
    marta.submit("Work it out")
    expect(page.locator("[data-sums-here]")).to_contain_text("€50.00")
    marta.look("new-order-worked-out-by-button")


@both_sizes
def test_bulk_press_says_what_becomes_of_each_and_is_taken_back_from_its_page(
    orders: list[Order], manager: User, visit: Callable[..., Visit], size: tuple[int, int]
) -> None:
    marta = Person(visit(size, user=manager))
    marta.go("/orders/order/")
    pick(marta, "bulk_orders_order_confirm_orders")
    expect(marta.page.locator(".consequences")).to_contain_text("2 would be refused now, the first is")
    expect(marta.page.locator(".consequences")).to_contain_text("8 mails “Order confirmation” go")
    marta.look("bulk-confirm")

    marta.go("/orders/order/")
    pick(marta, "bulk_orders_order_tag_orders")
    marta.fill({"Tags": "spring"})
    marta.submit("Tag (11)")
    marta.sees_heading("Tag “spring”: 11 done")
    marta.look("bulk-results")
    result = marta.path
    marta.submit("Undo (11)")
    marta.sees_heading("Take tags off “spring”: 11 done")
    marta.go(result)
    expect(marta.page.locator("#content")).to_contain_text("It was taken back:")
    marta.look("bulk-results-taken-back")


def pick(person: Person, action: str) -> None:
    """Tick every row, and choose an action as the menu does."""
    person.page.evaluate(
        """(action) => { const form = document.getElementById("changelist-form");
        form.querySelectorAll(".action-select").forEach((box) => { box.checked = true; });
        form.querySelector("[name=action]").value = action; }""",
        action,
    )
    with person.page.expect_navigation():
        person.page.evaluate('document.getElementById("changelist-form").submit()')
    person.check()
