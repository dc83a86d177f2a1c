"""Payments as reported: along their edges, amounts only grow, old news changes nothing."""

from dataclasses import replace
from decimal import Decimal

import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import NotAllowed
from config.kernel.models import Event
from fulfillment.errors import OrderHeld
from fulfillment.models import FulfillmentOrder
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from inventory.models import Sku
from orders.changes import SetPrice
from orders.enums import ChargeKind, HoldKind, NeutralState, PaymentStatus
from orders.models import Hold, Order, Payment
from orders.neutral import NeutralCharge, NeutralPayment
from orders.selectors.holds import open_holds
from orders.services.cancelling import cancel_orders
from orders.services.cancelling_lines import CancelUnits, cancel_units
from orders.services.holds import release_holds
from orders.services.payments import PaymentReport, report_payments
from orders.services.proposals.wishes import NewLine
from tests.factories.fulfillment import hand, make_confirmed, make_delivered, make_shipped, stock
from tests.factories.orders import SYSTEM, make_order, neutral_line, neutral_payment
from tests.factories.proposals import change

pytestmark = pytest.mark.django_db

PENDING = neutral_payment(
    status=PaymentStatus.PENDING, authorised_amount=Decimal(0), captured_amount=Decimal(0)
)
AUTHORISED = neutral_payment(status=PaymentStatus.AUTHORISED, captured_amount=Decimal(0))
CAPTURED = neutral_payment()
PART = replace(CAPTURED, captured_amount=Decimal("5.00"))
REFUNDED = replace(CAPTURED, refunded_amount=Decimal("20.00"))


def report(order: Order, *payments: NeutralPayment):
    return report_payments([PaymentReport(order.pk, payments)], actor=SYSTEM)


def state_of(order: Order) -> tuple[str, ...]:
    order.refresh_from_db()
    payment = order.payments.get()
    amounts = (payment.authorised_amount, payment.captured_amount, payment.refunded_amount)
    return (payment.status, *(f"{amount:.2f}" for amount in amounts), order.payment_status)


def test_report_payments_walks_from_nothing_to_refunded() -> None:
    order = make_order(payments=())
    seen = []
    for payment in (
        PENDING,
        AUTHORISED,
        PART,
        CAPTURED,
        replace(CAPTURED, refunded_amount=Decimal(5)),
        REFUNDED,
    ):
        assert report(order, payment).done_ids == [order.pk]
        seen.append(state_of(order))

    assert seen == [
        ("pending", "0.00", "0.00", "0.00", "unpaid"),
        ("authorised", "20.00", "0.00", "0.00", "authorised"),
        ("captured", "20.00", "5.00", "0.00", "partly_paid"),
        ("captured", "20.00", "20.00", "0.00", "paid"),
        ("captured", "20.00", "20.00", "5.00", "partly_refunded"),
        ("captured", "20.00", "20.00", "20.00", "refunded"),
    ]
    steps = Event.objects.filter(subject_type="payment").order_by("pk").values_list("kind", flat=True)
    assert list(steps) == [
        "created",
        "authorise",
        "amounts_reported",
        "capture",
        "amounts_reported",
        "amounts_reported",
        "amounts_reported",
        "amounts_reported",
    ]
    assert [finding.violations for finding in run_audit(["events.chain", "events.header"])] == [(), ()]


@pytest.mark.parametrize("payment", [PENDING, AUTHORISED, CAPTURED, REFUNDED])
def test_report_payments_twice_is_unchanged(payment: NeutralPayment) -> None:
    order = make_order(payments=(payment,))
    events, version = Event.objects.count(), Payment.objects.get().version

    assert report(order, payment).unchanged_ids == [order.pk]
    assert (Event.objects.count(), Payment.objects.get().version) == (events, version)


@pytest.mark.parametrize("old", [PENDING, AUTHORISED, PART, CAPTURED])
def test_report_payments_old_news_is_unchanged(old: NeutralPayment) -> None:
    order = make_order(payments=(REFUNDED,))

    assert report(order, old).unchanged_ids == [order.pk]
    assert state_of(order) == ("captured", "20.00", "20.00", "20.00", "refunded")


