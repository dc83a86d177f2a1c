"""Who sees which orders: a person bound to locations sees those with units promised to leave, or gone, from there.

What belongs to an order is seen with it. The warehouse adds its work in `fulfillment.selectors.sight`.
"""

from collections.abc import Callable

from django.db.models import Exists, OuterRef, Q

from config.kernel.actors import Actor
from config.kernel.visibility import Sight, has_any, see, see_all, seen_by, unbounded
from inventory.enums import ReservationState
from inventory.models import Reservation
from orders.models import LinePart, Order

# Where the order of a row stands.
ORDER_OF = {
    "orders.order": "pk",
    "orders.raworder": "order",
    "orders.hold": "order",
    "orders.allocationdecision": "order",
    "orders.payment": "order",
    "orders.proposal": "order",
    "orders.notification": "order",
    "orders.maildelivery": "order_pk",
}
_TAKEN = (ReservationState.OPEN, ReservationState.CONSUMED)


def see_orders(touches: Callable[[frozenset[int], str], Q]) -> None:
    """Declare one way an order touches locations: (locations, path from the row to its order) to a condition."""
    for model, path in ORDER_OF.items():
        see(model, _sight(touches, path))


def _sight(touches: Callable[[frozenset[int], str], Q], path: str) -> Sight:
    def sight(actor: Actor) -> Q | None:
        return None if actor.locations is None else touches(actor.locations, path)

    return sight


def _promised(locations: frozenset[int], path: str) -> Q:
    taken = Reservation.objects.filter(
        reference_kind="order_line_part",
        reference_id=OuterRef("pk"),
        state__in=_TAKEN,
        level__location__in=locations,
    )
    return has_any(LinePart.objects.filter(Exists(taken), line__order=OuterRef(path)))


def _customers(actor: Actor) -> Q | None:
    if actor.locations is None:
        return None
    return Q(Exists(seen_by(actor, Order.objects.filter(customer=OuterRef("pk")))))


see_orders(_promised)
see("orders.customer", _customers)
see_all("orders.legalentity", "orders.saleschannel", "orders.skualias", "orders.mailtext")
# A file of orders belongs to the whole business.
see("orders.importrun", unbounded)
