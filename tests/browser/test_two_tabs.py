"""Two people on one order: nobody overwrites the other, and each is told what the other did."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from config.kernel.admin import admin_url
from inventory.models import Location
from orders.models import Order, Proposal, SalesChannel
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.pages import Person
from tests.factories.fulfillment import make_confirmed, stock
from tests.factories.inventory import make_location

pytestmark = pytest.mark.browser
Open = Callable[..., Visit]


@pytest.fixture
def order(manager: User) -> Order:
    """Two mugs, allocated at Torino."""
    torino: Location = make_location("TO", name="Torino")
    stock({"MUG": 5}, torino)
    return make_confirmed()


def begin_change(person: Person, order: Order, quantity: int) -> None:
    """Begin a change and ask for so many mugs; the page says what that does."""
    person.go(admin_url(Order, "change", order.pk))
    person.press("Change order…", then="Begin a change")
    person.page.get_by_label("Quantity of MUG").fill(str(quantity))
    person.submit("Show what this does")


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_second_change_is_overtaken_and_told_by_what(
    order: Order, manager: User, visit: Open, beside: None, size: tuple[int, int]
) -> None:
    here, there = Person(visit(size, user=manager)), Person(visit(size, user=manager, scheme="dark"))
    begin_change(here, order, 3)
    begin_change(there, order, 7)
    expect(there.page.locator(".consequences")).to_contain_text("2 of MUG wait for stock.")
    here.open_button("Change the order")
    there.open_button("Change the order")

    here.submit("Change the order")
    here.sees_message("The order is changed.")
    there.submit("Change the order")

    there.sees_message("Quantity changed MUG from 2 to 3")
    assert Order.objects.get().lines.get().quantity == 3
    there.press("Go on with the order as it is now", consequence="Quantity changed MUG from 2 to 3")
    there.press("Change the order")
    assert Order.objects.get().lines.get().quantity == 7
    assert sorted(Proposal.objects.values_list("status", flat=True)) == ["confirmed", "confirmed"]


def test_forms_on_different_fields_are_merged_and_it_is_said(
    order: Order, manager: User, visit: Open, beside: None
) -> None:
    here, there = Person(visit(DESK, user=manager)), Person(visit(DESK, user=manager))
    channel = SalesChannel.objects.get()
    for tab in (here, there):
        tab.go(admin_url(SalesChannel, "change", channel.pk))
    here.fill({"Days_to_dispatch": "4"})
    there.fill({"Name": "Bottega di Torino"})

    there.submit("Save")
    here.submit("Save")

    here.sees_message("Also changed meanwhile: Name, by marta. That was kept.")
    channel.refresh_from_db()
    assert (channel.name, channel.dispatch_days) == ("Bottega di Torino", 4)


def open_details(person: Person, order: Order) -> None:
    person.go(admin_url(Order, "change", order.pk))
    person.follow("Edit details…")


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_details_of_one_order_are_merged_or_refused_with_both_values(
    order: Order, manager: User, visit: Open, beside: None, size: tuple[int, int]
) -> None:
    colleague = User.objects.create_superuser("bruno")
    here, there = Person(visit(size, user=manager)), Person(visit(size, user=colleague))
    for tab in (here, there):
        open_details(tab, order)
    here.fill({"E-mail": "rosa@example.org"})
    here.submit("Save")
    here.sees_message("Saved.")
    here.sees_fact("E-mail", "rosa@example.org")

    there.fill({"Tags": "VIP"})
    there.look("order-details")
    there.submit("Save")

    there.sees_message("Also changed meanwhile: E-mail, by marta. That was kept.")
    there.sees_timeline("Tagged", "E-mail address changed")
    there.sees_fact("E-mail", "rosa@example.org")

    for tab in (here, there):
        open_details(tab, order)
    here.fill({"Buyer's_note": "Ring twice", "Wanted_by": "2026-03-09"})
    here.submit("Save")
    there.fill({"Buyer's_note": "Knock", "E-mail": "neri@example.org"})
    there.submit("Save")

    form = there.page.locator("form.confirm")
    said = "Somebody else made it “Ring twice”; you wrote “Knock”. Saving again puts yours in its place."
    expect(form.locator(".field-note .errorlist")).to_have_text(said)
    expect(form.get_by_label("Buyer's note")).to_have_value("Knock")
    expect(form.get_by_label("E-mail")).to_have_value("neri@example.org")
    expect(form.get_by_label("Wanted by")).to_have_value("2026-03-09")
    there.look("order-details-refused")
    order.refresh_from_db()
    assert (order.email, order.note) == ("rosa@example.org", "Ring twice")

    there.fill({"Buyer's_note": "Ring twice, then knock"})
    with there.page.expect_navigation():
        form.get_by_label("Tags").press("Enter")

    there.sees_message("Saved.")
    there.sees_timeline("Buyer’s note changed", "E-mail address changed", "Wanted day changed")
    order.refresh_from_db()
    assert (order.email, order.note) == ("neri@example.org", "Ring twice, then knock")
    assert str(order.required_on) == "2026-03-09"
