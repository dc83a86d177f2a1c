"""Each promise of this room holds after the verbs, and its query sees when it is broken."""

from collections.abc import Callable

import pytest

from config.kernel.audit import INVARIANTS, run_audit
from inventory.models import UnsellableStock
from orders.models import LinePart
from returns.models import ReturnUnit, Rma
from tests.factories.inventory import make_location
from tests.factories.returns import (
    AS_NEW,
    BROKEN,
    make_approved,
    make_inspected,
    make_received,
    make_requested,
    units_of,
)

pytestmark = pytest.mark.django_db

OURS = sorted(code for code in INVARIANTS if code.startswith("returns."))


def broken(codes: list[str] = OURS) -> set[str]:
    return {finding.invariant.code for finding in run_audit(codes) if finding.violations}


def test_every_invariant_holds_at_every_stage() -> None:
    make_requested()
    make_approved()
    make_received()
    make_inspected(AS_NEW, BROKEN)

    assert broken() == set()
    assert len(OURS) == 6


def returned_counter() -> None:
    LinePart.objects.filter(line__order=make_received().order_id).update(returned=0)


def more_units_than_shipped() -> None:
    rma = make_requested(1, {"MUG": 1})
    (unit,) = units_of(rma)
    ReturnUnit.objects.create(
        rma=rma, order_id=unit.order_id, line_part_id=unit.line_part_id, reception="expected"
    )


def unit_of_another_order() -> None:
    ReturnUnit.objects.filter(rma=make_requested()).update(order=make_requested().order_id)


def part_of_another_order() -> None:
    (strange,) = units_of(make_requested())
    ReturnUnit.objects.filter(rma=make_requested()).update(line_part=strange.line_part_id)


def undecided_at_the_end() -> None:
    Rma.objects.filter(pk=make_received().pk).update(status="inspected")


def arrived_before_it_was_sent() -> None:
    Rma.objects.filter(pk=make_received().pk).update(status="approved")


def arrived_and_nowhere() -> None:
    ReturnUnit.objects.filter(rma=make_received()).update(disposition="")


def arrived_though_called_off() -> None:
    Rma.objects.filter(pk=make_received().pk).update(status="cancelled")


def decided_and_not_inspected() -> None:
    Rma.objects.filter(pk=make_inspected().pk).update(status="received")


def without_units() -> None:
    ReturnUnit.objects.filter(rma=make_requested()).delete()


def restocked_without_the_ledger() -> None:
    ReturnUnit.objects.filter(rma=make_received()).update(disposition="restock", condition="as_new")


def scrapped_and_told_as_restocked() -> None:
    ReturnUnit.objects.filter(rma=make_inspected(BROKEN)).update(disposition="restock")


def came_back_without_the_ledger() -> None:
    ReturnUnit.objects.filter(rma=make_approved()).update(reception="received", disposition="quarantine")


def came_back_of_another_sku() -> None:
    """Two mugs came; now the return is of a mug and a lid."""
    rma = make_received(2, {"MUG": 2, "LID": 1})
    lid = LinePart.objects.get(line__order=rma.order_id, sku__code="LID")
    ReturnUnit.objects.filter(pk=units_of(rma)[0].pk).update(line_part=lid)


def came_back_elsewhere() -> None:
    Rma.objects.filter(pk=make_received().pk).update(location=make_location())


def quarantine_emptied() -> None:
    level = {"level__location": make_received().location_id}
    UnsellableStock.objects.filter(**level).update(quantity=0)


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (returned_counter, "returns.counted"),
        (more_units_than_shipped, "returns.shipped"),
        (unit_of_another_order, "returns.same_order"),
        (part_of_another_order, "returns.same_order"),
        (undecided_at_the_end, "returns.progress"),
        (arrived_before_it_was_sent, "returns.progress"),
        (arrived_and_nowhere, "returns.progress"),
        (arrived_though_called_off, "returns.progress"),
        (decided_and_not_inspected, "returns.progress"),
        (without_units, "returns.progress"),
        (restocked_without_the_ledger, "returns.ledger"),
        (scrapped_and_told_as_restocked, "returns.ledger"),
        (came_back_without_the_ledger, "returns.ledger"),
        (came_back_of_another_sku, "returns.ledger"),
        (came_back_elsewhere, "returns.ledger"),
        (quarantine_emptied, "returns.quarantine"),
    ],
)
def test_broken_promise_is_seen(damage: Callable[[], None], code: str) -> None:
    damage()

    assert code in broken([code])
