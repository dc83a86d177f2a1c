"""Backorders: whatever is received, changed, cancelled, lost or moved in line, nobody is overtaken."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from inventory.models import Reservation, StockLevel
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.reservations import Requeue, requeue_reservations
from orders.changes import SetQuantity
from orders.errors import BelowLeast, NothingLeft, OrderClosed
from orders.models import LinePart, Order, OrderLine, SalesChannel
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.services.cancelling import cancel_orders
from orders.services.cancelling_lines import CancelUnits, cancel_units
from orders.services.proposals.wishes import NewLine
from tests.factories.inventory import ACTOR, make_kit, make_location, make_sku, receive
from tests.factories.orders import make_channel, make_order, neutral_line
from tests.factories.proposals import change
from tests.statemachines.watched import Watched, at

WHICH = st.integers(0, 9)
PLACES = st.integers(0, 1)


@dataclass(frozen=True, slots=True)
class Claim:
    """One live reservation as it stands."""

    pk: int
    order_id: int
    is_open: bool
    units: int
    priority: int
    queued_at: datetime

    @property
    def place(self) -> tuple[int, datetime, int]:
        """Where it stands in line: by priority, then by when it joined, then, within an order, in sequence."""
        return -self.priority, self.queued_at, self.pk


@dataclass(frozen=True, slots=True)
class Standing:
    """Open and waiting reservations by pk, and what is free."""

    claims: Mapping[int, Claim]
    free: int

    def held(self) -> Counter[int]:
        """Open units by order."""
        units: Counter[int] = Counter()
        for claim in self.claims.values():
            units[claim.order_id] += claim.units if claim.is_open else 0
        return units

    def waiting(self) -> list[Claim]:
        return [claim for claim in self.claims.values() if not claim.is_open]

    def of(self, order_id: int) -> list[Claim]:
        return [claim for claim in self.claims.values() if claim.order_id == order_id]


class QueueMachine(Watched):
    """One SKU at two locations, ordered by itself and in kits of two, through two channels of changing priority."""

    def begin(self) -> None:
        self.mug = make_sku("MUG")
        make_kit({self.mug: 2}, code="PAIR")
        self.places = [make_location("NEAR", preference=1), make_location("FAR", preference=2)]
        self.channels = [make_channel(), make_channel(code="market")]
        self.orders: list[int] = []
        self.losses = 0
        self.moved: dict[int, int] = {}  # new priorities by reservation
        self.looked_at = self.now
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

    @rule(which=WHICH, priority=st.integers(0, 3), is_filled=st.booleans())
    def move_in_line(self, which: int, priority: int, is_filled: bool) -> None:
        """It stands among those of its new priority, by when it joined; where, is what the verb says."""
        claim = at(self.before.waiting(), which)
        if claim is not None:
            wish = Requeue(claim.pk, priority)
            results = self.act(lambda: requeue_reservations([wish], reason="test", actor=ACTOR))
            if results is not None and results.done_ids:
                self.moved[claim.pk] = priority
                line = sorted(self.standing().waiting(), key=lambda one: one.place)
                place = [one.pk for one in line].index(claim.pk) + 1
                assert results.values == {claim.pk: place}, f"moved to {place}, told {results.values}"
        if is_filled:
            self.fill()

    @rule(which=WHICH, units=st.integers(0, 6), is_filled=st.booleans())
    def change_quantity(self, which: int, units: int, is_filled: bool) -> None:
        """By a proposal: what is more joins the end of the line, what is less is given back."""
        line = OrderLine.objects.filter(order=at(self.orders, which) or 0).first()
        if line is not None:
            wish = SetQuantity(line.pk, units)
            self.act(lambda: change(line.order, wish), BelowLeast, NothingLeft, OrderClosed)
        if is_filled:
            self.fill()

    @rule(which=WHICH, units=st.integers(1, 3))
    def add_line(self, which: int, units: int) -> None:
        order = Order.objects.filter(pk=at(self.orders, which) or 0).first()
        if order is not None:
            wish = NewLine(self.mug.pk, units, Decimal("3.00"))
            self.act(lambda: change(order, wish), OrderClosed)

    @rule()
    def serve(self) -> None:
        self.fill()

    def fill(self) -> None:
        """Afterwards units are free only where nobody waits."""
        self.act(lambda: fill_backorders([self.mug.pk], actor=ACTOR))
        now = self.standing()
        assert not (now.free and now.waiting()), f"{now.free} units are free, and waited for"

    def standing(self) -> Standing:
        order_of = dict(LinePart.objects.values_list("pk", "line__order_id"))
        claims = {
            row.pk: Claim(
                row.pk,
                order_of[row.reference_id],
                row.state == "open",
                row.quantity,
                row.priority,
                row.queued_at,
            )
            for row in Reservation.objects.filter(state__in=["open", "waiting"]).order_by("pk")
        }
        return Standing(claims, sum(max(0, level.free) for level in StockLevel.objects.all()))

    @invariant()
    def nobody_is_overtaken(self) -> None:
        """Whoever gained units left enough for all that wait before the place which they gained them from."""
        before, now = self.before, self.standing()
        for order_id in now.held() - before.held():
            place = max(claim.place for claim in _gained(order_id, before, now))
            ahead = [one for one in now.waiting() if one.order_id != order_id and one.place < place]
            owed = sum(claim.units for claim in ahead)
            assert now.free >= owed, f"order {order_id} overtook {ahead}: {now.free} free, {owed} waited for"
        for order_id in self.orders:
            parts = LinePart.objects.filter(line__order=order_id)
            assert sum(part.allocated for part in parts) == now.held()[order_id]
        self.places_are_kept(before, now)
        self.before, self.looked_at = now, self.now
        self.moved.clear()

    def places_are_kept(self, before: Standing, now: Standing) -> None:
        """Only who is moved changes priority, nobody when they joined; who is new joined now, or goes on from a
        place that the order had or was moved to."""
        for claim in now.claims.values():
            known = before.claims.get(claim.pk)
            if known is None:
                had = before.of(claim.order_id)
                places = {(one.priority, one.queued_at) for one in had}
                places |= {(self.moved[one.pk], one.queued_at) for one in had if one.pk in self.moved}
                is_kept = claim.queued_at > self.looked_at or (claim.priority, claim.queued_at) in places
            else:
                priority = self.moved.get(claim.pk, known.priority)
                is_kept = claim.queued_at == known.queued_at and claim.priority == priority
            assert is_kept, f"place changed: {known} is {claim}"
        self.nobody_shares_a_place(now)

    def nobody_shares_a_place(self, now: Standing) -> None:
        """The row's id must never decide between two orders: a part that is split off has a new one."""
        joined: dict[datetime, int] = {}
        for claim in now.claims.values():
            other = joined.setdefault(claim.queued_at, claim.order_id)
            assert other == claim.order_id, f"orders {other} and {claim.order_id} share a place"


def _gained(order_id: int, before: Standing, now: Standing) -> list[Claim]:
    """The claims through which an order gained units: those that waited and do so for fewer, else new ones.

    A claim that was cut waits for fewer too; what was gained is open at the place which it was gained from.
    """
    opened = [one for one in now.of(order_id) if one.is_open and one.units > _open_units(one.pk, before)]
    places = {one.queued_at for one in opened}
    served = [
        now.claims[was.pk]
        for was in before.of(order_id)
        if not was.is_open
        and was.queued_at in places
        and was.pk in now.claims
        and (now.claims[was.pk].is_open or now.claims[was.pk].units < was.units)
    ]
    return served or [one for one in opened if one.pk not in before.claims]


def _open_units(pk: int, before: Standing) -> int:
    was = before.claims.get(pk)
    return was.units if was is not None and was.is_open else 0