REFUSED = [
    (AUTHORISED, replace(CAPTURED, refunded_amount=Decimal("20.01")), "invalid_input"),
    (AUTHORISED, replace(CAPTURED, captured_amount=Decimal("20.01")), "invalid_input"),
    (AUTHORISED, replace(CAPTURED, refunded_amount=Decimal(-1)), "invalid_input"),
    (CAPTURED, replace(AUTHORISED, status=PaymentStatus.VOIDED), "illegal_transition"),
    (replace(PENDING, status=PaymentStatus.FAILED), CAPTURED, "illegal_transition"),
    (replace(AUTHORISED, status=PaymentStatus.EXPIRED), CAPTURED, "illegal_transition"),
    (PART, neutral_payment("19.00"), "conflict"),
    (AUTHORISED, neutral_payment("19.00"), "conflict"),
    (AUTHORISED, replace(CAPTURED, captured_amount=Decimal("9.99999")), "invalid_input"),
]


@pytest.mark.parametrize(("known", "reported", "code"), REFUSED)
def test_report_payments_refused_writes_nothing(known, reported, code: str) -> None:
    order = make_order(payments=(known,))
    before, events = state_of(order), Event.objects.count()

    results = report(order, reported, neutral_payment(external_id="pi_2"))

    assert results.refusals[order.pk].code == code
    assert (state_of(order), Event.objects.count()) == (before, events)


@pytest.mark.parametrize("known", [(PENDING,), ()])
def test_report_payments_names_a_payment_twice_is_refused_and_writes_nothing(known) -> None:
    order = make_order(payments=known)
    events = Event.objects.count()

    results = report(order, CAPTURED, CAPTURED)

    assert results.refusals[order.pk].code == "invalid_input"
    assert results.refusals[order.pk].facts["value"] == "stripe pi_1"
    assert (Event.objects.count(), list(order.payments.values_list("status", flat=True))) == (
        events,
        [payment.status for payment in known],
    )


def test_report_payments_bad_report_spoils_no_other() -> None:
    good, bad, large = (make_order(payments=()) for _time in range(3))

    results = report_payments(
        [
            PaymentReport(bad.pk, (replace(CAPTURED, refunded_amount=Decimal(99)),)),
            PaymentReport(large.pk, (neutral_payment(Decimal("1e14")),)),
            PaymentReport(good.pk, (CAPTURED,)),
            PaymentReport(999, (CAPTURED,)),
        ],
        actor=SYSTEM,
    )

    assert results.done_ids == [good.pk]
    assert {pk: error.code for pk, error in results.refusals.items()} == {
        bad.pk: "invalid_input",
        large.pk: "invalid_input",
        999: "not_found",
    }
    assert Payment.objects.get().order == good


def test_report_payments_lifts_the_unpaid_hold_once_money_is_authorised() -> None:
    order = make_order(payments=(PENDING,))
    assert [hold.kind for hold in open_holds([order.pk])[order.pk]] == ["unpaid"]

    report(order, AUTHORISED)

    assert open_holds([order.pk]) == {}
    assert Event.objects.get(kind="hold_lifted").facts["kind"] == "unpaid"


def test_report_payments_raises_the_unpaid_hold_when_the_money_is_gone() -> None:
    order = make_order(payments=(AUTHORISED,))

    report(order, replace(AUTHORISED, status=PaymentStatus.VOIDED))

    assert [hold.kind for hold in open_holds([order.pk])[order.pk]] == ["unpaid"]
    assert state_of(order)[0] == "voided"
    assert order.payment_status == "unpaid"


def unpaid_holds(order: Order) -> list[Hold]:
    holds = open_holds([order.pk]).get(order.pk, [])
    return [hold for hold in holds if hold.kind == HoldKind.UNPAID]


def test_report_payments_holds_an_order_whose_money_was_all_sent_back_before_it_left() -> None:
    stock({"MUG": 2})
    order = make_confirmed()

    report(order, replace(CAPTURED, refunded_amount=Decimal(5)))
    assert unpaid_holds(order) == []

    assert report(order, REFUNDED).done_ids == [order.pk]
    assert [hold.facts for hold in unpaid_holds(order)] == [{"cause": "refunded"}]
    assert isinstance(release_orders([order.pk], actor=SYSTEM).refusals[order.pk], OrderHeld)
    assert report(order, REFUNDED).unchanged_ids == [order.pk]

    report(order, REFUNDED, neutral_payment(external_id="pi_2"))
    assert unpaid_holds(order) == []
    assert release_orders([order.pk], actor=SYSTEM).done_ids == [order.pk]


def test_report_payments_holds_the_rest_of_a_part_shipped_order_whose_money_was_sent_back() -> None:
    stock({"MUG": 1})
    order = make_confirmed()
    (work,) = release_orders([order.pk], actor=SYSTEM).only()
    ship_by_hand([hand(FulfillmentOrder.objects.get(pk=work))], actor=SYSTEM).only()

    report(order, REFUNDED)

    assert len(unpaid_holds(order)) == 1


