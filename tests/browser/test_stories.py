"""Three mornings at the desk, told click by click; each page on the way is clean, level and read by axe."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from playwright.sync_api import Locator, expect

from config.kernel import clock
from config.kernel.admin import admin_url
from config.kernel.audit import run_audit
from inventory.enums import AlertStatus
from inventory.models import LowStockAlert, Sku, StockCheck, StockCount
from inventory.services.alerts import refresh_alerts
from inventory.services.policies import LevelPolicy, set_policies
from orders.enums import HoldKind, OrderStatus
from orders.models import Order
from orders.neutral import NeutralBuyer
from orders.services.holds import place_hold
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.pages import Person
from tests.factories.fulfillment import make_confirmed, stock
from tests.factories.inventory import make_level, make_location, make_sku, reserve
from tests.factories.orders import SYSTEM, make_order

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Open = Callable[..., Visit]
BOTH = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
RETRY = "Try the 3 refused again"


def tick_all(person: Person, count: int) -> None:
    boxes = person.page.locator("#result_list tbody .action-select")
    expect(boxes).to_have_count(count)
    for box in boxes.all():
        box.check()


def tile(person: Person, label: str) -> Locator:
    return person.page.locator(f"a.tile:has(span:text-is('{label}'))")


def open_queue(person: Person, label: str, count: int) -> None:
    """From the first page by the tile, whose figure is that of the list."""
    person.go("/")
    expect(tile(person, label).locator("b")).to_have_text(str(count))
    person.click(tile(person, label))


@pytest.fixture
def seven(manager: User) -> list[Order]:
    """Two orders that may be confirmed, two that staff hold, and three of these that are held for fraud besides."""
    stock({"MUG": 50}, make_location("TO", name="Torino"))
    orders = [make_order() for _n in range(7)]
    ids = [order.pk for order in orders]
    place_hold(ids[2:], kind=HoldKind.MANUAL, reason="Call about the colour", actor=SYSTEM).raise_refusals()
    place_hold(ids[4:], kind=HoldKind.FRAUD, reason="Three cards were tried", actor=SYSTEM).raise_refusals()
    return orders


def lift(person: Person, kind: str, *, of: int) -> None:
    tick_all(person, of)
    person.submit("Lift hold…")
    person.look("bulk-confirm")
    person.fill({"Hold": kind})
    person.submit(f"Lift hold ({of})")
    person.sees_heading(f"{of} done")


@BOTH
def test_morning_from_what_needs_me_to_everything_confirmed_and_allocated(
    seven: list[Order], manager: User, visit: Open, beside: None, size: tuple[int, int]
) -> None:
    marta = Person(visit(size, user=manager))
    marta.go("/")
    marta.look("today")
    open_queue(marta, "On hold", 5)
    marta.look("queue")
    lift(marta, "Held by staff", of=5)

    marta.go(admin_url(Order, "changelist"))
    tick_all(marta, 7)
    marta.submit("Confirm order")
    marta.submit("Confirm order (7)")
    marta.sees_heading("4 done, 3 refused")
    reasons = marta.page.locator("#content table td").all_inner_texts()
    assert len(reasons) == 3
    assert all("is refused by an open hold: Fraud check." in reason for reason in reasons), reasons
    marta.look("bulk-refused")

    other = Person(visit(size, user=manager))
    open_queue(other, "On hold", 3)
    other.looked.add("bulk-confirm")
    lift(other, "Fraud check", of=3)
    marta.submit(RETRY)
    marta.sees_heading("3 done")
    marta.look("bulk-done")
    assert Order.objects.filter(status=OrderStatus.CONFIRMED).count() == 7

    open_queue(marta, "To allocate", 7)
    tick_all(marta, 7)
    marta.submit("Allocate stock")
    marta.submit("Allocate stock (7)")
    marta.sees_heading("7 done")
    marta.follow("Back to the list")
    expect(marta.page.locator("#result_list tbody tr")).to_have_count(0)
    assert set(Order.objects.values_list("fulfillment_status", flat=True)) == {"allocated"}


@pytest.fixture
def angry(manager: User) -> Order:
    """Two mugs that lie in Torino and a jug that nobody has, promised for a day that has passed."""
    stock({"MUG": 5}, make_location("TO", name="Torino"))
    make_sku("JUG", "Milk jug")
    buyer = NeutralBuyer(name="Rosa Neri", email="rosa@example.com", phone="011 555 0199", language="it")
    order = make_confirmed({"MUG": 2, "JUG": 1}, buyer=buyer)
    today = clock.today(order.legal_entity.time_zone)
    Order.objects.filter(pk=order.pk).update(dispatch_by_on=today - timedelta(days=3))
    return order


@BOTH
def test_angry_customer_is_found_by_phone_told_why_freed_of_the_line_that_waits_and_sent_the_mail_again(
    angry: Order, manager: User, visit: Open, worker: Callable[[], None], size: tuple[int, int]
) -> None:
    worker()
    marta = Person(visit(size, user=manager))
    marta.go("/")
    box = marta.page.get_by_role("combobox")
    box.fill("0115550199")
    found = marta.page.get_by_role("option", name=angry.number)
    expect(found).to_contain_text("Confirmed · Rosa Neri")
    marta.look("palette")
    marta.click(found)
    marta.sees_heading(f"Order {angry.number}")
    marta.sees_badges("3 days late", "Confirmed", "Backordered", "Paid")
    assert "promised to leave by" in marta.reads(".head .sub")
    assert "1 waiting place 1 in line" in marta.reads(".order-lines tbody tr:nth-child(2)")
    assert "1 × JUG wait: nothing free anywhere." in marta.reads(".why")
    marta.look("order")
    marta.open_button("Cancel lines…")
    expect(marta.page.locator(".consequences")).to_contain_text("Of a line those units go first that wait")
    marta.look("cancel-lines")
    marta.fill({"(JUG)": "1", "Reason": "Not to be had"})
    marta.submit("Cancel these units")

    marta.sees_message("Cancelled")
    marta.sees_badges("3 days late", "Confirmed", "Allocated", "Overpaid")
    marta.sees_timeline("Units cancelled", "Mail sent")
    assert "1 cancelled" in marta.reads(".order-lines tbody tr:nth-child(2)")
    send_the_confirmation_again(marta, worker)


def send_the_confirmation_again(marta: Person, worker: Callable[[], None]) -> None:
    """From the card of mails, after reading what goes to whom; the mail arrives a second time, word by word."""
    mails = marta.page.locator(".mails li").filter(has_text="Order confirmation")
    marta.click(mails.get_by_role("link", name="Send once more…"))
    said = marta.page.locator("#content")
    expect(said).to_contain_text("The same words go once more to rosa@example.com.")
    expect(said).to_contain_text("Gentile Rosa Neri")
    marta.look("resend")
    marta.fill({"Reason": "She deleted it"})
    marta.submit("Send once more")
    marta.sees_message("It is due; a worker sends it within seconds.")
    marta.sees_timeline("Mail sent once more")
    expect(marta.page.locator(".mails li").filter(has_text="confirmation Due")).to_contain_text(
        "Do not send…"
    )
    marta.look("order-mail-due")
    worker()

    first, second = [one for one in mail.outbox if "confermato" in one.subject]
    assert (second.to, second.subject, second.body) == (["rosa@example.com"], first.subject, first.body)
    marta.page.reload()
    expect(mails).to_have_count(2)


@pytest.fixture
def cup(manager: User) -> Sku:
    """Ten cups by the books, seven promised; low at four. A colleague counts, since the difference is large."""
    User.objects.create_superuser("carla")
    milano = make_location(name="Milano")
    sku = make_sku("CUP", "Cup of white china")
    level = make_level(sku, milano, 10)
    reserve(sku, milano, 7, reference_id=7)
    set_policies([LevelPolicy(sku.pk, milano.pk, reorder_point=4)], actor=SYSTEM).raise_refusals()
    refresh_alerts([level.pk], actor=SYSTEM).raise_refusals()
    return sku


@BOTH
def test_stock_that_is_wrong_is_explained_counted_and_the_alert_clears(
    cup: Sku, manager: User, visit: Open, worker: Callable[[], None], size: tuple[int, int]
) -> None:
    carla = User.objects.get(username="carla")
    marta, other = Person(visit(size, user=manager)), Person(visit(size, user=carla))
    open_queue(marta, "Low now", 1)
    marta.look("alerts")
    marta.go(admin_url(Sku, "change", cup.pk))
    assert "Why 3 can be sold" in marta.page.locator("h2").all_inner_texts()
    rows = [re.sub(r"\s+", " ", row).strip() for row in marta.page.locator(".waterfall tr").all_inner_texts()]
    assert rows == ["On hand in Milano 10", "Reserved in Milano −7", "Available to sell 3"]
    marta.look("waterfall")

    marta.go("/inventory/stockcount/add/")
    marta.look("count-begin")
    marta.fill({"SKUs or barcodes": "CUP"})
    marta.submit("Make the list")
    base = f"/inventory/stockcount/{StockCount.objects.get().pk}"
    marta.go(f"{base}/count/")
    marta.look("count")
    marta.page.locator("input[name^=line_]").fill("30")
    marta.submit("Enter what was counted")
    other.go(f"{base}/approve/")
    assert other.reads("#content table tbody") == "CUP · Cup of white china 10 30 +20 10 → 30 3 → 23"
    other.look("approve")
    other.submit("Approve")
    other.sees_message("Approved: the books say what was counted.")
    worker()

    marta.go(admin_url(Sku, "change", cup.pk))
    assert "Why 23 can be sold" in marta.page.locator("h2").all_inner_texts()
    assert [finding.violations for finding in run_audit() if finding.violations] == []
    assert LowStockAlert.objects.get().status == AlertStatus.CLEARED
    marta.go(admin_url(StockCheck, "changelist"))
    marta.look("health")
    marta.go("/")
    expect(tile(marta, "Low now").locator("b")).to_have_text("0")
