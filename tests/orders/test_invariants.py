"""The audit of the orders room: clean after ordinary days, and each rule sees the breach that it is for."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import F

from config.kernel import clock, outbox
from config.kernel.actors import Actor
from config.kernel.audit import INVARIANTS, Violation, run_audit
from config.kernel.models import Delivery
from inventory.enums import ReservationState
from inventory.models import Reservation
from orders.changes import SetQuantity
from orders.enums import HoldKind, MailKind
from orders.mail_kinds import SUBSCRIBERS
from orders.models import Charge, Hold, LinePart, Notification, Order, OrderLine, Payment, Proposal
from orders.neutral import NeutralCharge, NeutralDiscount, NeutralTax
from orders.services.allocating import allocate_orders
from orders.services.cancelling import cancel_orders
from orders.services.confirming import confirm_orders
from orders.services.merging import merge_customers
from tests.factories.inventory import make_kit, make_level, make_location, make_sku
from tests.factories.orders import make_order, neutral_line
from tests.factories.proposals import propose

pytestmark = pytest.mark.django_db

RULE = Actor.rule("tests")
CODES = sorted(code for code in INVARIANTS if code.startswith("orders."))
NOTHING: dict[str, list[Violation]] = {code: [] for code in CODES}


@pytest.fixture
def day(db: None) -> list[Order]:
    """An allocated, a backordered, a cancelled and a history order, with a kit, a discount and taxes."""
    place = make_location("NEAR")
    mug, lid = make_sku("MUG"), make_sku("LID")
    make_kit({mug: 2, lid: 1}, code="SET")
    make_level(mug, place, 7)
    make_level(lid, place, 9)
    taxed = neutral_line(
        "SET",
        2,
        taxes=(NeutralTax("IVA", Decimal("3.61"), Decimal(22)),),
        discounts=(NeutralDiscount(Decimal("0.01"), "TEN"),),
    )
    charge = NeutralCharge(
        "shipping", "s-1", "Courier", Decimal("5.00"), (), (NeutralTax("IVA", Decimal("0.90")),)
    )
    fine = make_order(lines=(taxed,), charges=(charge,), total_amount=Decimal("24.99"), payments=())
    short = make_order(lines=(neutral_line("MUG", 5), neutral_line("GIFTCARD", 1, requires_shipping=False)))
    gone = make_order(lines=(neutral_line("MUG", 1),))
    past = make_order(is_history=True)
    allocate_orders([fine.pk, short.pk, gone.pk], actor=RULE).raise_refusals()
    confirm_orders([short.pk], actor=RULE).raise_refusals()
    cancel_orders([gone.pk], reason="test", actor=RULE).raise_refusals()
    return [fine, short, gone, past]


def found(code: str) -> list[Violation]:
    (finding,) = run_audit([code])
    return list(finding.violations)


def test_ordinary_day_breaks_nothing(day: list[Order]) -> None:
    assert Reservation.objects.filter(state=ReservationState.WAITING).count() == 1
    assert {code: found(code) for code in CODES} == NOTHING

    outbox.deliver_due("work")
    outbox.deliver_due("mail")

    assert set(Notification.objects.values_list("order", "kind")) == {
        (day[1].pk, MailKind.CONFIRMATION),
        (day[1].pk, MailKind.BACKORDER),
        (day[2].pk, MailKind.CANCELLATION),
    }
    assert {code: found(code) for code in CODES} == NOTHING


@pytest.fixture
def no_checks(day: list[Order]) -> Iterator[None]:
    """Lets rows in that the database itself would refuse."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            for model in (LinePart, Payment):
                for constraint in model._meta.constraints:
                    table = model._meta.db_table
                    cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint.name}")
        cursor.execute("DROP INDEX order_external_once")
        yield
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def parts(day: list[Order], number: int):
    return LinePart.objects.filter(line__order=day[number])


def claims(day: list[Order], number: int):
    ids = list(parts(day, number).values_list("pk", flat=True))
    return Reservation.objects.filter(reference_kind="order_line_part", reference_id__in=ids)


def orders(day: list[Order], number: int):
    return Order.objects.filter(pk=day[number].pk)


def hold(day: list[Order], number: int) -> None:
    Hold.objects.create(order=day[number], kind=HoldKind.FRAUD, opened_at=clock.now(), opened_by="rule")


def notify(day: list[Order], number: int) -> None:
    Notification.objects.create(
        order=day[number], kind=MailKind.CONFIRMATION, recipient="a@example.com", sending_at=clock.now()
    )


def deliver_without_sending(day: list[Order], number: int) -> None:
    Delivery.objects.filter(subscriber=SUBSCRIBERS[MailKind.CONFIRMATION]).update(
        state="delivered", settled_at=clock.now()
    )


def reserve_for_history(day: list[Order], number: int) -> None:
    row = claims(day, 1).filter(state="waiting").get()
    row.pk, row.reference_id = None, parts(day, 3).first().pk
    row.save()


