"""Mails at the desk: a text is written, tried and refused, and what a buyer would read stands on the page."""

from collections.abc import Callable
from io import BytesIO

import pytest
from django.contrib.auth.models import User
from django.core import mail
from PIL import Image
from playwright.sync_api import expect

from orders.models import MailText, Order
from orders.neutral import NeutralBuyer
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.pages import Person
from tests.factories.fulfillment import make_confirmed, stock
from tests.factories.inventory import make_location

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Open = Callable[..., Visit]
BOTH = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])


@pytest.fixture
def order(manager: User) -> Order:
    stock({"MUG": 5}, make_location("TO", name="Torino"))
    buyer = NeutralBuyer(name="Rosa Neri", email="rosa@example.com", language="it")
    return make_confirmed({"MUG": 2}, buyer=buyer)


@BOTH
def test_text_is_tried_before_it_is_saved(
    order: Order, manager: User, visit: Open, beside: None, size: tuple[int, int]
) -> None:
    marta = Person(visit(size, user=manager))
    marta.go("/orders/mailtext/")
    marta.look("mail-texts-none")
    marta.go("/orders/mailtext/add/")
    marta.look("mail-text-add")
    marta.fill({"Mail": "Order confirmation", "Language": "Italian", "Subject": "Grazie, {buyer}"})
    marta.submit("Preview")
    expect(marta.page.locator(".errorlist")).to_contain_text("Line 1: “{buyer}” is no placeholder")
    marta.look("mail-text-refused")
    marta.fill({"Subject": "Grazie, {buyer_name}", "Try it on order": order.number})
    marta.submit("Preview")

    expect(marta.page.locator(".mail-shown h3")).to_have_text("Grazie, Rosa Neri")
    expect(marta.page.locator(".mail-shown")).to_contain_text("Totale")
    marta.look("mail-text-tried")
    assert not MailText.objects.exists()
    marta.submit("Save")
    marta.sees_message("was added successfully")
    marta.look("mail-texts")
    marta.click(marta.page.locator("#result_list tbody th a"))
    marta.look("mail-text")


@BOTH
def test_mails_of_an_order_are_read_kept_back_and_stopped(
    order: Order, manager: User, visit: Open, worker: Callable[[], None], size: tuple[int, int]
) -> None:
    marta = Person(visit(size, user=manager))
    marta.go(f"/orders/order/{order.pk}/change/")
    marta.look("order-mails-due")
    marta.follow("Preview…")
    expect(marta.page.locator(".mail-shown")).to_contain_text("Gentile Rosa Neri")
    marta.click(marta.page.locator(".tabs").get_by_role("link", name="Shipped"))
    expect(marta.page.locator(".mail-shown")).to_contain_text("2 × A mug")
    marta.look("order-mail-preview")
    marta.go(f"/orders/order/{order.pk}/change/")
    marta.click(marta.page.locator(".mails").get_by_role("link", name="Do not send…"))
    marta.look("suppress")
    marta.page.get_by_role("checkbox").first.check()
    marta.fill({"Reason": "Told by phone"})
    marta.submit("Do not send")
    marta.sees_timeline("Mail not to be sent")
    marta.follow("Stop mails…")
    marta.look("stop-mails")
    marta.fill({"Reason": "A quarrel"})
    marta.submit("Send no more mails")
    marta.sees_timeline("Mails stopped")
    marta.look("order-mails-stopped")
    worker()
    assert mail.outbox == []


@BOTH
def test_log_tells_each_try_and_a_channel_shows_its_logo(
    order: Order, manager: User, visit: Open, worker: Callable[[], None], size: tuple[int, int]
) -> None:
    out = BytesIO()
    Image.new("RGB", (480, 120), (27, 40, 80)).save(out, "PNG")
    marta = Person(visit(size, user=manager))
    marta.go(f"/orders/saleschannel/{order.sales_channel_id}/change/")
    logo = {"name": "logo.png", "mimeType": "image/png", "buffer": out.getvalue()}
    marta.page.get_by_label("New logo").set_input_files(logo)  # type: ignore[arg-type]
    marta.submit("Save")
    marta.go(f"/orders/saleschannel/{order.sales_channel_id}/change/")
    expect(marta.page.locator("img.paper")).to_have_js_property("naturalWidth", 480)
    marta.look("channel-logo")
    worker()
    marta.go("/orders/maildelivery/")
    marta.look("mail-log")
    marta.click(marta.page.locator("#result_list tbody th a").first)
    expect(marta.page.locator("#content")).to_contain_text("sent")
    marta.look("mail-log-page")
    marta.go(f"/orders/order/{order.pk}/mails/")
    expect(marta.page.locator(".mail-shown img")).to_have_js_property("naturalWidth", 480)
    marta.look("mail-preview-logo")

    (message,) = mail.outbox
    assert [part.get_content_type() for part in message.message().walk()][-1] == "image/png"
