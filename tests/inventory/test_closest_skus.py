"""Which SKUs of ours a name of somebody else's most likely means, read at a bounded cost."""

from typing import Any

import pytest

from inventory.models import Barcode
from inventory.selectors import closest
from inventory.selectors.closest import Unknown, closest_skus
from tests.factories.inventory import make_sku

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue() -> None:
    for code, title in (
        ("JUG-05", "Jug, half a litre"),
        ("JUG-10", "Jug, one litre"),
        ("MOKA-3", "Moka pot, 3 cups"),
        ("MOKA-6", "Moka pot, 6 cups"),
        ("PLATE", "Dinner plate"),
    ):
        make_sku(code, title=title)


def offered(*unknown: Unknown) -> list[list[str]]:
    return [[sku.code for sku in skus] for skus in closest_skus(unknown)]


@pytest.mark.parametrize(
    ("code", "title", "likely"),
    [
        ("jug_05", "", ["JUG-05", "JUG-10"]),
        ("X-9", "Moka pot, 2019 edition", ["MOKA-3", "MOKA-6"]),
        ("", "A dinner plate", ["PLATE"]),
        ("MOKA-33", "Jug, one litre", ["JUG-10", "MOKA-3", "MOKA-6", "JUG-05"]),
        ("8001234567894", "", ["PLATE"]),
        ("ZZZ", "Candle", []),
        ("", "", []),
        ("%", "_", []),
    ],
)
def test_closest_are_those_of_like_codes_and_titles(
    catalogue: None, code: str, title: str, likely: list[str]
) -> None:
    Barcode.objects.create(sku=make_sku("PLATE"), code="8001234567894")

    assert offered(Unknown(code, title)) == [likely]


def test_several_are_answered_in_their_sequence_by_two_statements(
    catalogue: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):
        found = offered(Unknown("plate!", ""), Unknown("", "?"), Unknown("MOKA 6", ""))

    assert found == [["PLATE"], [], ["MOKA-6", "MOKA-3"]]


def test_no_inactive_one_is_offered(catalogue: None) -> None:
    sku = make_sku("PLATE")
    sku.is_active = False
    sku.save()

    assert offered(Unknown("plate", "")) == [[]]


def test_likeliest_are_read_where_more_are_alike(monkeypatch: pytest.MonkeyPatch, catalogue: None) -> None:
    monkeypatch.setattr(closest, "MOST_READ", 1)

    assert offered(Unknown("moka6", "Jug")) == [["MOKA-6"]]
