"""Order verbs in any order, from the door to the return, beside a model of keys and of units on hand."""

from collections import Counter
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from config.kernel import outbox
from config.kernel.enums import DeliveryState
from config.kernel.models import Delivery
from fulfillment.enums import LIVE_FULFILLMENT, ParcelStatus
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services.cancelling import cancel_fulfillment_orders
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from fulfillment.services.tracking import record_tracking
from inventory.models import Reservation, Sku, StockLevel
from inventory.services.receiving import Receipt, receive_stock
from orders.enums import FulfillmentStatus, HoldKind
from orders.models import Order, OrderLine
from orders.services.accepting import Incoming, accept_orders
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.services.cancelling import cancel_orders
from orders.services.cancelling_lines import CancelUnits, cancel_units
from orders.services.completing import complete_orders, reopen_orders
from orders.services.confirming import confirm_orders
from orders.services.filling import Details, fill_details
from orders.services.holds import place_hold, release_holds
from orders.services.mapping import SkuMapping, map_skus
from orders.services.overriding import Override, override_allocation
from orders.services.reallocating import reallocate_orders
from returns.enums import Condition, Disposition
from returns.models import Rma
from returns.services.approving import approve_returns
from returns.services.inspecting import Verdict, inspect_returns
from returns.services.receiving import receive_returns
from returns.services.requesting import request_returns
from tests.factories.fulfillment import hand, told
from tests.factories.inventory import ACTOR, make_location, make_sku
from tests.factories.orders import make_channel, make_kit, neutral_line, neutral_order
from tests.factories.returns import inspection, receipt, wish
from tests.statemachines.upsets import PLACES, WHICH, Upset
from tests.statemachines.watched import at

CODES = ("MUG", "TEE", "GIFT", "OLD")  # the last is nobody's until it is mapped
BASKET = st.dictionaries(st.sampled_from(CODES), st.integers(1, 3), min_size=1, max_size=3)
BROKEN = (DeliveryState.FAILED, DeliveryState.DEAD)
RESTOCK = Verdict(Condition.AS_NEW, Disposition.RESTOCK)
SCRAP = Verdict(Condition.DAMAGED, Disposition.SCRAP)


