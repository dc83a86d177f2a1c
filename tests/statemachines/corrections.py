"""What people in the stock room do by hand, and take back: beside the model of the stock verbs."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from inventory.enums import (
    LIVE_RESERVATION,
    AdjustmentKind,
    BinKind,
    CountStatus,
    ReservationState,
    UnsellableReason,
)
from inventory.errors import LineRefused, LocationClosed, NotEnoughStock, QueueJumped
from inventory.models import (
    Bin,
    Location,
    Reservation,
    StockAdjustment,
    StockCount,
    StockCountLine,
    StockLevel,
    StockReceipt,
    Transfer,
)
from inventory.selectors.alerts import mistold_levels
from inventory.selectors.counting import by_hand, corrections_since
from inventory.selectors.stock import available_to_sell
from inventory.selectors.undoing import undo_problem
from inventory.services.adjustment_booking import AdjustedLine, AdjustmentPlan, book_adjustment
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.counts import (
    CountPlan,
    CountSheet,
    Judged,
    approve_counts,
    book_count,
    cancel_counts,
    record_counts,
    recount,
)
from inventory.services.levels import lock_levels, record_crossed
from inventory.services.policies import LevelPolicy, set_policies
from inventory.services.receipts import ReceivedLine, book_receipt
from inventory.services.reservations import (
    Cut,
    Move,
    Requeue,
    cut_reservations,
    move_reservations,
    requeue_reservations,
)
from inventory.services.returning import ReturnedGoods
from inventory.services.setting_aside import Aside, set_aside, write_off
from inventory.services.transfers import TransferUnits, book_transfer, send_transfers
from inventory.services.transfers.booking import TransferPlan
from inventory.services.undoing import undo_adjustments, undo_counts, undo_receipts, undo_sending
from tests.factories.inventory import ACTOR
from tests.statemachines.stock import COUNTER, StockMachine
from tests.statemachines.watched import at

SKUS = PLACES = st.integers(0, 1)
UNITS = st.integers(1, 9)
WHICH = st.integers(0, 5)
KINDS = st.sampled_from([kind for kind in AdjustmentKind if kind != AdjustmentKind.OTHER_REASON])
REASONS = st.sampled_from(list(UnsellableReason))
K = AdjustmentKind
# What a unit of a line does to what is on hand and to what is set aside.
EFFECTS = {
    K.CORRECTION: (1, 0), K.SET_ASIDE: (0, 1), K.PUT_BACK: (0, -1), K.SCRAP: (-1, -1), K.MOVE: (0, 0),
}  # fmt: skip
Spot = tuple[int, int]


class CorrectionMachine(StockMachine):
    """`booked` is what each document did: units on hand and set aside by place."""

    def begin(self) -> None:
        super().begin()
        self.booked: dict[tuple[str, int], dict[Spot, tuple[int, int]]] = {}

    @initialize(units=UNITS)
    def stock_up(self, units: int) -> None:
        """So that few steps find nothing to do."""
        for place, reason in enumerate((UnsellableReason.DAMAGED, UnsellableReason.QUARANTINE)):
            self.book_in_at(0, place, units)
            self.set_aside_or_write_off(0, place, (units + 1) // 2, reason, is_over=False)

    def count_in(self, effects: dict[Spot, tuple[int, int]], sign: int = 1) -> None:
        for spot, (hand, aside) in effects.items():
            self.hand[spot] += sign * hand
            self.aside[spot] += sign * aside

    def note(self, document: tuple[str, int], effects: dict[Spot, tuple[int, int]]) -> None:
        self.booked[document] = effects
        self.count_in(effects)

    def undo(self, kind: str, pk: int, verb: Callable[[], Any]) -> None:
        """A document is taken back where its page says so, and with it all that it did."""
        problem = undo_problem((kind, pk))
        done = self.done(verb)
        assert done == (problem is None), f"{kind} {pk}: {problem}"
        if done:
            self.count_in(self.booked[kind, pk], -1)

    @rule(sku=SKUS, place=PLACES, units=UNITS, kind=KINDS, is_loss=st.booleans(), reason=REASONS, bins=WHICH)
    def book_by_hand(self, **drawn: Any) -> None:
        kind, spot = drawn["kind"], (self.skus[drawn["sku"]], self.places[drawn["place"]])
        units = -drawn["units"] if drawn["is_loss"] and kind == K.CORRECTION else drawn["units"]
        shelf, _made = Bin.objects.get_or_create(location_id=spot[1], code="S", kind=BinKind.SHELF)
        ends = [Bin.objects.get(location=spot[1], kind=BinKind.DEFAULT).pk, shelf.pk][
            :: drawn["bins"] % 2 or -1
        ]
        line = AdjustedLine(spot[0], units, *(ends if kind == K.MOVE else ends[: drawn["bins"] % 3 // 2]))
        plan = AdjustmentPlan(kind, spot[1], "test", (line,), drawn["reason"])
        pk = self.act(lambda: book_adjustment(plan, nonce=self.once(), actor=ACTOR), LineRefused)
        if pk is not None:
            hand, aside = EFFECTS[kind]
            self.note(("stock_adjustment", pk), {spot: (hand * units, aside * units)})

    @rule(sku=SKUS, place=PLACES, units=UNITS, which=WHICH)
    def change_reason_by_hand(self, sku: int, place: int, units: int, which: int) -> None:
        held = self.asides(sku, place)
        reason, becomes = self.reasons(held, which)
        line = AdjustedLine(self.skus[sku], min(units, held[reason] or units))
        plan = AdjustmentPlan(K.OTHER_REASON, self.places[place], "test", (line,), reason, becomes)
        pk = self.act(lambda: book_adjustment(plan, nonce=self.once(), actor=ACTOR), LineRefused)
        assert (pk is not None) == bool(held)
        if pk is not None:
            self.note(("stock_adjustment", pk), {})

    @rule(which=WHICH)
    def undo_by_hand(self, which: int) -> None:
        self.undo_last_by_hand(which)

    @rule(which=WHICH)
    def undo_again(self, which: int) -> None:
        """Several in a row, so that they are found in the states which others left."""
        for _time in range(3):
            self.undo_last_by_hand(which)

    def undo_last_by_hand(self, which: int) -> None:
        rows = StockAdjustment.objects.filter(undone_at=None).order_by("-pk")
        mine = [row for row in rows if ("stock_adjustment", row.pk) in self.booked]
        if (row := at(mine, which)) is not None:
            undo = partial(undo_adjustments, [row.pk], reason="test", actor=ACTOR)
            self.undo("stock_adjustment", row.pk, undo)

    @rule(sku=SKUS, place=PLACES, units=UNITS)
    def book_in(self, sku: int, place: int, units: int) -> None:
        self.book_in_at(sku, place, units)

    def book_in_at(self, sku: int, place: int, units: int) -> None:
        lines = [ReceivedLine(self.skus[sku], units), ReceivedLine(self.skus[1 - sku], 1)]
        where = {"location_id": self.places[place], "note": "", "nonce": self.once()}
        pk = self.act(lambda: book_receipt(lines, **where, actor=ACTOR), LineRefused)
        if pk is not None:
            came = {(line.sku_id, self.places[place]): (line.quantity, 0) for line in lines}
            self.note(("stock_receipt", pk), came)

    @rule(which=WHICH)
    def undo_in(self, which: int) -> None:
        row = at(list(StockReceipt.objects.filter(undone_at=None).order_by("-pk")), which)
        if row is not None:
            self.undo("stock_receipt", row.pk, partial(undo_receipts, [row.pk], reason="test", actor=ACTOR))

    @rule(sku=SKUS, place=PLACES, units=UNITS)
    def send_now(self, sku: int, place: int, units: int) -> None:
        plan = TransferPlan(*self.ends(place), (TransferUnits(self.skus[sku], units),))
        pk = self.act(lambda: book_transfer(plan, nonce=self.once(), actor=ACTOR), LocationClosed)
        if pk is not None and self.done(lambda: send_transfers([pk], actor=ACTOR)):
            self.hand[self.skus[sku], self.places[place]] -= units

    def ends(self, place: int) -> tuple[int, int]:
        return self.places[place], self.places[1 - place]

    @rule(sku=SKUS, place=PLACES, units=UNITS)
    def plan_transfer(self, sku: int, place: int, units: int) -> None:
        plan = TransferPlan(*self.ends(place), (TransferUnits(self.skus[sku], units),))
        self.act(lambda: book_transfer(plan, nonce=self.once(), actor=ACTOR), LocationClosed)

    @rule(which=WHICH)
    def undo_sending(self, which: int) -> None:
        row = at(list(Transfer.objects.filter(status="sent").order_by("pk")), which)
        if row is None:
            return
        sent = {(line.sku_id, row.origin_id): (-line.sent, 0) for line in row.lines.all()}
        self.booked["transfer", row.pk] = sent
        self.undo("transfer", row.pk, partial(undo_sending, [row.pk], reason="test", actor=ACTOR))

    @rule(
        sku=SKUS,
        place=PLACES,
        units=st.integers(0, 12),
        off=st.integers(-3, 3),
        is_same=st.none() | st.booleans(),
    )
    def count_now(self, sku: int, place: int, units: int, off: int, is_same: bool | None) -> None:
        """Somebody may correct the SKU by hand before the count is approved, if it is."""
        spot = self.skus[sku], self.places[place]
        plan = CountPlan(spot[1], (spot[0],))
        pk = self.act(lambda: book_count(plan, nonce=self.once(), actor=ACTOR))
        (line,) = StockCountLine.objects.filter(count=pk)
        self.act(lambda: record_counts([CountSheet(line.count_id, {line.pk: units})], actor=COUNTER))
        fix = Adjustment(self.once(), *spot, off)
        if off and self.done(lambda: adjust_stock([fix], reason="test", actor=ACTOR)):
            self.hand[spot] += off
        if is_same is not None:
            self.approve_as(StockCount.objects.get(pk=pk), is_same)

    def follow_count(self, count_id: int) -> None:
        self.count_in(self.corrected(count_id))

    @rule(which=WHICH)
    def undo_count(self, which: int) -> None:
        row = at(list(StockCount.objects.filter(status=CountStatus.APPROVED).order_by("-pk")), which)
        if row is not None:
            self.booked["stock_count", row.pk] = self.corrected(row.pk)
            self.undo("stock_count", row.pk, partial(undo_counts, [row.pk], reason="test", actor=ACTOR))

    def corrected(self, count_id: int) -> dict[Spot, tuple[int, int]]:
        """What an approved count differed by, without what had been booked by hand."""
        effects: dict[Spot, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for line in StockCountLine.objects.filter(count=count_id, count__status=CountStatus.APPROVED):
            effects[line.sku_id, line.count.location_id] = (line.variance - line.by_hand, 0)
        return effects

    @rule(which=WHICH, is_again=st.booleans())
    def give_up_count(self, which: int, is_again: bool) -> None:
        rows = StockCount.objects.filter(status__in=[CountStatus.DRAFT, CountStatus.COUNTED])
        if (row := at(list(rows.order_by("pk")), which)) is not None:
            give_up = recount if is_again else cancel_counts
            self.act(lambda: give_up([row.pk], reason="test", actor=ACTOR))

    @rule(which=WHICH, units=st.integers(0, 9), minutes=st.integers(1, 20))
    def count_of_before(self, which: int, units: int, minutes: int) -> None:
        line = at(list(StockCountLine.objects.filter(count__status="draft").order_by("pk")), which)
        if line is not None:
            sheet = CountSheet(line.count_id, {line.pk: units}, self.now - timedelta(minutes=minutes))
            self.act(lambda: record_counts([sheet], actor=ACTOR))

    @rule(which=WHICH, is_same=st.booleans())
    def approve_judged(self, which: int, is_same: bool) -> None:
        """Corrections by hand since then were for the same units, or they were not."""
        count = at(list(StockCount.objects.filter(status=CountStatus.COUNTED).order_by("pk")), which)
        if count is not None:
            self.approve_as(count, is_same)

    def approve_as(self, count: StockCount, is_same: bool) -> None:
        since = corrections_since(list(count.lines.all()), {count.pk: count})
        judged = {
            pk: Judged(sum(row.delta for row in by_hand(rows)), is_same)
            for pk, rows in since.items()
            if by_hand(rows)
        }
        if self.done(lambda: approve_counts([count.pk], judged=judged, actor=ACTOR)):
            self.count_in(self.corrected(count.pk))

    @rule(sku=SKUS, place=PLACES, units=UNITS, reason=REASONS, is_over=st.booleans())
    def set_aside_or_write_off(self, sku: int, place: int, units: int, reason: Any, is_over: bool) -> None:
        spot, key = (self.skus[sku], self.places[place]), self.once()
        why = {"reason": reason, "note": "test", "actor": ACTOR}
        if is_over and self.done(lambda: write_off([ReturnedGoods(key, *spot, units)], **why)):
            self.count_in({spot: (-units, -units)})
        elif not is_over and self.done(lambda: set_aside([Aside(key, *spot, units)], **why)):
            self.count_in({spot: (0, units)})

    @rule(sku=SKUS, place=PLACES, buffer=st.integers(0, 9), point=st.integers(0, 5))
    def keep_back(self, sku: int, place: int, buffer: int, point: int) -> None:
        policy = LevelPolicy(self.skus[sku], self.places[place], buffer, point)
        self.act(lambda: set_policies([policy], actor=ACTOR))

    @rule(place=PLACES, is_active=st.sampled_from([True, True, False]), can_ship=st.booleans())
    def close_or_open(self, place: int, is_active: bool, can_ship: bool) -> None:
        """As the location's page does."""

        def steps() -> None:
            row = Location.objects.get(pk=self.places[place])
            row.is_active, row.can_ship = is_active, can_ship
            row.save()
            record_crossed(mistold_levels(StockLevel.objects.filter(location=row)))

        self.committed(steps)

    def promise(self, sku: int, which: int, states: Any) -> Reservation | None:
        rows = Reservation.objects.filter(sku=self.skus[sku], state__in=states)
        return at(list(rows.order_by("pk")), which)

    @rule(sku=SKUS, place=PLACES, units=UNITS, which=WHICH)
    def move_promise(self, sku: int, place: int, units: int, which: int) -> None:
        def steps() -> None:
            levels = lock_levels([self.skus[sku]])
            row = self.promise(sku, which, ["open"])
            there = [level.pk for level in levels if level.location_id == self.places[place]]
            if row is not None and there:
                move_reservations([Move(row, there[0], min(units, row.quantity))], levels=levels)

        self.committed(steps, NotEnoughStock, QueueJumped)

    @rule(sku=SKUS, units=UNITS, which=WHICH)
    def cut_promise(self, sku: int, units: int, which: int) -> None:
        def steps() -> int:
            levels = lock_levels([self.skus[sku]])
            if (row := self.promise(sku, which, LIVE_RESERVATION)) is None:
                return 0
            given = min(units, row.quantity)
            cut_reservations([Cut(row, given)], reason="test", levels=levels, actor=ACTOR)
            return given

        self.claimed[self.skus[sku]] -= self.committed(steps)

    @rule(sku=SKUS, which=WHICH, priority=st.integers(-1, 2))
    def move_in_line(self, sku: int, which: int, priority: int) -> None:
        if (row := self.promise(sku, which, ["waiting"])) is not None:
            wish = Requeue(row.pk, priority)
            self.act(lambda: requeue_reservations([wish], reason="test", actor=ACTOR))

    @invariant()
    def levels_are_the_model(self) -> None:
        """Only what lies where orders are shipped from can be sold."""
        live: Counter[int] = Counter()
        left: Counter[int] = Counter()
        for row in Reservation.objects.filter(state__in=LIVE_RESERVATION):
            live[row.sku_id] += row.quantity
            left[row.sku_id] -= row.quantity if row.state == ReservationState.WAITING else 0
        hand, aside = Counter(), Counter()
        for level in StockLevel.objects.select_related("location"):
            spot = level.sku_id, level.location_id
            hand[spot], aside[spot] = level.on_hand, level.unsellable
            left[level.sku_id] += max(0, level.free) if level.location.is_selling else 0
        assert (hand, aside, live) == (self.hand, self.aside, self.claimed)
        assert available_to_sell(self.skus) == {pk: max(0, left[pk]) for pk in self.skus}
