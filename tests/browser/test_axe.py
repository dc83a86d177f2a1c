"""Every kind of page that the admin has, read by axe at a desk and on a phone, light and dark: no violation."""

from collections.abc import Callable

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from orders.models import MailText, Order
from tests.browser.axe import look
from tests.browser.conftest import DESK, PHONE, Visit
from tests.factories.orders import make_order
from tests.people.planted import plant

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LISTS = (
    "orders.order orders.importrun orders.notification orders.maildelivery orders.mailtext"
    " inventory.sku inventory.stocklevel"
    " inventory.reservation inventory.lowstockalert inventory.stockcheck kernel.job kernel.event auth.user"
)
ADDED = "orders.order orders.importrun inventory.sku inventory.stockreceipt inventory.stockadjustment"
OBJECTS = (
    "orders.order orders.importrun orders.proposal orders.notification orders.raworder orders.saleschannel"
    " orders.maildelivery orders.mailtext"
    " inventory.sku inventory.stocklevel inventory.transfer inventory.stockcount inventory.reservation"
    " fulfillment.fulfillmentorder fulfillment.parcel returns.rma kernel.job kernel.delivery auth.user"
)
CONFIRM = (
    "orders.order:hold orders.order:edit orders.order:cancel_lines orders.order:history inventory.sku:delete"
)


def url(label: str, page: str, *, row: bool = False) -> str:
    model = apps.get_model(label)
    args = [model._default_manager.order_by("pk").last().pk] if row else []
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def pages(manager: User) -> dict[str, str]:
    """A page of every kind, with a row of everything and long, ugly words in it."""
    plant()
    # The form takes languages of the interface only.
    MailText.objects.update(language="en")
    found = {"today": "/", "account": reverse("admin:account"), "second-factor": reverse("admin:factor")}
    found["queue"] = f"{url('orders.order', 'changelist')}?queue=on_hold"
    found["filtered"] = f"{url('orders.order', 'changelist')}?status__exact=placed"
    found |= {f"{label}-list": url(label, "changelist") for label in LISTS.split()}
    found |= {f"{label}-add": url(label, "add") for label in ADDED.split()}
    found |= {label: url(label, "change", row=True) for label in OBJECTS.split()}
    for label, page in (name.split(":") for name in CONFIRM.split()):
        found[f"{label}-{page}"] = url(label, page, row=True)
    return found


@pytest.fixture
def order(manager: User) -> Order:
    return make_order()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_no_kind_of_page_has_a_violation(
    pages: dict[str, str], manager: User, visit: Callable[..., Visit], size: tuple[int, int]
) -> None:
    window = visit(size, user=manager)
    found: list[str] = []

    for name, path in pages.items():
        window.open(path)
        found += look(window.page, name)
        found += [f"{name} scrolls sideways"] * (window.sideways() > 0)
    stranger = visit(size)
    stranger.open("/login/")
    found += look(stranger.page, "login")

    assert found == []
    assert window.complaints + stranger.complaints == []


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_what_opens_over_a_page_has_no_violation(
    order: Order, manager: User, visit: Callable[..., Visit], size: tuple[int, int]
) -> None:
    window = visit(size, user=manager)
    page = window.open(url("orders.order", "changelist"))

    page.keyboard.press("Control+k")
    page.get_by_role("option").first.wait_for()
    found = look(page, "palette")
    page.keyboard.press("Escape")
    if size == PHONE:
        page.locator(".filters-toggle").click()
    page.locator("#changelist-filter summary").first.click()
    found += look(page, "filter-open")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    found += look(page, "shortcuts")

    assert found == []


def test_axe_would_see_a_box_without_a_label_and_grey_on_grey(
    manager: User, visit: Callable[..., Visit]
) -> None:
    """The negative control: the same look finds what a careless page would have."""
    page = visit(DESK, user=manager).open("/")
    page.evaluate(
        """() => {
            const box = document.createElement("input");
            const pale = document.createElement("p");
            pale.textContent = "Pale words";
            pale.style.color = "#888";
            pale.style.background = "#777";
            document.querySelector("#content").append(box, pale);
        }"""
    )

    found = look(page, "careless")

    rules = sorted({line.split(": ")[1] for line in found})
    assert rules == ["color-contrast", "label"]