@pytest.mark.parametrize("stage", ["shipped", "delivered", "services", "cancelled"])
def test_report_payments_sent_back_where_nothing_is_left_to_ship_holds_nothing(stage: str) -> None:
    if stage == "services":
        order = make_order(lines=(neutral_line("CARD", 1, requires_shipping=False),))
    elif stage == "cancelled":
        order = make_order()
        cancel_orders([order.pk], reason="test", actor=SYSTEM).raise_refusals()
    else:
        order = (make_shipped() if stage == "shipped" else make_delivered()).order

    assert report(order, REFUNDED).done_ids == [order.pk]
    assert Hold.objects.count() == 0


def test_report_payments_one_of_two_sent_back_holds_nothing() -> None:
    other = neutral_payment("10.00", external_id="pi_2")
    order = make_order(payments=(CAPTURED, other))

    report(order, REFUNDED, other)
    assert Hold.objects.count() == 0

    report(order, REFUNDED, replace(other, refunded_amount=Decimal(10)))
    assert len(unpaid_holds(order)) == 1


def test_report_payments_authorised_beyond_what_was_sent_back_holds_nothing() -> None:
    part = replace(AUTHORISED, captured_amount=Decimal(5))
    order = make_order(payments=(part,))

    report(order, replace(part, refunded_amount=Decimal(5)))

    assert Hold.objects.count() == 0


@pytest.mark.parametrize("status", [PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED])
def test_report_payments_of_nothing_pays_nothing(status: PaymentStatus) -> None:
    order = make_order(payments=(PENDING,))

    assert report(order, replace(PENDING, status=status)).done_ids == [order.pk]

    assert state_of(order)[-1] == "unpaid"
    assert [hold.facts for hold in unpaid_holds(order)] == [{}]
    report(order, replace(PENDING, status=status, authorised_amount=Decimal(20), captured_amount=Decimal(5)))
    assert unpaid_holds(order) == []


def test_report_payments_of_nothing_beside_what_was_sent_back_says_that_it_was_sent_back() -> None:
    order = make_order()
    nothing = replace(PENDING, external_id="pay-2", status=PaymentStatus.CAPTURED)

    report(order, REFUNDED, nothing)

    assert [hold.facts for hold in unpaid_holds(order)] == [{"cause": "refunded"}]


def test_order_that_costs_nothing_is_paid_by_a_payment_of_nothing_until_it_costs_something() -> None:
    nothing = replace(PENDING, status=PaymentStatus.CAPTURED)
    order = make_order(lines=(neutral_line(unit="0.00"),), payments=())
    assert report(order, nothing).done_ids == [order.pk]
    assert (state_of(order)[-1], Hold.objects.count()) == ("paid", 0)

    change(order, SetPrice(order.lines.get().pk, Decimal(3)))

    assert (state_of(order)[-1], len(unpaid_holds(order))) == ("unpaid", 1)


def test_change_that_makes_an_order_cost_something_holds_it_where_its_money_was_sent_back() -> None:
    order = make_order()
    line = order.lines.get()
    change(order, SetPrice(line.pk, Decimal(0)))
    report(order, REFUNDED)
    assert Hold.objects.count() == 0

    change(order, SetPrice(line.pk, Decimal(3)))

    assert len(unpaid_holds(order)) == 1


def test_accept_orders_that_cost_less_than_nothing_ask_for_no_money() -> None:
    """An exchange by whose fee the buyer is owed something."""
    fee = NeutralCharge(ChargeKind.FEE, "fee", "For the old one", Decimal("-22.00"))

    order = make_order(payments=(), charges=(fee,), total_amount=Decimal("-2.00"))

    assert (order.payment_status, Hold.objects.count()) == ("paid", 0)


def test_order_of_which_more_was_cancelled_than_it_was_agreed_to_cost_asks_for_no_money() -> None:
    """The channel took 2 off that no part explains, and a person went on with that."""
    card = neutral_line("CARD", 1, "0.00")
    order = make_order(lines=(neutral_line("MUG", 2), card), payments=(), total_amount=Decimal("18.00"))
    release_holds([order.pk], kind=HoldKind.TOTALS, actor=SYSTEM).raise_refusals()
    assert len(unpaid_holds(order)) == 1

    line = order.lines.get(sku_code="MUG")
    cancel_units([CancelUnits(order.pk, {line.pk: 2})], reason="test", actor=SYSTEM).raise_refusals()

    order.refresh_from_db()
    assert (order.owed_amount, order.payment_status, unpaid_holds(order)) == (Decimal(-2), "paid", [])
    failed = replace(PENDING, status=PaymentStatus.FAILED)
    assert report(order, failed).done_ids == [order.pk]
    assert unpaid_holds(order) == []


