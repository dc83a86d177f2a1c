"""The first page: every figure leads to exactly what it counts, for whoever may see it, at a bounded cost."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config import today
from config.kernel import clock
from config.kernel.admin import admin_url
from config.kernel.models import Delivery, Fact
from config.queues import Waiting, count_queues
from fulfillment.services.reports import refresh_stage_times
from inventory.models import Location, StaffLocation
from orders.enums import OrderStatus
from orders.models import DailySales, LegalEntity, Order
from orders.services.holds import place_hold
from orders.services.reports import refresh_daily_sales
from tests.factories.fulfillment import make_confirmed, make_released, make_shipped
from tests.factories.inventory import make_level, make_location, make_sku
from tests.factories.orders import SYSTEM, make_channel, make_order
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Visitor:
    return visitor(superuser=True)


@pytest.fixture
def shop(frozen_clock: object) -> None:
    amazon = make_channel(code="amazon", name="Amazon.it", kind="amazon")
    make_order(placed_at=clock.now())
    make_order(channel=amazon, placed_at=clock.now())
    make_order(placed_at=clock.now() - timedelta(days=3))
    make_confirmed({"JUG": 1}, placed_at=clock.now())
    make_released()
    make_shipped(placed_at=clock.now())
    refresh_daily_sales(None)
    refresh_stage_times()


def bars(html: str) -> list[tuple[str, int]]:
    """Each bar's list and the number in its title."""
    found = re.findall(r'<a href="([^"]+)" aria-label="[^"]*?: ([\d,]+) order', html)
    return [(unescape(url), int(number.replace(",", ""))) for url, number in found]


def test_every_bar_opens_the_orders_that_it_counts(manager: Visitor, shop: None) -> None:
    counted = bars(manager.get("/").content.decode())

    assert len(counted) == 28
    assert sum(number for _url, number in counted) == Order.objects.count()
    for url, number in counted:
        assert manager.get(url).context["cl"].result_count == number


def test_chart_of_one_channel_counts_that_channel(manager: Visitor, shop: None) -> None:
    channel = make_channel(code="amazon")

    counted = bars(manager.get("/", {"channel": channel.pk}).content.decode())

    assert [number for _url, number in counted if number] == [1]
    assert manager.get(counted[-1][0]).context["cl"].queryset.get().sales_channel == channel


def test_every_tile_opens_the_list_that_it_counts(manager: Visitor, shop: None) -> None:
    for tile in manager.get("/").context["page"].tiles:
        assert manager.get(tile.url).context["cl"].result_count == tile.count, tile.label


def test_held_orders_say_why(manager: Visitor, shop: None) -> None:
    place_hold([make_order().pk], kind="fraud", actor=SYSTEM).only()

    tile = next(tile for tile in manager.get("/").context["page"].tiles if tile.url.endswith("queue=on_hold"))

    assert tile.detail == "fraud check 1"


def test_each_reason_of_the_held_orders_opens_exactly_these(manager: Visitor, shop: None) -> None:
    ids = [make_order().pk for _number in range(3)]
    place_hold(ids, kind="fraud", actor=SYSTEM)
    place_hold(ids[:1], kind="manual", reason="Ask the buyer", actor=SYSTEM)

    html = manager.get("/").content.decode()

    found = re.findall(r'<li><a href="([^"]+)">([a-z ]+) (\d+)</a></li>', html)
    assert sorted((words, int(count)) for _url, words, count in found) == [
        ("fraud check", 3),
        ("held by staff", 1),
    ]
    for url, _words, count in found:
        assert manager.get(unescape(url)).context["cl"].result_count == int(count)


def test_late_tile_counts_the_days_of_the_promise(manager: Visitor, shop: None) -> None:
    day = clock.today("Europe/Rome") - timedelta(days=3)
    Order.objects.update(dispatch_by_on=None)
    Order.objects.filter(pk=make_order().pk).update(
        dispatch_by_on=day, placed_at=clock.now() - timedelta(days=36)
    )

    page = manager.get("/").context["page"]

    tile = next(tile for tile in page.tiles if tile.url.endswith("queue=late"))
    assert tile.detail == "3 days over"
    assert "3 days over" in page.late[0].promise


def test_late_tile_is_all_that_a_person_may_have() -> None:
    order = make_order()
    Order.objects.update(status="confirmed", dispatch_by_on=clock.today("Europe/Rome") - timedelta(days=3))
    desk = visitor("", "orders.view_order")

    page = desk.get("/").context["page"]

    assert order.status == "placed"
    assert [tile.detail for tile in page.tiles if tile.url.endswith("queue=late")] == ["3 days over"]


