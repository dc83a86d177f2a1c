"""Units stay set aside for another reason: for sale at no moment, and nobody's promise hears of it."""

from collections.abc import Callable
from typing import Any

import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import InvalidInput, NotAllowed, NotFound
from config.kernel.results import Results
from inventory.enums import UnsellableReason
from inventory.errors import KitHoldsNoStock, NotEnoughUnsellable
from inventory.models import (
    BinStock,
    Location,
    Sku,
    StockAdjustment,
    StockLevel,
    StockMovement,
    UnsellableStock,
)
from inventory.selectors.stock import available_to_sell
from inventory.selectors.waterfall import waterfall
from inventory.services.returning import ReturnedGoods
from inventory.services.setting_aside import Aside, change_reason, put_back, set_aside
from inventory.services.undoing import undo_adjustments
from tests.factories.inventory import ACTOR, make_kit, make_level, make_location, make_sku, reserve
from tests.inventory.test_correcting import NOBODY

pytestmark = pytest.mark.django_db

R = UnsellableReason
Audit = Callable[[], dict[str, list[str]]]
CLERK = Actor(ActorKind.USER, 7, "clerk", frozenset({"inventory.set_aside_stock"}))


@pytest.fixture
def sku() -> Sku:
    return make_sku()


@pytest.fixture
def place(sku: Sku) -> Location:
    """Ten units, four of them damaged."""
    place = make_location()
    make_level(sku, place, 10)
    set_aside([Aside("a", sku.pk, place.pk, 4)], reason=R.DAMAGED, note="Wet", actor=ACTOR).raise_refusals()
    return place


def change(
    sku: Sku, place: Location, units: int, key: str = "k", actor: Actor = ACTOR, **more: Any
) -> Results[str]:
    why: dict[str, Any] = {"reason": R.DAMAGED, "becomes": R.QUARANTINE, "note": "For the maker"} | more
    return change_reason([ReturnedGoods(key, sku.pk, place.pk, units)], actor=actor, **why)


def asides() -> dict[str, int]:
    return dict(UnsellableStock.objects.values_list("reason", "quantity"))


def test_change_reason_moves_units_under_it_and_frees_none(
    sku: Sku, place: Location, audit: Audit, freed: Callable[[], list[int]]
) -> None:
    reserve(sku, place, 6, reference_id=1)
    reserve(sku, None, 2, reference_id=2)
    heard = freed()

    results = change(sku, place, 3, actor=CLERK)

    assert results.done_ids == ["k"]
    assert asides() == {"damaged": 1, "quarantine": 3}
    level = StockLevel.objects.get()
    assert (level.on_hand, level.reserved, level.unsellable, level.free) == (10, 6, 4, 0)
    assert dict(BinStock.objects.values_list("bin__kind", "quantity")) == {"default": 6, "quarantine": 4}
    assert available_to_sell([sku.pk]) == {sku.pk: waterfall(sku.pk).available} == {sku.pk: 0}
    assert freed() == heard
    document = StockAdjustment.objects.get(kind="other_reason")
    entries = StockMovement.objects.filter(reference_id=document.pk, reference_kind="stock_adjustment")
    columns = (
        "kind",
        "delta",
        "unsellable_delta",
        "unsellable_reason",
        "balance_after",
        "bin__kind",
        "reason",
    )
    assert list(entries.order_by("pk").values_list(*columns)) == [
        ("other_reason", 0, -3, "damaged", 10, "quarantine", "For the maker"),
        ("other_reason", 0, 3, "quarantine", 10, "quarantine", "For the maker"),
    ]
    assert audit() == {}


def test_change_reason_twice_changes_nothing(sku: Sku, place: Location) -> None:
    change(sku, place, 2)
    moved = StockMovement.objects.count()

    results = change(sku, place, 2)

    assert results.unchanged_ids == ["k"]
    assert asides() == {"damaged": 2, "quarantine": 2}
    assert (StockMovement.objects.count(), StockAdjustment.objects.count()) == (moved, 2)