@pytest.mark.parametrize(
    ("first", "price", "facts"),
    [
        (REFUNDED, "3.00", [{"cause": "refunded"}]),
        (REFUNDED, "0.00", []),
        (replace(CAPTURED, refunded_amount=Decimal(5)), "3.00", []),
    ],
)
def test_change_that_adds_goods_to_what_had_left_holds_them_where_the_money_was_sent_back(
    first: NeutralPayment, price: str, facts: list[dict[str, str]]
) -> None:
    order = make_shipped().order
    stock({"JUG": 1})
    report(order, first)
    assert unpaid_holds(order) == []

    change(order, NewLine(Sku.objects.get(code="JUG").pk, 1, Decimal(price)))

    assert order.fulfillment_status == "partly_shipped"
    assert [hold.facts for hold in unpaid_holds(order)] == facts


def test_change_that_costs_but_adds_no_goods_to_what_had_left_holds_nothing() -> None:
    order = make_shipped().order
    report(order, REFUNDED)

    change(order, SetPrice(order.lines.get().pk, Decimal(30)))

    assert Hold.objects.count() == 0


def test_accept_orders_whose_money_was_sent_back_before_are_held_where_goods_are_left() -> None:
    card = neutral_line("CARD", 1, requires_shipping=False)
    goods, service, gone = (
        make_order(payments=(REFUNDED,)),
        make_order(payments=(REFUNDED,), lines=(card,)),
        make_order(payments=(REFUNDED,), state=NeutralState.CANCELLED),
    )

    assert [hold.facts for hold in unpaid_holds(goods)] == [{"cause": "refunded"}]
    assert [hold.order_id for hold in Hold.objects.all()] == [goods.pk]
    assert (service.status, gone.status) == ("placed", "cancelled")


@pytest.mark.parametrize("known", [PENDING, AUTHORISED])
@pytest.mark.parametrize("status", [PaymentStatus.VOIDED, PaymentStatus.EXPIRED, PaymentStatus.FAILED])
def test_report_payments_ended_with_nothing_authorised_keeps_what_was(known, status: PaymentStatus) -> None:
    order = make_order(payments=(known,))
    authorised = f"{known.authorised_amount:.2f}"

    assert report(order, replace(PENDING, status=status)).done_ids == [order.pk]
    assert report(order, replace(PENDING, status=status)).unchanged_ids == [order.pk]

    assert state_of(order) == (status, authorised, "0.00", "0.00", "unpaid")
    assert [hold.kind for hold in open_holds([order.pk])[order.pk]] == ["unpaid"]


def test_report_payments_voided_with_less_captured_than_known_is_refused() -> None:
    order = make_order(payments=(replace(AUTHORISED, captured_amount=Decimal(5)),))

    assert report(order, replace(PENDING, status=PaymentStatus.VOIDED)).refusals[order.pk].code == "conflict"
    assert state_of(order)[:3] == ("authorised", "20.00", "5.00")


def test_report_payments_second_payment_keeps_the_order_paid() -> None:
    order = make_order(payments=(AUTHORISED,))

    report(
        order,
        replace(AUTHORISED, status=PaymentStatus.VOIDED),
        neutral_payment(external_id="pi_2"),
    )

    order.refresh_from_db()
    assert (order.payment_status, Hold.objects.count()) == ("paid", 0)


def test_report_payments_of_a_closed_order_raises_no_hold() -> None:
    order = make_order(state=NeutralState.CANCELLED, payments=(AUTHORISED,))

    assert report(order, replace(AUTHORISED, status=PaymentStatus.VOIDED)).done_ids == [order.pk]
    assert Hold.objects.filter(kind=HoldKind.UNPAID).count() == 0


def test_report_payments_leaves_what_the_report_does_not_name() -> None:
    order = make_order(payments=(CAPTURED,))

    assert report(order).unchanged_ids == [order.pk]
    assert state_of(order)[0] == "captured"


def test_report_payments_needs_the_right() -> None:
    order = make_order(payments=())
    clerk = Actor(ActorKind.USER, 1, "clerk", frozenset({"orders.place_order"}))

    with pytest.raises(NotAllowed):
        report_payments([PaymentReport(order.pk, (CAPTURED,))], actor=clerk)

    assert Payment.objects.count() == 0
