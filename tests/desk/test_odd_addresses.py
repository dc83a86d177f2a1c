"""Addresses and presses that nobody's page made are answered by a page, never by an error of ours."""

import json
from urllib.parse import quote

import pytest
from django.test import Client

from config.kernel.admin import admin_url
from orders.models import Order
from tests.factories.orders import make_order
from tests.factories.proposals import propose
from tests.kernel.visitor import visitor

pytestmark = pytest.mark.django_db

PLACES = {
    "/kernel/job/": ["[Infinity]", "[1e999]", "[NaN]", "[" * 1200, "[" + "9" * 40 + "]"],
    "/inventory/sku/": ['["\\u0000"]', '["\\ud800"]', "[{}]"],
    "/orders/order/": [
        json.dumps([moment, 1])
        for moment in ("0001-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")
    ],
}
ADDRESSES = [
    *(f"{path}?{way}={quote(place)}" for path, places in PLACES.items() for place in places
      for way in ("after", "before")),
    "/orders/importrun/add/?repairs=²",
    "/inventory/stockmovement/?at__gte=0001-01-01T00:00:00%2B14:00",
    "/orders/order/?tag=²",
    "/orders/order/?tag=99999999999999999999999",
    "/inventory/stockcheck/repair/?level=²",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_odd_address_is_answered(address: str) -> None:
    make_order()

    assert visitor(superuser=True).get(address).status_code < 500


@pytest.mark.parametrize("seen", ["²", "9" * 30, "\x00"])
def test_stale_press_with_an_odd_mark_is_answered(seen: str) -> None:
    order = make_order()

    page = visitor(superuser=True).post(
        admin_url(Order, "confirm", order.pk), {"version": "99", "last_event": seen, "nonce": "n"}
    )

    assert page.status_code == 200
    assert "It changed while you were looking" in page.content.decode()


@pytest.mark.parametrize(
    "header",
    [{"HTTP_COOKIE": 'sessionid="abcdefgh\\000ij"'}, {"HTTP_USER_AGENT": "a\x00b"}],
    ids=["cookie", "browser"],
)
def test_header_with_a_nul_is_refused(header: dict[str, str]) -> None:
    typed = {"username": "nobody", "password": "nothing"}

    assert Client().get("/", **header).status_code == 400  # type: ignore[arg-type]
    assert Client().post("/login/", typed, **header).status_code == 400  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address", ["/orders/order/?q=%00", "/palette/?q=ab%00", "/find/?q=%00a", "/api/skus/%00/waterfall"]
)
def test_nul_in_an_address_is_a_bad_request(address: str) -> None:
    assert visitor(superuser=True).get(address).status_code == 400


@pytest.mark.parametrize("named", ["²", "9" * 30, "9" * 5000])
def test_withdrawal_of_an_odd_action_is_answered(named: str) -> None:
    change = propose(make_order())
    sent = {"what": "withdraw", "version": change.version, "action": named}

    page = visitor(superuser=True).post(admin_url(change, "act", change.pk), sent)

    assert page.status_code == 302


def test_nul_in_a_press_is_left_out() -> None:
    order, support = make_order(), visitor("Support")
    export = "/orders/order/export/"

    pressed = support.press(admin_url(Order, "confirm", order.pk), nonce="a\x00b")
    made = support.press(export, kind="orders", format="csv", export_nonce="a\x00b")

    assert (pressed.status_code, made.status_code) == (302, 302)
