"""Every kind of mail: told once by its fact, in the buyer's language, and not when the state has moved on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel import clock, outbox
from config.kernel.enums import DeliveryState
from config.kernel.models import Delivery, Fact
from fulfillment.enums import ParcelStatus
from fulfillment.models import Parcel, Shipment
from fulfillment.services.shipping import ship_by_hand
from fulfillment.services.tracking import record_tracking
from orders.changes import SetQuantity
from orders.enums import HoldKind, MailKind
from orders.mail_kinds import DELAYED, SUBSCRIBERS
from orders.models import ImportRun, Notification, Order, SalesChannel
from orders.neutral import NeutralBuyer
from orders.services.backorders import fill_backorders
from orders.services.cancelling import cancel_orders
from orders.services.cancelling_lines import CancelUnits, cancel_units
from orders.services.delays import note_delays, unnoted_delays
from orders.services.holds import place_hold, release_holds
from orders.services.mailing import send_mails
from orders.tasks import sweep_delays
from tests.factories.fulfillment import (
    ACTOR,
    hand,
    make_confirmed,
    make_delivered,
    make_released,
    make_shipped,
    stock,
    told,
)
from tests.factories.inventory import receive
from tests.factories.orders import SYSTEM, make_channel, make_order, neutral_address, neutral_line
from tests.factories.proposals import change

pytestmark = pytest.mark.django_db

K = MailKind
ENGLISH = NeutralBuyer(name="Rosa Neri", email="rosa@example.com", language="en")
ITALIAN = NeutralBuyer(name="Rosa Neri", email="rosa@example.com", language="it")
LATE = timedelta(days=6)


class Case(NamedTuple):
    """How an order comes to owe a mail, what it says, and what makes it needless."""

    kind: MailKind
    make: Callable[..., Order]
    subject: str
    italian: str
    says: str
    undo: Callable[[Order], Any]


def held(**fields: Any) -> Order:
    order = make_order(number="7", **fields)
    place_hold([order.pk], kind=HoldKind.ADDRESS, actor=SYSTEM).only()
    return order


def waiting(**fields: Any) -> Order:
    stock({"MUG": 1})
    return make_confirmed({"MUG": 3}, number="7", **fields)


def late(**fields: Any) -> Order:
    with clock.frozen(clock.now() - LATE):
        order = make_confirmed(number="7", **fields)
    sweep_delays()
    return order


def cancelled(**fields: Any) -> Order:
    order = make_order(number="7", **fields)
    cancel_orders([order.pk], reason="asked", actor=SYSTEM).only()
    return order


def changed(**fields: Any) -> Order:
    stock({"MUG": 3})
    order = make_confirmed({"MUG": 2}, number="7", **fields)
    return change(order, SetQuantity(order.lines.get().pk, 1))


def cut(**fields: Any) -> Order:
    order = make_order(number="7", lines=(neutral_line("MUG", 3),), **fields)
    cancel(order, 1)
    return order


def cancel(order: Order, units: int) -> None:
    line = order.lines.get()
    cancel_units([CancelUnits(order.pk, {line.pk: units})], reason="asked", actor=SYSTEM).raise_refusals()


def shipped(number: str = "TN0001", **fields: Any) -> Order:
    return make_shipped(number=number, **fields).order


def delivered(**fields: Any) -> Order:
    return make_delivered(**fields).order


def set_back(status: str) -> Callable[[Order], Any]:
    return lambda order: Parcel.objects.filter(order=order).update(status=status)


CASES = [
    Case(
        K.CONFIRMATION, lambda **fields: make_confirmed(number="7", **fields),
        "Your order 7 at Bottega is confirmed", "Ordine 7 confermato – Bottega", "Total: €20.00",
        lambda order: cancel_orders([order.pk], reason="x", actor=SYSTEM).only(),
    ),
    Case(
        K.HOLD, held, "A question about your order 7 at Bottega", "Una domanda sul tuo ordine 7 – Bottega",
        "Via Po 3\n10124 Torino\nItaly\n",
        lambda order: release_holds([order.pk], kind=HoldKind.ADDRESS, actor=SYSTEM).only(),
    ),
    Case(
        K.BACKORDER, waiting, "Your order 7 at Bottega waits for stock",
        "Ordine 7 in attesa della merce – Bottega", "2 × A mug\n",
        lambda order: cancel_orders([order.pk], reason="x", actor=SYSTEM).only(),
    ),
    Case(
        K.DELAY, late, "Your order 7 at Bottega is late", "Ordine 7 in ritardo – Bottega",
        "has not left yet.\nWe had promised to send it by ",
        lambda order: Order.objects.filter(pk=order.pk).update(dispatch_by_on=clock.now().date()),
    ),
    Case(
        K.CHANGE, changed, "Your order 7 at Bottega has been changed", "Ordine 7 modificato – Bottega",
        "\n\nA quantity was changed.\n\nThis is how it stands now:\n\nYour order\n\n  1 × A mug\n",
        lambda order: cancel_orders([order.pk], reason="x", actor=SYSTEM).only(),
    ),
    Case(
        K.CANCELLATION, cancelled, "Your order 7 at Bottega is cancelled", "Ordine 7 annullato – Bottega",
        "has been cancelled.", lambda order: Order.objects.filter(pk=order.pk).update(status="void"),
    ),
    Case(
        K.PART_CANCELLATION, cut, "Part of your order 7 at Bottega is cancelled",
        "Ordine 7 annullato in parte – Bottega", "1 × A mug\n",
        lambda order: cancel_orders([order.pk], reason="x", actor=SYSTEM).only(),
    ),
    Case(
        K.SHIPPED, shipped, "Your order {number} at Bottega is on its way", "Ordine {number} spedito – Bottega",
        "2 × A mug\n\nCarrier: GLS\nTracking number: TN0001\n", set_back(ParcelStatus.VOIDED),
    ),
    Case(
        K.DELIVERED, delivered, "Your order {number} at Bottega was delivered",
        "Ordine {number} consegnato – Bottega", "2 × A mug\n\nCarrier: GLS\n", set_back(ParcelStatus.IN_TRANSIT),
    ),
]  # fmt: skip
EACH = pytest.mark.parametrize("case", CASES, ids=[case.kind.value for case in CASES])


def make(case: Case, buyer: NeutralBuyer = ENGLISH, **fields: Any) -> Order:
    if case.kind in {K.CONFIRMATION, K.DELAY}:
        stock({"MUG": 2})
    return case.make(buyer=buyer, **fields)


def delivery_of(case: Case) -> Delivery:
    return Delivery.objects.get(subscriber=SUBSCRIBERS[case.kind])


def send(case: Case) -> Delivery:
    """Let the mail lane run, and say what became of this kind."""
    outbox.deliver_due("mail")
    return delivery_of(case)


def sent(case: Case) -> list[str]:
    return list(Notification.objects.filter(kind=case.kind).values_list("subject", flat=True))


def test_every_kind_has_a_case_and_a_subscriber() -> None:
    assert {case.kind for case in CASES} == set(MailKind)
    assert set(SUBSCRIBERS.values()) <= set(outbox.SUBSCRIBERS)


@EACH
def test_send_mails_tells_in_english(case: Case) -> None:
    order = make(case)

    delivery = send(case)

    row = Notification.objects.get(kind=case.kind)
    assert delivery.state == DeliveryState.DELIVERED
    assert row.subject == case.subject.format(number=order.external_number or order.number)
    assert case.says in row.body_text
    assert row.body_text.startswith("Dear Rosa Neri,\n\n")
    assert (row.delivery, row.recipient, row.order) == (delivery, "rosa@example.com", order)
    assert "{" not in row.body_text + row.body_html
    assert row.subject in [one.subject for one in mail.outbox]


@EACH
def test_send_mails_tells_in_italian(case: Case) -> None:
    order = make(case, ITALIAN)

    send(case)

    row = Notification.objects.get(kind=case.kind)
    assert row.subject == case.italian.format(number=order.external_number or order.number)
    assert row.body_text.startswith("Gentile Rosa Neri,\n\n")
    assert '<html lang="it">' in row.body_html


@EACH
def test_send_mails_delivered_twice_tells_once(case: Case) -> None:
    make(case)
    send(case)
    before = len(mail.outbox)
    Delivery.objects.update(state=DeliveryState.DUE)

    delivery = send(case)

    assert (delivery.state, len(mail.outbox)) == (DeliveryState.DELIVERED, before)
    assert len(sent(case)) == 1


@EACH
def test_send_mails_when_the_state_has_moved_on_is_suppressed(case: Case) -> None:
    case.undo(make(case))

    delivery = send(case)

    assert (delivery.state, sent(case)) == (DeliveryState.SUPPRESSED, [])
    assert delivery.last_error


@EACH
@pytest.mark.parametrize("columns", [{"email": ""}, {"is_test": True}, {"is_history": True}])
def test_send_mails_to_nobody_is_suppressed(case: Case, columns: dict[str, Any]) -> None:
    Order.objects.filter(pk=make(case).pk).update(**columns)

    assert (send(case).state, mail.outbox) == (DeliveryState.SUPPRESSED, [])


@EACH
def test_send_mails_that_the_channel_has_switched_off_is_suppressed(case: Case) -> None:
    make(case)
    SalesChannel.objects.update(mails_off=[case.kind.value])

    delivery = send(case)

    assert (delivery.state, sent(case)) == (DeliveryState.SUPPRESSED, [])
    assert delivery.last_error == "the sales channel sends no such mail"


@pytest.mark.parametrize(
    ("kind", "off", "sends"),
    [("amazon", None, False), ("ebay", None, False), ("amazon", [], True), ("woocommerce", None, True)],
)
def test_marketplaces_send_nothing_unless_told(kind: str, off: list[str] | None, sends: bool) -> None:
    channel = make_channel(kind=kind, mails_off=off)

    assert {channel.sends(one) for one in MailKind} == {sends}


def test_backorder_that_was_filled_meanwhile_is_suppressed() -> None:
    order = waiting(buyer=ENGLISH)
    part = order.lines.get().parts.get()
    receive(part.sku, make_order().preferred_location or stock({}), 5)
    fill_backorders([part.sku_id], actor=SYSTEM)

    outbox.deliver_due("mail")

    assert Delivery.objects.get(subscriber=SUBSCRIBERS[K.BACKORDER]).last_error == (
        "the order waits for stock no longer"
    )


def test_parcels_of_one_shipment_are_one_mail_when_they_leave_and_one_when_all_arrived() -> None:
    parcel = make_shipped(buyer=ENGLISH, number="TN0001")
    other = Parcel.objects.create(
        shipment=Shipment.objects.get(), order=parcel.order, carrier="GLS", tracking_number="TN0002",
        status=ParcelStatus.HANDED_OVER,
    )  # fmt: skip
    outbox.record_facts(
        [outbox.NewFact("parcel.shipped", ("parcel", other.pk), {"order_id": parcel.order_id})]
    )
    outbox.deliver_due("mail")

    assert "Tracking number: TN0001, TN0002\n" in Notification.objects.get(kind=K.SHIPPED).body_text
    for one in (parcel, other):
        record_tracking([told(one, ParcelStatus.DELIVERED)], actor=ACTOR).raise_refusals()
        outbox.deliver_due("mail")

    assert Notification.objects.filter(kind=K.DELIVERED).count() == 1
    states = Delivery.objects.filter(subscriber=SUBSCRIBERS[K.DELIVERED]).order_by("pk")
    assert list(states.values_list("state", "last_error")) == [
        ("suppressed", "another parcel of the shipment is still on its way"),
        ("delivered", ""),
    ]


def test_change_of_an_order_that_is_not_confirmed_yet_is_left_to_its_confirmation() -> None:
    order = make_order(buyer=ENGLISH)
    change(order, SetQuantity(order.lines.get().pk, 1))

    outbox.deliver_due("mail")

    delivery = Delivery.objects.get(subscriber=SUBSCRIBERS[K.CHANGE])
    assert delivery.last_error == "the order is not confirmed yet: its confirmation tells it as it stands"
    assert mail.outbox == []


def test_each_cancellation_in_part_is_told_by_its_own_mail() -> None:
    order = cut(buyer=ENGLISH)
    cancel(order, 1)

    outbox.deliver_due("mail")

    told_of = [
        row.body_text.count("1 × A mug") for row in Notification.objects.filter(kind=K.PART_CANCELLATION)
    ]
    assert told_of == [1, 1]


def test_rest_of_a_part_shipped_order_is_a_cancellation_in_part() -> None:
    work = make_released({"MUG": 2, "JUG": 1}, {"MUG": 2}, buyer=ENGLISH)
    ship_by_hand([hand(work)], actor=ACTOR).only()
    cancel_orders([work.order_id], reason="asked", actor=SYSTEM).only()

    outbox.deliver_due("mail")

    row = Notification.objects.get(kind=K.PART_CANCELLATION)
    assert "\n1 × A jug\n" in row.body_text
    assert not Notification.objects.filter(kind=K.CANCELLATION).exists()


def test_hold_that_only_staff_can_mend_asks_the_buyer_nothing() -> None:
    order = make_order()
    for kind in set(HoldKind) - {HoldKind.ADDRESS}:
        place_hold([order.pk], kind=kind, reason="why", actor=SYSTEM).raise_refusals()

    assert not Delivery.objects.filter(subscriber=SUBSCRIBERS[K.HOLD]).exists()


def test_hold_that_intake_raises_asks_the_buyer() -> None:
    order = make_order(ship_to=neutral_address(city=""))

    fact = Fact.objects.get(kind="order.hold_needs_buyer")
    assert (fact.subject_id, fact.payload) == (order.pk, {"hold": order.holds.get().pk})


def test_import_tells_its_buyers_when_it_is_finished() -> None:
    order = held(buyer=ENGLISH)
    run = ImportRun.objects.create(
        sales_channel=order.sales_channel,
        status="applied",
        mode="live",
        file_name="a.csv",
        file_size=1,
        actor_kind="system",
        uploaded_at=clock.now(),
    )
    Order.objects.filter(pk=order.pk).update(import_run=run)
    place_hold([order.pk], kind=HoldKind.IMPORT, actor=SYSTEM).only()
    outbox.deliver_due("mail")
    assert Delivery.objects.get(lane="mail").last_error == "its import is not finished"

    ImportRun.objects.update(status="finished")
    release_holds([order.pk], kind=HoldKind.IMPORT, actor=SYSTEM).only()
    outbox.deliver_due("mail")

    assert list(Notification.objects.values_list("kind", flat=True)) == [K.HOLD]


def test_note_delays_notes_once_and_only_what_is_late() -> None:
    stock({"MUG": 20})
    with clock.frozen(clock.now() - LATE):
        overdue = make_confirmed()
    fresh = make_confirmed()
    assert unnoted_delays() == [overdue.pk]

    results = note_delays([overdue.pk, fresh.pk, 999], actor=SYSTEM)

    assert (results.done_ids, results.unchanged_ids) == ([overdue.pk], [fresh.pk])
    assert results.refusals[999].code == "not_found"
    assert note_delays([overdue.pk], actor=SYSTEM).unchanged_ids == [overdue.pk]
    assert unnoted_delays() == []
    assert Fact.objects.filter(kind=DELAYED).count() == 1


def test_unnoted_delays_leaves_old_promises_in_peace() -> None:
    stock({"MUG": 2})
    with clock.frozen(clock.now() - timedelta(days=30)):
        make_confirmed()

    assert unnoted_delays() == []


def test_send_mails_reads_as_much_for_many_as_for_few() -> None:
    for number in range(8):
        cut(buyer=ENGLISH)
        held(buyer=ENGLISH)
        shipped("", buyer=NeutralBuyer(name="Rosa Neri", email=f"rosa-{number}@example.com"))
    owed = sorted(outbox.claim("mail", 200), key=lambda one: one.attempt)
    SalesChannel.objects.update(mails_off=list(MailKind))

    def reads(count: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            send_mails(owed[:count])
        return len(captured)

    assert len(owed) == 32
    assert reads(4) == reads(32)
