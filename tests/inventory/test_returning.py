"""Returned goods: into quarantine, for sale again, to scrap."""

from collections.abc import Callable

import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import InvalidInput, NotAllowed, NotFound
from config.kernel.results import Results
from inventory.enums import BinKind
from inventory.errors import KitHoldsNoStock, LocationClosed, NotEnoughUnsellable
from inventory.models import BinStock, Location, Sku, StockLevel, StockMovement, UnsellableStock
from inventory.selectors.stock import available_to_sell
from inventory.services.returning import (
    ReturnedGoods,
    put_back_for_sale,
    scrap_unsellable,
    take_back_into_quarantine,
)
from tests.factories.inventory import ACTOR, make_kit, make_location, make_sku

pytestmark = pytest.mark.django_db

CLERK = Actor(ActorKind.USER, 7, "clerk", frozenset({"inventory.return_stock"}))
NOBODY = Actor(ActorKind.USER, 8, "x", frozenset())
Verb = Callable[..., Results[str]]
Freed = Callable[[], list[int]]
VERBS = [take_back_into_quarantine, put_back_for_sale, scrap_unsellable]


@pytest.fixture
def sku() -> Sku:
    return make_sku()


@pytest.fixture
def place() -> Location:
    return make_location()


def act(verb: Verb, sku: Sku, place: Location, quantity: int, key: str = "line:1", actor: Actor = ACTOR):
    goods = [ReturnedGoods(key, sku.pk, place.pk, quantity)]
    return verb(goods, reference=("return", 3), actor=actor)


def figures(sku: Sku) -> tuple[int, int, int]:
    level = StockLevel.objects.get(sku=sku)
    return level.on_hand, level.unsellable, level.free


def bins(sku: Sku) -> dict[str, int]:
    rows = BinStock.objects.filter(level__sku=sku, quantity__gt=0)
    return {row.bin.kind: row.quantity for row in rows.select_related("bin")}


def test_take_back_into_quarantine_counts_units_in_but_not_for_sale(
    sku: Sku, place: Location, freed: Freed
) -> None:
    results = act(take_back_into_quarantine, sku, place, 3, actor=CLERK)

    assert results.done_ids == ["line:1"]
    assert figures(sku) == (3, 3, 0)
    assert bins(sku) == {BinKind.QUARANTINE: 3}
    assert UnsellableStock.objects.get().quantity == 3
    assert available_to_sell([sku.pk]) == {sku.pk: 0}
    assert freed() == []


def test_put_back_for_sale_moves_units_to_the_default_bin(
    sku: Sku, place: Location, freed: Freed, audit: Callable[[], dict[str, list[str]]]
) -> None:
    act(take_back_into_quarantine, sku, place, 3)

    results = act(put_back_for_sale, sku, place, 2, actor=CLERK)

    assert results.done_ids == ["line:1"]
    assert figures(sku) == (3, 1, 2)
    assert bins(sku) == {BinKind.QUARANTINE: 1, BinKind.DEFAULT: 2}
    steps = StockMovement.objects.order_by("id").values_list(
        "kind", "delta", "unsellable_delta", "balance_after"
    )
    assert list(steps) == [("return", 3, 3, 3), ("put_back", -2, -2, 1), ("put_back", 2, 0, 3)]
    assert freed() == [sku.pk]
    assert audit() == {}


def test_scrap_unsellable_writes_units_off(
    sku: Sku, place: Location, freed: Freed, audit: Callable[[], dict[str, list[str]]]
) -> None:
    act(take_back_into_quarantine, sku, place, 3)

    results = act(scrap_unsellable, sku, place, 3, actor=CLERK)

    assert results.done_ids == ["line:1"]
    assert figures(sku) == (0, 0, 0)
    assert bins(sku) == {}
    assert freed() == []
    assert audit() == {}


@pytest.mark.parametrize("verb", VERBS)
def test_same_key_twice_changes_nothing(sku: Sku, place: Location, verb: Verb) -> None:
    act(take_back_into_quarantine, sku, place, 9, key="first")
    act(verb, sku, place, 2)
    before = figures(sku)

    results = act(verb, sku, place, 2)

    assert results.unchanged_ids == ["line:1"]
    assert figures(sku) == before


@pytest.mark.parametrize("verb", VERBS)
def test_without_permission_nothing_is_written(sku: Sku, place: Location, verb: Verb) -> None:
    with pytest.raises(NotAllowed):
        act(verb, sku, place, 1, actor=NOBODY)

    assert not StockMovement.objects.exists()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("case", ["unknown", "quantity", "kit"])
def test_unfit_line_is_refused(sku: Sku, place: Location, freed: Freed, verb: Verb, case: str) -> None:
    kit = make_kit({sku: 1})
    unknown = Sku(pk=0)
    named = {
        "unknown": (unknown, 1, NotFound),
        "quantity": (sku, 0, InvalidInput),
        "kit": (kit, 1, KitHoldsNoStock),
    }
    about, quantity, error = named[case]

    results = act(verb, about, place, quantity)

    assert isinstance(results.refusals["line:1"], error)
    assert not StockMovement.objects.exists()
    assert freed() == []


def test_take_back_into_closed_location_is_refused(sku: Sku) -> None:
    results = act(take_back_into_quarantine, sku, make_location(is_active=False), 1)

    assert isinstance(results.refusals["line:1"], LocationClosed)


@pytest.mark.parametrize("verb", [put_back_for_sale, scrap_unsellable])
def test_more_than_in_quarantine_is_refused_line_by_line(sku: Sku, place: Location, verb: Verb) -> None:
    act(take_back_into_quarantine, sku, place, 3)
    lines = [ReturnedGoods(key, sku.pk, place.pk, 2) for key in ("a", "b")]

    results = verb(lines, reference=("return", 3), actor=ACTOR)

    assert results.done_ids == ["a"]
    assert isinstance(results.refusals["b"], NotEnoughUnsellable)
    assert results.refusals["b"].facts == {"found": 1, "asked": 2}
    assert UnsellableStock.objects.get().quantity == 1
