"""The way out and the way back in a fixed number of statements a verb, whatever the number of orders."""

from collections.abc import Callable

import pytest

from fulfillment.enums import ParcelStatus
from fulfillment.models import Parcel
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import HandShipment, ship_by_hand
from fulfillment.services.tracking import record_tracking
from inventory.models import Location
from returns.models import ReturnUnit
from returns.services.approving import approve_returns
from returns.services.inspecting import Inspection, inspect_returns
from returns.services.receiving import ReturnReceipt, receive_returns
from returns.services.requesting import request_returns
from tests.factories.fulfillment import make_confirmed, stock, told
from tests.factories.returns import ACTOR, AS_NEW, wish
from tests.fulfillment.watching import statements

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

LIFE = {"release": 16, "ship": 39, "deliver": 26, "request": 12, "approve": 8, "receive": 39, "inspect": 31}


def life(count: int, place: Location) -> dict[str, int]:
    """Statements by step of so many orders that go out whole and come back as new."""
    orders = [make_confirmed() for _order in range(count)]
    ids = [order.pk for order in orders]
    counts: dict[str, int] = {}
    answers: dict[str, dict[object, object]] = {}

    def step(name: str, call: Callable[[], object]) -> None:
        def kept() -> None:
            results = call()
            results.raise_refusals()
            answers[name] = results.values

        counts[name] = statements(kept)

    step("release", lambda: release_orders(ids, actor=ACTOR))
    work = [pk for pks in answers["release"].values() for pk in pks]
    step("ship", lambda: ship_by_hand([HandShipment(pk, "GLS", f"TN-{pk}") for pk in work], actor=ACTOR))
    parcels = [told(one, ParcelStatus.DELIVERED) for one in Parcel.objects.filter(order__in=ids)]
    step("deliver", lambda: record_tracking(parcels, actor=ACTOR))
    wishes = [wish(order, location=place) for order in orders]
    step("request", lambda: request_returns(wishes, actor=ACTOR))
    rmas = list(answers["request"].values())
    step("approve", lambda: approve_returns(rmas, actor=ACTOR))
    units = dict(ReturnUnit.objects.filter(rma__in=rmas).values_list("rma_id", "pk"))
    step("receive", lambda: receive_returns([ReturnReceipt(*one) for one in box(units)], actor=ACTOR))
    verdicts = [Inspection(rma, {unit: AS_NEW}) for rma, unit in units.items()]
    step("inspect", lambda: inspect_returns(verdicts, actor=ACTOR))
    return counts


def box(units: dict[int, int]) -> list[tuple[int, tuple[int, ...]]]:
    return [(rma, (unit,)) for rma, unit in units.items()]


def test_the_way_out_and_back_takes_a_fixed_number_of_statements() -> None:
    place = stock({"MUG": 100})

    life(1, place)  # makes the bins that later returns find

    assert life(2, place) == life(12, place) == LIFE
