"""Correcting, setting aside, putting back, writing off, and moving between bins."""

from collections.abc import Callable

import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import BancaleError, InvalidInput, NotAllowed, NotFound
from inventory.enums import BinKind, MovementKind, UnsellableReason
from inventory.errors import (
    KitHoldsNoStock,
    LocationClosed,
    NotEnoughInBin,
    NotEnoughStock,
    NotEnoughUnsellable,
)
from inventory.models import Bin, BinStock, Location, Sku, StockAdjustment, StockLevel, StockMovement
from inventory.services.binning import BinMove, move_bin
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.returning import ReturnedGoods
from inventory.services.setting_aside import Aside, put_back, set_aside, write_off
from tests.factories.inventory import ACTOR, make_kit, make_level, make_location, make_sku

pytestmark = pytest.mark.django_db
DAMAGED = UnsellableReason.DAMAGED
NOBODY = Actor(ActorKind.USER, 1, "x", frozenset())


@pytest.fixture
def sku() -> Sku:
    return make_sku()


@pytest.fixture
def place() -> Location:
    return make_location()


def shelf(place: Location, code: str = "S1") -> Bin:
    return Bin.objects.create(location=place, code=code, kind=BinKind.SHELF)


def figures(sku: Sku, place: Location) -> tuple[int, int, int]:
    level = StockLevel.objects.get(sku=sku, location=place)
    return level.on_hand, level.reserved, level.unsellable


def correct(sku: Sku, place: Location, delta: int, key: str = "k", bin_id: int | None = None) -> None:
    line = Adjustment(key, sku.pk, place.pk, delta, bin_id)
    adjust_stock([line], reason="Counted again", actor=ACTOR).raise_refusals()


def test_adjust_stock_adds_and_takes_off_with_one_document(
    sku: Sku, place: Location, audit: Callable[[], dict], freed: Callable[[], list[int]]
) -> None:
    other = make_sku()
    make_level(other, place, 10)
    before = len(freed())

    results = adjust_stock(
        [Adjustment("a", sku.pk, place.pk, 4), Adjustment("b", other.pk, place.pk, -3)],
        reason=" Counted again ",
        actor=ACTOR,
    )

    assert results.done_ids == ["a", "b"]
    assert figures(sku, place) == (4, 0, 0)
    assert figures(other, place) == (7, 0, 0)
    document = StockAdjustment.objects.get()
    assert (document.kind, document.reason, document.actor_label) == ("correction", "Counted again", "test")
    entries = StockMovement.objects.filter(kind=MovementKind.CORRECTION).order_by("delta")
    assert [(row.delta, row.reference_kind, row.reference_id) for row in entries] == [
        (-3, "stock_adjustment", document.pk),
        (4, "stock_adjustment", document.pk),
    ]
    assert freed()[before:] == [sku.pk]
    assert audit() == {}


def test_adjust_stock_twice_changes_nothing(sku: Sku, place: Location) -> None:
    correct(sku, place, 4)

    results = adjust_stock([Adjustment("k", sku.pk, place.pk, 4)], reason="Again", actor=ACTOR)

    assert results.unchanged_ids == ["k"]
    assert figures(sku, place) == (4, 0, 0)
    assert StockAdjustment.objects.count() == 1


def test_adjust_stock_names_the_given_reference(sku: Sku, place: Location) -> None:
    line = Adjustment("k", sku.pk, place.pk, 2)

    adjust_stock([line], reason="Found", actor=ACTOR, reference=("stock_count", 7))

    assert not StockAdjustment.objects.exists()
    entry = StockMovement.objects.get()
    assert (entry.reference_kind, entry.reference_id, entry.reason) == ("stock_count", 7, "Found")


