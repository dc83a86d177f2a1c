"""Stock that released work asks for is lost: it goes last, and then the work is called back."""

from typing import Any

import pytest

from config.kernel.audit import run_audit
from config.kernel.models import Event
from fulfillment.enums import FulfillmentOrderStatus
from fulfillment.models import FulfillmentOrder
from fulfillment.services.releasing import release_orders
from inventory.models import Sku
from inventory.services.correcting import Adjustment, adjust_stock
from orders.models import LinePart
from tests.factories.fulfillment import ACTOR, make_confirmed, make_released, stock
from tests.factories.inventory import receive

pytestmark = pytest.mark.django_db


def breaches() -> list[Any]:
    return [finding.violations for finding in run_audit() if finding.violations]


def lose(units: int, place_id: int, key: str = "k") -> None:
    line = Adjustment(key, Sku.objects.get(code="MUG").pk, place_id, -units)
    adjust_stock([line], reason="Not there", actor=ACTOR).raise_refusals()


def test_loss_spares_what_is_released_though_it_stands_last() -> None:
    place = stock({"MUG": 7})
    waiting, late = make_confirmed({"MUG": 4}), make_confirmed({"MUG": 3})
    (pk,) = release_orders([late.pk], actor=ACTOR).only()
    work = FulfillmentOrder.objects.get(pk=pk)
    assert work.location_id == place.pk

    lose(2, work.location_id)

    work.refresh_from_db()
    assert work.status == FulfillmentOrderStatus.RELEASED
    assert LinePart.objects.get(line__order=waiting).allocated == 2
    assert breaches() == []


def test_loss_of_released_units_calls_the_work_back() -> None:
    work = make_released({"MUG": 3})

    lose(1, work.location_id)

    work.refresh_from_db()
    assert work.status == FulfillmentOrderStatus.CANCELLED
    event = Event.objects.get(subject_type="fulfillment_order", kind="cancel")
    assert (event.thread_id, event.facts["why"]) == (work.order_id, "lost_stock")
    assert LinePart.objects.get(line__order=work.order).allocated == 2
    assert breaches() == []

    (again,) = release_orders([work.order_id], actor=ACTOR).only()
    assert again != work.pk
    assert breaches() == []


def test_loss_leaves_work_alone_whose_units_are_still_there() -> None:
    mine = make_released({"MUG": 3})
    receive(Sku.objects.get(code="MUG"), mine.location, 3)
    late = make_confirmed({"MUG": 3})
    (late_work,) = release_orders([late.pk], actor=ACTOR).only()

    lose(3, mine.location_id)

    mine.refresh_from_db()
    assert mine.status == FulfillmentOrderStatus.RELEASED
    assert late.fulfillment_orders.get(pk=late_work).status == FulfillmentOrderStatus.CANCELLED
    assert breaches() == []
