"""Backorders: whatever is received, edited, cancelled, lost or given priority, nobody is overtaken."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from inventory.models import Reservation, StockLevel
from inventory.services.correcting import Adjustment, adjust_stock
from orders.models import LinePart, Order, OrderLine, SalesChannel
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.services.cancelling import cancel_orders
from orders.services.cancelling_lines import CancelUnits, cancel_units
from tests.factories.inventory import ACTOR, make_kit, make_location, make_sku, receive
from tests.factories.orders import make_channel, make_order, neutral_line
from tests.statemachines.watched import Watched, at

WHICH = st.integers(0, 9)
PLACES = st.integers(0, 1)


@dataclass(frozen=True, slots=True)
class Standing:
    """Open and waiting units by order, and what is free."""

    held: Counter[int]
    waiting: Counter[int]
    free: int


class QueueMachine(Watched):
    """One SKU at two locations, ordered by itself and in kits of two, through two channels of changing priority."""

    def begin(self) -> None:
        self.mug = make_sku("MUG")
        make_kit({self.mug: 2}, code="PAIR")
        self.places = [make_location("NEAR", preference=1), make_location("FAR", preference=2)]
        self.channels = [make_channel(), make_channel(code="market")]
        self.orders: list[int] = []
        self.losses = 0
        self.before = self.standing()

    @rule(channel=PLACES, code=st.sampled_from(["MUG", "PAIR"]), units=st.integers(1, 4))
    def order(self, channel: int, code: str, units: int) -> None:
        self.orders.append(self.act(lambda: self.new(channel, neutral_line(code, units))).pk)
        self.act(lambda: allocate_orders(self.orders[-1:], actor=ACTOR))

    @rule(channel=PLACES, units=st.integers(1, 4))
    def order_undecided(self, channel: int, units: int) -> None:
        """It joins the queue only when somebody allocates it."""
        self.orders.append(self.act(lambda: self.new(channel, neutral_line("MUG", units))).pk)

    def new(self, channel: int, line: object) -> Order:
        sold_by = SalesChannel.objects.get(pk=self.channels[channel].pk)
        return make_order(channel=sold_by, lines=(line,), skus=False)

    @rule()
    def allocate_all(self) -> None:
        self.act(lambda: allocate_orders(self.orders, actor=ACTOR))

    @rule(channel=PLACES, priority=st.integers(0, 2))
    def change_priority(self, channel: int, priority: int) -> None:
        """Orders from now on; those in line keep theirs."""
        SalesChannel.objects.filter(pk=self.channels[channel].pk).update(priority=priority)

    @rule(place=PLACES, units=st.integers(1, 5), is_filled=st.booleans())
    def receive(self, place: int, units: int, is_filled: bool) -> None:
        self.act(lambda: receive(self.mug, self.places[place], units))
        if is_filled:
            self.fill()

    @rule(place=PLACES, units=st.integers(1, 5))
    def lose(self, place: int, units: int) -> None:
        self.losses += 1
        line = Adjustment(f"loss:{self.losses}", self.mug.pk, self.places[place].pk, -units)
        self.act(lambda: adjust_stock([line], reason="test", actor=ACTOR))

    @rule(which=WHICH, is_filled=st.booleans())
    def cancel(self, which: int, is_filled: bool) -> None:
        self.act(lambda: cancel_orders([at(self.orders, which) or 0], reason="test", actor=ACTOR))
        if is_filled:
            self.fill()

    @rule(which=WHICH, units=st.integers(1, 3), is_filled=st.booleans())
    def cancel_some(self, which: int, units: int, is_filled: bool) -> None:
        line = OrderLine.objects.filter(order=at(self.orders, which) or 0).first()
        if line is not None:
            request = CancelUnits(line.order_id, {line.pk: units})
            self.act(lambda: cancel_units([request], reason="test", actor=ACTOR))
        if is_filled:
            self.fill()

    @rule()
    def serve(self) -> None:
        self.fill()

    def fill(self) -> None:
        """Afterwards units are free only where nobody waits."""
        self.act(lambda: fill_backorders([self.mug.pk], actor=ACTOR))
        now = self.standing()
        assert not (now.free and now.waiting), f"{now.free} units are free, and waited for"

    def standing(self) -> Standing:
        order_of = dict(LinePart.objects.values_list("pk", "line__order_id"))
        held, waiting = Counter(), Counter()
        for row in Reservation.objects.filter(state__in=["open", "waiting"]):
            order_id = order_of[row.reference_id]
            if row.state == "open":
                held[order_id] += row.quantity
            else:
                waiting[order_id] += row.quantity
        free = sum(max(0, level.free) for level in StockLevel.objects.all())
        return Standing(held, waiting, free)

    @invariant()
    def nobody_is_overtaken(self) -> None:
        """Whoever gained units left enough for all that wait before them: in priority, in time, and in sequence."""
        before, now = self.before, self.standing()
        self.before = now
        for order_id in now.held - before.held:
            place = self.place(order_id)
            ahead = [other for other in now.waiting if other != order_id and self.place(other) < place]
            owed = sum(now.waiting[other] for other in ahead)
            assert now.free >= owed, f"order {order_id} overtook {ahead}: {now.free} free, {owed} waited for"
        for part in LinePart.objects.filter(line__order__in=self.orders):
            assert part.allocated == now.held[part.line.order_id]

    def place(self, order_id: int) -> tuple[int, datetime, int]:
        """Where an order stands in line, or stood: as it joined."""
        parts = LinePart.objects.filter(line__order=order_id).values("pk")
        first = Reservation.objects.filter(reference_id__in=parts).earliest("pk")
        return -first.priority, first.queued_at, first.pk
