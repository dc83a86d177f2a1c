"""The frame holds at a desk and on a phone, in both schemes: no violation, nothing sideways, targets to hit."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from orders.models import Order
from tests.browser.conftest import DESK, PHONE, Visit
from tests.factories.orders import make_order

PAGES = ("/", "/auth/user/", "/auth/user/add/", "/auth/group/add/", "/kernel/job/", "/password_change/")
TOO_SMALL = """() => [...document.querySelectorAll(
    ".btn, input[type=submit], select:not([multiple]), summary, #nav-sidebar .work a:first-child, .paginator a"
  )]
  .filter((box) => box.checkVisibility() && box.getBoundingClientRect().height < 43.5)
  .map((box) => `${box.className} ${box.textContent.trim().slice(0, 30)}`)"""

Open = Callable[..., Visit]


@pytest.fixture
def order(transactional_db: None) -> Order:
    return make_order()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_pages_are_clean_and_never_scroll_sideways(
    manager: User, visit: Open, size: tuple[int, int], scheme: str
) -> None:
    window = visit(size, scheme=scheme, user=manager)

    for path in PAGES:
        window.open(path)

        assert window.sideways() == 0, path
        assert window.complaints == [], path


def test_phone_has_targets_that_a_thumb_can_hit(manager: User, visit: Open) -> None:
    window = visit(PHONE, user=manager)

    for path in PAGES:
        assert window.open(path).evaluate(TOO_SMALL) == [], path


def test_log_in_with_a_wrong_password_says_so_and_then_works(manager: User, visit: Open) -> None:
    window = visit(PHONE)
    page = window.open("/")

    page.get_by_label("Username").fill("marta")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".errornote")).to_be_visible()
    page.get_by_label("Password").fill("only-for-tests")
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("heading", name="What needs you now")).to_be_visible()
    assert window.complaints == []


def test_list_of_a_phone_is_cards_with_labels(manager: User, visit: Open) -> None:
    page = visit(PHONE, user=manager).open("/auth/user/")

    expect(page.locator("#result_list thead th.column-address")).to_be_hidden()
    expect(page.locator("#result_list td.field-works_here")).to_have_attribute("data-label", "Active")
    expect(page.locator("#result_list td.field-address")).to_be_hidden()


def test_control_k_and_escape_work_without_a_mouse(manager: User, visit: Open) -> None:
    page = visit(DESK, user=manager).open("/auth/user/")

    page.keyboard.press("Control+k")
    expect(page.locator("#find")).to_be_focused()
    page.locator("#changelist-filter summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#changelist-filter .sheet").first).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.locator("#changelist-filter .sheet").first).to_be_hidden()
    expect(page.locator("#changelist-filter summary").first).to_be_focused()


def test_pages_work_without_script(manager: User, order: Order, visit: Open) -> None:
    window = visit(PHONE, user=manager)
    window.page.route("**/*.js", lambda route: route.abort())

    page = window.open("/orders/order/")

    expect(page.locator("select[name=action]")).to_be_visible()
    expect(page.locator("#result_list").get_by_role("link", name=order.number)).to_be_visible()
    assert window.sideways() == 0
