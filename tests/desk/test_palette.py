"""The palette: what typed letters could mean, for whom, and what it costs."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from orders.neutral import NeutralBuyer
from tests.factories.fulfillment import make_shipped
from tests.factories.orders import make_order
from tests.kernel.visitor import Visitor, visitor

pytestmark = pytest.mark.django_db
ROSA = NeutralBuyer("x", "Rosa Neri", "rosa@example.com", "+39 011 555 0199")


def groups(client: Visitor, text: str = "") -> dict[str, list[dict[str, Any]]]:
    return {group["label"]: group["rows"] for group in client.get("/palette/", {"q": text}).json()["groups"]}


def test_exact_number_comes_first_and_says_whose_order_it_is() -> None:
    order = make_order(buyer=ROSA)

    found = groups(visitor("Support"), order.number.lower())

    assert next(iter(found)) == "Orders"
    assert found["Orders"] == [
        {
            "label": order.number,
            "detail": "Placed · Rosa Neri",
            "url": f"/orders/order/{order.pk}/change/",
            "exact": True,
        }
    ]


def test_palette_finds_by_name_phone_sku_tracking_and_customer() -> None:
    parcel = make_shipped({"MUG-RED": 1}, number="GLS77", buyer=ROSA)
    desk = visitor("Support")

    assert [row["url"] for row in groups(desk, "rosa ne")["Orders"]] == [
        f"/orders/order/{parcel.order_id}/change/"
    ]
    assert list(groups(desk, "0115550199")) == ["Orders"]
    assert [row["label"] for row in groups(desk, "mug-r")["SKUs"]] == ["MUG-RED"]
    assert groups(desk, "rosa@example.com")["Customers"][0]["exact"] is True
    printed = groups(desk, "gls77")
    assert next(iter(printed)) == "Parcels"
    assert [row["exact"] for row in printed["Parcels"]] == [True]
    work = parcel.shipment.fulfillment_order
    assert [row["label"] for row in groups(desk, work.number)["Warehouse work"]] == [work.number]
    assert [row["label"] for row in groups(desk, parcel.shipment.number)["Warehouse work"]] == [work.number]


def test_palette_without_text_leads_to_pages_and_actions() -> None:
    found = groups(visitor("Support"))

    assert {"label": "Add: Orders", "detail": "Orders", "url": "/orders/order/add/", "exact": False} in found[
        "Actions"
    ]
    assert found["Pages"][0]["url"] == "/orders/order/"
    assert [row["label"] for row in groups(visitor("Support"), "stock lev")["Pages"]] == ["Stock levels"]


def test_palette_keeps_buyers_from_those_who_may_not_see_them() -> None:
    order = make_order(buyer=ROSA)
    picker = visitor("", "orders.view_order", "orders.view_customer")

    assert groups(picker, "rosa") == {}
    assert groups(picker, "rosa@example.com") == {}
    assert [row["detail"] for row in groups(picker, order.number)["Orders"]] == ["Placed"]
    assert groups(visitor("", "inventory.view_sku"), order.number) == {}


def test_palette_takes_at_most_15_statements_however_much_it_finds() -> None:
    desk = visitor("Support")
    make_order(buyer=ROSA)
    counts = []
    for _more in range(2):
        desk.get("/palette/", {"q": "rosa"})
        with CaptureQueriesContext(connection) as captured:
            desk.get("/palette/", {"q": "rosa"})
        counts.append(len(captured))
        for _order in range(4):
            make_order(buyer=ROSA)

    assert Order.objects.count() == 9
    assert counts[0] == counts[1]
    assert counts[0] <= 15


def test_strangers_are_sent_to_the_log_in(client: Any) -> None:
    assert client.get("/palette/", {"q": "x"})["Location"].startswith("/login/")