Breach = Callable[[list[Order]], object]
BREACHES: list[tuple[str, Breach]] = [
    ("orders.counters", lambda day: parts(day, 0).update(delivered=1)),
    ("orders.counters", lambda day: parts(day, 3).update(returned=3)),
    ("orders.counters", lambda day: parts(day, 1).update(packed=6)),
    ("orders.counters", lambda day: parts(day, 1).update(allocated=6)),
    ("orders.counters", lambda day: OrderLine.objects.filter(order=day[1]).update(quantity=9)),
    ("orders.allocated", lambda day: parts(day, 0).update(allocated=1)),
    ("orders.allocated", lambda day: claims(day, 1).filter(state="open").update(quantity=9)),
    ("orders.allocated", lambda day: claims(day, 1).filter(state="open").update(reference_id=404)),
    ("orders.decided", lambda day: claims(day, 1).filter(state="waiting").update(quantity=9)),
    ("orders.decided", lambda day: claims(day, 1).filter(state="waiting").delete()),
    ("orders.decided", lambda day: claims(day, 0).delete()),
    ("orders.claims", lambda day: orders(day, 1).update(status="completed")),
    ("orders.claims", lambda day: claims(day, 1).update(sku=make_sku("OTHER"))),
    ("orders.promises", lambda day: claims(day, 1).update(promised_at=None)),
    ("orders.promises", lambda day: claims(day, 1).update(promised_at=F("promised_at") + timedelta(days=2))),
    ("orders.promises", lambda day: claims(day, 0).update(promised_at=clock.now())),
    ("orders.axes", lambda day: orders(day, 0).update(fulfillment_status="shipped")),
    ("orders.axes", lambda day: orders(day, 1).update(payment_status="refunded")),
    ("orders.axes", lambda day: orders(day, 1).update(allocated_quantity=1)),
    ("orders.axes", lambda day: parts(day, 2).update(cancelled=0)),
    ("orders.axes", lambda day: Payment.objects.filter(order=day[1]).update(captured_amount=1)),
    ("orders.ended", lambda day: orders(day, 0).update(fulfillment_status="shipped")),
    ("orders.ended", lambda day: orders(day, 1).update(fulfillment_status="delivered")),
    ("orders.ended", lambda day: orders(day, 3).update(status="cancelled")),
    ("orders.part_values", lambda day: parts(day, 0).update(value_amount=Decimal("1.00"))),
    ("orders.part_values", lambda day: parts(day, 1).update(value_amount=None)),
    ("orders.part_values", lambda day: parts(day, 3).delete()),
    ("orders.line_amounts", lambda day: OrderLine.objects.filter(order=day[0]).update(discount_amount=0)),
    ("orders.line_amounts", lambda day: Charge.objects.update(tax_amount=0)),
    ("orders.totals", lambda day: OrderLine.objects.filter(order=day[0]).update(subtotal_amount=1)),
    ("orders.totals", lambda day: orders(day, 0).update(tax_amount=Decimal("4.50"))),
    ("orders.totals", lambda day: orders(day, 1).update(total_sent_amount=Decimal("0.01"))),
    ("orders.payments", lambda day: Payment.objects.filter(order=day[1]).update(refunded_amount=99)),
    (
        "orders.payments",
        lambda day: Payment.objects.filter(order=day[1]).update(authorised_amount=Decimal("0.50")),
    ),
    ("orders.payments", lambda day: Payment.objects.filter(order=day[1]).update(currency="USD")),
    ("orders.keys", lambda day: orders(day, 0).update(external_id=day[1].external_id)),
    ("orders.history", lambda day: reserve_for_history(day, 3)),
    ("orders.history", lambda day: hold(day, 3)),
    ("orders.history", lambda day: notify(day, 3)),
    ("orders.ends", lambda day: claims(day, 1).update(expires_at=clock.now() + timedelta(hours=1))),
    ("orders.holds", lambda day: hold(day, 2)),
    ("orders.mails", lambda day: orders(day, 0).update(confirmed_at=clock.now() - timedelta(1))),
    ("orders.customers", lambda day: merge_halfway(day)),
    ("orders.changes", lambda day: confirm_nothing(day[0])),
    (
        "orders.changes",
        lambda day: Proposal.objects.filter(pk=confirm_nothing(day[0])).update(base_version=99),
    ),
    ("orders.cancelled_value", lambda day: orders(day, 0).update(cancelled_amount=1)),
    ("orders.changes", lambda day: orders(day, 0).update(changed_amount=1)),
    ("orders.unknown", lambda day: OrderLine.objects.filter(order=day[0]).update(sku=None)),
    ("orders.sent_mails", lambda day: deliver_without_sending(day, 1)),
]


def merge_halfway(day: list[Order]) -> None:
    """Merged, told, and an order given back to the one who is no longer there."""
    keep, gone = day[0].customer, day[1].customer
    merge_customers([gone.pk], keep_id=keep.pk, actor=RULE).raise_refusals()
    outbox.deliver_due("work")
    orders(day, 1).update(customer=gone)


def confirm_nothing(order: Order) -> int:
    """A change that counts as confirmed though nothing was told of it."""
    proposal = propose(order, SetQuantity(order.lines.get().pk, 9))
    Proposal.objects.filter(pk=proposal.pk).update(status="confirmed", closed_at=clock.now())
    return int(proposal.pk)


def test_every_invariant_has_a_breach() -> None:
    assert sorted({code for code, _breach in BREACHES}) == CODES


@pytest.mark.parametrize(("code", "breach"), BREACHES)
@pytest.mark.usefixtures("no_checks")
def test_breach_is_reported(day: list[Order], code: str, breach: Breach) -> None:
    breach(day)

    assert found(code) != []
