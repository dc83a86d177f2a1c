"""Lists paged by key: forwards, backwards, from the end, and what they do with an order that is none."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.templatetags import admin_urls
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from config.kernel.admin import base, keyset
from orders.models import Order
from tests.factories.orders import PLACED_AT, make_order
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db
LIST = "/orders/order/"


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Visitor:
    monkeypatch.setattr(admin.site.get_model_admin(Order), "list_per_page", 2)
    return visitor("Support")


@pytest.fixture
def numbers() -> list[str]:
    """Five orders, two of them placed at the same moment, as the list shows them: newest first."""
    moments = [0, 1, 1, 2, 3]
    made = [make_order(placed_at=PLACED_AT + timedelta(hours=hours)) for hours in moments]
    made[1], made[2] = made[2], made[1]
    return [
        order.number for order in sorted(made, key=lambda order: (order.placed_at, order.pk), reverse=True)
    ]


def seen(client: Visitor, query: str = "") -> tuple[list[str], dict[str, str], str]:
    page = client.get(LIST + query)
    html = page.content.decode()
    steps = {rel: unescape(url) for url, rel in re.findall(r'class="step" href="([^"]+)" rel="(\w+)"', html)}
    extent = re.search(r'<span class="extent">(.+?)</span>', html)
    return [order.number for order in page.context["cl"].result_list], steps, extent[1] if extent else ""


def test_pages_forward_and_back_show_each_row_once(desk: Visitor, numbers: list[str]) -> None:
    first, steps, said = seen(desk)
    assert (first, said) == (numbers[:2], "1–2 of 5 orders")
    assert set(steps) == {"next", "last"}

    second, steps, said = seen(desk, steps["next"])
    assert (second, said) == (numbers[2:4], "3–4 of 5 orders")
    third, steps, said = seen(desk, steps["next"])
    assert (third, said) == (numbers[4:], "5–5 of 5 orders")
    assert set(steps) == {"first", "prev"}
    back, steps, said = seen(desk, steps["prev"])
    assert (back, said) == (numbers[2:4], "3–4 of 5 orders")
    again, steps, said = seen(desk, steps["prev"])
    assert (again, said) == (numbers[:2], "1–2 of 5 orders")
    assert set(steps) == {"next", "last"}


def test_last_page_is_read_from_the_end_and_meets_the_others(desk: Visitor, numbers: list[str]) -> None:
    last, steps, said = seen(desk, "?last=1")

    assert (last, said) == (numbers[4:], "5–5 of 5 orders")
    assert seen(desk, steps["prev"])[0] == numbers[2:4]


def test_next_page_starts_after_the_last_row_seen_whatever_came_in(desk: Visitor, numbers: list[str]) -> None:
    _first, steps, _said = seen(desk)
    make_order(placed_at=PLACED_AT + timedelta(hours=9))

    assert seen(desk, steps["next"])[0] == numbers[2:4]


def test_page_whose_rows_are_gone_shows_the_first(desk: Visitor, numbers: list[str]) -> None:
    first, _steps, said = seen(desk, '?after=["1999-01-01T00:00:00Z",1]&p=77')

    assert (first, said) == (numbers[:2], "1–2 of 5 orders")


def test_place_of_another_list_is_refused(desk: Visitor, numbers: list[str]) -> None:
    for place in ("nonsense", "[1]", '["yesterday",1]', '{"a":1}'):
        assert desk.get(LIST, {"after": place})["Location"] == f"{LIST}?e=1"


@pytest.mark.parametrize("way", ["9", "-9"])
def test_column_with_missing_values_is_paged_through(desk: Visitor, numbers: list[str], way: str) -> None:
    for place, number in enumerate(numbers[:3]):
        day = (PLACED_AT + timedelta(days=place)).date()
        Order.objects.filter(number=number).update(dispatch_by_on=day)
    shown, steps = [], {"next": f"?o={way}"}
    while "next" in steps:
        page, steps, _said = seen(desk, steps["next"])
        shown += page

    sign = way.removesuffix("9")
    in_sql = Order.objects.order_by(f"{sign}dispatch_by_on", f"{sign}pk")
    assert shown == [order.number for order in in_sql]


def test_count_stops_at_the_limit_and_says_so(
    desk: Visitor, numbers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "COUNT_LIMIT", 3)

    _first, _steps, said = seen(desk)
    last, steps, end = seen(desk, "?last=1")

    assert said == "1–2 of 3+ orders"
    assert (last, end) == (numbers[3:], "2 of 3+ orders")
    assert "Select all 3+ orders" in text_of(desk.get(LIST))
    assert seen(desk, steps["prev"])[0] == numbers[1:3]


def test_order_by_something_else_than_a_column_is_paged_by_number(
    desk: Visitor, numbers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = admin.site.get_model_admin(Order)
    monkeypatch.setattr(pages, "ordering", ("sales_channel", "-id"))
    assert keyset.keys_of(Order, pages.ordering) is None

    _first, steps, said = seen(desk)

    assert steps == {"next": "?p=2", "last": "?p=3"}
    assert said == "1–2 of 5 orders"
    assert seen(desk, "?p=3")[2] == "5–5 of 5 orders"


def test_page_costs_the_same_statements_wherever_it_is(desk: Visitor, numbers: list[str]) -> None:
    counts = set()
    for query in ("", seen(desk)[1]["next"], "?last=1"):
        with CaptureQueriesContext(connection) as captured:
            desk.get(LIST + query)
        counts.add(len(captured))

    assert len(counts) == 1
    (spent,) = counts
    assert spent <= 11


def test_filters_and_search_lead_to_their_first_page(desk: Visitor, numbers: list[str]) -> None:
    _first, steps, _said = seen(desk, "?status__exact=placed")
    assert "status__exact=placed" in steps["next"]

    html = desk.get(LIST + steps["next"]).content.decode()

    filters = re.findall(r'<li[^>]*><a href="(\?[^"]*)"', html)
    assert filters
    assert not [url for url in filters if "after=" in url]


def test_links_of_rows_keep_the_filters_without_being_looked_up_among_all_addresses(
    desk: Visitor, numbers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []

    def watched(path: str) -> Any:
        looked_up.append(path)
        return resolve(path)

    monkeypatch.setattr(admin_urls, "resolve", watched)
    pk = Order.objects.get(number=numbers[0]).pk

    html = desk.get(LIST, {"status__exact": "placed"}).content.decode()

    assert f'href="{LIST}{pk}/change/?_changelist_filters=status__exact%3Dplaced"' in html
    assert f'href="{LIST}{pk}/change/"' in desk.get(LIST).content.decode()
    assert not [path for path in looked_up if path.endswith("/change/")]
