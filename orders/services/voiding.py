"""Orders that never were: what a rolled back import brought is taken away again."""

from collections.abc import Mapping, Sequence

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.outbox import NewFact, record_facts
from config.kernel.results import Results
from config.kernel.states import apply_transition
from inventory.enums import LIVE_RESERVATION
from inventory.models import Reservation
from inventory.services.levels import lock_levels
from inventory.services.reservations import release_reservations
from orders.enums import ImportStatus, OrderStatus
from orders.errors import AlreadyReturned, AlreadyShipped, NotOfImport
from orders.models import ImportRun, LinePart, Order
from orders.selectors.demand import ORDER_LINE_PART
from orders.selectors.holds import open_holds
from orders.services.axes import refresh_axes
from orders.services.cancelling import parts_by_order
from orders.services.counters import write_counters
from orders.services.holds import lift
from orders.services.locking import lock_orders, refuse_unknown
from orders.states import ORDER, VOID

GIVEN_BACK, VOIDED = "order_voided", "order.voided"


@verb
def void_orders(order_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Take away orders of imports that are rolled back: hidden, their keys free, their stock and place in line too.

    At most 200 ids. Locks the orders by ascending pk, then the levels of the units they claim. Releases their
    reservations, lifts their holds, counts what was owed as cancelled; history keeps its counters. By the fact
    `order.voided` upper rooms let go of them. A void one is `unchanged`.

    Refuses: `NotOfImport` for an order of no import that is rolled back, `AlreadyShipped` for live goods that
    have left, `AlreadyReturned`, `NotFound`. Raises `NotAllowed`.
    """
    actor.require(VOID.permission)
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids)
        refuse_unknown(results, orders)
        parts = parts_by_order(order_ids)
        rolled = set(
            ImportRun.objects.filter(
                pk__in={order.import_run_id for order in orders if order.import_run_id},
                status=ImportStatus.ROLLED_BACK,
            ).values_list("pk", flat=True)
        )
        for order in orders:
            _decide(order, parts[order.pk], rolled, results)
        chosen = [order for order in orders if results.is_done(order.pk)]
        if chosen:
            _void(chosen, parts, actor)
    return results


def _decide(order: Order, parts: Sequence[LinePart], rolled: set[int], results: Results[int]) -> None:
    shipped = sum(part.shipped for part in parts)
    if order.status == OrderStatus.VOID:
        results.unchanged(order.pk)
    elif order.import_run_id not in rolled:
        results.refuse(order.pk, NotOfImport(number=order.number))
    elif any(part.returned for part in parts):
        results.refuse(order.pk, AlreadyReturned(number=order.number))
    elif shipped and not order.is_history:
        results.refuse(order.pk, AlreadyShipped(number=order.number, shipped=shipped))
    else:
        results.done(order.pk)


def _void(orders: Sequence[Order], parts_of: Mapping[int, list[LinePart]], actor: Actor) -> None:
    parts = [part for order in orders if not order.is_history for part in parts_of[order.pk]]
    if parts:
        levels = lock_levels({part.sku_id for part in parts if part.sku_id})
        claims = Reservation.objects.filter(
            reference_kind=ORDER_LINE_PART,
            reference_id__in=[part.pk for part in parts],
            state__in=LIVE_RESERVATION,
        )
        release_reservations(list(claims.order_by("pk")), reason=GIVEN_BACK, levels=levels, actor=actor)
        for part in parts:
            part.cancelled = part.ordered - part.shipped
            part.allocated = part.picked = part.packed = 0
        write_counters(parts, ["cancelled", "allocated", "picked", "packed"])
    holds = open_holds([order.pk for order in orders])
    lift([hold for some in holds.values() for hold in some], actor=actor)
    facts = {order.pk: {"import": order.import_run_id} for order in orders}
    apply_transition(ORDER, VOID, orders, actor=actor, facts=facts)
    refresh_axes([order for order in orders if not order.is_history])
    record_facts([NewFact(VOIDED, ("order", order.pk)) for order in orders])
