"""Lists by keyboard, scanner and palette, at a desk and in a hand."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from orders.models import Order
from tests.browser.conftest import DESK, PHONE, Visit
from tests.factories.orders import PLACED_AT, make_order

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/orders/order/"


@pytest.fixture
def orders(manager: User) -> list[Order]:
    """Three orders as the list shows them: newest first."""
    return [make_order(placed_at=PLACED_AT + timedelta(hours=hours)) for hours in range(3)][::-1]


def scan(page: Page, code: str) -> None:
    """Keys as a scanner sends them: all at once."""
    page.evaluate(
        """(code) => { setTimeout(() => [...code, "Enter"].forEach((key) => document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })))); }""",
        code,
    )


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_palette_finds_and_opens_by_keyboard_alone(
    manager: User, orders: list[Order], visit: Callable[..., Visit], size: tuple[int, int]
) -> None:
    window = visit(size, user=manager)
    page = window.open("/")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox")
    expect(box).to_be_focused()
    box.fill(orders[1].number.lower())
    option = page.get_by_role("option", name=orders[1].number)

    expect(option).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-expanded", "true")
    assert window.sideways() == 0
    box.press("Enter")

    page.wait_for_url(f"**{LIST}{orders[1].pk}/change/")
    page.keyboard.press("Control+k")
    with page.expect_response("**/palette/?q=add%20orders"):
        box.fill("add orders")
    expect(page.get_by_role("option", name="Count stock")).to_have_count(0)
    expect(page.get_by_role("option").first).to_contain_text("New order")
    box.press("ArrowDown")
    box.press("Enter")
    page.wait_for_url(f"**{LIST}add/")
    assert window.complaints == []


def test_escape_closes_the_palette_and_enter_without_a_choice_searches(
    manager: User, orders: list[Order], visit: Callable[..., Visit]
) -> None:
    window = visit(DESK, user=manager)
    page = window.open("/")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox")
    expect(page.get_by_role("listbox")).to_be_visible()
    box.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    box.fill("rosa")
    box.press("Enter")

    page.wait_for_url(f"**{LIST}?q=rosa")
    expect(page.locator("#result_list tbody tr")).to_have_count(3)
    assert window.complaints == []


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_scanned_code_opens_what_it_names_on_any_page(
    manager: User, orders: list[Order], visit: Callable[..., Visit], size: tuple[int, int]
) -> None:
    window = visit(size, user=manager)
    page = window.open("/inventory/sku/")
    page.locator("main").focus()
    scan(page, orders[2].number)

    page.wait_for_url(f"**{LIST}{orders[2].pk}/change/")
    assert window.complaints == []


def test_keys_move_tick_open_and_walk(
    manager: User, orders: list[Order], visit: Callable[..., Visit]
) -> None:
    window = visit(DESK, user=manager)
    page = window.open(f"{LIST}?status__exact=placed")
    rows = page.locator("#result_list tbody tr")
    for place in range(2):
        page.keyboard.press("j")
        expect(rows.nth(place).locator("th a")).to_be_focused()
    page.keyboard.press("x")
    expect(rows.nth(1).locator(".action-select")).to_be_checked()
    page.keyboard.press("k")
    expect(rows.nth(0).locator("th a")).to_be_focused()
    page.keyboard.press("Enter")

    page.wait_for_url(f"**{LIST}{orders[0].pk}/change/?_changelist_filters=status__exact%3Dplaced")
    page.keyboard.press("j")
    page.wait_for_url(f"**{LIST}{orders[1].pk}/change/?_changelist_filters=status__exact%3Dplaced")
    page.locator(".breadcrumbs").get_by_role("link", name="Orders").last.click()
    page.wait_for_url(f"**{LIST}?status__exact=placed")
    assert window.complaints == []


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_question_mark_lists_the_keys_and_typing_in_a_field_does_not(
    manager: User, orders: list[Order], visit: Callable[..., Visit], size: tuple[int, int]
) -> None:
    window = visit(size, user=manager)
    page = window.open(LIST)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert window.sideways() == 0
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#searchbar")).to_be_focused()
    page.keyboard.type("jxk?", delay=90)
    expect(page.locator("#searchbar")).to_have_value("jxk?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert window.complaints == []


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_actions_used_least_are_in_reach_too(
    manager: User, orders: list[Order], visit: Callable[..., Visit], size: tuple[int, int]
) -> None:
    window = visit(size, user=manager)
    page = window.open(LIST)
    page.locator(".action-select").first.check()
    page.locator(".more-actions summary").click()
    action = page.get_by_role("button", name="Complete order")

    box = action.bounding_box()
    assert box is not None
    assert 0 <= box["y"] <= size[1] - box["height"]
    action.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Complete order: 1 order")
    assert window.complaints == []


def test_steps_of_an_order_break_in_no_word_on_an_italian_phone(
    manager: User, orders: list[Order], visit: Callable[..., Visit]
) -> None:
    window = visit(PHONE, user=manager, spoken="it-IT")
    page = window.open(f"{LIST}{orders[0].pk}/change/")

    steps = page.locator(".steps li")
    expect(steps.nth(1)).to_have_text("Conferma")

    def height(words: tuple[str, ...]) -> int:
        for step, word in zip(steps.all(), words, strict=True):
            step.evaluate(
                "(step, word) => { step.className = 'done'; step.firstChild.textContent = word; }", word
            )
        return int(page.locator(".steps").evaluate("list => list.clientHeight"))

    one_line = height(("I", "C", "A", "S", "C"))
    assert height(("Inserito", "Confermato", "Allocato", "Spedito", "Completato")) == one_line


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_filters_become_a_tab_with_a_count(
    manager: User, orders: list[Order], visit: Callable[..., Visit], size: tuple[int, int]
) -> None:
    window = visit(size, user=manager)
    page = window.open(f"{LIST}?status__exact=placed")
    page.get_by_role("link", name="Save this view").click()
    page.get_by_label("Name").fill("New ones")
    assert window.sideways() == 0
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"**{LIST}?status__exact=placed&view=*")
    tab = page.get_by_role("navigation", name="Saved views").get_by_role("link", name="New ones")

    expect(tab).to_have_attribute("aria-current", "page")
    expect(tab.locator(".count")).to_have_text("3")
    assert window.sideways() == 0
    page.get_by_role("link", name="Change this view").click()
    page.get_by_role("button", name="Delete this view").click()
    page.wait_for_url(f"**{LIST}")
    expect(page.get_by_role("navigation", name="Saved views")).to_have_count(0)
    assert window.complaints == []
