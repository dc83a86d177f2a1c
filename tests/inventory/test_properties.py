"""Any sequence of stock verbs leaves every invariant whole."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.errors import BancaleError
from inventory.enums import BinKind, ReservationState, UnsellableReason
from inventory.models import Bin, Location, Reservation, Sku, StockCount, StockCountLine, Transfer
from inventory.selectors.queue import waiting_in_line
from inventory.selectors.stock import available_to_sell
from inventory.selectors.waterfall import waterfall
from inventory.services.binning import BinMove, move_bin
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.counts import CountPlan, CountSheet, approve_counts, book_count, record_counts
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
from inventory.services.setting_aside import Aside, put_back, set_aside
from inventory.services.transfers import (
    TransferReceipt,
    TransferUnits,
    book_transfer,
    cancel_transfers,
    receive_transfers,
    send_transfers,
)
from inventory.services.transfers.booking import TransferPlan
from tests.factories.inventory import ACTOR, make_location, make_sku
from tests.inventory.conftest import stock_breaches

pytestmark = pytest.mark.django_db
COUNTER = Actor.system("counter")

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STEP = st.tuples(
    st.sampled_from(
        [
            *("receive", "place", "wait", "fill", "release", "consume", "take_back", "put_back", "scrap"),
            *("lose", "find", "damage", "repair", "move"),
            *("plan", "send", "arrive", "call_back", "listed", "count", "approve"),
        ]
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
        self.seconds = 0

    def run(self, step: tuple[str, int, int, int, int]) -> None:
        verb, sku, place, units, which = step
        connection._bancale_locks = (None, -1)  # each step stands for a transaction of its own
        self.seconds += 1
        try:
            # A clock of its own: that of a busy machine can step back between two statements.
            with clock.frozen(BEGIN + timedelta(seconds=self.seconds)), transaction.atomic():
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

    def _correct(self, sku: Sku, place: Location, units: int, which: int) -> None:
        line = Adjustment(f"{sku.pk}:{units}:{which}", sku.pk, place.pk, units)
        adjust_stock([line], reason="test", actor=ACTOR).raise_refusals()

    def lose(self, sku: Sku, place: Location, units: int, which: int) -> None:
        self._correct(sku, place, -units, which)

    def find(self, sku: Sku, place: Location, units: int, which: int) -> None:
        self._correct(sku, place, units, which)

    def damage(self, sku: Sku, place: Location, units: int, which: int) -> None:
        line = Aside(f"{sku.pk}:{units}:{which}", sku.pk, place.pk, units)
        set_aside([line], reason=UnsellableReason.DAMAGED, note="test", actor=ACTOR).raise_refusals()

    def repair(self, sku: Sku, place: Location, units: int, which: int) -> None:
        goods = self._goods(sku, place, units, which)
        put_back(goods, reason=UnsellableReason.DAMAGED, note="test", actor=ACTOR).raise_refusals()

    def move(self, sku: Sku, place: Location, units: int, which: int) -> None:
        shelf, _made = Bin.objects.get_or_create(location=place, code="S", kind=BinKind.SHELF)
        ends = [Bin.objects.get(location=place, kind=BinKind.DEFAULT).pk, shelf.pk][:: which % 2 * 2 - 1]
        move_bin([BinMove(f"{self.accepted}", sku.pk, place.pk, *ends, units)], actor=ACTOR).raise_refusals()

    def plan(self, sku: Sku, place: Location, units: int, which: int) -> None:
        other = next(one for one in self.places if one.pk != place.pk)
        plan = TransferPlan(place.pk, other.pk, (TransferUnits(sku.pk, units),))
        book_transfer(plan, nonce=f"{self.accepted}", actor=ACTOR)

    def send(self, _sku: Sku, _place: Location, _units: int, which: int) -> None:
        ids = Transfer.objects.filter(status="draft").order_by("pk").values_list("pk", flat=True)
        send_transfers(list(ids[which : which + 2]), actor=ACTOR).raise_refusals()

    def arrive(self, _sku: Sku, _place: Location, units: int, which: int) -> None:
        for transfer in Transfer.objects.filter(status="sent").order_by("pk")[which : which + 1]:
            lines = {line.pk: min(units, line.sent) for line in transfer.lines.all()}
            receipt = TransferReceipt(transfer.pk, lines, "test")
            receive_transfers([receipt], actor=ACTOR).raise_refusals()

    def call_back(self, _sku: Sku, _place: Location, _units: int, which: int) -> None:
        ids = Transfer.objects.filter(status="sent").order_by("pk").values_list("pk", flat=True)
        cancel_transfers(list(ids[which : which + 1]), reason="test", actor=ACTOR).raise_refusals()

    def listed(self, sku: Sku, place: Location, _units: int, _which: int) -> None:
        book_count(CountPlan(place.pk, (sku.pk,)), nonce=f"{self.accepted}", actor=ACTOR)

    def count(self, _sku: Sku, _place: Location, units: int, which: int) -> None:
        for line in StockCountLine.objects.filter(count__status="draft").order_by("pk")[which : which + 1]:
            sheet = CountSheet(line.count_id, {line.pk: units})
            record_counts([sheet], actor=COUNTER).raise_refusals()

    def approve(self, _sku: Sku, _place: Location, _units: int, which: int) -> None:
        ids = StockCount.objects.filter(status="counted").order_by("pk").values_list("pk", flat=True)
        approve_counts(list(ids[which : which + 1]), actor=ACTOR).raise_refusals()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=5, max_size=30))
def test_any_sequence_of_verbs_keeps_every_invariant(steps: list[tuple[str, int, int, int, int]]) -> None:
    with transaction.atomic():
        room = StockRoom()
        for step in steps:
            room.run(step)

        assert stock_breaches() == {}
        ats = available_to_sell([sku.pk for sku in room.skus])
        assert ats == {sku.pk: waterfall(sku.pk).available for sku in room.skus}
        transaction.set_rollback(True)
