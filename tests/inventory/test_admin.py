"""The stock room's pages: who sees them, what they say, how many queries they take."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inventory.models import Bin, KitPart, Location, Reservation, Sku, StockLevel, StockMovement
from inventory.services.catalogue import SkuChange, change_skus
from tests.factories.inventory import ACTOR, make_kit, make_level, make_location, make_sku, receive, reserve

pytestmark = pytest.mark.django_db

LISTS = ("sku", "location", "bin", "stocklevel", "stockmovement", "reservation", "stockreceipt")
READ_ONLY = ("bin", "stocklevel", "stockmovement", "reservation")


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("boss", password="x"))
    return client


def staff(*permissions: str) -> Client:
    user = get_user_model().objects.create_user("clerk", password="x", is_staff=True)
    for name in permissions:
        user.user_permissions.add(Permission.objects.get(content_type__app_label="inventory", codename=name))
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, name: str, *args: Any, **query: Any) -> str:
    response = client.get(reverse(f"admin:inventory_{name}", args=args), query)
    assert response.status_code == 200, response
    return response.content.decode()


def furnish(number: int) -> None:
    place = make_location()
    for _n in range(number):
        sku = make_sku()
        make_level(sku, place, on_hand=5)
        reserve(sku, place, 2)
        reserve(sku, None, 9)
        make_kit({sku: 2})


@pytest.mark.parametrize("name", LISTS)
def test_list_takes_as_many_queries_for_three_rows_as_for_one(boss: Client, name: str) -> None:
    counts = []
    for number in (1, 2):
        furnish(number)
        page(boss, f"{name}_changelist")
        with CaptureQueriesContext(connection) as queries:
            page(boss, f"{name}_changelist")
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 18


@pytest.mark.parametrize("name", LISTS)
def test_empty_list_teaches(boss: Client, name: str) -> None:
    assert 'class="empty' in page(boss, f"{name}_changelist")


@pytest.mark.parametrize("name", LISTS)
def test_list_without_permission_is_refused(name: str) -> None:
    response = staff().get(reverse(f"admin:inventory_{name}_changelist"))

    assert response.status_code == 403


@pytest.mark.parametrize("name", READ_ONLY)
def test_record_is_shown_and_not_changed(boss: Client, name: str) -> None:
    furnish(1)
    model = {
        "bin": Bin,
        "stocklevel": StockLevel,
        "stockmovement": StockMovement,
        "reservation": Reservation,
    }[name]
    row = model.objects.order_by("pk").first()
    assert row is not None

    shown = page(boss, f"{name}_change", row.pk)

    assert 'name="_save"' not in shown
    for other in ("add", "delete", "change"):
        args = [] if other == "add" else [row.pk]
        posted = boss.post(
            reverse(f"admin:inventory_{name}_{other}", args=args), {"post": "yes", "quantity": 9}
        )
        assert posted.status_code == 403


def test_sku_list_shows_figures_and_finds_by_code_barcode_and_title(boss: Client) -> None:
    sku = make_sku("CUP-WHITE", "White espresso cup", barcodes=["8001234567890"])
    make_sku("CUP-BLUE", "Blue espresso cup")
    place = make_location()
    make_level(sku, place, on_hand=12, buffer=1)
    reserve(sku, place, 4)

    for term, found in (
        ("cup-w", {"CUP-WHITE"}),
        ("8001234567890", {"CUP-WHITE"}),
        ("espresso white", {"CUP-WHITE"}),
        ("cup", {"CUP-WHITE", "CUP-BLUE"}),
        ("nothing", set()),
    ):
        shown = page(boss, "sku_changelist", q=term)
        assert {code for code in ("CUP-WHITE", "CUP-BLUE") if f">{code}<" in shown} == found

    shown = page(boss, "sku_changelist", q="cup-w")
    figures = [f'<span class="num">{n}</span>' for n in (7, 12, 4, 0)]
    assert all(figure in shown for figure in figures)


def test_sku_page_explains_its_number(boss: Client) -> None:
    sku, place = make_sku("CUP"), make_location(name="Milano")
    receive(sku, place, 12)
    reserve(sku, place, 4, reference_id=77)
    reserve(sku, None, 20)

    shown = page(boss, "sku_change", sku.pk)

    assert "Why 0 can be sold" in shown
    for words in (
        "On hand in Milano",
        "Reserved in Milano",
        "20 units wait in line",
        "Never less than nothing",
    ):
        assert words in shown
    level = StockLevel.objects.get()
    assert f"?level__id__exact={level.pk}&amp;state__exact=open" in shown
    assert "place 1 in line, 0 units ahead" in shown
    assert "test 77" in shown
    assert "+12" in shown
    assert "Receive stock" in shown


def test_waterfall_links_lead_to_pages(boss: Client) -> None:
    sku, place = make_sku(), make_location()
    make_level(sku, place, on_hand=3)
    reserve(sku, place, 1)
    reserve(sku, None, 1)
    level = StockLevel.objects.get()

    reserved = page(boss, "reservation_changelist", level__id__exact=level.pk, state__exact="open")
    line = page(boss, "reservation_changelist", sku__id__exact=sku.pk, queue="waiting")
    moves = page(boss, "stockmovement_changelist", level__sku__id__exact=sku.pk)

    assert (reserved.count("field-sku_said"), line.count("field-sku_said")) == (1, 1)
    assert moves.count("field-kind_said") == 1


def test_kit_page_names_its_limiting_part(boss: Client) -> None:
    cup, box = make_sku("CUP"), make_sku("BOX")
    kit = make_kit({cup: 2, box: 1}, "KIT")
    receive(cup, make_location(), 7)

    shown = page(boss, "sku_change", kit.pk)

    assert "BOX (Goods BOX) runs out first" in shown
    assert "Receive stock" not in shown


def sku_form(sku: Sku, shown: str, **parts: Any) -> dict[str, Any]:
    token = shown.split('name="shown" value="')[1].split('"')[0]
    return {
        "title": sku.title,
        "weight_grams": "",
        "is_active": "on",
        "shown": token,
        "barcodes-TOTAL_FORMS": 0,
        "barcodes-INITIAL_FORMS": 0,
        "kit_parts-TOTAL_FORMS": 1,
        "kit_parts-INITIAL_FORMS": 0,
        "kit_parts-0-kit": sku.pk,
        "kit_parts-0-per_unit": 1,
        "kit_parts-0-value_weight": 1,
        **{f"kit_parts-0-{name}": value for name, value in parts.items()},
    }


def test_kit_parts_are_saved_through_the_verb(boss: Client) -> None:
    part, kit = make_sku(), make_sku()
    url = reverse("admin:inventory_sku_change", args=[kit.pk])

    response = boss.post(url, sku_form(kit, page(boss, "sku_change", kit.pk), part=part.pk, per_unit=3))

    assert response.status_code == 302
    kit.refresh_from_db()
    assert kit.is_kit
    assert KitPart.objects.get(kit=kit).per_unit == 3


def test_kit_part_that_is_a_kit_is_refused_in_the_form(boss: Client) -> None:
    inner, target = make_kit({make_sku(): 1}), make_sku()
    url = reverse("admin:inventory_sku_change", args=[target.pk])

    response = boss.post(url, sku_form(target, page(boss, "sku_change", target.pk), part=inner.pk))

    assert response.status_code == 200
    assert "A kit cannot be part of a kit" in response.content.decode()
    assert not KitPart.objects.filter(kit=target).exists()


def test_new_sku_is_added(boss: Client) -> None:
    form = {
        "code": "NEW", "title": "New goods", "weight_grams": "250", "is_active": "on",
        "barcodes-TOTAL_FORMS": 1, "barcodes-INITIAL_FORMS": 0, "barcodes-0-code": "800777",
    }  # fmt: skip

    response = boss.post(reverse("admin:inventory_sku_add"), form)

    assert response.status_code == 302, response.content.decode()[-3000:]
    assert Sku.objects.get(code="NEW").barcodes.get().code == "800777"


def test_sku_whose_code_is_another_ones_barcode_is_refused_in_the_form(boss: Client) -> None:
    make_sku("MUG", barcodes=["800777"])
    form = {
        "title": "New goods", "weight_grams": "250", "is_active": "on",
        "barcodes-TOTAL_FORMS": 1, "barcodes-INITIAL_FORMS": 0,
    }  # fmt: skip
    url = reverse("admin:inventory_sku_add")

    called_so = boss.post(url, {**form, "code": "800777"}).content.decode()
    scanned_so = boss.post(url, {**form, "code": "NEW", "barcodes-0-code": "MUG"}).content.decode()

    words = "“%s” cannot be the code of one SKU and a barcode of another, %s: a scan would mean both."
    assert words % ("800777", "MUG") in called_so
    assert words % ("MUG", "NEW") in scanned_so
    assert list(Sku.objects.values_list("code", flat=True)) == ["MUG"]
    assert boss.post(url, {**form, "code": "NEW", "barcodes-0-code": "NEW"}).status_code == 302


def test_barcode_that_is_another_skus_code_is_refused_on_a_skus_page(boss: Client) -> None:
    make_sku("MUG")
    sku = make_sku("CUP")
    url = reverse("admin:inventory_sku_change", args=[sku.pk])
    fields = {
        **sku_form(sku, page(boss, "sku_change", sku.pk)),
        "barcodes-TOTAL_FORMS": 1, "barcodes-0-sku": sku.pk, "barcodes-0-code": "MUG",
    }  # fmt: skip

    response = boss.post(url, fields)

    words = "“MUG” cannot be the code of one SKU and a barcode of another, CUP: a scan would mean both."
    assert words in response.content.decode()
    assert not sku.barcodes.exists()
    assert boss.post(url, {**fields, "barcodes-0-code": "CUP"}).status_code == 302


def test_new_location_comes_with_its_bins(boss: Client) -> None:
    form = {
        "code": "MI", "name": "Milano", "is_active": "on", "can_ship": "on", "preference": 10,
        "count_tolerance": 0, "time_zone": "Europe/Rome", "bins-TOTAL_FORMS": 1, "bins-INITIAL_FORMS": 0,
        "bins-0-code": "A-01", "bins-0-kind": "shelf",
    }  # fmt: skip

    response = boss.post(reverse("admin:inventory_location_add"), form)

    assert response.status_code == 302, response.content.decode()[-3000:]
    place = Location.objects.get(code="MI")
    assert set(place.bins.values_list("kind", flat=True)) == {"default", "quarantine", "shelf"}
    assert "A-01" in page(boss, "location_change", place.pk)
    assert "DEFAULT" not in page(boss, "location_change", place.pk)


def test_sku_page_takes_as_many_queries_for_a_long_story(boss: Client) -> None:
    sku, place = make_sku(), make_location()
    receive(sku, place, 5)
    reserve(sku, None, 9)
    counts = []
    for _n in range(2):
        page(boss, "sku_change", sku.pk)
        with CaptureQueriesContext(connection) as queries:
            page(boss, "sku_change", sku.pk)
        counts.append(len(queries))
        other = make_location()
        receive(sku, other, 5)
        receive(sku, place, 5)
        reserve(sku, None, 3)

    assert counts[0] == counts[1] <= 32


def test_sku_page_shows_the_first_of_a_long_line_and_counts_the_rest(boss: Client) -> None:
    sku = make_sku()
    for _n in range(11):
        reserve(sku, None, 1)

    shown = page(boss, "sku_change", sku.pk)

    assert shown.count("Waiting for stock") == 8
    assert "All 11 reservations" in shown


def test_part_of_a_kit_is_chosen_among_active_skus(boss: Client) -> None:
    make_sku("CUP-OLD")
    make_sku("CUP-NEW")
    change_skus([SkuChange("CUP-OLD", is_active=False)], actor=ACTOR).raise_refusals()
    asked = {"app_label": "inventory", "model_name": "kitpart", "field_name": "part", "term": "CUP"}

    offered = boss.get(reverse("admin:autocomplete"), asked).json()["results"]

    assert [one["text"] for one in offered] == ["CUP-NEW"]
    assert "CUP-OLD" in boss.get(reverse("admin:inventory_sku_changelist"), {"q": "CUP"}).content.decode()
