"""The palette: what typed letters could mean, for whom, and what it costs."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.admin import admin_url
from inventory.models import StockAdjustment, StockCount, StockReceipt, Transfer
from orders.models import Order
from orders.neutral import NeutralBuyer
from tests.factories.fulfillment import make_shipped
from tests.factories.inventory import make_location
from tests.factories.orders import make_channel, make_order
from tests.kernel.visitor import Visitor, visitor
from tests.people.planted import make_business

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

    assert {"label": "New order", "detail": "Orders", "url": "/orders/order/add/", "exact": False} in found[
        "Actions"
    ]
    assert found["Pages"][0]["url"] == "/orders/order/"
    assert [row["label"] for row in groups(visitor("Support"), "stock lev")["Pages"]] == ["Stock levels"]


@pytest.fixture
def documents() -> dict[str, str]:
    """A transfer, a count, a receipt and an adjustment; by number the address of its page."""
    make_business()
    models = (Transfer, StockCount, StockReceipt, StockAdjustment)
    rows = [row for model in models for row in model.objects.all()[:1]]
    return {row.number: admin_url(row, "change", row.pk) for row in rows}


def test_documents_of_the_warehouse_are_found_by_their_numbers(documents: dict[str, str]) -> None:
    desk = visitor("Manager")

    assert sorted(number[:2] for number in documents) == ["A-", "C-", "R-", "T-"]
    for number, url in documents.items():
        ((label, rows), *_rest) = groups(desk, number.lower()).items()
        assert [(row["url"], row["exact"]) for row in rows if row["exact"]] == [(url, True)], label
    assert groups(visitor("Support"), next(iter(documents))) == {}


def test_number_of_a_document_that_is_none_finds_nothing(documents: dict[str, str]) -> None:
    desk = visitor("Manager")

    for text in ("R-", "R-x", "A-99999999999999999999", "R-9999999"):
        assert {"Receipts", "Adjustments"} & set(groups(desk, text)) == set()


def test_order_whose_reference_looks_like_a_document_is_found_by_it() -> None:
    order = make_order(external_id="A-77")

    found = groups(visitor("Manager"), "a-77")

    assert [(row["label"], row["exact"]) for row in found["Orders"]] == [(order.number, True)]


def test_places_and_channels_are_found_by_name() -> None:
    make_location("BO-1", name="Bologna Nord")
    make_channel(code="shop", name="Web shop")
    desk = visitor("Manager")

    assert [row["label"] for row in groups(desk, "bologna")["Locations"]] == ["Bologna Nord"]
    assert [row["exact"] for row in groups(desk, "web shop")["Sales channels"]] == [True]


def test_verbs_are_found_by_the_words_of_the_staff() -> None:
    manager, picker = visitor("Manager"), visitor("Picker")

    assert groups(manager, "receive")["Actions"][0]["label"] == "Receive stock"
    assert groups(manager, "count")["Actions"][0]["label"] == "Count stock"
    assert [row["label"] for row in groups(manager, "adjust")["Actions"]][:2] == [
        "Correct stock",
        "Set units aside",
    ]
    for row in groups(manager, "adjust")["Actions"]:
        assert manager.get(row["url"]).context["title"] == row["label"]
    assert "Correct stock" not in [row["label"] for row in groups(picker, "adjust")["Actions"]]
    assert [row["label"] for row in groups(picker, "shelf")["Actions"]] == ["Move units between bins"]


def test_customer_is_found_by_parts_of_the_name_and_the_address() -> None:
    make_order(buyer=ROSA)
    make_order(buyer=NeutralBuyer("y", "Bruno Bianchi", "bruno@example.com", ""))
    desk = visitor("Support")

    for text in ("neri", "osa ner", "rosa@exa"):
        assert [row["detail"] for row in groups(desk, text)["Customers"]] == ["rosa@example.com"], text
    assert "Customers" not in groups(visitor("Picker"), "neri")


def test_parcel_is_found_as_it_is_called() -> None:
    parcel = make_shipped(number="DEMO00000582")

    rows = groups(visitor("Support"), str(parcel).lower())["Parcels"]

    assert [(row["label"], row["exact"]) for row in rows] == [("GLS DEMO00000582", True)]


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


@pytest.mark.parametrize("text", ["rosa neri", "T-1", "A-12", "F-10001", "bologna"])
def test_palette_takes_at_most_15_statements_whatever_is_asked(text: str) -> None:
    desk = visitor(superuser=True)
    desk.get("/palette/", {"q": text})

    with CaptureQueriesContext(connection) as captured:
        desk.get("/palette/", {"q": text})

    assert len(captured) <= 15


def test_strangers_are_sent_to_the_log_in(client: Any) -> None:
    assert client.get("/palette/", {"q": "x"})["Location"].startswith("/login/")
