"""Closing a location: the page that asks first, and what it says would be left behind."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from config.kernel.admin import admin_url
from config.kernel.models import Event
from inventory.models import Location, Sku, StockLevel
from inventory.services.transfers import TransferUnits, book_transfer, send_transfers
from inventory.services.transfers.booking import TransferPlan
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, receive, reserve
from tests.inventory.pressing import save_location, typed

pytestmark = pytest.mark.django_db

ON_HAND = "10 units are on hand here. They are not sold from a closed location; a transfer takes them to another one."
RESERVED = (
    "4 units are reserved here. They are not released to the warehouse from a closed location; plan their orders "
    "anew."
)
UNSOLD = (
    "10 units are on hand here. What nobody was promised is not sold from here any more; what is reserved is still "
    "shipped."
)
ARRIVING = "1 transfer is on its way here. A closed location receives none."


@pytest.fixture
def place() -> Location:
    return make_location(name="Milano")


@pytest.fixture
def sku(place: Location) -> Sku:
    """Ten units, four of them promised, and two on their way here."""
    sku = make_sku()
    make_level(sku, place, 10)
    reserve(sku, place, 4)
    shop = make_location()
    receive(sku, shop, 2)
    plan = TransferPlan(shop.pk, place.pk, (TransferUnits(sku.pk, 2),))
    send_transfers([book_transfer(plan, nonce="n", actor=ACTOR)], actor=ACTOR).raise_refusals()
    return sku


def login(client: Client, *rights: str) -> Client:
    user = get_user_model().objects.create_user("clerk", password="x", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="inventory", codename__in=rights)
    )
    client.force_login(user)
    return client


@pytest.fixture
def boss(client: Client) -> Client:
    seen = ("view_reservation", "view_transfer", "view_stocklevel")
    return login(client, "change_location", "view_location", *seen)


def press(client: Client, place: Location, form: dict[str, Any]) -> Any:
    return client.post(admin_url(Location, "change", place.pk), form)


def said(page: Any) -> list[str]:
    return [one["text"] for one in page.context["consequences"]]


def test_closing_shows_what_it_leaves_behind_and_does_nothing(
    boss: Client, place: Location, sku: Sku
) -> None:
    page = press(boss, place, typed(boss, place, is_active="", city="Monza"))

    assert page.status_code == 200
    assert page.context["title"] == "Close Milano"
    assert said(page) == [RESERVED, ARRIVING, ON_HAND]
    assert not page.context["unforeseen"]
    urls = [one["url"] for one in page.context["consequences"]]
    assert urls[2] == f"/inventory/stocklevel/?location__id__exact={place.pk}"
    assert sku.code in boss.get(urls[2]).content.decode()
    place.refresh_from_db()
    assert (place.is_active, place.city, place.version) == (True, "", 1)
    assert not Event.objects.filter(subject_type="location", kind="edited").exists()


def test_closing_goes_on_by_the_button_of_that_page(boss: Client, place: Location, sku: Sku) -> None:
    answer = save_location(boss, place, is_active="", city="Monza")

    assert answer["Location"] == admin_url(Location, "change", place.pk)
    place.refresh_from_db()
    assert (place.is_active, place.city, place.version) == (False, "Monza", 2)
    assert f"Closed, yet: {ON_HAND}" in " ".join(
        f"{one['title']} {one['text']}" for one in boss.get(answer["Location"]).context["page"]["notices"]
    )


def test_stock_of_a_closed_location_goes_to_another_by_transfer(
    boss: Client, place: Location, sku: Sku
) -> None:
    save_location(boss, place, is_active="")
    plan = TransferPlan(place.pk, make_location().pk, (TransferUnits(sku.pk, 6),))

    send_transfers([book_transfer(plan, nonce="away", actor=ACTOR)], actor=ACTOR).raise_refusals()

    assert StockLevel.objects.get(location=place).on_hand == 4


def test_press_on_a_page_that_showed_less_is_asked_again(boss: Client, place: Location) -> None:
    sku = make_sku()
    make_level(sku, place, 10)
    page = press(boss, place, typed(boss, place, is_active=""))
    reserve(sku, place, 4)

    again = press(boss, place, dict(page.context["hidden"]))

    assert again.context["unforeseen"]
    assert said(again) == [RESERVED, ON_HAND]
    assert Location.objects.get(pk=place.pk).is_active
    assert press(boss, place, dict(again.context["hidden"])).status_code == 302
    assert not Location.objects.get(pk=place.pk).is_active


def test_busy_location_is_closed_though_the_numbers_have_moved(
    boss: Client, place: Location, sku: Sku
) -> None:
    page = press(boss, place, typed(boss, place, is_active=""))
    receive(sku, place, 1)

    assert press(boss, place, dict(page.context["hidden"])).status_code == 302
    assert not Location.objects.get(pk=place.pk).is_active


def test_shipping_no_more_says_that_stock_is_not_sold(boss: Client, place: Location, sku: Sku) -> None:
    page = press(boss, place, typed(boss, place, can_ship=""))

    assert page.context["title"] == "Ship no more orders from Milano"
    assert said(page) == [UNSOLD]
    assert press(boss, place, dict(page.context["hidden"])).status_code == 302
    place.refresh_from_db()
    assert (place.is_active, place.can_ship) == (True, False)


@pytest.mark.parametrize(
    ("begins", "changes"),
    [
        ({}, {"city": "Monza"}),
        ({"is_active": False}, {"is_active": "on"}),
        ({"is_active": False}, {"can_ship": ""}),
        ({"can_ship": False}, {"can_ship": "on"}),
    ],
)
def test_other_saves_ask_nothing(
    boss: Client, place: Location, sku: Sku, begins: dict[str, bool], changes: dict[str, str]
) -> None:
    Location.objects.filter(pk=place.pk).update(**begins)

    assert press(boss, place, typed(boss, place, **changes)).status_code == 302


def test_location_that_holds_nothing_is_closed_at_once(boss: Client, place: Location) -> None:
    assert press(boss, place, typed(boss, place, is_active="")).status_code == 302
    assert not Location.objects.get(pk=place.pk).is_active


def test_page_names_nothing_that_the_person_may_not_see(client: Client, place: Location, sku: Sku) -> None:
    clerk = login(client, "change_location", "view_location", "view_stocklevel")

    assert said(press(clerk, place, typed(clerk, place, is_active=""))) == [ON_HAND]


def test_form_with_a_mistake_is_shown_before_anything_is_asked(
    boss: Client, place: Location, sku: Sku
) -> None:
    page = press(boss, place, typed(boss, place, is_active="", name=""))

    assert "consequences" not in page.context
    assert "name" in page.context["adminform"].form.errors
    assert Location.objects.get(pk=place.pk).is_active


def test_asking_costs_the_same_statements_for_one_unit_and_many(
    boss: Client, place: Location, sku: Sku, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for _each in range(3):
        make_level(make_sku(), place, 5)
    form = typed(boss, place, is_active="")

    with django_assert_max_num_queries(22):
        assert len(said(press(boss, place, form))) == 3
    assert StockLevel.objects.filter(location=place).count() == 4