def test_change_reason_key_is_apart_from_that_of_putting_back(sku: Sku, place: Location) -> None:
    put_back(
        [ReturnedGoods("k", sku.pk, place.pk, 1)], reason=R.DAMAGED, note="x", actor=ACTOR
    ).raise_refusals()

    assert change(sku, place, 1).done_ids == ["k"]


def test_change_reason_refusals_write_nothing(sku: Sku, place: Location) -> None:
    before = (StockMovement.objects.count(), StockAdjustment.objects.count())
    unknown, kit = Sku(pk=0), make_kit({sku: 1})

    for about, units, error in (
        (unknown, 1, NotFound),
        (kit, 1, KitHoldsNoStock),
        (sku, 0, InvalidInput),
        (sku, 5, NotEnoughUnsellable),
        (make_sku(), 1, NotEnoughUnsellable),
    ):
        assert isinstance(change(about, place, units).refusals["k"], error)
    refusal = change(sku, place, 1, reason=R.TO_PUT_BACK).refusals["k"]
    assert refusal.facts == {"found": 0, "asked": 1}
    bound = Actor(ActorKind.USER, 1, "x", None, frozenset({make_location().pk}))
    assert isinstance(change(sku, place, 1, actor=bound).refusals["k"], NotFound)
    assert (StockMovement.objects.count(), StockAdjustment.objects.count()) == before
    assert asides() == {"damaged": 4}


def test_change_reason_line_by_line_as_far_as_units_reach(sku: Sku, place: Location) -> None:
    lines = [ReturnedGoods(key, sku.pk, place.pk, 3) for key in ("a", "b")]

    results = change_reason(lines, reason=R.DAMAGED, becomes=R.QUARANTINE, note="x", actor=ACTOR)

    assert results.done_ids == ["a"]
    assert results.refusals["b"].facts == {"found": 1, "asked": 3}
    assert asides() == {"damaged": 1, "quarantine": 3}


def test_change_reason_asks_for_the_right_a_note_and_another_reason(sku: Sku, place: Location) -> None:
    moved = StockMovement.objects.count()

    with pytest.raises(NotAllowed):
        change(sku, place, 1, actor=NOBODY)
    for words in ("", "  ", "x" * 121):
        with pytest.raises(InvalidInput):
            change(sku, place, 1, note=words)
    with pytest.raises(InvalidInput) as refusal:
        change(sku, place, 1, becomes=R.DAMAGED)

    assert refusal.value.facts["field"] == "From now on as"
    assert refusal.value.facts["value"] == "Damaged"
    assert StockMovement.objects.count() == moved


def test_change_reason_in_a_closed_location_goes_on(sku: Sku, place: Location, audit: Audit) -> None:
    Location.objects.filter(pk=place.pk).update(is_active=False)

    assert change(sku, place, 4).done_ids == ["k"]
    assert asides() == {"damaged": 0, "quarantine": 4}
    assert audit() == {}


def test_undo_of_another_reason_is_refused_once_the_units_are_gone(
    sku: Sku, place: Location, audit: Audit
) -> None:
    change(sku, place, 3)
    document = StockAdjustment.objects.get(kind="other_reason").pk
    leaving = [ReturnedGoods("l", sku.pk, place.pk, 1)]
    put_back(leaving, reason=R.QUARANTINE, note="x", actor=ACTOR).raise_refusals()

    refusal = undo_adjustments([document], reason="x", actor=ACTOR).refusals[document]

    assert isinstance(refusal, NotEnoughUnsellable)
    assert refusal.facts == {"found": 2, "asked": 3}
    assert asides() == {"damaged": 1, "quarantine": 2}
    assert audit() == {}


def test_undo_of_setting_aside_waits_for_the_undo_of_another_reason(
    sku: Sku, place: Location, audit: Audit
) -> None:
    first = StockAdjustment.objects.get().pk
    change(sku, place, 3)
    second = StockAdjustment.objects.get(kind="other_reason").pk

    assert isinstance(undo_adjustments([first], reason="x", actor=ACTOR).refusals[first], NotEnoughUnsellable)
    assert undo_adjustments([second, first], reason="x", actor=ACTOR).done_ids == [second, first]
    assert asides() == {"damaged": 0, "quarantine": 0}
    assert StockLevel.objects.get().free == 10
    assert audit() == {}
