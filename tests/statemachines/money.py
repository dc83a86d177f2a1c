"""Money verbs in any order: amounts stated late, payments reported twice, late and mixed up; to the coin."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from config.kernel.results import Results
from orders.enums import ChargeKind, PaymentAxis, PaymentStatus
from orders.models import Order
from orders.neutral import (
    NeutralCharge,
    NeutralDiscount,
    NeutralLine,
    NeutralOrder,
    NeutralPayment,
    NeutralTax,
)
from orders.services.accepting import Incoming, accept_orders
from orders.services.cancelling import cancel_orders
from orders.services.filling import Details, fill_details
from orders.services.payments import PaymentReport, report_payments
from tests.factories.inventory import ACTOR, make_sku
from tests.factories.orders import (
    assert_sums_up,
    make_channel,
    make_kit,
    neutral_line,
    neutral_order,
    neutral_payment,
)
from tests.statemachines.watched import Watched

CENTS = st.integers(0, 9999).map(lambda cents: Decimal(cents) / 100)
SHARES = st.lists(st.integers(0, 300).map(lambda cents: Decimal(cents) / 100), max_size=2)
WHICH = st.integers(0, 1)
STATUSES = st.sampled_from(list(PaymentStatus))
ENDED = {PaymentStatus.VOIDED, PaymentStatus.FAILED, PaymentStatus.EXPIRED}
COIN = Decimal("0.01")


@st.composite
def lines(draw: st.DrawFn) -> tuple[NeutralLine, ...]:
    """A plain line and one of a kit, discounted and taxed to odd coins."""
    return tuple(
        neutral_line(
            code,
            draw(st.integers(1, 7)),
            str(draw(CENTS)),
            discounts=tuple(NeutralDiscount(share, f"D{n}") for n, share in enumerate(draw(SHARES))),
            taxes=tuple(NeutralTax(f"T{n}", share, Decimal(22)) for n, share in enumerate(draw(SHARES))),
        )
        for code in ("MUG", "GIFT")
    )


@st.composite
def orders(draw: st.DrawFn) -> NeutralOrder:
    """An order whose stated total may differ from its parts by some coins."""
    order = neutral_order(lines=draw(lines()), prices_include_tax=draw(st.booleans()), payments=())
    shipping = NeutralCharge(ChargeKind.SHIPPING, "ship", "Courier", draw(CENTS))
    order = replace(order, charges=(shipping,))
    return replace(order, total_amount=total_of(order) + draw(st.sampled_from([0, 0, 1, -1])) * COIN)


def total_of(order: NeutralOrder) -> Decimal:
    """What its parts add up to, by another way than the product's."""
    total = sum((charge.amount or 0 for charge in order.charges), Decimal(0))
    for line in order.lines:
        total += (line.subtotal_amount or 0) - sum(one.amount for one in line.discounts)
        if not order.prices_include_tax:
            total += sum(one.amount or 0 for one in line.taxes)
    return total


def untold(order: NeutralOrder, is_total_told: bool) -> NeutralOrder:
    """The order before its channel states amounts."""
    rest = tuple(
        replace(line, unit_amount=None, subtotal_amount=None, discounts=(), taxes=()) for line in order.lines
    )
    total = order.total_amount if is_total_told else None
    return replace(order, lines=rest, charges=(), total_amount=total)


