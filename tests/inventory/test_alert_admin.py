"""The pages of low stock: queues, buttons, bulk, the timeline, and who follows."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.kernel import clock, outbox
from config.kernel.states import Machine
from inventory.models import AlertFollower, Location, LowStockAlert
from inventory.services.alerts import acknowledge_alerts, refresh_alerts, snooze_alerts
from inventory.services.policies import LevelPolicy, set_policies
from inventory.states import LOW_STOCK_ALERT
from inventory.tasks import sweep_low_stock
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku
from tests.fulfillment.matrix import cases, walk_every_edge
from tests.inventory.pressing import save_location

pytestmark = pytest.mark.django_db
LIST = "/inventory/lowstockalert/"


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("boss", password="x"))
    return client


def reader(*permissions: str) -> Client:
    user = get_user_model().objects.create_user("clerk", password="x", is_staff=True)
    for name in permissions:
        user.user_permissions.add(Permission.objects.get(content_type__app_label="inventory", codename=name))
    client = Client()
    client.force_login(user)
    return client


def fall_low(code: str = "", place: Location | None = None) -> LowStockAlert:
    sku, place = make_sku(code), place or make_location()
    make_level(sku, place, 3)
    set_policies([LevelPolicy(sku.pk, place.pk, reorder_point=5)], actor=ACTOR).raise_refusals()
    sweep_low_stock()
    return LowStockAlert.objects.get(level__sku=sku)


def shown(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response
    return response.content.decode()


def press(client: Client, alert: LowStockAlert, name: str, **values: Any) -> str:
    url = reverse(f"admin:inventory_lowstockalert_{name}", args=[alert.pk])
    page = shown(client, url)
    hidden = {field: page.split(f'name="{field}" value="')[1].split('"')[0] for field in ("nonce", "version")}
    return client.post(url, {**hidden, **values}, follow=True).content.decode()


def test_queues_divide_the_alerts_and_stand_on_the_first_page(boss: Client) -> None:
    fall_low("CUP")
    seen_to = fall_low("MUG")
    acknowledge_alerts([seen_to.pk], reason="Ordered", actor=ACTOR).raise_refusals()

    low, settled = shown(boss, f"{LIST}?queue=low"), shown(boss, f"{LIST}?queue=acknowledged")

    assert (">CUP<" in low, ">MUG<" in low) == (True, False)
    assert (">CUP<" in settled, ">MUG<" in settled) == (False, True)
    assert f"{LIST}?queue=low" in shown(boss, "/")


def test_acknowledge_button_asks_for_the_reason_and_tells_the_timeline(boss: Client) -> None:
    alert = fall_low("CUP")

    page = press(boss, alert, "acknowledge", reason="Ordered 200")

    alert.refresh_from_db()
    assert alert.status == "acknowledged"
    for words in ("Ordered 200", "Fell to its reorder point", "3 left, reorder point 5"):
        assert words in page
    assert f"/{alert.pk}/acknowledge/" not in page


def test_snooze_button_puts_it_away(boss: Client) -> None:
    alert = fall_low("CUP")

    page = press(boss, alert, "snooze", days="3", reason="Summer")

    alert.refresh_from_db()
    assert alert.status == "snoozed"
    assert "Summer" in page


def test_for_how_long_is_offered_in_the_readers_language(boss: Client) -> None:
    alert = fall_low("CUP")
    address = reverse("admin:inventory_lowstockalert_snooze", args=[alert.pk])

    pages = [
        boss.get(address, headers={"accept-language": spoken}).content.decode() for spoken in ("en", "it")
    ]

    assert ["7 days" in page for page in pages] == [True, False]
    assert ["7 giorni" in page for page in pages] == [False, True]


def test_bulk_acknowledge_answers_for_each(boss: Client) -> None:
    alerts = [fall_low("CUP"), fall_low("MUG")]
    action = "bulk_inventory_lowstockalert_acknowledge_alerts"
    ticked = {"action": action, "_selected_action": [alert.pk for alert in alerts], "bulk_nonce": "n1"}

    page = boss.post(LIST, {**ticked, "reason": "Ordered"}, follow=True).content.decode()

    assert "2 done" in page
    assert set(LowStockAlert.objects.values_list("status", flat=True)) == {"acknowledged"}


def test_pages_and_buttons_follow_the_rights() -> None:
    alert = fall_low("CUP")
    sees, other = reader("view_lowstockalert"), Client()
    page = shown(sees, f"{LIST}{alert.pk}/change/")

    assert "acknowledge/" not in page
    assert sees.get(f"{LIST}{alert.pk}/acknowledge/").status_code == 403
    assert other.get(LIST).status_code == 302
    get_user_model().objects.all().delete()
    assert reader("view_sku").get(LIST).status_code == 403


def test_list_takes_as_many_queries_for_three_alerts_as_for_one(boss: Client) -> None:
    counts = []
    for codes in (("A",), ("B", "C")):
        for code in codes:
            fall_low(code)
        shown(boss, LIST)
        with CaptureQueriesContext(connection) as queries:
            shown(boss, LIST)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 15


def test_empty_lists_teach(boss: Client) -> None:
    assert 'class="empty' in shown(boss, LIST)
    assert 'class="empty' in shown(boss, "/inventory/alertfollower/")


def test_follower_is_added_with_locations(boss: Client) -> None:
    place = make_location(name="Milano")
    user = get_user_model().objects.create_user("anna", email="anna@example.com", is_staff=True)

    boss.post("/inventory/alertfollower/add/", {"user": user.pk, "locations": [place.pk], "language": "it"})

    follower = AlertFollower.objects.get()
    assert (follower.user, list(follower.locations.all()), follower.language) == (user, [place], "it")
    page = shown(boss, "/inventory/alertfollower/")
    assert "anna@example.com" in page
    assert "Milano" in page


def test_sku_page_leads_to_the_alert_of_a_low_level(boss: Client) -> None:
    alert = fall_low("CUP")

    page = shown(boss, f"/inventory/sku/{alert.level.sku_id}/change/")

    assert f"{LIST}{alert.pk}/change/" in page


@pytest.mark.parametrize(("machine", "status"), cases(LOW_STOCK_ALERT))
def test_alert_leaves_a_state_by_its_edges_only(machine: Machine, status: str) -> None:
    alert = fall_low()
    at = alert.raised_at
    columns = {"snoozed": {"snoozed_until": at}, "cleared": {"cleared_at": at}}
    LowStockAlert.objects.filter(pk=alert.pk).update(status=status, **columns.get(status, {}))

    def also(edge: Any) -> dict[str, Any]:
        ends = {"snoozed_until": at if edge.target == "snoozed" else None}
        return ends | {"cleared_at": at if edge.target == "cleared" else None}

    walk_every_edge(machine, alert, status, also)


def test_closing_a_location_on_its_page_clears_its_alerts_and_opening_it_raises_them(boss: Client) -> None:
    place = fall_low("CUP").level.location

    def save(is_active: str) -> list[str]:
        assert save_location(boss, place, is_active=is_active).status_code == 302
        outbox.deliver_due("work")
        return list(LowStockAlert.objects.order_by("pk").values_list("status", flat=True))

    assert save("") == ["cleared"]
    assert save("on") == ["cleared", "open"]


def test_page_says_until_when_in_the_readers_zone_and_why_it_ended(boss: Client) -> None:
    """Half past eleven of the evening in UTC is the next day in Rome."""
    alert, noon = fall_low(), datetime(2026, 3, 2, 12, tzinfo=UTC)
    with clock.frozen(noon):
        until = noon.replace(hour=23, minute=30)
        snooze_alerts([alert.pk], until=until, reason="Stocktaking", actor=ACTOR).raise_refusals()
        Location.objects.update(is_active=False)
        refresh_alerts([alert.level_id], actor=ACTOR).raise_refusals()

        page = shown(boss, f"{LIST}{alert.pk}/change/")

    assert "until 3 Mar, 00:30: Stocktaking" in page
    assert "Ended: its location was closed" in page
    assert "Above its reorder point again" not in page
