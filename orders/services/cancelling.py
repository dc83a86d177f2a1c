"""Cancelling orders before anything of them has left."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import InvalidInput
from config.kernel.outbox import NewFact, record_facts
from config.kernel.results import Results
from config.kernel.states import apply_transition
from inventory.enums import LIVE_RESERVATION
from inventory.models import Reservation
from inventory.services.levels import lock_levels
from inventory.services.reservations import release_reservations
from orders.enums import OrderStatus
from orders.errors import AlreadyShipped, OrderClosed
from orders.models import LinePart, Order
from orders.selectors.demand import ORDER_LINE_PART
from orders.selectors.holds import open_holds
from orders.services.axes import refresh_axes
from orders.services.counters import write_counters
from orders.services.holds import lift
from orders.services.locking import lock_orders, refuse_unknown
from orders.states import CANCEL, ORDER

LONGEST_REASON = 120
GIVEN_BACK = "order_cancelled"


@verb
def cancel_orders(order_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Cancel whole orders of which nothing has been shipped; their units are free for others at once.

    At most 200 ids. Locks the orders by ascending pk, then the levels of the units they claim. Releases open and
    waiting reservations, counts every owed unit as cancelled, lifts the holds, and records the fact
    `order.cancelled`, by which fulfillment calls its work back. `reason` (1 to 120 characters, no personal
    data) stands on the timeline. A cancelled order is `unchanged`.

    Refuses: `AlreadyShipped`, `OrderClosed`, `NotFound`. Raises `NotAllowed`, `InvalidInput` for the reason.
    """
    actor.require(CANCEL.permission)
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise InvalidInput(field="reason", value=reason[:80], accepted=_("accepted are 1 to 120 characters"))
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids)
        refuse_unknown(results, orders)
        parts = _parts_by_order(order_ids)
        for order in orders:
            _decide(order, parts[order.pk], results)
        chosen = [order for order in orders if results.is_done(order.pk)]
        if chosen:
            _cancel(chosen, [part for order in chosen for part in parts[order.pk]], reason.strip(), actor)
    return results


def _parts_by_order(order_ids: Sequence[int]) -> Mapping[int, list[LinePart]]:
    parts: dict[int, list[LinePart]] = defaultdict(list)
    rows = LinePart.objects.filter(line__order__in=order_ids).select_related("line").order_by("pk")
    for part in rows:
        parts[part.line.order_id].append(part)
    return parts


def _decide(order: Order, parts: Iterable[LinePart], results: Results[int]) -> None:
    shipped = sum(part.shipped for part in parts)
    if order.status == OrderStatus.CANCELLED:
        results.unchanged(order.pk)
    elif order.is_closed:
        results.refuse(order.pk, OrderClosed(order.number, order.status))
    elif shipped:
        results.refuse(order.pk, AlreadyShipped(number=order.number, shipped=shipped))
    else:
        results.done(order.pk)


def _cancel(orders: Sequence[Order], parts: Sequence[LinePart], reason: str, actor: Actor) -> None:
    _give_back(parts, actor)
    for part in parts:
        part.cancelled = part.ordered
        part.allocated = part.picked = part.packed = 0
    write_counters(parts, ["cancelled", "allocated", "picked", "packed"])
    holds = open_holds([order.pk for order in orders])
    lift([hold for some in holds.values() for hold in some], actor=actor)
    apply_transition(
        ORDER,
        CANCEL,
        orders,
        actor=actor,
        facts={order.pk: {"reason": reason} for order in orders},
        also={"cancelled_at": clock.now()},
    )
    refresh_axes(orders)
    record_facts([NewFact("order.cancelled", ("order", order.pk)) for order in orders])


def _give_back(parts: Sequence[LinePart], actor: Actor) -> None:
    levels = lock_levels({part.sku_id for part in parts if part.sku_id})
    claims = Reservation.objects.filter(
        reference_kind=ORDER_LINE_PART,
        reference_id__in=[part.pk for part in parts],
        state__in=LIVE_RESERVATION,
    )
    release_reservations(list(claims.order_by("pk")), reason=GIVEN_BACK, levels=levels, actor=actor)