class MoneyMachine(Watched):
    """Up to two orders of one channel, each with up to two payments; `told` are the reports that were taken in."""

    def begin(self) -> None:
        make_sku("MUG")
        make_kit("GIFT", CUP=(2, 3), TIN=(1, 1))
        self.channel = make_channel()
        self.stated: dict[str, NeutralOrder] = {}
        self.pks: dict[str, int] = {}
        self.whole: set[str] = set()
        self.told: dict[tuple[str, str], NeutralPayment] = {}

    @initialize(order=orders(), is_told=st.booleans(), is_total_told=st.booleans())
    def sell(self, order: NeutralOrder, is_told: bool, is_total_told: bool) -> None:
        """One order to begin with, so that few steps find nothing to do."""
        self.accept_one(0, order, is_told, is_total_told)

    @rule(which=WHICH, order=orders(), is_told=st.booleans(), is_total_told=st.booleans())
    def accept(self, which: int, order: NeutralOrder, is_told: bool, is_total_told: bool) -> None:
        self.accept_one(which, order, is_told, is_total_told)

    def accept_one(self, which: int, order: NeutralOrder, is_told: bool, is_total_told: bool) -> None:
        key = f"M-{which}"
        order = replace(order, external_id=key)
        given = order if is_told else untold(order, is_total_told)
        results = self.act(
            lambda: accept_orders([Incoming(given)], sales_channel_id=self.channel.pk, actor=ACTOR)
        )
        assert results is not None
        if results.done_ids:
            self.stated[key], self.pks[key] = order, results.values[key]
            if is_told:
                self.whole.add(key)

    @rule(which=WHICH)
    def state_amounts(self, which: int) -> None:
        key = f"M-{which}"
        if key in self.pks:
            details = [Details(self.pks[key], self.stated[key])]
            results = self.act(lambda: fill_details(details, actor=ACTOR))
            if results is not None and results.done_ids:
                self.whole.add(key)

    @rule(
        which=WHICH,
        number=WHICH,
        status=STATUSES,
        amounts=st.tuples(*[st.sampled_from([Decimal(0), Decimal("5.55"), Decimal("99.99")])] * 3),
        times=st.integers(1, 2),
    )
    def report(
        self, which: int, number: int, status: PaymentStatus, amounts: tuple[Decimal, ...], times: int
    ) -> None:
        key = f"M-{which}"
        if key not in self.pks:
            return
        authorised, captured, refunded = amounts
        payment = neutral_payment(
            external_id=f"pi_{number}", status=status,
            authorised_amount=authorised, captured_amount=captured, refunded_amount=refunded,
        )  # fmt: skip
        for time in range(times):
            results = self.send(key, payment)
            if results is not None and results.done_ids:
                assert time == 0, "the same report counted twice"
                self.told[key, payment.external_id] = self.kept(key, payment)

    def kept(self, key: str, payment: NeutralPayment) -> NeutralPayment:
        """What a report leaves: one that nothing is authorised any more keeps what had been."""
        before = self.told.get((key, payment.external_id))
        if before is None or payment.status not in ENDED:
            return payment
        return replace(payment, authorised_amount=max(before.authorised_amount, payment.authorised_amount))

    def send(self, key: str, *payments: NeutralPayment) -> Results[int] | None:
        return self.act(lambda: report_payments([PaymentReport(self.pks[key], payments)], actor=ACTOR))

    @rule(which=WHICH)
    def report_all_again(self, which: int) -> None:
        """A channel's poll repeats what it knows."""
        key = f"M-{which}"
        known = [payment for (of, _id), payment in self.told.items() if of == key]
        if known:
            results = self.send(key, *known)
            assert results is not None
            assert results.unchanged_ids == [self.pks[key]]

    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        if f"M-{which}" in self.pks:
            self.act(lambda: cancel_orders([self.pks[f"M-{which}"]], reason="test", actor=ACTOR))

    @invariant()
    def orders_sum_up(self) -> None:
        for key, pk in self.pks.items():
            order = Order.objects.get(pk=pk)
            if key in self.whole:
                assert_sums_up(order)
                assert order.total_computed_amount == total_of(self.stated[key])
            self.payments_are_as_told(key, order)

    def payments_are_as_told(self, key: str, order: Order) -> None:
        rows = {row.external_id: row for row in order.payments.all()}
        told = {of: payment for (mine, of), payment in self.told.items() if mine == key}
        assert rows.keys() == told.keys()
        for of, row in rows.items():
            stored = row.authorised_amount, row.captured_amount, row.refunded_amount
            one = told[of]
            assert stored == (one.authorised_amount, one.captured_amount, one.refunded_amount)
            assert row.status == one.status
        assert order.payment_status == self.axis(order, list(told.values()))

    def axis(self, order: Order, told: list[NeutralPayment]) -> str:
        """Where the money stands, said in another way than `orders.axes` says it."""
        captured = sum((one.captured_amount for one in told), Decimal(0))
        refunded = sum((one.refunded_amount for one in told), Decimal(0))
        owed = order.owed_amount
        if refunded:
            return PaymentAxis.PARTLY_REFUNDED if refunded < captured else PaymentAxis.REFUNDED
        if captured:
            if owed is None or owed > captured:
                return PaymentAxis.PARTLY_PAID
            return PaymentAxis.OVERPAID if owed < captured else PaymentAxis.PAID
        if owed is not None and owed <= 0:  # an order can cost less than nothing: discounts beyond its goods
            return PaymentAxis.PAID
        live = {PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED}
        is_authorised = any(one.status in live and one.authorised_amount for one in told)
        return PaymentAxis.AUTHORISED if is_authorised else PaymentAxis.UNPAID
