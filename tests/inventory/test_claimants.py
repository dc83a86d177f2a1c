"""How many each sales channel could order: past those of lower priority, never past its equals; kits by their parts."""

from typing import Any

import pytest
from django.test import Client

from inventory.claimants import all_claimants
from inventory.models import Location, Sku
from inventory.selectors.claimed import available_by_claimant
from tests.factories.inventory import make_kit, make_level, make_location, make_sku, reserve
from tests.factories.orders import make_channel

pytestmark = pytest.mark.django_db


@pytest.fixture
def mug() -> Sku:
    return make_sku("MUG", "Mug")


@pytest.fixture
def place(mug: Sku) -> Location:
    place = make_location()
    make_level(mug, place, 10)
    return place


def figures(sku: Sku) -> dict[str, tuple[int, int, int]]:
    return {row.claimant.code: (row.free, row.ahead, row.available) for row in available_by_claimant(sku.pk)}


def test_available_by_claimant_counts_who_waits_ahead_of_each(mug: Sku, place: Location) -> None:
    make_channel(code="web", name="Web", priority=10)
    make_channel(code="ebay", name="eBay", priority=0)
    make_channel(code="old", name="Old", priority=5, is_active=False)
    reserve(mug, None, 4, priority=10)
    reserve(mug, None, 3, priority=0)
    reserve(mug, None, 9, priority=-1)

    assert [one.code for one in all_claimants()] == ["web", "ebay"]
    assert figures(mug) == {"web": (10, 4, 6), "ebay": (10, 7, 3)}


def test_available_by_claimant_is_never_below_nothing(mug: Sku, place: Location) -> None:
    make_channel(code="web", name="Web")
    reserve(mug, None, 40)

    assert figures(mug) == {"web": (10, 40, 0)}


def test_available_by_claimant_of_a_kit_is_its_scarcest_part(mug: Sku, place: Location) -> None:
    make_channel(code="web", name="Web")
    lid = make_sku("LID", "Lid")
    make_level(lid, place, 3)
    kit = make_kit({mug: 2, lid: 1}, "KIT")

    assert figures(kit) == {"web": (3, 0, 3)}


@pytest.mark.parametrize(
    ("on_hand", "ahead", "expected"),
    [
        (10, 4, (5, 2, 3)),
        (10, 5, (5, 3, 2)),
        (11, 4, (5, 2, 3)),
        (11, 5, (5, 2, 3)),
        (10, 10, (5, 5, 0)),
        (3, 9, (1, 5, 0)),
    ],
)
def test_available_by_claimant_of_a_kit_counts_who_waits_for_a_part_in_kits(
    on_hand: int, ahead: int, expected: tuple[int, int, int]
) -> None:
    make_channel(code="web", name="Web")
    part = make_sku("PART", "Part")
    make_level(part, make_location(), on_hand)
    reserve(part, None, ahead)

    free, taken, available = expected
    assert figures(make_kit({part: 2}, "KIT")) == {"web": expected}
    assert max(0, free - taken) == available


def test_page_and_json_say_the_channels(mug: Sku, place: Location, admin_client: Client) -> None:
    make_channel(code="web", name="Web", priority=10)
    reserve(mug, None, 4, priority=10)

    page = admin_client.get(f"/inventory/sku/{mug.pk}/change/")
    found: Any = admin_client.get("/api/skus/MUG/waterfall").json()

    assert "By sales channel" in page.content.decode()
    assert found["channels"] == [
        {"channel": "web", "name": "Web", "priority": 10, "free": 10, "ahead": 4, "available": 6}
    ]
