"""Units of a return stay in quarantine until it is inspected, and one return short of units costs no other its own."""

from contextlib import AbstractContextManager
from functools import partial
from unittest import mock

import pytest

from config.kernel.audit import run_audit
from inventory import undecided
from inventory.enums import UnsellableReason
from inventory.errors import NotEnoughUnsellable, UnitsToInspect
from inventory.models import StockAdjustment, StockLevel
from inventory.services.returning import ReturnedGoods
from inventory.services.setting_aside import Aside, change_reason, put_back, set_aside, write_off
from inventory.services.undoing import undo_adjustments
from returns.enums import Condition, Disposition, RmaStatus
from returns.models import ReturnUnit, Rma
from returns.services.inspecting import Verdict, inspect_returns
from tests.factories.fulfillment import ACTOR
from tests.factories.inventory import receive
from tests.factories.returns import AS_NEW, BROKEN, inspection, make_received, units_of
from tests.fulfillment.watching import nothing_written

pytestmark = pytest.mark.django_db

QUARANTINE = UnsellableReason.QUARANTINE
LEAVE = [put_back, write_off, partial(change_reason, becomes=UnsellableReason.DAMAGED)]


def at_desk(verb, rma: Rma, units: int = 1, key: str = "x"):
    (sku_id,) = {unit.line_part.sku_id for unit in units_of(rma)}
    goods = [ReturnedGoods(key, sku_id, rma.location_id, units)]
    return verb(goods, reason=QUARANTINE, note="looked at", actor=ACTOR)


def unguarded() -> AbstractContextManager[object]:
    return mock.patch.object(undecided, "_readers", [])


def broken() -> set[str]:
    return {finding.invariant.code for finding in run_audit() if finding.violations}


def figures(rma: Rma) -> tuple[int, int]:
    level = StockLevel.objects.get(sku__code="MUG", location=rma.location)
    return level.on_hand, level.unsellable


@pytest.mark.parametrize("verb", LEAVE)
def test_units_that_nobody_has_inspected_stay(verb) -> None:
    rma = make_received(2, {"MUG": 2})

    with nothing_written():
        refusal = at_desk(verb, rma).refusals["x"]

    assert isinstance(refusal, UnitsToInspect)
    assert refusal.facts == {"sku": "MUG", "kept": 2, "found": 0, "asked": 1}
    inspect_returns([inspection(rma, AS_NEW, BROKEN)], actor=ACTOR).raise_refusals()
    assert figures(rma) == (1, 0)
    assert broken() == set()


@pytest.mark.parametrize("verb", LEAVE)
def test_without_the_refusal_the_units_of_a_return_would_be_gone(verb) -> None:
    rma = make_received(1, {"MUG": 1})

    with unguarded():
        at_desk(verb, rma).raise_refusals()

    assert broken() == {"returns.quarantine"}
    refusal = inspect_returns([inspection(rma, AS_NEW)], actor=ACTOR).refusals[rma.pk]
    assert isinstance(refusal, NotEnoughUnsellable)


def test_units_beside_those_of_a_return_leave() -> None:
    rma = make_received(1, {"MUG": 1})
    (unit,) = units_of(rma)
    receive(unit.line_part.sku, rma.location, 2)
    asides = [Aside("a", unit.line_part.sku_id, rma.location_id, 2)]
    set_aside(asides, reason=QUARANTINE, note="wet", actor=ACTOR).raise_refusals()

    assert at_desk(put_back, rma, 3).refusals["x"].facts == {
        "sku": "MUG",
        "kept": 1,
        "found": 2,
        "asked": 3,
    }
    at_desk(put_back, rma, 2, "y").raise_refusals()

    assert figures(rma) == (3, 1)
    assert broken() == set()


def test_undo_of_setting_aside_takes_no_unit_of_a_return() -> None:
    rma = make_received(1, {"MUG": 1})
    sku = units_of(rma)[0].line_part.sku
    receive(sku, rma.location, 1)
    set_aside(
        [Aside("a", sku.pk, rma.location_id, 1)], reason=QUARANTINE, note="wet", actor=ACTOR
    ).raise_refusals()
    document = StockAdjustment.objects.get()
    at_desk(write_off, rma).raise_refusals()

    refusal = undo_adjustments([document.pk], reason="no", actor=ACTOR).refusals[document.pk]

    assert isinstance(refusal, UnitsToInspect)
    with unguarded():
        undo_adjustments([document.pk], reason="no", actor=ACTOR).raise_refusals()
    assert "returns.quarantine" in broken()


def test_units_for_the_supplier_are_written_off_when_they_leave() -> None:
    rma = make_received(1, {"MUG": 1})
    verdict = Verdict(Condition.DEFECTIVE, Disposition.TO_VENDOR)
    inspect_returns([inspection(rma, verdict)], actor=ACTOR).raise_refusals()

    at_desk(write_off, rma).raise_refusals()

    assert figures(rma) == (0, 0)
    assert broken() == set()


def test_one_return_short_of_units_spoils_no_other() -> None:
    short, whole = make_received(2, {"MUG": 2}), make_received(1, {"CUP": 1})
    with unguarded():
        at_desk(write_off, short).raise_refusals()

    results = inspect_returns([inspection(short, AS_NEW, BROKEN), inspection(whole, AS_NEW)], actor=ACTOR)

    assert results.done_ids == [whole.pk]
    assert results.refusals[short.pk].facts == {"found": 1, "asked": 2}
    assert set(ReturnUnit.objects.filter(rma=short).values_list("disposition", flat=True)) == {"quarantine"}
    short.refresh_from_db()
    assert short.status == RmaStatus.RECEIVED
    assert figures(short) == (1, 1)


def test_a_return_goes_on_once_its_units_are_set_aside_again() -> None:
    rma = make_received(1, {"MUG": 1})
    with unguarded():
        at_desk(put_back, rma).raise_refusals()
    (unit,) = units_of(rma)
    asides = [Aside("again", unit.line_part.sku_id, rma.location_id, 1)]
    set_aside(asides, reason=QUARANTINE, note="was a return", actor=ACTOR).raise_refusals()

    inspect_returns([inspection(rma, AS_NEW)], actor=ACTOR).raise_refusals()

    assert figures(rma) == (1, 0)
    assert broken() == set()
