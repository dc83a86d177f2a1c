"""The same goods come back, and are inspected, by many hands at once: the ledger moves once."""

from functools import partial

import pytest

from config.kernel.outbox import deliver_due
from config.kernel.results import Results
from inventory.enums import MovementKind, UnsellableReason
from inventory.errors import NotEnoughUnsellable, UnitsToInspect
from inventory.models import StockLevel, StockMovement
from inventory.services.returning import ReturnedGoods
from inventory.services.setting_aside import put_back
from orders.models import LinePart
from returns.errors import NotReturnable
from returns.models import Rma
from returns.services.inspecting import inspect_returns
from returns.services.receiving import receive_returns
from returns.services.requesting import request_returns
from tests.concurrency.rivals import at_once, violations
from tests.factories.fulfillment import ACTOR, make_delivered
from tests.factories.returns import AS_NEW, inspection, make_approved, make_received, place_of, receipt, wish

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

RIVALS = 8


def settled() -> list[str]:
    deliver_due("work")
    deliver_due("mail")
    return violations()


def test_the_last_unit_is_asked_for_by_eight_and_granted_once() -> None:
    parcel = make_delivered({"MUG": 1})
    wishes = [wish(parcel.order, location=place_of(parcel)) for _rival in range(RIVALS)]

    answers = at_once([lambda one=one: request_returns([one], actor=ACTOR) for one in wishes])

    assert answers.count("done") == 1
    assert answers.count(NotReturnable) == RIVALS - 1
    assert settled() == []


def test_one_request_sent_by_eight_opens_one_return() -> None:
    parcel = make_delivered({"MUG": RIVALS})
    asked = wish(parcel.order, location=place_of(parcel))

    answers = at_once([lambda: request_returns([asked], actor=ACTOR)] * RIVALS)

    assert (answers.count("done"), answers.count("unchanged")) == (1, RIVALS - 1)
    assert Rma.objects.count() == 1


def test_one_box_received_by_eight_is_counted_in_once() -> None:
    rma = make_approved(2, {"MUG": 2})
    found = receipt(rma)

    answers = at_once([lambda: receive_returns([found], actor=ACTOR)] * RIVALS)

    assert (answers.count("done"), answers.count("unchanged")) == (1, RIVALS - 1)
    assert LinePart.objects.get(line__order=rma.order_id).returned == 2
    assert list(StockMovement.objects.filter(kind=MovementKind.RETURN).values_list("delta", flat=True)) == [2]
    assert settled() == []


def test_one_inspection_pressed_by_eight_restocks_once() -> None:
    rma = make_received(2, {"MUG": 2})
    found = inspection(rma, AS_NEW, AS_NEW)

    answers = at_once([lambda: inspect_returns([found], actor=ACTOR)] * RIVALS)

    level = StockLevel.objects.get(sku__code="MUG", location=rma.location)
    assert (answers.count("done"), answers.count("unchanged")) == (1, RIVALS - 1)
    assert (level.on_hand, level.unsellable) == (2, 0)
    assert settled() == []


def test_the_stock_desk_takes_no_unit_that_is_being_inspected() -> None:
    rma = make_received(1, {"MUG": 1})
    found = inspection(rma, AS_NEW)
    level = StockLevel.objects.get(sku__code="MUG", location=rma.location)

    def at_desk(key: str) -> Results[str]:
        goods = [ReturnedGoods(key, level.sku_id, rma.location_id, 1)]
        return put_back(goods, reason=UnsellableReason.QUARANTINE, note="fine", actor=ACTOR)

    desks = [partial(at_desk, f"desk:{number}") for number in range(RIVALS - 1)]
    answers = at_once([*desks[:3], lambda: inspect_returns([found], actor=ACTOR), *desks[3:]])

    assert answers[3] == "done"
    assert set(answers[:3] + answers[4:]) <= {UnitsToInspect, NotEnoughUnsellable}
    level.refresh_from_db()
    assert (level.on_hand, level.unsellable) == (1, 0)
    assert settled() == []
