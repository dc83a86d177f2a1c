"""Cancelling what has not left: whole orders, and what is left of part-shipped ones."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput
from config.kernel.events import Entry, Thread, record_events
from config.kernel.outbox import NewFact, record_facts
from config.kernel.results import Results
from config.kernel.states import apply_transition
from inventory.enums import LIVE_RESERVATION
from inventory.models import Reservation
from inventory.services.levels import lock_levels
from inventory.services.reservations import release_reservations
from orders.enums import OrderStatus
from orders.errors import AlreadyShipped, OrderClosed
from orders.mail_kinds import CALLED_OFF, UNITS_CALLED_OFF
from orders.models import LinePart, Order
from orders.selectors.demand import ORDER_LINE_PART
from orders.selectors.holds import open_holds
from orders.services.axes import refresh_axes
from orders.services.cancelled_value import settle_cancelled
from orders.services.completing import complete_delivered
from orders.services.counters import write_counters
from orders.services.holds import lift
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.versions import count_up
from orders.states import CANCEL, ORDER

LONGEST_REASON = 120
GIVEN_BACK = "order_cancelled"
UNITS_CANCELLED = "units_cancelled"
CANCELLED, REST_CANCELLED = "order.cancelled", "order.rest_cancelled"
Units = Mapping[int, int]


@verb
def cancel_orders(order_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Cancel all that has not been shipped of orders; its units are free for others at once.

    At most 200 ids. Locks the orders by ascending pk, then the levels of the units they claim. Releases open and
    waiting reservations, counts every owed unit as cancelled and lifts the holds. An order of which nothing was
    shipped is cancelled (fact `order.cancelled`); a part-shipped one is completed, at once or when what was
    shipped arrives (fact `order.rest_cancelled`). By these facts fulfillment calls its work back. `reason` (1
    to 120 characters, no personal data) stands on the timeline. One with nothing left to cancel is `unchanged`.

    Refuses: `AlreadyShipped` for one whose goods were shipped whole, whatever else stands on it (`cancel_units` takes
    a service off), `OrderClosed`, `NotFound`. Raises `NotAllowed`, `InvalidInput` for the reason.
    """
    actor.require(CANCEL.permission)
    reason = fit_reason(reason)
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, actor=actor)
        refuse_unknown(results, orders)
        parts = parts_by_order(order_ids)
        for order in orders:
            _decide(order, parts[order.pk], results)
        chosen = [order for order in orders if results.is_done(order.pk)]
        if chosen:
            _cancel(chosen, parts, reason, actor)
    return results


def fit_reason(reason: str) -> str:
    """The reason as it is stored. Raises `InvalidInput` for none and for one that is too long."""
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise InvalidInput(field="reason", value=reason[:80], accepted=_("accepted are 1 to 120 characters"))
    return reason.strip()


def parts_by_order(order_ids: Sequence[int]) -> Mapping[int, list[LinePart]]:
    """All parts of orders with their line, by order: one statement."""
    parts: dict[int, list[LinePart]] = defaultdict(list)
    rows = LinePart.objects.filter(line__order__in=order_ids).select_related("line").order_by("pk")
    for part in rows:
        parts[part.line.order_id].append(part)
    return parts


def _decide(order: Order, parts: Iterable[LinePart], results: Results[int]) -> None:
    goods = [part for part in parts if part.line.requires_shipping]
    shipped, left, cancelled = (
        sum(getattr(part, name) for part in goods) for name in ("shipped", "remaining", "cancelled")
    )
    if order.status == OrderStatus.CANCELLED:
        results.unchanged(order.pk)
    elif (problem := closed(order)) is not None:
        results.refuse(order.pk, problem)
    elif shipped and not left and not cancelled:
        results.refuse(order.pk, AlreadyShipped(number=order.number, shipped=shipped))
    elif shipped and not left:
        results.unchanged(order.pk)
    else:
        results.done(order.pk)


def closed(order: Order) -> BancaleError | None:
    return OrderClosed(order.number, order.status) if order.is_closed else None


def _cancel(
    orders: Sequence[Order], parts_of: Mapping[int, list[LinePart]], reason: str, actor: Actor
) -> None:
    parts = [part for order in orders for part in parts_of[order.pk]]
    _give_back(parts, actor)
    units = {part.pk: part.remaining for part in parts if part.shipped < part.ordered}
    for part in parts:
        part.cancelled = part.ordered - part.shipped
        part.allocated = part.picked = part.packed = 0
    write_counters(parts, ["cancelled", "allocated", "picked", "packed"])
    started = [order for order in orders if any(part.shipped for part in parts_of[order.pk])]
    tell_units(started, parts_of, units, reason=reason, actor=actor)
    call_off(orders, parts_of, reason=reason, actor=actor)


def tell_units(
    orders: Sequence[Order],
    parts_of: Mapping[int, list[LinePart]],
    units: Units,
    *,
    reason: str,
    actor: Actor,
) -> None:
    """One event an order: how many units of which parts were cancelled, and why. Nothing where there are none.

    The buyer hears of them by the fact `order.units_called_off`, unless the order is cancelled whole by then.
    """
    mine = {
        order.pk: {str(part.pk): units[part.pk] for part in parts_of[order.pk] if units.get(part.pk)}
        for order in orders
    }
    record_events(
        [
            Entry(
                ("order", pk),
                Thread("order", pk),
                UNITS_CANCELLED,
                facts={"reason": reason, "units": sum(some.values()), "parts": some},
            )
            for pk, some in mine.items()
        ],
        actor=actor,
    )
    record_facts(
        [NewFact(UNITS_CALLED_OFF, ("order", pk), {"parts": some}) for pk, some in mine.items() if some]
    )


def call_off(
    orders: Sequence[Order], parts_of: Mapping[int, list[LinePart]], *, reason: str, actor: Actor
) -> None:
    """Bring locked orders to where nothing of them is left to ship: holds lifted, cancelled or, after delivery,
    completed, fulfillment and buyers told. Their counters are written."""
    started = [order for order in orders if any(part.shipped for part in parts_of[order.pk])]
    untouched = [order for order in orders if order not in started]
    holds = open_holds([order.pk for order in orders])
    lift([hold for some in holds.values() for hold in some], actor=actor)
    facts = {order.pk: {"reason": reason} for order in untouched}
    also = {"cancelled_at": clock.now()}
    apply_transition(ORDER, CANCEL, untouched, actor=actor, facts=facts, also=also)
    count_up([order.pk for order in started])
    settle_cancelled(started, parts_of)
    refresh_axes(orders)
    complete_delivered(started, actor=actor)
    record_facts(
        [NewFact(kind, ("order", order.pk)) for order in untouched for kind in (CANCELLED, CALLED_OFF)]
        + [NewFact(REST_CANCELLED, ("order", order.pk)) for order in started]
    )


def _give_back(parts: Sequence[LinePart], actor: Actor) -> None:
    levels = lock_levels({part.sku_id for part in parts if part.sku_id})
    claims = Reservation.objects.filter(
        reference_kind=ORDER_LINE_PART,
        reference_id__in=[part.pk for part in parts],
        state__in=LIVE_RESERVATION,
    )
    release_reservations(list(claims.order_by("pk")), reason=GIVEN_BACK, levels=levels, actor=actor)
