"""The waterfall for programs: the page's rows, exact sums, documents, and who may read it."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inventory.models import Location, Sku, StockLevel
from inventory.selectors import waterfall_documents
from inventory.selectors.waterfall import waterfall
from inventory.services.policies import LevelPolicy, set_policies
from orders.models import LinePart, Order
from orders.services.allocating import allocate_orders
from tests.factories.inventory import ACTOR, make_kit, make_level, make_location, make_sku, receive, reserve
from tests.factories.orders import SYSTEM, make_order, neutral_line

pytestmark = pytest.mark.django_db


def visitor(*permissions: str, is_staff: bool = True) -> Client:
    user = get_user_model().objects.create_user("reader", password="x", is_staff=is_staff)
    for name in permissions:
        user.user_permissions.add(Permission.objects.get(content_type__app_label="inventory", codename=name))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def reader(db: None) -> Client:
    return visitor("view_sku")


@pytest.fixture
def mug(db: None) -> Sku:
    return make_sku("MUG", "Mug")


@pytest.fixture
def place(mug: Sku) -> Location:
    place = make_location("MI", name="Milano")
    make_level(mug, place, 12)
    return place


def read(client: Client, code: str, status: int = 200) -> Any:
    response = client.get(f"/api/skus/{code}/waterfall")
    assert (response.status_code, response["content-type"]) == (status, "application/json")
    assert "no-store" in response["cache-control"]
    return response.json()


def orders_of(mug: Sku, *quantities: int) -> list[Order]:
    orders = [make_order(lines=(neutral_line("MUG", units),)) for units in quantities]
    for order in orders:
        allocate_orders([order.pk], actor=SYSTEM).raise_refusals()
    return orders


def test_waterfall_says_the_rows_of_the_page_and_sums_exactly(
    reader: Client, mug: Sku, place: Location
) -> None:
    other = make_location("TO", name="Torino")
    receive(mug, other, 5)
    set_policies([LevelPolicy(mug.pk, place.pk, buffer=2)], actor=ACTOR).raise_refusals()
    reserve(mug, place, 3)

    found = read(reader, "MUG")

    explained = waterfall(mug.pk)
    assert [(row["kind"], row["label"], row["quantity"]) for row in found["rows"]] == [
        (row.kind, row.label, row.quantity) for row in explained.rows
    ]
    assert found["available"] == sum(row["quantity"] for row in found["rows"]) == 12
    assert (found["sku"], found["title"], found["limiting_part"]) == ("MUG", "Mug", None)
    assert "buffer" in {row["kind"] for row in found["rows"]}


def test_waterfall_names_the_documents_of_what_is_reserved_and_waits(
    reader: Client, mug: Sku, place: Location
) -> None:
    first, second = orders_of(mug, 7, 9)

    rows = {row["kind"]: row for row in read(reader, "MUG")["rows"]}

    level = StockLevel.objects.get()
    parts = [LinePart.objects.get(line__order=order).pk for order in (first, second)]
    assert rows["reserved"]["link"] == {"kind": "reservations", "id": level.pk}
    assert [(row["id"], row["quantity"]) for row in rows["reserved"]["documents"]] == [
        (parts[0], -7),
        (parts[1], -5),
    ]
    (waiting,) = rows["waiting"]["documents"]
    assert (waiting["kind"], waiting["id"]) == ("order_line_part", parts[1])
    assert (waiting["quantity"], waiting["position"]) == (-4, 1)
    assert second.number in waiting["label"]
    assert waiting["url"].endswith(f"/orders/order/{second.pk}/change/")
    assert [row["further"] for row in rows.values()] == [12, 0, 0, 4]


def test_waterfall_of_many_documents_says_what_further_ones_add(
    reader: Client, mug: Sku, place: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waterfall_documents, "SHOWN", 2)
    for units in (1, 2, 3):
        reserve(mug, place, units)

    rows = {row["kind"]: row for row in read(reader, "MUG")["rows"]}

    assert [row["quantity"] for row in rows["reserved"]["documents"]] == [-1, -2]
    assert rows["reserved"]["further"] == -3


def test_waterfall_takes_as_many_queries_for_many_documents(
    reader: Client, mug: Sku, place: Location
) -> None:
    counts = []
    for quantities in ((1,), (1, 2, 20)):
        orders_of(mug, *quantities)
        read(reader, "MUG")
        with CaptureQueriesContext(connection) as queries:
            read(reader, "MUG")
        counts.append(len(queries))

    assert counts[0] <= counts[1] <= 17


def test_waterfall_of_a_kit_names_the_part_that_runs_out(reader: Client, mug: Sku, place: Location) -> None:
    box = make_sku("BOX")
    make_kit({mug: 2, box: 1}, "SET/2")
    receive(box, place, 4)

    found = read(reader, "SET/2")

    assert (found["available"], found["limiting_part"]) == (4, "BOX")
    assert sum(row["quantity"] for row in found["rows"]) == 4


def test_waterfall_without_stock_is_nothing(reader: Client, mug: Sku) -> None:
    assert read(reader, "MUG")["rows"] == []


def test_waterfall_of_an_unknown_sku_is_not_found(reader: Client) -> None:
    assert read(reader, "NOPE", 404)["code"] == "not_found"


def test_waterfall_is_refused_without_login_staff_or_right(mug: Sku) -> None:
    assert read(Client(), "MUG", 401)["code"] == "not_logged_in"
    assert read(visitor("view_stocklevel"), "MUG", 403)["code"] == "not_allowed"
    get_user_model().objects.all().delete()
    assert read(visitor("view_sku", is_staff=False), "MUG", 403)["code"] == "not_allowed"


def test_waterfall_is_only_read(reader: Client, mug: Sku) -> None:
    assert reader.post("/api/skus/MUG/waterfall").status_code == 405