def test_adjust_stock_empties_the_default_bin_first_and_a_named_bin_alone(
    sku: Sku, place: Location, audit: Callable[[], dict]
) -> None:
    correct(sku, place, 5, "one")
    correct(sku, place, 6, "two", shelf(place).pk)

    correct(sku, place, -7, "three")
    assert dict(BinStock.objects.values_list("bin__code", "quantity")) == {"DEFAULT": 0, "S1": 4}

    correct(sku, place, -1, "four", Bin.objects.get(code="S1").pk)
    assert dict(BinStock.objects.values_list("bin__code", "quantity")) == {"DEFAULT": 0, "S1": 3}
    assert audit() == {}


def test_adjust_stock_refusals_write_nothing(sku: Sku, place: Location) -> None:
    make_level(sku, place, 3)
    closed, kit = make_location(is_active=False), make_kit({make_sku(): 1})
    quarantine = Bin.objects.get(location=place, kind=BinKind.QUARANTINE)
    lines: dict[str, tuple[Adjustment, type[BancaleError]]] = {
        "gone": (Adjustment("gone", 0, place.pk, 1), NotFound),
        "kit": (Adjustment("kit", kit.pk, place.pk, 1), KitHoldsNoStock),
        "closed": (Adjustment("closed", sku.pk, closed.pk, 1), LocationClosed),
        "none": (Adjustment("none", sku.pk, place.pk, 0), InvalidInput),
        "more": (Adjustment("more", sku.pk, place.pk, -4), NotEnoughStock),
        "nowhere": (Adjustment("nowhere", make_sku().pk, place.pk, -1), NotEnoughStock),
        "bin": (Adjustment("bin", sku.pk, place.pk, -1, quarantine.pk), InvalidInput),
        "empty": (Adjustment("empty", sku.pk, place.pk, -1, shelf(place).pk), NotEnoughInBin),
    }
    before = StockMovement.objects.count()

    results = adjust_stock([line for line, _error in lines.values()], reason="x", actor=ACTOR)

    assert {key: type(error) for key, error in results.refusals.items()} == {
        key: error for key, (_line, error) in lines.items()
    }
    assert StockMovement.objects.count() == before
    assert not StockAdjustment.objects.exists()


def test_stock_verbs_need_their_right_and_a_reason(sku: Sku, place: Location) -> None:
    line, aside = Adjustment("k", sku.pk, place.pk, 1), Aside("k", sku.pk, place.pk, 1)
    goods = ReturnedGoods("k", sku.pk, place.pk, 1)

    with pytest.raises(NotAllowed):
        adjust_stock([line], reason="x", actor=NOBODY)
    with pytest.raises(NotAllowed):
        set_aside([aside], reason=DAMAGED, note="x", actor=NOBODY)
    with pytest.raises(NotAllowed):
        put_back([goods], reason=DAMAGED, note="x", actor=NOBODY)
    with pytest.raises(NotAllowed):
        write_off([goods], reason=DAMAGED, note="x", actor=NOBODY)
    with pytest.raises(NotAllowed):
        move_bin([BinMove("k", sku.pk, place.pk, 1, 2, 1)], actor=NOBODY)
    for words in ("", "  ", "x" * 121):
        with pytest.raises(InvalidInput):
            adjust_stock([line], reason=words, actor=ACTOR)
        with pytest.raises(InvalidInput):
            set_aside([aside], reason=DAMAGED, note=words, actor=ACTOR)
    assert not StockMovement.objects.exists()


def test_set_aside_and_back_again(
    sku: Sku, place: Location, audit: Callable[[], dict], freed: Callable[[], list[int]]
) -> None:
    make_level(sku, place, 10)

    results = set_aside([Aside("a", sku.pk, place.pk, 4)], reason=DAMAGED, note="Wet", actor=ACTOR)

    assert results.done_ids == ["a"]
    assert figures(sku, place) == (10, 0, 4)
    assert dict(BinStock.objects.values_list("bin__kind", "quantity")) == {"default": 6, "quarantine": 4}
    again = set_aside([Aside("a", sku.pk, place.pk, 4)], reason=DAMAGED, note="Wet", actor=ACTOR)
    assert again.unchanged_ids == ["a"]

    before = len(freed())
    put_back([ReturnedGoods("a", sku.pk, place.pk, 1)], reason=DAMAGED, note="Dry", actor=ACTOR).only()
    assert figures(sku, place) == (10, 0, 3)
    assert freed()[before:] == [sku.pk]

    write_off([ReturnedGoods("a", sku.pk, place.pk, 2)], reason=DAMAGED, note="Rotten", actor=ACTOR).only()
    assert figures(sku, place) == (8, 0, 1)
    kinds = StockAdjustment.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["set_aside", "put_back", "scrap"]
    assert audit() == {}