@pytest.mark.parametrize(("zone", "days"), [("America/New_York", 1), ("Europe/Rome", 2)])
def test_late_tile_counts_in_the_legal_entitys_days(zone: str, days: int) -> None:
    make_order()
    LegalEntity.objects.update(time_zone=zone)
    Order.objects.update(status="confirmed", dispatch_by_on=date(2026, 12, 30))

    with clock.frozen(datetime(2027, 1, 1, 2, 0, tzinfo=UTC)):
        page = visitor("Manager").get("/").context["page"]

    tile = next(tile for tile in page.tiles if tile.url.endswith("queue=late"))
    assert tile.detail == ("1 day over" if days == 1 else f"{days} days over")
    assert tile.detail in page.late[0].promise


def test_mail_that_failed_is_counted_once(manager: Visitor, shop: None) -> None:
    fact = Fact.objects.create(kind="order.x", subject_type="order", subject_id=1, recorded_at=clock.now())
    for subscriber in ("orders.shipped_mail", "channels.tell"):
        Delivery.objects.create(
            fact=fact,
            subscriber=subscriber,
            lane="mail",
            state="dead",
            due_at=clock.now(),
            settled_at=clock.now(),
        )

    tiles = {str(tile.label): tile.count for tile in manager.get("/").context["page"].tiles}

    assert (tiles["Failed deliveries"], tiles["Mails that need a decision"]) == (1, 1)


def test_late_orders_say_where_they_are_stuck(manager: Visitor, shop: None) -> None:
    order = make_confirmed({"VASE": 1})
    place_hold([order.pk], kind="fraud", actor=SYSTEM).only()

    with clock.frozen(clock.now() + timedelta(days=9)):
        late = visitor(superuser=True).get("/").context["page"].late

    told = next(row for row in late if row.number == order.number)
    assert "On hold" in told.stuck
    assert told.because == "It is under suspicion of fraud."
    assert "days over" in told.promise


def test_stages_name_the_slowest(manager: Visitor, shop: None) -> None:
    stages = manager.get("/").context["page"].stages

    assert [row.label for row in stages] == [
        "Accepted to confirmed",
        "Confirmed to all reserved",
        "Reserved to released",
        "Released to shipped",
    ]
    assert sum(row.is_bottleneck for row in stages) == 1


def test_each_stage_opens_what_was_measured_and_the_slowest_is_said(manager: Visitor, shop: None) -> None:
    page = manager.get("/").context["page"]
    html = manager.get("/").content.decode()

    assert len(page.stages) == 4
    for row in page.stages:
        assert manager.get(row.url).context["cl"].result_count == row.passes, row.label
        assert f'href="{row.url}" aria-label="{row.label}: {row.passes} passed in 14 days"' in html
    assert "Slowest: " in text_of(manager.get("/"))


def test_page_says_when_its_figures_were_read(manager: Visitor, shop: None) -> None:
    answer = json.loads(manager.get("/today/").content)

    assert re.search(
        r'data-read-at="20[^"]+" data-said="fresh \{n\} s ago">figures of \d\d:\d\d:\d\d<', answer["html"]
    )


def test_picker_sees_neither_sales_nor_money(shop: None) -> None:
    page = visitor("Picker").get("/").context["page"]

    assert page.trend is None
    assert page.channels == []


def test_who_is_bound_is_told_that_sales_are_of_the_whole_business(shop: None) -> None:
    seen = visitor("Manager")
    assert seen.get("/").context["page"].trend is not None

    StaffLocation.objects.create(
        user=get_user_model().objects.latest("pk"), location=Location.objects.first()
    )
    page = seen.get("/", {"show": "units"})

    assert (page.context["page"].trend, page.context["page"].channels) == (None, [])
    assert "Sales are counted for the whole business." in text_of(page)
    assert "sold=" not in page.content.decode()


def test_times_of_the_whole_business_lead_who_is_bound_to_no_list(shop: None) -> None:
    seen = visitor("Manager")
    assert "?passed=" in seen.get("/").content.decode()

    StaffLocation.objects.create(
        user=get_user_model().objects.latest("pk"), location=Location.objects.first()
    )
    page = seen.get("/")

    assert len(page.context["page"].stages) == 4
    assert "last 14 days, whole business" in text_of(page)
    assert "?passed=" not in page.content.decode()


def test_page_asks_a_bounded_number_of_statements(manager: Visitor, shop: None) -> None:
    manager.get("/")
    with CaptureQueriesContext(connection) as few:
        manager.get("/")
    for _number in range(5):
        place_hold([make_confirmed({"JUG": 1}).pk], kind="fraud", actor=SYSTEM).only()
    with clock.frozen(clock.now() + timedelta(days=9)):
        later = visitor(superuser=True)
        later.get("/")
        with CaptureQueriesContext(connection) as many:
            later.get("/")

    assert len(few) <= 15
    assert len(many) <= 15


