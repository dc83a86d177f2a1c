"""Stock verbs in any order, beside a model that counts units on its fingers."""

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.errors import BancaleError, InvalidInput
from inventory.enums import LIVE_RESERVATION, BinKind, ReservationState, UnsellableReason
from inventory.errors import NotEnoughReserved, NotEnoughStock, QueueJumped
from inventory.models import (
    Bin,
    Reservation,
    Sku,
    StockCount,
    StockCountLine,
    StockLevel,
    Transfer,
    UnsellableStock,
)
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
    expire_reservations,
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
from inventory.services.setting_aside import Aside, change_reason, put_back, set_aside
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
from tests.statemachines.watched import Watched, at

COUNTER = Actor.system("counter")
SKUS = PLACES = st.integers(0, 1)
UNITS = st.integers(1, 9)
WHICH = st.integers(0, 2)  # a key, a reference, or a place in a list
DAMAGED = UnsellableReason.DAMAGED


class StockMachine(Watched):
    """Two SKUs at two locations. `hand` and `aside` are units by (SKU, location), `claimed` live units by SKU."""

    def begin(self) -> None:
        self.skus = [make_sku().pk, make_sku().pk]
        self.places = [make_location().pk, make_location().pk]
        self.hand: Counter[tuple[int, int]] = Counter()
        self.aside: Counter[tuple[int, int]] = Counter()
        self.claimed: Counter[int] = Counter()
        self.nonce = 0

    def spot(self, sku: int, place: int) -> tuple[int, int]:
        return self.skus[sku], self.places[place]

    def done(self, verb: Any) -> bool:
        """Whether a verb of one key did something now."""
        results = self.act(verb)
        return results is not None and bool(results.done_ids)

    def committed(self, steps: Any, *expected: type[BancaleError]) -> Any:
        """Several calls that only a caller's transaction binds together, and what they may raise."""

        def together() -> Any:
            with transaction.atomic():
                return steps()

        return self.act(together, *expected)

    @rule(sku=SKUS, place=PLACES, units=UNITS, which=WHICH)
    def receive(self, sku: int, place: int, units: int, which: int) -> None:
        spot = self.spot(sku, place)
        receipt = Receipt(f"{spot[0]}:{units}:{which}", *spot, units)
        if self.done(lambda: receive_stock([receipt], reference=("test", 1), actor=ACTOR)):
            self.hand[spot] += units

    @rule(sku=SKUS, place=st.none() | PLACES, units=UNITS, which=WHICH, minutes=st.none() | st.integers(1, 9))
    def reserve(self, sku: int, place: int | None, units: int, which: int, minutes: int | None) -> None:
        sku_id = self.skus[sku]

        def steps() -> bool:
            levels = lock_levels([sku_id])
            here = [lv.pk for lv in levels if place is not None and lv.location_id == self.places[place]]
            ends = clock.now() + timedelta(minutes=minutes) if minutes else None
            claim = Claim(
                sku_id, here[0] if here else None, units, which, which // 2, clock.now(), expires_at=ends
            )
            place_reservations("test", [claim], levels=levels)
            return True

        if self.committed(steps, NotEnoughStock, QueueJumped):
            self.claimed[sku_id] += units

    @rule(sku=SKUS, place=PLACES, units=UNITS, which=WHICH)
    def fill(self, sku: int, place: int, units: int, which: int) -> None:
        def steps() -> None:
            levels = lock_levels([self.skus[sku]])
            level_id = next((lv.pk for lv in levels if lv.location_id == self.places[place]), 0)
            line = list(waiting_in_line([self.skus[sku]]))[which : which + 2]
            fill_reservations([Fill(row, level_id, min(units, row.quantity)) for row in line], levels=levels)

        self.committed(steps, NotEnoughStock, QueueJumped, InvalidInput)

    @rule(sku=SKUS, units=UNITS, which=WHICH)
    def release(self, sku: int, units: int, which: int) -> None:
        def steps() -> int:
            levels = lock_levels([self.skus[sku]])
            live = Reservation.objects.filter(sku=self.skus[sku], state__in=LIVE_RESERVATION).order_by("id")
            rows = list(live)[which : which + units]
            release_reservations(rows, reason="test", levels=levels, actor=ACTOR)
            return sum(row.quantity for row in rows)

        self.claimed[self.skus[sku]] -= self.committed(steps) or 0

    @rule(which=WHICH)
    def expire(self, which: int) -> None:
        rows = Reservation.objects.filter(state__in=LIVE_RESERVATION, expires_at__isnull=False).order_by("pk")
        ids = [row.pk for row in rows[which : which + 2]]
        results = self.act(lambda: expire_reservations(ids, actor=ACTOR))
        for pk in results.done_ids if results else ():
            row = Reservation.objects.get(pk=pk)
            assert row.expires_at is not None
            assert row.expires_at <= self.now
            self.claimed[row.sku_id] -= row.quantity

    @rule(sku=SKUS, place=PLACES, units=UNITS, which=WHICH)
    def ship(self, sku: int, place: int, units: int, which: int) -> None:
        spot = self.spot(sku, place)

        def steps() -> bool:
            take, levels = Take(which, spot[1], units), lock_levels([spot[0]])
            consume_reservations("test", [take], movement_reference=("test", 2), levels=levels, actor=ACTOR)
            return True

        if self.committed(steps, NotEnoughReserved):
            self.hand[spot] -= units
            self.claimed[spot[0]] -= units

    def goods(self, sku: int, place: int, units: int, which: int) -> list[ReturnedGoods]:
        spot = self.spot(sku, place)
        return [ReturnedGoods(f"{spot[0]}:{units}:{which}", *spot, units)]

    @rule(sku=SKUS, place=PLACES, units=UNITS, which=WHICH)
    def take_back(self, **drawn: int) -> None:
        if self.done(lambda: take_back_into_quarantine(self.goods(**drawn), reference=("r", 1), actor=ACTOR)):
            self.hand[self.spot(drawn["sku"], drawn["place"])] += drawn["units"]
            self.aside[self.spot(drawn["sku"], drawn["place"])] += drawn["units"]

    @rule(sku=SKUS, place=PLACES, units=UNITS, which=WHICH)
    def put_back_for_sale(self, **drawn: int) -> None:
        if self.done(lambda: put_back_for_sale(self.goods(**drawn), reference=("r", 1), actor=ACTOR)):
            self.aside[self.spot(drawn["sku"], drawn["place"])] -= drawn["units"]

    @rule(sku=SKUS, place=PLACES, units=UNITS, which=WHICH)
    def scrap(self, **drawn: int) -> None:
        if self.done(lambda: scrap_unsellable(self.goods(**drawn), reference=("r", 1), actor=ACTOR)):
            self.hand[self.spot(drawn["sku"], drawn["place"])] -= drawn["units"]
            self.aside[self.spot(drawn["sku"], drawn["place"])] -= drawn["units"]

    @rule(sku=SKUS, place=PLACES, units=UNITS | st.integers(-9, -1), which=WHICH)
    def adjust(self, sku: int, place: int, units: int, which: int) -> None:
        spot = self.spot(sku, place)
        line = Adjustment(f"{spot[0]}:{units}:{which}", *spot, units)
        if self.done(lambda: adjust_stock([line], reason="test", actor=ACTOR)):
            self.hand[spot] += units

    @rule(sku=SKUS, place=PLACES, units=UNITS, which=WHICH)
    def set_aside(self, sku: int, place: int, units: int, which: int) -> None:
        spot = self.spot(sku, place)
        line = Aside(f"{spot[0]}:{units}:{which}", *spot, units)
        if self.done(lambda: set_aside([line], reason=DAMAGED, note="test", actor=ACTOR)):
            self.aside[spot] += units

    @rule(sku=SKUS, place=PLACES, units=UNITS, which=WHICH)
    def repair(self, **drawn: int) -> None:
        if self.done(lambda: put_back(self.goods(**drawn), reason=DAMAGED, note="test", actor=ACTOR)):
            self.aside[self.spot(drawn["sku"], drawn["place"])] -= drawn["units"]

    @rule(sku=SKUS, place=PLACES, units=UNITS, which=WHICH)
    def change_reason(self, **drawn: int) -> None:
        """Of what is set aside there, if anything is, so that it is not refused each time."""
        before, free = self.asides(**drawn), available_to_sell(self.skus)
        one, other = self.reasons(before, drawn["which"])
        drawn["units"] = min(drawn["units"], before[one] or drawn["units"])
        why: dict[str, Any] = {"reason": one, "becomes": other, "note": "test", "actor": ACTOR}
        if self.done(lambda: change_reason(self.goods(**drawn), **why)):
            before += Counter({one: -drawn["units"], other: drawn["units"]})
        assert self.asides(**drawn) == before
        assert available_to_sell(self.skus) == free

    @staticmethod
    def reasons(held: Counter[str], which: int) -> tuple[UnsellableReason, UnsellableReason]:
        """One that units stand under, if any do, and another."""
        one = UnsellableReason(at(sorted(held), which) or DAMAGED)
        return one, at([reason for reason in UnsellableReason if reason != one], which) or DAMAGED

    def asides(self, sku: int, place: int, **_drawn: int) -> Counter[str]:
        """Units by the reason they are set aside for, none below 1."""
        rows = UnsellableStock.objects.filter(level__sku=self.skus[sku], level__location=self.places[place])
        return +Counter(dict(rows.values_list("reason", "quantity")))

    @rule(sku=SKUS, place=PLACES, units=UNITS, is_back=st.booleans())
    def move_between_bins(self, sku: int, place: int, units: int, is_back: bool) -> None:
        location = self.places[place]
        shelf, _made = Bin.objects.get_or_create(location_id=location, code="S", kind=BinKind.SHELF)
        ends = [Bin.objects.get(location=location, kind=BinKind.DEFAULT).pk, shelf.pk]
        move = BinMove(self.once(), self.skus[sku], location, *(ends[::-1] if is_back else ends), units)
        self.act(lambda: move_bin([move], actor=ACTOR))

    def once(self) -> str:
        self.nonce += 1
        return str(self.nonce)

    @rule(sku=SKUS, place=PLACES, units=UNITS)
    def plan_transfer(self, sku: int, place: int, units: int) -> None:
        ends = self.places[place], self.places[1 - place]
        plan = TransferPlan(*ends, (TransferUnits(self.skus[sku], units),))
        self.act(lambda: book_transfer(plan, nonce=self.once(), actor=ACTOR))

    @rule(which=WHICH)
    def send_transfer(self, which: int) -> None:
        transfer = at(list(Transfer.objects.filter(status="draft").order_by("pk")), which)
        if transfer and self.done(lambda: send_transfers([transfer.pk], actor=ACTOR)):
            for line in transfer.lines.all():
                self.hand[line.sku_id, transfer.origin_id] -= line.quantity

    @rule(which=WHICH, units=UNITS)
    def receive_transfer(self, which: int, units: int) -> None:
        transfer = at(list(Transfer.objects.filter(status="sent").order_by("pk")), which)
        if transfer is None:
            return
        arrived = {line.pk: min(units, line.sent) for line in transfer.lines.all()}
        receipt = TransferReceipt(transfer.pk, arrived, "test")
        if self.done(lambda: receive_transfers([receipt], actor=ACTOR)):
            for line in transfer.lines.all():
                self.hand[line.sku_id, transfer.destination_id] += arrived[line.pk]

    @rule(which=WHICH)
    def call_transfer_back(self, which: int) -> None:
        transfer = at(list(Transfer.objects.filter(status="sent").order_by("pk")), which)
        if transfer and self.done(lambda: cancel_transfers([transfer.pk], reason="test", actor=ACTOR)):
            for line in transfer.lines.all():
                self.hand[line.sku_id, transfer.origin_id] += line.quantity

    @rule(sku=SKUS, place=PLACES)
    def list_for_count(self, sku: int, place: int) -> None:
        plan = CountPlan(self.places[place], (self.skus[sku],))
        self.act(lambda: book_count(plan, nonce=self.once(), actor=ACTOR))

    @rule(which=WHICH, units=UNITS)
    def count(self, which: int, units: int) -> None:
        line = at(list(StockCountLine.objects.filter(count__status="draft").order_by("pk")), which)
        if line is not None:
            sheet = CountSheet(line.count_id, {line.pk: units})
            self.act(lambda: record_counts([sheet], actor=COUNTER))
            self.follow_count(line.count_id)

    @rule(which=WHICH)
    def approve(self, which: int) -> None:
        count = at(list(StockCount.objects.filter(status="counted").order_by("pk")), which)
        if count and self.done(lambda: approve_counts([count.pk], actor=ACTOR)):
            self.follow_count(count.pk)

    def follow_count(self, count_id: int) -> None:
        """What an approved count differed by; small ones are approved as they are recorded."""
        for line in StockCountLine.objects.filter(count=count_id, count__status="approved"):
            self.hand[line.sku_id, line.count.location_id] += (line.counted or 0) - (line.expected or 0)

    @invariant()
    def levels_are_the_model(self) -> None:
        live: Counter[int] = Counter()
        waiting: Counter[int] = Counter()
        for row in Reservation.objects.filter(state__in=LIVE_RESERVATION):
            live[row.sku_id] += row.quantity
            waiting[row.sku_id] += row.quantity * (row.state == ReservationState.WAITING)
        free: Counter[int] = Counter()
        hand, aside = Counter(), Counter()
        for level in StockLevel.objects.all():
            spot = level.sku_id, level.location_id
            hand[spot], aside[spot] = level.on_hand, level.unsellable
            free[level.sku_id] += max(0, level.free)
        assert hand == self.hand
        assert aside == self.aside
        assert live == self.claimed
        ats = available_to_sell(self.skus)
        assert ats == {pk: max(0, free[pk] - waiting[pk]) for pk in self.skus}

    def teardown(self) -> None:
        try:
            assert available_to_sell(self.skus) == {pk: waterfall(pk).available for pk in self.skus}
            assert Sku.objects.count() == 2
        finally:
            super().teardown()