class OrderMachine(Upset):
    """Two SKUs and a kit of both at two locations, sold by two channels, the second with priority. Unpaid orders keep
    their stock for an hour.

    `keys` are the orders by what the channel calls them, `hand` the units on hand by SKU.
    """

    def begin(self) -> None:
        self.skus = [make_sku("MUG"), make_sku("TEE")]
        self.kit = make_kit("GIFT", MUG=(2, 1), TEE=(1, 1))
        self.places = [make_location("NEAR", preference=1), make_location("FAR", preference=2)]
        hours = {"unpaid_hold_hours": 1}
        self.channels = [make_channel(**hours), make_channel(code="market", priority=5, **hours)]
        self.has_work = self.has_shipped = self.has_return = False
        self.keys: dict[tuple[int, str], int] = {}
        self.hand: Counter[int] = Counter({sku.pk: 0 for sku in self.skus})

    def order(self, which: int) -> int:
        """A known order's id, or one that nobody has."""
        return at(list(self.keys.values()), which) or 0

    @initialize(baskets=st.tuples(BASKET, BASKET), units=st.integers(2, 6))
    def open_shop(self, baskets: tuple[dict[str, int], ...], units: int) -> None:
        """Two orders and some goods, so that few steps find nothing to do."""
        for key, basket in enumerate(baskets):
            self.accept_one(key, key, basket, is_priced=True)
        for sku in (0, 1):
            self.receive_units(sku, 0, units)

    @rule(key=st.integers(0, 3), channel=PLACES, basket=BASKET, is_priced=st.booleans())
    def accept(self, key: int, channel: int, basket: dict[str, int], is_priced: bool) -> None:
        self.accept_one(key, channel, basket, is_priced)

    def accept_one(self, key: int, channel: int, basket: dict[str, int], is_priced: bool) -> None:
        sales_channel, price = self.channels[channel].pk, "10.00" if is_priced else None
        lines = tuple(neutral_line(code, units, price) for code, units in basket.items())
        later = {} if is_priced else {"total_amount": None, "payments": ()}
        incoming = [Incoming(neutral_order(f"A-{key}", lines=lines, **later))]
        results = self.act(lambda: accept_orders(incoming, sales_channel_id=sales_channel, actor=ACTOR))
        assert results is not None
        assert self.keys.setdefault((channel, f"A-{key}"), results.only()) == results.values[f"A-{key}"]

    @rule(which=WHICH, quantity=st.integers(1, 3))
    def fill_in_details(self, which: int, quantity: int) -> None:
        order = Order.objects.filter(pk=self.order(which)).first()
        if order is None:
            return
        lines = tuple(neutral_line(line.sku_code, line.quantity) for line in order.lines.order_by("pk"))
        details = [Details(order.pk, neutral_order(order.external_id, lines=lines))]
        self.act(lambda: fill_details(details, actor=ACTOR))

    @rule(which=WHICH)
    def confirm(self, which: int) -> None:
        self.act(lambda: confirm_orders([self.order(which)], actor=ACTOR))

    @rule(which=WHICH, kind=st.sampled_from([HoldKind.MANUAL, HoldKind.FRAUD]))
    def hold(self, which: int, kind: HoldKind) -> None:
        self.act(lambda: place_hold([self.order(which)], kind=kind, reason="test", actor=ACTOR))

    @rule(which=WHICH)
    def lift_all(self, which: int) -> None:
        self.lift_holds(which)

    def lift_holds(self, which: int) -> None:
        for kind in (HoldKind.MANUAL, HoldKind.FRAUD, HoldKind.UNPAID, HoldKind.DUPLICATE):
            self.act(lambda kind=kind: release_holds([self.order(which)], kind=kind, actor=ACTOR))

    @rule(which=WHICH, more=st.integers(0, 2))
    def allocate(self, which: int, more: int) -> None:
        ids = list({self.order(which + number) for number in range(more + 1)})
        self.act(lambda: allocate_orders(ids, actor=ACTOR))

    @rule(which=WHICH)
    def reallocate(self, which: int) -> None:
        self.act(lambda: reallocate_orders([self.order(which)], actor=ACTOR))

    @rule(which=WHICH, place=PLACES)
    def override(self, which: int, place: int) -> None:
        request = Override(self.order(which), self.places[place].pk)
        self.act(lambda: override_allocation([request], reason="test", actor=ACTOR))

    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        self.act(lambda: cancel_orders([self.order(which)], reason="test", actor=ACTOR))

    @rule(which=WHICH, line=WHICH, units=st.integers(1, 3))
    def cancel_some(self, which: int, line: int, units: int) -> None:
        one = at(list(OrderLine.objects.filter(order=self.order(which)).order_by("pk")), line)
        if one is not None:
            request = CancelUnits(one.order_id, {one.pk: units})
            self.act(lambda: cancel_units([request], reason="test", actor=ACTOR))

    @rule(sku=PLACES, place=PLACES, units=st.integers(1, 5))
    def receive_goods(self, sku: int, place: int, units: int) -> None:
        self.receive_units(sku, place, units)

    def receive_units(self, sku: int, place: int, units: int) -> None:
        receipt = Receipt(self.key(), self.skus[sku].pk, self.places[place].pk, units)
        if self.done(self.act(lambda: receive_stock([receipt], reference=("test", 1), actor=ACTOR))):
            self.hand[self.skus[sku].pk] += units

    @rule(sku=PLACES)
    def fill(self, sku: int) -> None:
        self.act(lambda: fill_backorders([self.skus[sku].pk], actor=ACTOR))

    @rule()
    def hear_news(self) -> None:
        """What workers do by themselves: allocate, fill, revive, call work back, mail."""
        self.act(lambda: (outbox.deliver_due("work"), outbox.deliver_due("mail")))
        errors = Delivery.objects.filter(state__in=BROKEN).values_list("subscriber", "last_error")
        assert not errors, list(errors)

    @rule(sku=PLACES, channel=PLACES)
    def map_old(self, sku: int, channel: int) -> None:
        mapping = SkuMapping(self.channels[channel].pk, "OLD", self.skus[sku].pk)
        self.act(lambda: map_skus([mapping], actor=ACTOR))

    @rule(which=WHICH)
    def release(self, which: int) -> None:
        self.release_one(which)

    def release_one(self, which: int) -> None:
        results = self.act(lambda: release_orders([self.order(which)], actor=ACTOR))
        self.has_work |= results is not None and bool(results.done_ids)

    @rule(which=WHICH)
    def hurry(self, which: int) -> None:
        """All that an order needs to be released, as far as it may be."""
        self.lift_holds(which)
        self.act(lambda: confirm_orders([self.order(which)], actor=ACTOR))
        self.act(lambda: allocate_orders([self.order(which)], actor=ACTOR))
        self.release_one(which)

    def work(self, which: int) -> FulfillmentOrder | None:
        return at(list(FulfillmentOrder.objects.filter(status__in=LIVE_FULFILLMENT).order_by("pk")), which)

    @precondition(lambda self: self.has_work)
    @rule(which=WHICH)
    def call_back(self, which: int) -> None:
        if (work := self.work(which)) is not None:
            self.act(lambda: cancel_fulfillment_orders([work.pk], actor=ACTOR))

    @precondition(lambda self: self.has_work)
    @rule(which=WHICH)
    def ship(self, which: int) -> None:
        work = self.work(which)
        if work is None:
            return
        leaving = Counter()
        for line in work.lines.select_related("line_part"):
            leaving[line.line_part.sku_id] += line.quantity
        results = self.act(lambda: ship_by_hand([hand(work)], actor=ACTOR))
        if results is not None and results.done_ids:
            self.hand.subtract(leaving)
            self.has_shipped = True

    @precondition(lambda self: self.has_shipped)
    @rule(which=WHICH, status=st.sampled_from([ParcelStatus.IN_TRANSIT, ParcelStatus.DELIVERED]))
    def track(self, which: int, status: str) -> None:
        if (parcel := at(list(Parcel.objects.order_by("pk")), which)) is not None:
            self.act(lambda: record_tracking([told(parcel, status)], actor=ACTOR))

    @rule(which=WHICH)
    def complete(self, which: int) -> None:
        self.act(lambda: complete_orders([self.order(which)], actor=ACTOR))

    @precondition(lambda self: self.has_shipped)
    @rule(which=WHICH)
    def reopen(self, which: int) -> None:
        self.act(lambda: reopen_orders([self.order(which)], actor=ACTOR))

    @precondition(lambda self: self.has_shipped)
    @rule(which=WHICH, units=st.integers(1, 3))
    def ask_to_return(self, which: int, units: int) -> None:
        if (order := Order.objects.filter(pk=self.order(which)).first()) is not None:
            asked = wish(order, units, location=self.places[0])
            results = self.act(lambda: request_returns([asked], actor=ACTOR))
            if results is not None and results.done_ids:
                self.has_return = True
                self.act(lambda: approve_returns([results.only()], actor=ACTOR))

    def rma(self, which: int) -> Rma | None:
        return at(list(Rma.objects.order_by("pk")), which)

    @precondition(lambda self: self.has_return)
    @rule(which=WHICH, arrived=st.integers(1, 3))
    def take_back(self, which: int, arrived: int) -> None:
        if (rma := self.rma(which)) is None:
            return
        before = self.returned(rma)
        self.act(lambda: receive_returns([receipt(rma, arrived)], actor=ACTOR))
        self.hand.update(self.returned(rma) - before)

    @precondition(lambda self: self.has_return)
    @rule(which=WHICH, verdict=st.sampled_from([RESTOCK, SCRAP]))
    def inspect(self, which: int, verdict: Verdict) -> None:
        if (rma := self.rma(which)) is None:
            return
        before = self.scrapped(rma)
        self.act(lambda: inspect_returns([inspection(rma, *[verdict] * 9)], actor=ACTOR))
        self.hand.subtract(self.scrapped(rma) - before)

    def returned(self, rma: Rma) -> Counter[int]:
        return self.units(rma, reception="received")

    def scrapped(self, rma: Rma) -> Counter[int]:
        return self.units(rma, disposition=Disposition.SCRAP)

    def units(self, rma: Rma, **where: Any) -> Counter[int]:
        return Counter(rma.units.filter(**where).values_list("line_part__sku", flat=True))

    @invariant()
    def rows_are_the_model(self) -> None:
        hand: Counter[int] = Counter({sku.pk: 0 for sku in self.skus})
        for level in StockLevel.objects.all():
            assert level.unpromised >= 0, f"{-level.unpromised} units oversold"
            hand[level.sku_id] += level.on_hand
        assert hand == self.hand, f"on hand {hand}, counted {self.hand}"
        found = {(order.sales_channel_id, order.external_id): order.pk for order in Order.objects.all()}
        mine = {(self.channels[channel].pk, key): pk for (channel, key), pk in self.keys.items()}
        assert found == mine, f"orders {found}, accepted {mine}"

    def teardown(self) -> None:
        try:
            self.nobody_waits_for_free_units()
        finally:
            super().teardown()

    def nobody_waits_for_free_units(self) -> None:
        """Once the sweeps have been, at one moment: whoever is overdue gets nothing, and keeps others from it."""
        self.act(lambda: (self.sweep_overdue(), fill_backorders([sku.pk for sku in self.skus], actor=ACTOR)))
        waiting = set(Reservation.objects.filter(state="waiting").values_list("sku", flat=True))
        levels = StockLevel.objects.select_related("location")
        free = {level.sku_id for level in levels if level.free > 0 and level.location.is_selling}
        assert not waiting & free, f"SKUs {waiting & free} are free, and waited for"
        backordered = Order.objects.filter(fulfillment_status=FulfillmentStatus.BACKORDERED)
        assert waiting or not backordered.exists()
        assert Sku.objects.count() == 3