def test_put_back_of_another_reason_is_refused(sku: Sku, place: Location) -> None:
    make_level(sku, place, 10)
    set_aside([Aside("a", sku.pk, place.pk, 4)], reason=DAMAGED, note="Wet", actor=ACTOR).only()
    goods = [ReturnedGoods("b", sku.pk, place.pk, 1)]

    for verb in (put_back, write_off):
        results = verb(goods, reason=UnsellableReason.QUARANTINE, note="x", actor=ACTOR)
        assert isinstance(results.refusals["b"], NotEnoughUnsellable)
    assert figures(sku, place) == (10, 0, 4)
    assert StockAdjustment.objects.count() == 1


def test_set_aside_refuses_more_than_is_for_sale(sku: Sku, place: Location) -> None:
    make_level(sku, place, 3)
    lines = [
        Aside("more", sku.pk, place.pk, 4),
        Aside("nowhere", make_sku().pk, place.pk, 1),
        Aside("empty", sku.pk, place.pk, 1, shelf(place).pk),
        Aside("fits", sku.pk, place.pk, 3),
    ]

    results = set_aside(lines, reason=DAMAGED, note="x", actor=ACTOR)

    assert results.done_ids == ["fits"]
    assert {key: type(error) for key, error in results.refusals.items()} == {
        "more": NotEnoughStock,
        "nowhere": NotEnoughStock,
        "empty": NotEnoughInBin,
    }


def test_move_bin_keeps_the_level(sku: Sku, place: Location, audit: Callable[[], dict]) -> None:
    make_level(sku, place, 5)
    default, far = Bin.objects.get(location=place, kind=BinKind.DEFAULT), shelf(place)
    move = BinMove("m", sku.pk, place.pk, default.pk, far.pk, 2)

    assert move_bin([move], actor=ACTOR, reason="Tidy").done_ids == ["m"]
    assert move_bin([move], actor=ACTOR).unchanged_ids == ["m"]

    assert figures(sku, place) == (5, 0, 0)
    assert dict(BinStock.objects.values_list("bin", "quantity")) == {default.pk: 3, far.pk: 2}
    assert StockAdjustment.objects.get().kind == "move"
    assert audit() == {}


def test_move_bin_refusals_write_nothing(sku: Sku, place: Location) -> None:
    make_level(sku, place, 5)
    default, far = Bin.objects.get(location=place, kind=BinKind.DEFAULT), shelf(place)
    elsewhere = shelf(make_location())
    quarantine = Bin.objects.get(location=place, kind=BinKind.QUARANTINE)
    moves = [
        BinMove("same", sku.pk, place.pk, far.pk, far.pk, 1),
        BinMove("more", sku.pk, place.pk, default.pk, far.pk, 6),
        BinMove("elsewhere", sku.pk, place.pk, default.pk, elsewhere.pk, 1),
        BinMove("quarantine", sku.pk, place.pk, default.pk, quarantine.pk, 1),
        BinMove("nothing", sku.pk, place.pk, default.pk, far.pk, 0),
        BinMove("unknown", make_sku().pk, place.pk, default.pk, far.pk, 1),
    ]

    results = move_bin(moves, actor=ACTOR)

    assert {key: type(error) for key, error in results.refusals.items()} == {
        "same": InvalidInput,
        "more": NotEnoughInBin,
        "elsewhere": InvalidInput,
        "quarantine": InvalidInput,
        "nothing": InvalidInput,
        "unknown": NotEnoughInBin,
    }
    assert not StockAdjustment.objects.exists()
