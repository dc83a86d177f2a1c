"""The tabs of a list's queues: what each counts inside a filter, and which one is open."""

import re
from html import unescape

import pytest
from django.contrib.auth import get_user_model

from config.kernel.actors import Actor
from config.kernel.saved_views import Look, save_view
from orders.models import Order
from orders.services.holds import place_hold
from tests.factories.orders import SYSTEM, make_channel, make_order
from tests.kernel.visitor import Visitor, visitor

pytestmark = pytest.mark.django_db
LIST = "/orders/order/"


@pytest.fixture
def desk() -> Visitor:
    return visitor("Support")


@pytest.fixture
def amazon() -> int:
    """Two held orders of one channel, one of another, and one that nothing holds."""
    channel = make_channel(code="amazon", name="Amazon.it", kind="amazon")
    ids = [make_order(channel=channel).pk for _number in range(2)] + [make_order().pk]
    place_hold(ids, kind="fraud", actor=SYSTEM)
    make_order(channel=channel)
    return int(channel.pk)


def tabs(desk: Visitor, query: str) -> tuple[str, dict[str, tuple[str, bool]]]:
    """Where the tabs are counted, and by queue the tab's address and whether it is open."""
    html = desk.get(f"{LIST}?{query}").content.decode()
    counts = re.search(r'data-tabs="([^"]+)"', html)
    found = re.findall(r'<a href="([^"]*)" data-queue="([^"]*)"( aria-current="page")?', html)
    return unescape(counts.group(1)) if counts else "", {
        name: (unescape(url), bool(current)) for url, name, current in found
    }


def test_tabs_inside_a_filter_are_counted_inside_it(desk: Visitor, amazon: int) -> None:
    address, shown = tabs(desk, f"sales_channel__id__exact={amazon}&queue=to_confirm")

    answer = desk.get(address).json()

    assert answer["counts"]["on_hold"] == 2
    for name, count in answer["counts"].items():
        assert desk.get(LIST + shown[name][0]).context["cl"].result_count == count, name


def test_tabs_inside_a_search_are_counted_inside_it(desk: Visitor, amazon: int) -> None:
    number = Order.objects.order_by("pk").first().number  # type: ignore[union-attr]

    address, _shown = tabs(desk, f"q={number}")

    assert desk.get(address).json()["counts"]["on_hold"] == 1


def test_tabs_of_the_whole_list_are_counted_with_the_others(desk: Visitor, amazon: int) -> None:
    assert tabs(desk, "")[0] == ""
    assert tabs(desk, "queue=on_hold&o=1")[0] == ""


def test_counts_of_tabs_stop_and_are_for_those_who_may_open_the_list(
    desk: Visitor, amazon: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.kernel.admin.views.MOST_COUNTED", 1)

    answer = desk.get(f"{LIST}tabs/?is_history__exact=0").json()

    assert (answer["counts"]["on_hold"], answer["most"]) == (1, 1)
    assert visitor("", "inventory.view_sku").get(f"{LIST}tabs/").status_code == 403


def test_one_tab_is_open_also_in_a_saved_view(desk: Visitor, amazon: int) -> None:
    actor = Actor.for_user(get_user_model().objects.get())
    query = f"queue=on_hold&sales_channel__id__exact={amazon}"
    view = save_view("orders.order", "Held at Amazon", Look(query), is_shared=False, actor=actor)

    html = desk.get(f"{LIST}?{query}&view={view.pk}").content.decode()
    shown = tabs(desk, f"{query}&view={view.pk}")[1]

    lists = re.findall(r'<nav class="tabs".*?</nav>', html, re.S)
    assert "".join(lists).count('aria-current="page"') == 1
    assert not any(current for _url, current in shown.values())
    # A queue's tab leaves the view, so that it is the one that is open then.
    url, _current = shown["to_confirm"]
    assert "view=" not in url
    assert tabs(desk, url.removeprefix("?"))[1]["to_confirm"][1]
