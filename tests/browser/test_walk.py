"""One order's whole life through the pages and buttons that staff have, at a desk and on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail

from config.kernel.admin import admin_url
from config.kernel.audit import run_audit
from inventory.models import Sku
from orders.enums import ChannelKind
from orders.models import Order
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.pages import Person
from tests.factories.inventory import make_kit, make_level, make_location, make_sku
from tests.factories.orders import make_channel

Work = Callable[[], None]
BUYER = {
    "Name": "Rosa Neri",
    "E-mail": "rosa@example.com",
    "Street": "Via Po 3",
    "Post code": "10124",
    "City": "Torino",
    "Shipping method": "Courier",
    "Tax %": "22",
    "Paid by": "Card",
    "Payment reference": "pos-17",
}


@pytest.fixture
def shop(manager: User) -> Sku:
    """Two places to ship from, a phone channel, and a kit of one mug and two spoons: five of it for sale."""
    make_channel(code="phone", name="Phone", kind=ChannelKind.PHONE)
    torino = make_location("TO", name="Torino")
    make_location("BO", name="Bologna")
    mug, spoon = make_sku("MUG", "Mug, blue"), make_sku("SPOON", "Spoon")
    make_level(mug, torino, 8)
    make_level(spoon, torino, 10)
    return make_kit({mug: 1, spoon: 2}, "KIT-TEA")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_order_walks_from_the_phone_call_to_the_returned_mug(
    shop: Sku, visit: Callable[..., Visit], worker: Work, size: tuple[int, int]
) -> None:
    marta = Person(visit(size))
    marta.log_in("marta", "only-for-tests")

    order = place(marta)
    worker()
    confirm(marta, order)
    worker()
    release(marta, order)
    ship(marta)
    deliver(marta, order)
    available(marta, shop, 3)
    request_return(marta, order)
    take_back(marta)
    worker()
    inspect_and_close(marta, order)
    worker()
    available(marta, Sku.objects.get(code="MUG"), 7)
    available(marta, shop, 3)

    assert [finding.violations for finding in run_audit() if finding.violations] == []
    # It had arrived before the worker came to tell that it left.
    assert [(one.to, one.subject) for one in mail.outbox] == [
        (["rosa@example.com"], f"Your order {order.number} at Phone is confirmed"),
        (["rosa@example.com"], f"Your order {order.number} at Phone was delivered"),
    ]


def place(marta: Person) -> Order:
    """A kit and a mug on the phone, paid by card: 2 × 30.00 + 1 × 8.50 + 5.00."""
    marta.follow("New order")
    marta.fill(BUYER)
    marta.page.get_by_label("Shipping", exact=True).fill("5.00")
    for row, (sku, quantity, price) in enumerate([("kit-tea", "2", "30.00"), ("MUG", "1", "8.50")]):
        for name, value in (("sku", sku), ("quantity", quantity), ("unit_amount", price)):
            marta.page.locator(f"[name=form-{row}-{name}]").fill(value)
    marta.submit("Place order")

    order = Order.objects.get()
    marta.sees_message(f"Order {order.number} is placed.")
    marta.sees_heading(f"Order {order.number}")
    assert marta.reads(".head .sub").startswith("Phone · placed ")
    marta.sees_fact("Total, computed", "€73.50")
    return order


def confirm(marta: Person, order: Order) -> None:
    marta.go(admin_url(Order, "change", order.pk))
    marta.sees_badges("Placed", "Allocated", "Paid")
    marta.sees_timeline("Stock reserved")
    assert "Why Torino?" in marta.reads(".why")
    marta.press(
        "Confirm order",
        then="Confirm and send the mail",
        consequence="The mail “Order confirmation” goes to rosa@example.com.",
    )
    marta.sees_message("Confirmed; the confirmation mail is on its way.")
    marta.sees_badges("Confirmed", "Allocated", "Paid")
    marta.sees_timeline("Confirmed")


def release(marta: Person, order: Order) -> None:
    marta.go(admin_url(Order, "change", order.pk))
    marta.sees_timeline("Mail sent", "Confirmed")
    marta.press("Release to warehouse", consequence="Torino is asked to send 7 units.")
    marta.sees_message("Released; the work is in the warehouse's list.")
    marta.sees_timeline("Released to the warehouse")


def ship(marta: Person) -> None:
    marta.follow("F-10001")
    marta.sees_badges("Released")
    marta.press(
        "Ship by hand",
        then="Ship: stock leaves now",
        consequence="7 units leave Torino.",
        Carrier="GLS",
        Tracking_number="tn 4711 0815",
    )
    marta.sees_message("Shipped; the goods have left the stock.")
    marta.sees_badges("Shipped")


def deliver(marta: Person, order: Order) -> None:
    marta.follow("Open")
    marta.press("Mark as delivered", consequence="7 units count as delivered.")
    marta.sees_badges("Delivered")
    marta.follow(f"Order {order.number}")
    marta.sees_badges("Completed", "Delivered", "Paid")
    marta.sees_timeline("Completed", "Goods delivered")
    marta.sees_buttons("Request a return", "Reopen order")


def available(marta: Person, sku: Sku, units: int) -> None:
    marta.go(admin_url(Sku, "change", sku.pk))
    assert f"Why {units} can be sold" in marta.page.locator("h2").all_inner_texts()


def request_return(marta: Person, order: Order) -> None:
    """Two of the three mugs come back: one of a kit, and the plain one."""
    marta.go(admin_url(Order, "change", order.pk))
    fields: dict[str, Any] = {"Reason": "Changed their mind", "Comes_back_to": "Torino"}
    marta.open_button("Request a return")
    for field in marta.page.get_by_label("(MUG)").all():
        field.fill("1")
    marta.fill(fields)
    marta.submit("Request a return")
    marta.sees_message("Requested; approve it, and the goods may come back.")
    marta.sees_heading("Return R-")
    marta.sees_badges("Requested")


def take_back(marta: Person) -> None:
    marta.press("Approve return", consequence="2 units may come back to Torino.")
    marta.sees_badges("Approved")
    marta.press("Receive goods", then="Count the goods in", consequence="stands in quarantine")
    marta.sees_message("2 units are in quarantine now.")
    marta.sees_badges("Received")


def inspect_and_close(marta: Person, order: Order) -> None:
    marta.open_button("Inspect")
    for name, words in (("Condition", "As new"), ("Where it goes", "Back to stock")):
        for box in marta.page.get_by_label(name).all():
            box.select_option(label=words)
    marta.submit("Inspect")
    marta.sees_message("2 units decided.")
    marta.sees_badges("Inspected")
    marta.press("Close return")
    marta.sees_badges("Closed")
    marta.sees_timeline("Return closed", "Return inspected")
    marta.follow(f"Order {order.number}")
    assert "Closed" in marta.reads(".card:has(h2:text-is('Returns'))")
