"""The one writer of an order's fulfillment and payment axes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

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

COLUMNS = ("fulfillment_status", "payment_status", "allocated_quantity", "undecided_quantity")
# 1 for an order whose axes change: who looks at a page where only units were counted anew may go on.
MOVED = (
    "CASE WHEN orders_order.fulfillment_status = change.fulfillment_status"
    " AND orders_order.payment_status = change.payment_status THEN 0 ELSE 1 END"
)


class Axes(NamedTuple):
    """Where an order stands, and how many units of its goods are reserved or nobody has decided about."""

    goods: FulfillmentStatus
    money: PaymentAxis
    allocated: int
    undecided: int


def refresh_axes(orders: Sequence[Order], *, also: Sequence[str] = ()) -> None:
    """Derive both axes of locked orders again from their parts, waiting reservations and payments.

    Three reads and, when something changed, one UPDATE of the changed rows, which counts their version up where an
    axis did. `also` are columns that the caller has changed in memory and that are written with these. The orders in
    memory are brought up to date. Of one that begins to wait for stock its buyer hears by the fact
    `order.backordered`: two statements more.
    """
    if not orders:
        return
    parts, payments = part_states(orders), payment_states(orders)
    _settle(
        [
            (order, _axes(parts[order.pk], derive_payment(order.owed_amount, payments[order.pk])))
            for order in orders
        ],
        also,
    )


def settle_fulfillment(orders: Sequence[Order], parts: Mapping[int, Sequence[PartState]]) -> None:
    """Derive the fulfillment axis of locked orders from states that the caller has in hand, by order; one UPDATE
    of those that changed, as `refresh_axes` writes it. Payments are not looked at."""
    _settle([(order, _axes(parts[order.pk], PaymentAxis(order.payment_status))) for order in orders])


def _axes(parts: Sequence[PartState], money: PaymentAxis) -> Axes:
    allocated, undecided = sum(part.allocated for part in parts), sum(part.undecided for part in parts)
    return Axes(derive_fulfillment(parts), money, allocated, undecided)


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


def _settle(found: Sequence[tuple[Order, Axes]], also: Sequence[str] = ()) -> None:
    stored = [tuple(getattr(one, name) for name in COLUMNS) for one, _axes in found]
    changed = [pair for pair, before in zip(found, stored, strict=True) if pair[1] != before]
    if not changed:
        return
    values = {order.pk: (*axes, *(getattr(order, name) for name in also)) for order, axes in changed}
    set_in_rows(Order, (*COLUMNS, *also), values, also=f"version = version + {MOVED}")
    record_facts(
        [
            NewFact(BACKORDERED, ("order", order.pk))
            for order, axes in changed
            if axes.goods == FulfillmentStatus.BACKORDERED != order.fulfillment_status
        ]
    )
    for order, axes in changed:
        order.version += axes[:2] != (order.fulfillment_status, order.payment_status)
        order.fulfillment_status, order.payment_status = axes[:2]
        order.allocated_quantity, order.undecided_quantity = axes[2:]