def test_count_stops_where_nobody_works_on(monkeypatch: pytest.MonkeyPatch, manager: Visitor) -> None:
    for module in ("config.queues", "config.dashboard"):
        monkeypatch.setattr(f"{module}.MOST", 2)
    for _number in range(3):
        make_order()

    tile = next(
        tile for tile in manager.get("/").context["page"].tiles if tile.url.endswith("queue=to_confirm")
    )

    assert (tile.count, tile.shown, tile.detail) == (2, "2+", "")


def test_figures_are_drawn_again_as_json(manager: Visitor, shop: None) -> None:
    answer = json.loads(manager.get("/today/").content)

    assert "Orders per day" in answer["html"]
    assert visitor().get("/today/").status_code == 200
    assert Visitor().get("/today/").status_code == 302


def test_count_queues_of_nothing_asks_nothing() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert count_queues([(Order.objects.none(), "placed_at")]) == [Waiting()]
    assert len(queries) == 0


def test_count_queues_counts_and_finds_the_oldest_in_one_statement() -> None:
    order = make_order()
    asked = [(Order.objects.all(), "placed_at"), (Order.objects.none(), ""), (Order.objects.all(), "")]

    with CaptureQueriesContext(connection) as queries:
        counted = count_queues(asked)

    assert counted == [Waiting(1, order.placed_at), Waiting(), Waiting(1)]
    assert len(queries) == 1


def test_count_queues_tells_moments_behind_several_queues_without_one() -> None:
    order = make_order()
    rows = Order.objects.all()

    counted = count_queues([(rows, ""), (rows, ""), (rows, "placed_at")])

    assert counted == [Waiting(1), Waiting(1), Waiting(1, order.placed_at)]


def test_empty_business_says_that_nothing_was_sold(manager: Visitor) -> None:
    make_channel()

    assert "Nothing was sold in these days." in text_of(manager.get("/"))


def test_draft_that_no_sweep_ever_counts_is_not_awaited(manager: Visitor) -> None:
    order = make_order(placed_at=clock.now())
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.DRAFT)

    assert "Nothing was sold in these days." in text_of(manager.get("/"))


def test_sales_that_no_sweep_has_counted_are_not_called_none(manager: Visitor) -> None:
    order = make_order(placed_at=clock.now())

    assert "Not counted yet" in text_of(manager.get("/"))

    refresh_daily_sales(None)
    assert "Not counted yet" not in text_of(manager.get("/"))

    Order.objects.filter(pk=order.pk).update(placed_at=clock.now() - timedelta(days=90))
    DailySales.objects.all().delete()
    assert "Nothing was sold in these days." in text_of(manager.get("/"))


def steps_of(seen: Visitor) -> list[tuple[str, bool, str, bool]]:
    steps = seen.get("/").context["page"].first_steps
    return [(str(step.label), step.done, step.url, step.is_next) for step in steps]


def test_empty_business_is_told_its_first_steps_one_after_the_other(manager: Visitor) -> None:
    found = steps_of(manager)
    assert [(label, bool(url)) for label, _done, url, _next in found] == [
        ("Add legal entity", True),
        ("Add sales channel", False),
        ("Add location", True),
        ("Open SKUs", True),
        ("Receive stock", False),
        ("New order", False),
    ]
    assert [is_next for *_step, is_next in found] == [True, False, False, False, False, False]
    for _label, _done, url, _next in found:
        assert not url or manager.get(url).status_code == 200
    assert (
        admin_url(Order, "add")
        not in manager.get("/").content.decode().split('<details class="card all-pages"')[0]
    )

    channel = make_channel()
    make_level(make_sku("MUG"), make_location(), on_hand=1)

    found = steps_of(manager)
    assert [done for _label, done, _url, _next in found] == [True] * 5 + [False]
    assert found[-1] == ("New order", False, admin_url(Order, "add"), True)

    Order.objects.filter(pk=make_order(channel=channel).pk).update(status="completed")
    assert steps_of(manager) == []
    head = f'<a class="btn do" href="{admin_url(Order, "add")}">New order</a>'
    assert head in manager.get("/").content.decode()


def test_first_steps_are_told_to_who_may_take_one_and_cost_nothing_where_work_waits(
    manager: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [bool(url) for _label, _done, url, _next in steps_of(visitor("Support"))] == [False] * 6
    assert steps_of(visitor("Reader")) == []

    make_order()
    monkeypatch.setattr(today, "first_steps", None)
    assert steps_of(manager) == []
