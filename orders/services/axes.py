"""The one writer of an order's fulfillment and payment axes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import Sum

from config.kernel.fastpath import Among, set_in_rows
from config.kernel.outbox import NewFact, record_facts
from inventory.enums import ReservationState
from inventory.models import Reservation
from orders.axes import PartState, PaymentState, derive_fulfillment, derive_payment
from orders.enums import FulfillmentStatus, PaymentAxis
from orders.mail_kinds import BACKORDERED
from orders.models import LinePart, Order, Payment
from orders.selectors.demand import ORDER_LINE_PART


def refresh_axes(orders: Sequence[Order]) -> None:
    """Derive both axes of locked orders again from their parts, waiting reservations and payments.

    Three reads and, when an axis changed, one UPDATE of the changed rows, which counts their version up. The
    orders in memory are brought up to date. Of one that begins to wait for stock its buyer hears by the fact
    `order.backordered`: two statements more.
    """
    if not orders:
        return
    changed = []
    parts, payments = part_states(orders), payment_states(orders)
    for order in orders:
        axes = (derive_fulfillment(parts[order.pk]), derive_payment(order.owed_amount, payments[order.pk]))
        if axes != (order.fulfillment_status, order.payment_status):
            changed.append((order, *axes))
    if changed:
        _write(changed)


def settle_fulfillment(orders: Sequence[Order], parts: Mapping[int, Sequence[PartState]]) -> None:
    """Derive the fulfillment axis of locked orders from states that the caller has in hand, by order; one UPDATE
    of those that changed, as `refresh_axes` writes it. Payments are not looked at."""
    changed = []
    for order in orders:
        axis = derive_fulfillment(parts[order.pk])
        if axis != order.fulfillment_status:
            changed.append((order, axis, PaymentAxis(order.payment_status)))
    if changed:
        _write(changed)


def part_states(orders: Sequence[Order]) -> dict[int, list[PartState]]:
    """The parts that are shipped goods, by order: two statements."""
    rows = list(
        LinePart.objects.filter(
            Among("line__order_id", [order.pk for order in orders]), line__requires_shipping=True
        )
        .order_by("pk")
        .values_list("pk", "line__order_id", "ordered", "cancelled", "allocated", "shipped", "delivered")
    )
    waiting = dict(
        Reservation.objects.filter(
            Among("reference_id", [row[0] for row in rows]),
            state=ReservationState.WAITING,
            reference_kind=ORDER_LINE_PART,
        )
        .values_list("reference_id")
        .annotate(units=Sum("quantity"))
    )
    states: dict[int, list[PartState]] = defaultdict(list)
    for pk, order_id, ordered, cancelled, allocated, shipped, delivered in rows:
        states[order_id].append(
            PartState(ordered, cancelled, allocated, waiting.get(pk, 0), shipped, delivered)
        )
    return states


def payment_states(orders: Sequence[Order]) -> dict[int, list[PaymentState]]:
    """The payments, by order: one statement."""
    states: dict[int, list[PaymentState]] = defaultdict(list)
    rows = Payment.objects.filter(Among("order_id", [order.pk for order in orders])).values_list(
        "order_id", "status", "authorised_amount", "captured_amount", "refunded_amount"
    )
    for order_id, status, authorised, captured, refunded in rows:
        states[order_id].append(PaymentState(status, authorised, captured, refunded))
    return states


def _write(changed: Sequence[tuple[Order, FulfillmentStatus, PaymentAxis]]) -> None:
    values = {order.pk: (goods.value, money.value) for order, goods, money in changed}
    set_in_rows(Order, ("fulfillment_status", "payment_status"), values, also="version = version + 1")
    record_facts(
        [
            NewFact(BACKORDERED, ("order", order.pk))
            for order, goods, _money in changed
            if goods == FulfillmentStatus.BACKORDERED != order.fulfillment_status
        ]
    )
    for order, goods, money in changed:
        order.fulfillment_status, order.payment_status = goods, money
        order.version += 1
