"""One search box: what a typed or scanned text opens, and for whom."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.views.i18n import set_language

from config.kernel.fastpath import is_fast
from config.site import BancaleAdminSite
from inventory.models import Sku
from orders.models import Order
from tests.factories.inventory import make_sku
from tests.factories.orders import make_order

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.desk.test_find")]


class OrderAdmin(admin.ModelAdmin):
    search_fields = ("number",)


class SkuAdmin(admin.ModelAdmin):
    search_fields = ("code",)


site = BancaleAdminSite(name="admin")
site.register(Order, OrderAdmin)
site.register(Sku, SkuAdmin)
urlpatterns = [path("language", set_language, name="set_language"), path("", site.urls)]


@pytest.fixture
def desk() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("marta"))
    return client


def found(client: Client, text: str) -> str:
    return str(client.get("/find/", {"q": text})["Location"])


def test_find_order_by_number_and_by_channel_reference(desk: Client) -> None:
    order = make_order(external_id="403-1182735")

    assert found(desk, f" {order.number} ") == f"/orders/order/{order.pk}/change/"
    assert found(desk, "403-1182735") == f"/orders/order/{order.pk}/change/"


def test_find_sku_in_any_spelling_and_by_barcode(desk: Client) -> None:
    sku = make_sku("MOK-6-AL", barcodes=["8006363001234"])

    assert found(desk, "mok-6-al") == f"/inventory/sku/{sku.pk}/change/"
    assert found(desk, "8006363001234") == f"/inventory/sku/{sku.pk}/change/"


def test_find_what_several_orders_share_lists_them(desk: Client) -> None:
    orders = [make_order(external_id=name) for name in ("A-1", "A-2")]
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(email="rosa@example.com")

    assert found(desk, "rosa@example.com") == "/orders/order/?q=rosa%40example.com"


def test_find_nothing_exact_searches_the_orders(desk: Client) -> None:
    assert found(desk, "rosa neri") == "/orders/order/?q=rosa+neri"


def test_find_keeps_what_a_person_may_not_see() -> None:
    order = make_order()
    picker = User.objects.create_user("piet", is_staff=True)
    picker.user_permissions.add(Permission.objects.get(codename="view_sku"))
    client = Client()
    client.force_login(picker)

    response = client.get("/find/", {"q": order.number}, follow=True)

    assert response.redirect_chain == [("/", 302)]
    assert f"Nothing is called “{order.number}”." in response.content.decode()


@pytest.mark.skipif(not is_fast(), reason="what PostgreSQL plans")
def test_each_thing_an_order_may_be_called_is_asked_through_its_index(desk: Client) -> None:
    make_order(external_id="403-1182735")
    with CaptureQueriesContext(connection) as captured:
        found(desk, "zzyzx")

    (asked,) = [query["sql"] for query in captured if '"external_id"' in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {asked}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    for index in ("order_external_once", "order_external_number", "orders_order_number", "order_email"):
        assert index in plan
    assert plan.count("Index Cond") == 4
