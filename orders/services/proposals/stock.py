"""The units that changes give back and ask for."""

from collections.abc import Iterable, Sequence

from config.kernel.actors import Actor
from inventory.enums import ReservationState
from inventory.services.levels import Stock, lock_stock
from inventory.services.reservations import cut_reservations
from orders.change_shapes import Line
from orders.enums import FulfillmentStatus
from orders.models import AllocationDecision, LinePart, Order
from orders.selectors.unpaid import orders_that_gave_back
from orders.services.allocating import allocate_locked
from orders.services.claims import read_claims
from orders.services.counters import write_counters
from orders.services.proposals.foreseeing import Planned

GIVEN_BACK = "order_changed"


def give_back(chosen: Sequence[Planned], *, actor: Actor) -> Stock:
    """Lock the stock of the SKUs that the orders ask for before and after, give back what the changes take away, and
    write how many units the parts are of now. The rooms above have followed: what they asked for is called back."""
    stock = lock_stock(_skus(chosen))
    less = {pk: units for one in chosen for pk, units in one.plan.less.items()}
    more = {pk: units for one in chosen for pk, units in one.plan.more.items()}
    rows = LinePart.objects.filter(pk__in=[*less, *more]).select_related("line").order_by("pk")
    parts = {part.pk: part for part in rows}
    claims = read_claims([parts[pk] for pk in sorted(less)], stock.levels) if less else {}
    cuts = []
    for pk, units in sorted(less.items()):
        given = claims[pk].take(units)
        parts[pk].ordered -= units
        parts[pk].allocated -= sum(
            cut.quantity for cut in given if cut.reservation.state == ReservationState.OPEN
        )
        cuts += given
    for pk, units in more.items():
        parts[pk].ordered += units
    cut_reservations(cuts, reason=GIVEN_BACK, levels=stock.levels, actor=actor)
    write_counters([parts[pk] for pk in sorted(parts)], ["ordered", "allocated"])
    return stock


def _skus(chosen: Sequence[Planned]) -> set[int]:
    lines: Iterable[Line] = (
        line for one in chosen for shape in (one.plan.before, one.plan.after) for line in shape.lines
    )
    return {part.sku_id for line in lines for part in line.parts if part.sku_id is not None}


def claim_units(orders: Sequence[Order], stock: Stock, *, actor: Actor) -> None:
    """Reserve what is new where the order had been decided before; else it waits to be allocated as a whole. So does
    an unpaid order whose stock went back: it gets stock again when it is paid, or when a person says so."""
    decided = claiming_order_ids(orders)
    allocate_locked([order for order in orders if order.pk in decided], stock, actor=actor)


def claiming_order_ids(orders: Sequence[Order]) -> set[int]:
    """Orders that get what a change adds at once; one statement, and one where orders have no units at all."""
    if not orders:
        return set()
    bare = [
        order.pk
        for order in orders
        if not order.allocated_quantity and order.fulfillment_status != FulfillmentStatus.BACKORDERED
    ]
    return set(decided_order_ids(orders)) - (orders_that_gave_back(bare) if bare else set())


def decided_order_ids(orders: Sequence[Order]) -> Iterable[int]:
    """Orders that the planner has decided; one statement."""
    return AllocationDecision.objects.filter(order__in=orders).values_list("order_id", flat=True).distinct()
