"""Any sequence of stock verbs leaves every invariant whole."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.kernel import clock
from config.kernel.errors import BancaleError
from inventory.enums import ReservationState
from inventory.models import Location, Reservation, Sku
from inventory.selectors.queue import waiting_in_line
from inventory.selectors.stock import available_to_sell
from inventory.selectors.waterfall import waterfall
from inventory.services.levels import lock_levels
from inventory.services.receiving import Receipt, receive_stock
from inventory.services.reservations import (
    Claim,
    Fill,
    Take,
    consume_reservations,
    fill_reservations,
    place_reservations,
    release_reservations,
)
from inventory.services.returning import (
    ReturnedGoods,
    put_back_for_sale,
    scrap_unsellable,
    take_back_into_quarantine,
)
from tests.factories.inventory import ACTOR, make_location, make_sku
from tests.inventory.conftest import stock_breaches

pytestmark = pytest.mark.django_db

STEP = st.tuples(
    st.sampled_from(
        ["receive", "place", "wait", "fill", "release", "consume", "take_back", "put_back", "scrap"]
    ),
    st.integers(0, 1),  # SKU
    st.integers(0, 1),  # location
    st.integers(1, 9),  # units
    st.integers(0, 2),  # key, reference or place in a list
)


class StockRoom:
    """Two SKUs at two locations, driven by steps; a refusal is a fine answer."""

    def __init__(self) -> None:
        self.skus: list[Sku] = [make_sku(), make_sku()]
        self.places: list[Location] = [make_location(), make_location()]
        self.accepted = 0

    def run(self, step: tuple[str, int, int, int, int]) -> None:
        verb, sku, place, units, which = step
        try:
            with transaction.atomic():
                getattr(self, verb)(self.skus[sku], self.places[place], units, which)
        except BancaleError:
            return
        self.accepted += 1

    def receive(self, sku: Sku, place: Location, units: int, which: int) -> None:
        receipt = Receipt(f"{sku.pk}:{units}:{which}", sku.pk, place.pk, units)
        receive_stock([receipt], reference=("test", 1), actor=ACTOR).raise_refusals()

    def place(self, sku: Sku, place: Location, units: int, which: int) -> None:
        levels = lock_levels([sku.pk])
        level = next((level for level in levels if level.location_id == place.pk), None)
        self._claim(sku, level.pk if level else None, units, which, levels)

    def wait(self, sku: Sku, _place: Location, units: int, which: int) -> None:
        self._claim(sku, None, units, which, lock_levels([sku.pk]))

    def _claim(self, sku: Sku, level_id: int | None, units: int, which: int, levels: Any) -> None:
        claim = Claim(sku.pk, level_id, units, which, which // 2, clock.now())
        place_reservations("test", [claim], levels=levels)

    def fill(self, sku: Sku, place: Location, units: int, which: int) -> None:
        levels = lock_levels([sku.pk])
        level_id = next((level.pk for level in levels if level.location_id == place.pk), 0)
        line = list(waiting_in_line([sku.pk]))[which : which + 2]
        fills = [Fill(row, level_id, min(units, row.quantity)) for row in line]
        fill_reservations(fills, levels=levels)

    def release(self, sku: Sku, _place: Location, units: int, which: int) -> None:
        levels = lock_levels([sku.pk])
        live = [ReservationState.OPEN, ReservationState.WAITING]
        rows = list(Reservation.objects.filter(sku=sku, state__in=live).order_by("id"))[which : which + units]
        release_reservations(rows, reason="test", levels=levels, actor=ACTOR)

    def consume(self, sku: Sku, place: Location, units: int, which: int) -> None:
        levels = lock_levels([sku.pk])
        takes = [Take(which, place.pk, units)]
        consume_reservations("test", takes, movement_reference=("test", 2), levels=levels, actor=ACTOR)

    def _goods(self, sku: Sku, place: Location, units: int, which: int) -> list[ReturnedGoods]:
        return [ReturnedGoods(f"{sku.pk}:{units}:{which}", sku.pk, place.pk, units)]

    def take_back(self, *about: Any) -> None:
        take_back_into_quarantine(self._goods(*about), reference=("r", 1), actor=ACTOR).raise_refusals()

    def put_back(self, *about: Any) -> None:
        put_back_for_sale(self._goods(*about), reference=("r", 1), actor=ACTOR).raise_refusals()

    def scrap(self, *about: Any) -> None:
        scrap_unsellable(self._goods(*about), reference=("r", 1), actor=ACTOR).raise_refusals()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=5, max_size=25))
def test_any_sequence_of_verbs_keeps_every_invariant(steps: list[tuple[str, int, int, int, int]]) -> None:
    with transaction.atomic():
        room = StockRoom()
        for step in steps:
            room.run(step)

        assert stock_breaches() == {}
        ats = available_to_sell([sku.pk for sku in room.skus])
        assert ats == {sku.pk: waterfall(sku.pk).available for sku in room.skus}
        transaction.set_rollback(True)
