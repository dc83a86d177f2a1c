"""Days of cover: what was shipped lately against what can be sold."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from config.kernel import clock
from inventory.admin.words import cover_words
from inventory.enums import MovementKind
from inventory.models import Sku
from inventory.selectors.cover import Cover, days_of_cover
from inventory.services.levels import lock_levels
from inventory.services.movements import Cause, Posting, post_movements
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku
from tests.kernel.visitor import text_of, visitor

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def mug() -> Sku:
    with clock.frozen(NOW - timedelta(days=200)):
        sku = make_sku("MUG")
        make_level(sku, make_location("TO", name="Torino"), 100)
    return sku


def ship(sku: Sku, units: int, days_ago: int, kind: MovementKind = MovementKind.SHIP) -> None:
    with clock.frozen(NOW - timedelta(days=days_ago)), transaction.atomic():
        (level,) = lock_levels([sku.pk])
        bin_id = level.bin_stocks.first().bin_id
        post_movements(
            [Posting(level.pk, bin_id, kind, delta=-units)], levels=[level], cause=Cause(("test", 1), ACTOR)
        )


def covers(sku: Sku, available: int) -> list[tuple[int, int, int, int | None]]:
    with clock.frozen(NOW):
        found = days_of_cover(sku, available, actor=ACTOR)
    return [(one.span, one.days, one.shipped, one.lasts_days) for one in found]


def test_days_of_cover_counts_shipped_units_of_each_span(mug: Sku) -> None:
    ship(mug, 14, 3)
    ship(mug, 14, 30)
    ship(mug, 9, 60)
    ship(mug, 5, 2, MovementKind.CORRECTION)

    assert covers(mug, 6) == [(28, 28, 14, 12), (56, 56, 28, 12)]


def test_days_of_cover_without_sales_is_unknown(mug: Sku) -> None:
    assert covers(mug, 6) == [(28, 28, 0, None), (56, 56, 0, None)]


def test_days_of_cover_of_a_young_sku_counts_its_own_days() -> None:
    with clock.frozen(NOW - timedelta(days=10)):
        sku = make_sku("NEW")
        make_level(sku, make_location("TO"), 50)
    ship(sku, 20, 5)

    assert covers(sku, 30) == [(28, 10, 20, 15), (56, 10, 20, 15)]


@pytest.mark.parametrize(
    ("shipped", "available", "said"),
    [
        (14, 6, "14 units shipped, 0.5 a day: lasts about 12 days"),
        (1, 6, "1 unit shipped, 0.0 a day: lasts about 168 days"),
        (56, 1, "56 units shipped, 2.0 a day: lasts less than a day"),
        (28, 1, "28 units shipped, 1.0 a day: lasts about 1 day"),
        (1, 500, "1 unit shipped, 0.0 a day: lasts more than a year"),
        (9, 0, "9 units shipped, 0.3 a day: nothing is left to sell"),
        (0, 6, "nothing was shipped"),
    ],
)
def test_cover_is_said_in_words(shipped: int, available: int, said: str) -> None:
    assert cover_words(Cover(28, 28, shipped, available)) == ("Last 28 days", said)


def test_sku_page_says_how_long_it_lasts_and_leads_to_filtered_movements(mug: Sku) -> None:
    ship(mug, 14, 3)
    with clock.frozen(NOW):
        client = visitor("Manager")
        page = client.get(f"/inventory/sku/{mug.pk}/change/")

        dates = "at__gte=2026-05-25+00:00:00%2B00:00&at__lt=2026-06-02+00:00:00%2B00:00"
        listed = client.get(
            f"/inventory/stockmovement/?level__sku__id__exact={mug.pk}&{dates}&kind__exact=ship"
        )

    assert "Last 28 days 14 units shipped, 0.5 a day: lasts about 172 days" in text_of(page)
    assert listed.status_code == 200
    assert [row.delta for row in listed.context["cl"].result_list] == [-14]
