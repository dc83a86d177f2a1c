"""Short days in the shop, by verbs only; each answers with what looks wrong afterwards, which must be nothing."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from django.core import mail
from django.db import transaction

from config.kernel import clock, outbox
from config.kernel.audit import run_audit
from fulfillment.selectors.queues import to_release
from fulfillment.services.cancelling import cancel_fulfillment_orders
from fulfillment.services.releasing import release_orders
from inventory.models import Reservation, StockLevel
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.levels import lock_levels
from inventory.services.reservations import release_reservations
from inventory.services.setting_aside import Aside, set_aside
from orders.changes import SetQuantity
from orders.enums import PaymentStatus
from orders.models import Order
from orders.neutral import NeutralDiscount, NeutralPayment, NeutralTax
from orders.services.accepting import Incoming, accept_orders
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.services.cancelling import cancel_orders
from orders.services.confirming import confirm_orders
from orders.services.payments import PaymentReport, report_payments
from tests.factories.fulfillment import make_confirmed, make_delivered
from tests.factories.inventory import ACTOR, make_kit, make_location, make_sku, receive, reserve
from tests.factories.orders import make_channel, make_order, neutral_line, neutral_order, neutral_payment
from tests.factories.orders import make_kit as make_weighed_kit
from tests.factories.proposals import change

Deed = Callable[[], list[str]]


def breaches() -> list[str]:
    return [f"{found.invariant.code}: {one.detail}" for found in run_audit() for one in found.violations]


def told(**seen: object) -> list[str]:
    """Expectations as name=(found, expected); those that differ."""
    return [f"{name}: {pair[0]}, not {pair[1]}" for name, pair in seen.items() if pair[0] != pair[1]]


def units(state: str) -> int:
    return sum(Reservation.objects.filter(state=state).values_list("quantity", flat=True))


def sell_and_deliver() -> list[str]:
    """Received, ordered, confirmed, released, shipped, delivered, and both mails sent: confirmed, arrived."""
    make_delivered({"MUG": 2})
    for lane in outbox.LANES:
        outbox.deliver_due(lane)
    return told(mails=(len(mail.outbox), 2)) + breaches()


def order_a_part_twice() -> list[str]:
    """Two lines of an order share a part: two mugs and a pair of mugs, of three."""
    mug, place = make_sku("MUG"), make_location()
    make_kit({mug: 2}, code="PAIR")
    receive(mug, place, 3)
    order = make_order(lines=(neutral_line("MUG", 2), neutral_line("PAIR", 1)), skus=False)
    allocate_orders([order.pk], actor=ACTOR).raise_refusals()
    return told(open=(units("open"), 3), waiting=(units("waiting"), 1)) + breaches()


def give_back() -> list[str]:
    """A promise is given back, its units are free."""
    mug, place = make_sku("MUG"), make_location()
    receive(mug, place, 3)
    row = reserve(mug, place, 2)
    with transaction.atomic():
        release_reservations([row], reason="test", levels=lock_levels([mug.pk]), actor=ACTOR)
    return told(free=(StockLevel.objects.get().free, 3)) + breaches()


def cancel_before_a_waiting_one() -> list[str]:
    """One has the last units and cancels; the news of it serves the one who waits."""
    mug, place = make_sku("MUG"), make_location()
    receive(mug, place, 2)
    first, second = (make_order(lines=(neutral_line("MUG", 2),)) for _number in range(2))
    allocate_orders([first.pk, second.pk], actor=ACTOR).raise_refusals()
    for lane in outbox.LANES:
        outbox.deliver_due(lane)
    cancel_orders([first.pk], reason="test", actor=ACTOR).raise_refusals()
    outbox.deliver_due("work")
    return told(waiting=(units("waiting"), 0)) + breaches()


def cancel_the_rest() -> list[str]:
    """One of two mugs had left before the order came; the other is cancelled before anybody confirmed it."""
    order = make_order(lines=(neutral_line("MUG", 2, shipped_quantity=1),))
    cancel_orders([order.pk], reason="test", actor=ACTOR).raise_refusals()
    outbox.deliver_due("work")
    return breaches()


def ask_the_warehouse() -> list[str]:
    """Of five two are there and released; a third comes in; the work is called back, and all three are released."""
    mug, place = make_sku("MUG"), make_location()
    receive(mug, place, 2)
    order = make_confirmed({"MUG": 5})
    (work,) = release_orders([order.pk], actor=ACTOR).only()
    found = breaches()
    receive(mug, place, 1)
    fill_backorders([mug.pk], actor=ACTOR)
    cancel_fulfillment_orders([work], actor=ACTOR).raise_refusals()
    found += told(to_release=(to_release(Order.objects.all()).count(), 1)) + breaches()
    release_orders([order.pk], actor=ACTOR).raise_refusals()
    return found + told(to_release=(to_release(Order.objects.all()).count(), 0)) + breaches()


def come_late_to_a_queue() -> list[str]:
    """Somebody waits for three; two come in, and somebody else orders two before the queue is served."""
    mug, place = make_sku("MUG"), make_location()
    first = make_order(lines=(neutral_line("MUG", 3),))
    allocate_orders([first.pk], actor=ACTOR).raise_refusals()
    receive(mug, place, 2)
    late = make_order(lines=(neutral_line("MUG", 2),))
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        allocate_orders([late.pk], actor=ACTOR).raise_refusals()
    fill_backorders([mug.pk], actor=ACTOR)
    late.refresh_from_db()
    return told(late=(late.fulfillment_status, "backordered")) + breaches()


def join_by_a_slow_clock() -> list[str]:
    """Somebody waits for two, and two come in; another order is decided by a worker whose clock is behind."""
    mug, place = make_sku("MUG"), make_location()
    first, late = (make_order(lines=(neutral_line("MUG", 2),)) for _number in range(2))
    allocate_orders([first.pk], actor=ACTOR).raise_refusals()
    receive(mug, place, 2)
    with clock.frozen(clock.now() - timedelta(minutes=1)):
        allocate_orders([late.pk], actor=ACTOR).raise_refusals()
    fill_backorders([mug.pk], actor=ACTOR)
    late.refresh_from_db()
    return told(late=(late.fulfillment_status, "backordered")) + breaches()


def change_late_in_a_queue() -> list[str]:
    """Somebody waits for three and two have come in, when an order that has its one mug is changed to two."""
    mug, place = make_sku("MUG"), make_location()
    receive(mug, place, 1)
    late = make_order(lines=(neutral_line("MUG", 1),))
    allocate_orders([late.pk], actor=ACTOR).raise_refusals()
    first = make_order(lines=(neutral_line("MUG", 3),))
    allocate_orders([first.pk], actor=ACTOR).raise_refusals()
    receive(mug, place, 2)
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        change(late, SetQuantity(late.lines.get().pk, 2))
    fill_backorders([mug.pk], actor=ACTOR)
    held = sum(late.lines.values_list("parts__allocated", flat=True))
    return told(late=(held, 1)) + breaches()


def join_together_and_lose() -> list[str]:
    """Two join at once and wait for two each; the one mug that the first got is lost before two come in."""
    mug, place = make_sku("MUG"), make_location()
    first, second = (make_order(lines=(neutral_line("MUG", 2),)) for _number in range(2))
    allocate_orders([first.pk, second.pk], actor=ACTOR).raise_refusals()
    receive(mug, place, 1)
    fill_backorders([mug.pk], actor=ACTOR)
    adjust_stock([Adjustment("broken", mug.pk, place.pk, -1)], reason="Broken", actor=ACTOR).raise_refusals()
    receive(mug, place, 2)
    fill_backorders([mug.pk], actor=ACTOR)
    held = [sum(order.lines.values_list("parts__allocated", flat=True)) for order in (first, second)]
    return told(held=(held, [2, 0])) + breaches()


def confirm_after_reserving() -> list[str]:
    """As usual: stock is reserved at once, the order is confirmed after it."""
    receive(make_sku("MUG"), make_location(), 1)
    order = make_order(lines=(neutral_line("MUG", 2),))
    allocate_orders([order.pk], actor=ACTOR).raise_refusals()
    confirm_orders([order.pk], actor=ACTOR).raise_refusals()
    return breaches()


def fail_in_the_middle() -> list[str]:
    """Something breaks while an order is allocated; nothing of it may stay."""
    receive(make_sku("MUG"), make_location(), 2)
    order = make_order(lines=(neutral_line("MUG", 2),))
    try:
        allocate_orders([order.pk], actor=ACTOR)
    except Exception as error:
        return told(orphans=(units("open"), 0), told=(str(error), "broken")) + breaches()
    return breaches()


def sell_a_kit_at_odd_coins() -> list[str]:
    """A kit of three parts for 10.00, 0.50 off, and taxed."""
    make_weighed_kit("GIFT", CUP=(1, 1), TIN=(1, 1), TEA=(1, 1))
    line = neutral_line(
        "GIFT",
        1,
        "10.00",
        discounts=(NeutralDiscount(Decimal("0.50")),),
        taxes=(NeutralTax("IVA", Decimal("1.80"), Decimal(22)),),
    )
    make_order(lines=(line,), total_amount=Decimal("9.50"), skus=False)
    return breaches()


def hear_an_order_twice() -> list[str]:
    """The same order by the webhook and by the poll."""
    make_sku("MUG")
    channel = make_channel()
    answers = [
        accept_orders([Incoming(neutral_order())], sales_channel_id=channel.pk, actor=ACTOR) for _door in "ab"
    ]
    second = "unchanged" if answers[1].unchanged_ids else "done"
    return told(second=(second, "unchanged"), orders=(Order.objects.count(), 1)) + breaches()


def hear_a_payment_twice() -> list[str]:
    """Ten captured of twenty, five given back, each told twice."""
    order = make_authorised()
    captured = neutral_payment(captured_amount=Decimal(10))
    refunded = neutral_payment(captured_amount=Decimal(10), refunded_amount=Decimal(5))
    answers = [answer(order, one) for one in (captured, captured, refunded, refunded)]
    payment = order.payments.get()
    return told(
        captured=(payment.captured_amount, 10),
        refunded=(payment.refunded_amount, 5),
        answers=(answers, ["done", "unchanged", "done", "unchanged"]),
    )


def hear_old_news() -> list[str]:
    """Captured is told first, authorised after it."""
    order = make_authorised()
    authorised = neutral_payment(captured_amount=Decimal(0), status=PaymentStatus.AUTHORISED)
    answers = [answer(order, one) for one in (neutral_payment(), authorised)]
    return told(answers=(answers, ["done", "unchanged"])) + breaches()


def make_authorised() -> Order:
    return make_order(
        payments=(neutral_payment(captured_amount=Decimal(0), status=PaymentStatus.AUTHORISED),)
    )


def answer(order: Order, payment: NeutralPayment) -> str:
    results = report_payments([PaymentReport(order.pk, (payment,))], actor=ACTOR)
    return "refused" if results.refusals else "done" if results.done_ids else "unchanged"


def lose_a_worker() -> list[str]:
    """A worker dies with what it had claimed; later another one finds it and does it."""
    make_confirmed({"MUG": 1})  # of which there is none, so that its buyer gets two mails
    at = clock.now()
    outbox.claim("mail")
    with clock.frozen(at + outbox.LEASE * 2):
        outbox.reclaim()
    with clock.frozen(at + outbox.LEASE * 2 + outbox.LONGEST_PAUSE):
        for lane in outbox.LANES:
            outbox.deliver_due(lane)
        return told(mails=(len(mail.outbox), 2)) + breaches()


def set_broken_goods_aside() -> list[str]:
    """Two of three are broken."""
    mug, place = make_sku("MUG"), make_location()
    receive(mug, place, 3)
    aside = Aside("k", mug.pk, place.pk, 2)
    set_aside([aside], reason="damaged", note="test", actor=ACTOR).raise_refusals()
    return told(free=(StockLevel.objects.get().free, 1)) + breaches()
