"""Buttons under stress: holds, two tabs, two clicks, many orders, and people who may not."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core import mail
from playwright.sync_api import expect

from config.kernel.admin import admin_url
from config.kernel.models import Event
from orders.enums import HoldKind, OrderStatus
from orders.models import Order
from orders.selectors.holds import open_holds
from orders.services.holds import place_hold
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.pages import Person
from tests.factories.fulfillment import make_confirmed, make_released, stock
from tests.factories.inventory import make_location
from tests.factories.orders import SYSTEM, make_order

Open = Callable[..., Visit]
CONFIRM = "Confirm and send the mail"


def page_of(order: Order) -> str:
    return admin_url(Order, "change", order.pk)


def member(name: str, group: str = "", *codenames: str) -> User:
    """Staff of a group, or with single permissions."""
    user = User.objects.create_user(name, is_staff=True)
    if group:
        user.groups.add(Group.objects.get(name=group))
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


@pytest.fixture
def order(manager: User) -> Order:
    """Two mugs that may be confirmed."""
    stock({"MUG": 5}, make_location("TO", name="Torino"))
    return make_order()


def hold(order: Order, reason: str = "Call about the colour") -> None:
    place_hold([order.pk], kind=HoldKind.MANUAL, reason=reason, actor=SYSTEM).raise_refusals()


def test_held_order_says_why_and_is_confirmed_after_lifting(
    order: Order, manager: User, visit: Open, beside: None
) -> None:
    hold(order)
    marta = Person(visit(PHONE, user=manager))

    marta.go(page_of(order))
    marta.sees_badges("On hold", "Placed", "Not allocated", "Paid")
    assert "Call about the colour" in marta.reads(".notice")
    marta.click(marta.page.locator(".notice").get_by_role("link", name="Lift hold"))
    marta.submit("Lift hold")
    marta.sees_message("Hold lifted.")
    expect(marta.page.locator(".notice")).to_have_count(0)
    marta.press("Confirm order", then=CONFIRM)

    marta.sees_badges("Confirmed", "Not allocated", "Paid")
    assert Order.objects.get().status == OrderStatus.CONFIRMED


def test_stale_page_is_refused_with_what_changed_and_works_when_pressed_again(
    order: Order, manager: User, visit: Open, beside: None
) -> None:
    here, there = Person(visit(DESK, user=manager)), Person(visit(DESK, user=manager))
    for tab in (here, there):
        tab.go(page_of(order))
    here.open_button("Hold")
    here.fill({"Reason": "Call about the colour"})
    there.press("Confirm order", then=CONFIRM)

    here.submit("Hold")
    assert "It changed while you were looking. Nothing was done. Confirmed · " in here.reads(".notice.stop")
    assert open_holds([order.pk]) == {}
    here.submit("Hold")

    here.sees_badges("On hold", "Confirmed", "Not allocated", "Paid")
    here.sees_timeline("Held by staff", "Confirmed")


def test_stale_page_of_a_button_that_is_gone_leads_back_with_the_reason(
    order: Order, manager: User, visit: Open, beside: None
) -> None:
    here, there = Person(visit(DESK, user=manager)), Person(visit(DESK, user=manager))
    here.go(page_of(order))
    here.open_button("Confirm order")
    there.go(page_of(order))
    there.press("Cancel order", then="Cancel the whole order", Reason="Ordered twice")

    here.submit(CONFIRM)

    here.sees_message("It changed while you were looking. Nothing was done.")
    here.sees_badges("Cancelled", "Nothing to ship", "Paid")
    assert Event.objects.filter(kind="confirm").count() == 0


def test_double_click_on_the_confirm_button_has_one_effect(
    order: Order, manager: User, visit: Open, worker: Callable[[], None]
) -> None:
    marta = Person(visit(DESK, user=manager))
    marta.go(page_of(order))
    marta.open_button("Confirm order")

    marta.page.get_by_role("button", name=CONFIRM).dblclick()
    marta.sees_message("Confirmed; the confirmation mail is on its way.")
    worker()

    assert Event.objects.filter(kind="confirm", subject_id=order.pk).count() == 1
    assert len(mail.outbox) == 1


def test_bulk_confirm_names_what_it_refused_and_why(
    order: Order, manager: User, visit: Open, beside: None
) -> None:
    held = make_order(external_id="A-2")
    hold(held)
    marta = Person(visit(PHONE, user=manager))
    marta.go(admin_url(Order, "changelist"))

    for box in marta.page.locator("#result_list tbody .action-select").all():
        box.check()
    marta.submit("Confirm order")
    marta.submit("Confirm order (2)")

    marta.sees_heading("1 done, 1 refused")
    assert marta.reads("#content table").endswith("“Confirm” is refused by an open hold: Held by staff.")
    expect(marta.page.get_by_role("link", name=held.number, exact=True)).to_be_visible()
    assert Order.objects.filter(status=OrderStatus.CONFIRMED).get() == order


def test_someone_who_may_only_look_sees_no_button_and_is_refused_by_address(
    order: Order, visit: Open, beside: None
) -> None:
    looker = Person(visit(DESK, user=member("lea", "", "view_order")))

    looker.go(page_of(order))
    looker.sees_buttons()
    looker.go(admin_url(Order, "confirm", order.pk), answered=403)
    looker.sees_heading("You may not open this")


def test_picker_ships_but_neither_releases_nor_cancels(
    transactional_db: None, visit: Open, beside: None
) -> None:
    work = make_released({"MUG": 2})
    stock({"JUG": 1}, work.location)
    fresh = make_confirmed({"JUG": 1}, external_id="A-2")
    picker = Person(visit(PHONE, user=member("piet", "Picker")))

    picker.go(page_of(fresh))
    picker.sees_buttons()
    picker.go(admin_url(work, "change", work.pk))
    picker.sees_buttons("Ship by hand")
    picker.go(admin_url(Order, "release", fresh.pk), answered=403)
    picker.go("/kernel/delivery/", answered=403)
    picker.go("/inventory/stockreceipt/add/")
    picker.sees_heading("Receive stock")
