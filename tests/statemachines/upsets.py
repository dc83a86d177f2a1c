"""What upsets orders from outside: goods lost, set aside, kept back or sent away, locations that close, time that runs
out, places in line that change, customers who are the same, kits made of something else. Rules for the machine over
order verbs."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from config.kernel import clock
from config.kernel.results import Results
from inventory.enums import LIVE_RESERVATION, UnsellableReason
from inventory.errors import LocationClosed
from inventory.models import Location, Reservation, Sku, Transfer
from inventory.services.catalogue import PartOfKit, save_kits
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.policies import LevelPolicy, set_policies
from inventory.services.reservations import Requeue, expire_reservations, requeue_reservations
from inventory.services.returning import ReturnedGoods
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
from orders.changes import SetQuantity
from orders.enums import PaymentStatus
from orders.errors import AmountsAwaited, BelowLeast, NothingLeft, OrderClosed, UnitsAtWork
from orders.models import Customer, OrderLine
from orders.services.merging import merge_customers
from orders.services.payments import PaymentReport, report_payments
from tests.factories.inventory import ACTOR
from tests.factories.orders import neutral_payment
from tests.factories.proposals import change
from tests.statemachines.watched import Watched, at

WHICH = st.integers(0, 5)
PLACES = st.integers(0, 1)
UNITS = st.integers(1, 3)
DAMAGED = UnsellableReason.DAMAGED
OFTEN = st.sampled_from([True, True, True, False])
# Whole sums of the order's 10.00 a unit: some pay one line, some all, some too much.
PAID = st.sampled_from(["10.00", "30.00"])
REPORTS = st.sampled_from(
    [PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED, PaymentStatus.VOIDED, PaymentStatus.EXPIRED]
)


class Upset(Watched):
    """`hand` are units on hand by SKU, of `skus` at two `places`; goods on the way between them are on no hand."""

    skus: list[Sku]
    places: list[Location]
    kit: Sku
    hand: Counter[int]
    is_away = False
    posted = 0

    def order(self, which: int) -> int:
        """The pk of one of the machine's orders.

        Each machine keeps its own: hypothesis's metaclass rules out an abstract method, so that this one raises.
        """
        raise NotImplementedError(f"{type(self).__name__} keeps no orders")

    def key(self) -> str:
        self.posted += 1
        return f"u{self.posted}"

    @rule(sku=PLACES, place=PLACES, units=UNITS)
    def lose(self, sku: int, place: int, units: int) -> None:
        line = Adjustment(self.key(), self.skus[sku].pk, self.places[place].pk, -units)
        if self.done(self.act(lambda: adjust_stock([line], reason="test", actor=ACTOR))):
            self.hand[self.skus[sku].pk] -= units

    @rule(sku=PLACES, place=PLACES, units=UNITS)
    def damage(self, sku: int, place: int, units: int) -> None:
        line = Aside(self.key(), self.skus[sku].pk, self.places[place].pk, units)
        self.act(lambda: set_aside([line], reason=DAMAGED, note="test", actor=ACTOR))

    @rule(sku=PLACES, place=PLACES, units=UNITS)
    def repair(self, sku: int, place: int, units: int) -> None:
        line = ReturnedGoods(self.key(), self.skus[sku].pk, self.places[place].pk, units)
        self.act(lambda: put_back([line], reason=DAMAGED, note="test", actor=ACTOR))

    @rule(sku=PLACES, place=PLACES, units=UNITS)
    def send_away(self, sku: int, place: int, units: int) -> None:
        """From one place to the other; promised units may be among them."""
        ends = self.places[place].pk, self.places[1 - place].pk
        plan = TransferPlan(*ends, (TransferUnits(self.skus[sku].pk, units),))
        pk = self.act(lambda: book_transfer(plan, nonce=self.key(), actor=ACTOR), LocationClosed)
        if pk is not None and self.done(self.act(lambda: send_transfers([pk], actor=ACTOR))):
            self.hand[self.skus[sku].pk] -= units
            self.is_away = True

    @precondition(lambda self: self.is_away)
    @rule(which=WHICH, is_there=st.booleans())
    def arrive(self, which: int, is_there: bool) -> None:
        """Where it was sent to, or back from where it came."""
        row = at(list(Transfer.objects.filter(status="sent").order_by("pk")), which)
        if row is None:
            return
        units = {line.sku_id: line.in_transit for line in row.lines.all()}
        if is_there:
            results = self.act(lambda: receive_transfers([TransferReceipt(row.pk)], actor=ACTOR))
        else:
            results = self.act(lambda: cancel_transfers([row.pk], reason="test", actor=ACTOR))
        if self.done(results):
            self.hand.update(units)

    @rule(sku=PLACES, place=PLACES, buffer=st.integers(0, 4))
    def keep_back(self, sku: int, place: int, buffer: int) -> None:
        policy = LevelPolicy(self.skus[sku].pk, self.places[place].pk, buffer)
        self.act(lambda: set_policies([policy], actor=ACTOR))

    @rule(place=PLACES, is_active=OFTEN, can_ship=OFTEN)
    def close_or_open(self, place: int, is_active: bool, can_ship: bool) -> None:
        """As the location's page does; nobody is told, whoever waits is served by the sweep."""
        row = Location.objects.get(pk=self.places[place].pk)
        row.is_active, row.can_ship = is_active, can_ship
        self.act(row.save)

    @rule(which=WHICH, priority=st.integers(-1, 6))
    def move_in_line(self, which: int, priority: int) -> None:
        row = at(list(Reservation.objects.filter(state="waiting").order_by("pk")), which)
        if row is not None:
            wish = Requeue(row.pk, priority)
            self.act(lambda: requeue_reservations([wish], reason="test", actor=ACTOR))

    @rule(which=WHICH, status=REPORTS, amount=PAID)
    def pay(self, which: int, status: PaymentStatus, amount: str) -> None:
        """By a second payment; what an order holds has no end while it is paid."""
        captured = Decimal(amount) if status == PaymentStatus.CAPTURED else Decimal(0)
        paid = neutral_payment(amount, external_id="pi_9", status=status, captured_amount=captured)
        report = PaymentReport(self.order(which), (paid,))
        self.act(lambda: report_payments([report], actor=ACTOR))

    @rule()
    def let_time_run_out(self) -> None:
        """Two thirds of the time that unpaid orders have."""
        self.now += timedelta(minutes=40)
        self.act(self.sweep_overdue)

    @staticmethod
    def sweep_overdue() -> None:
        due = Reservation.objects.filter(state__in=LIVE_RESERVATION, expires_at__lte=clock.now())
        if ids := list(due.order_by("pk").values_list("pk", flat=True)):
            expire_reservations(ids, actor=ACTOR)

    @rule(gone=WHICH, kept=WHICH)
    def merge(self, gone: int, kept: int) -> None:
        rows = list(Customer.objects.filter(merged_into=None).order_by("pk"))
        one, other = at(rows, gone), at(rows, kept)
        if one is not None and other is not None and one != other:
            self.act(lambda: merge_customers([one.pk], keep_id=other.pk, actor=ACTOR))

    @rule(units=UNITS)
    def change_kit(self, units: int) -> None:
        """Orders keep what it was made of."""
        parts = [PartOfKit(self.skus[0].pk, units), PartOfKit(self.skus[1].pk)]
        self.act(lambda: save_kits([self.kit.pk], parts={self.kit.pk: parts}, actor=ACTOR))

    @rule(which=WHICH, line=WHICH, units=st.integers(1, 4))
    def change_quantity(self, which: int, line: int, units: int) -> None:
        one = at(list(OrderLine.objects.filter(order=self.order(which)).order_by("pk")), line)
        if one is not None:
            wish = SetQuantity(one.pk, units)
            refusals = (AmountsAwaited, BelowLeast, NothingLeft, OrderClosed, UnitsAtWork)
            self.act(lambda: change(one.order, wish), *refusals)

    @staticmethod
    def done(results: Results[Any] | None) -> bool:
        return results is not None and bool(results.done_ids)
