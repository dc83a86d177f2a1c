"""From an object to the next one of its list, and back to the same filtered list."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.actors import Actor
from config.kernel.saved_views import Look, save_view
from orders.models import Order
from orders.services.cancelling import cancel_orders
from tests.factories.inventory import make_sku
from tests.factories.orders import PLACED_AT, SYSTEM, make_order
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db
LIST = "/orders/order/"
KEPT = "_changelist_filters=status__exact%3Dplaced"


@pytest.fixture
def desk() -> Visitor:
    return visitor("Support")


@pytest.fixture
def orders() -> list[Order]:
    """As the list shows them, newest first; the second is cancelled, so three stand as placed."""
    made = [make_order(placed_at=PLACED_AT + timedelta(hours=hours)) for hours in range(4)][::-1]
    cancel_orders([made[1].pk], reason="twice", actor=SYSTEM).only()
    return made


def page(order: Order) -> str:
    return f"{LIST}{order.pk}/change/?{KEPT}"


def test_next_and_previous_stay_inside_the_filtered_list(desk: Visitor, orders: list[Order]) -> None:
    assert desk.get(f"{LIST}{orders[0].pk}/next/?{KEPT}")["Location"] == page(orders[2])
    assert desk.get(f"{LIST}{orders[3].pk}/previous/?{KEPT}")["Location"] == page(orders[2])
    assert desk.get(f"{LIST}{orders[0].pk}/next/")["Location"] == f"{LIST}{orders[1].pk}/change/"


def test_next_of_what_has_left_the_list_is_what_would_have_followed(
    desk: Visitor, orders: list[Order]
) -> None:
    assert desk.get(f"{LIST}{orders[1].pk}/next/?{KEPT}")["Location"] == page(orders[2])


def test_end_of_the_list_leads_back_to_it_and_says_so(desk: Visitor, orders: list[Order]) -> None:
    answer = desk.get(f"{LIST}{orders[3].pk}/next/?{KEPT}", follow=True)

    assert answer.redirect_chain == [(f"{LIST}?status__exact=placed", 302)]
    assert "That was the last of the list." in text_of(answer)
    assert "That was the first of the list." in text_of(
        desk.get(f"{LIST}{orders[0].pk}/previous/", follow=True)
    )


def test_row_opened_from_a_list_leads_back_to_the_same_list(desk: Visitor, orders: list[Order]) -> None:
    listed = desk.get(f"{LIST}?status__exact=placed").content.decode()
    assert f'href="{page(orders[0])}"' in listed

    opened = desk.get(page(orders[0])).content.decode()

    assert f'<a href="{LIST}?status__exact=placed">Orders</a>' in opened
    assert f'href="{LIST}{orders[0].pk}/next/?{KEPT}"' in opened
    assert f'href="{LIST}{orders[0].pk}/hold/?{KEPT}"' in opened


def test_press_leads_back_to_the_object_with_its_list(desk: Visitor, orders: list[Order]) -> None:
    asked = desk.get(f"{LIST}{orders[0].pk}/confirm/?{KEPT}")
    assert asked.context["cancel_url"] == page(orders[0])
    assert f'<a href="{LIST}?status__exact=placed">Orders</a>' in asked.content.decode()

    done = desk.post(f"{LIST}{orders[0].pk}/confirm/?{KEPT}", dict(asked.context["hidden"]))

    assert done["Location"] == page(orders[0])


def test_place_in_the_kept_list_is_said(desk: Visitor, orders: list[Order]) -> None:
    def said(order: Order, kept: str = KEPT) -> str:
        return str(desk.get(f"{LIST}{order.pk}/place/?{kept}").json()["said"])

    assert [said(order) for order in orders] == ["1 of 3", "", "2 of 3", "3 of 3"]
    assert said(orders[3], "_changelist_filters=q%3D" + orders[3].number) == "1 of 1"
    assert said(orders[0], "_changelist_filters=nobody__knows%3D1") == ""
    assert visitor("", "inventory.view_sku").get(f"{LIST}{orders[0].pk}/place/?{KEPT}").status_code == 403


def test_place_is_counted_as_far_as_anybody_walks(
    desk: Visitor, orders: list[Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.kernel.admin.walking.MOST_COUNTED", 2)

    said = [desk.get(f"{LIST}{order.pk}/place/?{KEPT}").json()["said"] for order in orders]

    assert said == ["1 of 2+", "", "2 of 2+", ""]


def test_breadcrumb_names_the_queue_or_the_view(desk: Visitor, orders: list[Order]) -> None:
    view = save_view(
        "orders.order", "Two of them", Look("status__exact=placed"), is_shared=False,
        actor=Actor.for_user(get_user_model().objects.get()),
    )  # fmt: skip
    queue, saved = "queue=to_confirm", f"status__exact=placed&view={view.pk}"

    for kept, name in ((queue, "To confirm"), (saved, "Two of them")):
        opened = desk.get(f"{LIST}{orders[0].pk}/change/", {"_changelist_filters": kept}).content.decode()
        trail = re.sub(r"\s+", " ", opened[opened.index('class="breadcrumbs"') :])
        listed = f"{LIST}?{kept}".replace("&", "&amp;")
        assert f'<a href="{LIST}">Orders</a> &rsaquo; <a href="{listed}">{name}</a>' in trail
        assert 'data-place="' in trail


def test_walking_needs_the_right_to_see_and_costs_little(desk: Visitor, orders: list[Order]) -> None:
    assert visitor("", "inventory.view_sku").get(f"{LIST}{orders[0].pk}/next/").status_code == 403
    make_sku("A-1"), make_sku("A-2")
    assert visitor("Manager").get("/inventory/sku/1000000/next/")["Location"] == "/inventory/sku/"
    with CaptureQueriesContext(connection) as captured:
        desk.get(f"{LIST}{orders[0].pk}/next/?{KEPT}")

    assert len(captured) <= 9


def test_nonsense_in_the_kept_list_leads_to_the_whole_list(desk: Visitor, orders: list[Order]) -> None:
    answer = desk.get(f"{LIST}{orders[0].pk}/next/?_changelist_filters=nobody__knows%3D1")

    assert answer.status_code in {302, 400}
    assert answer.get("Location", LIST) == LIST
