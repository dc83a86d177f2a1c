"""A SKU that orders or returns still need stays what it is; one that became a kit all the same spoils only its own."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from config.kernel.audit import run_audit
from config.kernel.errors import BancaleError
from inventory.errors import KitHoldsNoStock
from inventory.models import Sku
from inventory.services.catalogue import PartOfKit, save_kits
from orders.changes import SetQuantity
from orders.errors import SkuOrdered
from orders.models import AllocationDecision, LinePart, Order
from orders.services.allocating import allocate_orders
from orders.services.cancelling import cancel_orders
from orders.services.proposals.confirming import confirm_proposals
from orders.services.proposals.previewing import preview_proposal
from orders.services.proposals.wishes import NewLine
from tests.factories.fulfillment import make_delivered
from tests.factories.inventory import ACTOR, make_kit, make_location, make_sku, receive
from tests.factories.orders import make_order, neutral_line
from tests.factories.proposals import propose

pytestmark = pytest.mark.django_db


def save(sku: Sku, part: Sku) -> BancaleError | None:
    """Make a SKU a kit of another one; the refusal, or None."""
    return save_kits([sku.pk], parts={sku.pk: [PartOfKit(part.pk)]}, actor=ACTOR).refusals.get(sku.pk)


def become_kit(sku: Sku, part: Sku) -> None:
    """As when its order was accepted at that very moment, which no lock keeps apart."""
    Sku.objects.filter(pk=sku.pk).update(is_kit=True)
    sku.kit_parts.create(part=part)


def broken() -> list[str]:
    return [found.invariant.code for found in run_audit() if found.violations]


@pytest.fixture
def tin() -> Sku:
    sku = make_sku("TIN")
    receive(sku, make_location("NEAR"), 5)
    return sku


def test_save_kits_refuses_a_sku_that_an_open_order_asks_for(tin: Sku) -> None:
    order = make_order(lines=(neutral_line("MUG", 2),))
    mug = Sku.objects.get(code="MUG")

    refusal = save(mug, tin)

    assert isinstance(refusal, SkuOrdered)
    assert str(refusal) == "Open orders still ask for MUG (2), so it cannot become a kit."
    mug.refresh_from_db()
    assert not mug.is_kit
    cancel_orders([order.pk], reason="test", actor=ACTOR).raise_refusals()
    assert save(mug, tin) is None


def test_save_kits_refuses_the_part_of_a_kit_that_an_open_order_asks_for(tin: Sku) -> None:
    mug, pair = make_sku("MUG"), make_sku("PAIR")
    make_order(lines=(neutral_line("PAIR", 2),))
    pair_part = LinePart.objects.get()
    LinePart.objects.filter(pk=pair_part.pk).update(sku=mug)

    assert isinstance(save(mug, tin), SkuOrdered)
    assert save(pair, tin) is None, "a line that is frozen of other parts does not need it"


def test_save_kits_lets_shipped_and_past_orders_be(tin: Sku) -> None:
    make_delivered({"MUG": 1})
    make_order(lines=(neutral_line("MUG", 1),), is_history=True)
    make_order(lines=(neutral_line("MUG", 1, requires_shipping=False),))

    assert save(Sku.objects.get(code="MUG"), tin) is None


def test_kit_that_orders_ask_for_by_its_parts_may_be_changed(tin: Sku) -> None:
    kit = make_kit({tin: 1}, code="SET")
    make_order(lines=(neutral_line("SET", 1),))

    assert save(kit, make_sku("LID")) is None


def test_allocate_refuses_only_the_order_whose_sku_became_a_kit(tin: Sku) -> None:
    bad = make_order(lines=(neutral_line("TIN", 1), neutral_line("MUG", 1)))
    good = make_order(lines=(neutral_line("TIN", 1),))
    become_kit(Sku.objects.get(code="MUG"), tin)

    results = allocate_orders([bad.pk, good.pk], actor=ACTOR)

    assert results.done_ids == [good.pk]
    assert str(results.refusals[bad.pk]) == "MUG is a kit: its parts hold the stock."
    assert list(AllocationDecision.objects.values_list("order", flat=True)) == [good.pk]
    assert sorted(LinePart.objects.values_list("line__order", "allocated")) == [
        (bad.pk, 0),
        (bad.pk, 0),
        (good.pk, 1),
    ]
    assert broken() == []


def test_allocate_refuses_a_kit_that_had_stock_before(tin: Sku) -> None:
    """It has a level, of nothing."""
    order = make_order(lines=(neutral_line("MUG", 1),))
    mug = Sku.objects.get(code="MUG")
    mug.levels.create(location=tin.levels.get().location)
    become_kit(mug, tin)

    results = allocate_orders([order.pk], actor=ACTOR)

    assert isinstance(results.refusals[order.pk], KitHoldsNoStock)


More = Callable[[Order, Sku], Any]


@pytest.mark.parametrize(
    "more",
    [
        lambda order, mug: SetQuantity(order.lines.get().pk, 3),
        lambda order, mug: NewLine(mug.pk, 1, Decimal(2)),
    ],
    ids=["more units", "new line"],
)
def test_change_that_asks_for_more_of_it_is_refused_beside_a_good_one(tin: Sku, more: More) -> None:
    bad, good = make_order(lines=(neutral_line("MUG", 2),)), make_order(lines=(neutral_line("TIN", 1),))
    mug = Sku.objects.get(code="MUG")
    receive(mug, tin.levels.get().location, 1)
    allocate_orders([bad.pk, good.pk], actor=ACTOR).raise_refusals()
    asked = [propose(bad, more(bad, mug)), propose(good, SetQuantity(good.lines.get().pk, 2))]
    become_kit(mug, tin)

    previewed = preview_proposal(asked[0], bad)
    results = confirm_proposals([one.pk for one in asked], actor=ACTOR)

    assert results.done_ids == [asked[1].pk]
    assert isinstance(results.refusals[asked[0].pk], KitHoldsNoStock)
    assert isinstance(previewed.planned.refusal, KitHoldsNoStock)
    assert LinePart.objects.get(line__order=good).allocated == 2
