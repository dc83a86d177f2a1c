"""Each unit gets a condition and a destination; stock follows, never twice."""

import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import IllegalTransition, InvalidInput, NotAllowed, NotFound
from config.kernel.models import Fact
from inventory.enums import MovementKind
from inventory.models import StockLevel, StockMovement
from returns.enums import Condition, Disposition, RmaStatus
from returns.errors import DamagedGoodsForSale, NoVerdict, UnitsContradict, UnitsUnknown
from returns.models import Rma
from returns.services.inspecting import Inspection, Verdict, inspect_returns, resolve_returns
from tests.factories.fulfillment import ACTOR
from tests.factories.returns import (
    AS_NEW,
    BROKEN,
    inspection,
    make_approved,
    make_inspected,
    make_received,
    units_of,
)
from tests.fulfillment.watching import nothing_written, statements

pytestmark = pytest.mark.django_db

REFURBISHED = Verdict(Condition.OPENED, Disposition.REFURBISH)
TO_VENDOR = Verdict(Condition.DEFECTIVE, Disposition.TO_VENDOR)


def figures(rma: Rma) -> tuple[int, int, int]:
    level = StockLevel.objects.get(sku__code="MUG", location=rma.location)
    moved = StockMovement.objects.filter(level=level)
    assert sum(moved.values_list("delta", flat=True)) == level.on_hand
    assert sum(moved.values_list("unsellable_delta", flat=True)) == level.unsellable
    return level.on_hand, level.unsellable, level.free


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [(AS_NEW, (1, 0, 1)), (BROKEN, (0, 0, 0)), (REFURBISHED, (1, 1, 0)), (TO_VENDOR, (1, 1, 0))],
)
def test_verdict_moves_the_unit_and_the_stock(verdict: Verdict, expected: tuple[int, int, int]) -> None:
    rma = make_received(1, {"MUG": 1})

    results = inspect_returns([inspection(rma, verdict)], actor=ACTOR)

    (unit,) = units_of(rma)
    rma.refresh_from_db()
    assert results.only() == 1
    assert (unit.condition, unit.disposition) == verdict
    assert figures(rma) == expected
    assert rma.status == RmaStatus.INSPECTED


def test_units_go_their_own_ways_in_one_inspection() -> None:
    rma = make_received(4, {"MUG": 4})

    inspect_returns([inspection(rma, AS_NEW, BROKEN, REFURBISHED, TO_VENDOR)], actor=ACTOR).raise_refusals()

    assert figures(rma) == (3, 2, 1)
    kinds = StockMovement.objects.filter(reference_kind="rma", reference_id=rma.pk)
    assert set(kinds.values_list("kind", flat=True)) == {
        MovementKind.RETURN,
        MovementKind.PUT_BACK,
        MovementKind.SCRAP,
    }


def test_return_is_inspected_when_the_last_unit_has_a_verdict() -> None:
    rma = make_received(2, {"MUG": 2})
    inspect_returns([inspection(rma, AS_NEW)], actor=ACTOR).raise_refusals()
    rma.refresh_from_db()
    assert rma.status == RmaStatus.RECEIVED

    inspect_returns([inspection(rma, AS_NEW, BROKEN)], actor=ACTOR).raise_refusals()

    rma.refresh_from_db()
    assert rma.status == RmaStatus.INSPECTED
    assert figures(rma) == (1, 0, 1)


def test_same_verdicts_twice_post_nothing_twice() -> None:
    rma = make_received(2, {"MUG": 2})
    found = inspection(rma, AS_NEW, BROKEN)
    inspect_returns([found], actor=ACTOR).raise_refusals()

    with nothing_written():
        again = inspect_returns([found], actor=ACTOR)

    assert again.unchanged_ids == [rma.pk]


def test_refurbished_unit_goes_back_for_sale_after_the_return_was_closed() -> None:
    rma = make_inspected(REFURBISHED)
    resolve_returns([rma.pk], actor=ACTOR).raise_refusals()

    inspect_returns([inspection(rma, AS_NEW)], actor=ACTOR).raise_refusals()

    rma.refresh_from_db()
    assert figures(rma) == (1, 0, 1)
    assert rma.status == RmaStatus.RESOLVED


def test_restocked_units_are_announced_as_free_again() -> None:
    rma = make_received(1)
    before = Fact.objects.filter(kind="stock.freed").count()

    inspect_returns([inspection(rma, AS_NEW)], actor=ACTOR).raise_refusals()

    assert Fact.objects.filter(kind="stock.freed").count() == before + 1


@pytest.mark.parametrize(
    ("verdict", "error"),
    [
        (Verdict("shiny", Disposition.RESTOCK), InvalidInput),
        (Verdict("", Disposition.RESTOCK), InvalidInput),
        (Verdict(Condition.AS_NEW, "sell"), InvalidInput),
        (Verdict(Condition.AS_NEW, Disposition.QUARANTINE), InvalidInput),
        (Verdict(Condition.DAMAGED, Disposition.RESTOCK), DamagedGoodsForSale),
        (Verdict(Condition.DEFECTIVE, Disposition.RESTOCK), DamagedGoodsForSale),
    ],
)
def test_verdict_that_makes_no_sense_is_refused(verdict: Verdict, error: type[Exception]) -> None:
    rma = make_received()

    with nothing_written():
        results = inspect_returns([inspection(rma, verdict)], actor=ACTOR)

    assert type(results.refusals[rma.pk]) is error


def test_inspection_without_a_verdict_is_refused() -> None:
    rma = make_received()

    with nothing_written():
        results = inspect_returns([Inspection(rma.pk)], actor=ACTOR)

    assert type(results.refusals[rma.pk]) is NoVerdict


def test_units_of_another_return_are_refused() -> None:
    rma, other = make_received(), make_received()

    with nothing_written():
        results = inspect_returns([Inspection(rma.pk, {units_of(other)[0].pk: AS_NEW})], actor=ACTOR)

    assert type(results.refusals[rma.pk]) is UnitsUnknown


def test_another_verdict_on_a_unit_that_went_is_refused() -> None:
    rma = make_inspected(AS_NEW)

    with nothing_written():
        results = inspect_returns([inspection(rma, BROKEN)], actor=ACTOR)

    assert type(results.refusals[rma.pk]) is UnitsContradict


def test_inspection_before_anything_arrived_is_refused() -> None:
    rma = make_approved()

    with nothing_written():
        results = inspect_returns([inspection(rma, AS_NEW), Inspection(987654, {1: AS_NEW})], actor=ACTOR)

    assert {key: type(error) for key, error in results.refusals.items()} == {
        rma.pk: IllegalTransition,
        987654: NotFound,
    }


def test_inspection_needs_its_own_permission_only() -> None:
    rma = make_received()
    found = inspection(rma, AS_NEW)

    with nothing_written(), pytest.raises(NotAllowed):
        inspect_returns([found], actor=Actor(ActorKind.USER, 1, "x", frozenset({"returns.receive_rma"})))

    may = Actor(ActorKind.USER, 1, "x", frozenset({"returns.inspect_rma"}))
    assert inspect_returns([found], actor=may).done_ids == [rma.pk]


def test_inspection_takes_as_many_statements_for_three_as_for_one() -> None:
    found = [inspection(make_received(2, {"MUG": 2}), AS_NEW, BROKEN) for _rma in range(4)]

    few = statements(lambda: inspect_returns(found[:1], actor=ACTOR))
    many = statements(lambda: inspect_returns(found[1:], actor=ACTOR))

    assert many == few
