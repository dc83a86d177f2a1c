"""receive_stock: done, refused, twice, who may."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import InvalidInput, NotAllowed, NotFound
from inventory.enums import BinKind
from inventory.errors import BinMissing, KitHoldsNoStock, LocationClosed
from inventory.models import Bin, BinStock, Location, MovementKey, Sku, StockLevel, StockMovement
from inventory.services.receiving import Receipt, receive_stock
from tests.factories.inventory import ACTOR, make_kit, make_location, make_sku

pytestmark = pytest.mark.django_db

CLERK = Actor(ActorKind.USER, 7, "clerk", frozenset({"inventory.receive_stock"}))
Freed = Callable[[], list[int]]


@pytest.fixture
def sku() -> Sku:
    return make_sku()


@pytest.fixture
def place() -> Location:
    return make_location()


def receive(*receipts: Receipt, actor: Actor = ACTOR):
    return receive_stock(receipts, reference=("stock_receipt", 5), actor=actor)


def test_receive_stock_new_sku_makes_level_bin_and_entry(sku: Sku, place: Location, freed: Freed) -> None:
    results = receive(Receipt("a", sku.pk, place.pk, 12), actor=CLERK)

    assert results.done_ids == ["a"]
    level = StockLevel.objects.get(sku=sku, location=place)
    assert (level.on_hand, level.reserved, level.unsellable, level.version) == (12, 0, 0, 2)
    entry = StockMovement.objects.get(level=level)
    assert (entry.kind, entry.delta, entry.balance_after) == ("receive", 12, 12)
    assert (entry.reference_kind, entry.reference_id) == ("stock_receipt", 5)
    assert (entry.actor_kind, entry.actor_id, entry.actor_label) == ("user", 7, "")
    assert BinStock.objects.get(level=level).bin.kind == BinKind.DEFAULT
    assert freed() == [sku.pk]


def test_receive_stock_two_lines_of_one_level_chains_balances(sku: Sku, place: Location) -> None:
    receive(Receipt("a", sku.pk, place.pk, 3), Receipt("b", sku.pk, place.pk, 4))

    level = StockLevel.objects.get(sku=sku)
    assert (level.on_hand, level.version) == (7, 2)
    assert list(StockMovement.objects.order_by("id").values_list("balance_after", flat=True)) == [3, 7]


def test_receive_stock_told_bin_puts_units_there(sku: Sku, place: Location) -> None:
    shelf = Bin.objects.create(location=place, code="A-01")

    receive(Receipt("a", sku.pk, place.pk, 5, bin_id=shelf.pk))

    assert BinStock.objects.get().bin == shelf


def test_receive_stock_same_key_twice_changes_nothing(sku: Sku, place: Location, freed: Freed) -> None:
    receive(Receipt("a", sku.pk, place.pk, 5))

    results = receive(Receipt("a", sku.pk, place.pk, 5))

    assert results.unchanged_ids == ["a"]
    assert StockLevel.objects.get(sku=sku).on_hand == 5
    assert StockMovement.objects.count() == 1
    assert freed() == [sku.pk]


def refused_receipts(sku: Sku, place: Location) -> dict[str, tuple[Receipt, type[Exception]]]:
    closed = make_location(is_active=False)
    without_bins = Location.objects.create(code="NOBIN", name="No bins")
    elsewhere = make_location()
    good = Receipt("x", sku.pk, place.pk, 1)
    quarantine = place.bins.get(kind=BinKind.QUARANTINE)
    return {
        "unknown sku": (replace(good, sku_id=0), NotFound),
        "unknown location": (replace(good, location_id=0), NotFound),
        "nothing": (replace(good, quantity=0), InvalidInput),
        "below nothing": (replace(good, quantity=-4), InvalidInput),
        "too much": (replace(good, quantity=1_000_001), InvalidInput),
        "kit": (replace(good, sku_id=make_kit({sku: 2}).pk), KitHoldsNoStock),
        "closed": (replace(good, location_id=closed.pk), LocationClosed),
        "no default bin": (replace(good, location_id=without_bins.pk), BinMissing),
        "foreign bin": (replace(good, bin_id=elsewhere.bins.get(kind="default").pk), InvalidInput),
        "quarantine bin": (replace(good, bin_id=quarantine.pk), InvalidInput),
        "no key": (replace(good, key=""), InvalidInput),
        "long key": (replace(good, key="k" * 101), InvalidInput),
    }


REFUSED = (
    "unknown sku", "unknown location", "nothing", "below nothing", "too much", "kit", "closed",
    "no default bin", "foreign bin", "quarantine bin", "no key", "long key",
)  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_receive_stock_unfit_line_is_refused_alone(
    sku: Sku, place: Location, freed: Freed, case: str
) -> None:
    receipt, error = refused_receipts(sku, place)[case]

    alone = receive(receipt)

    assert isinstance(alone.refusals[receipt.key], error)
    assert str(alone.refusals[receipt.key])
    assert not StockMovement.objects.exists()
    assert not MovementKey.objects.exists()
    assert freed() == []

    together = receive(receipt, Receipt("good", sku.pk, place.pk, 2))

    assert together.done_ids == ["good"]
    assert StockLevel.objects.get(sku=sku, location=place).on_hand == 2


def test_receive_stock_without_permission_is_refused(sku: Sku, place: Location, freed: Freed) -> None:
    nobody = Actor(ActorKind.USER, 8, "x", frozenset({"inventory.view_stocklevel"}))

    with pytest.raises(NotAllowed):
        receive(Receipt("a", sku.pk, place.pk, 5), actor=nobody)

    assert not StockLevel.objects.exists()
    assert freed() == []
