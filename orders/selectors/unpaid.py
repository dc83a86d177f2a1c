"""Orders that nobody has paid and whose time was up."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef

from config.kernel.fastpath import Among
from inventory.enums import ReservationState
from inventory.models import Reservation
from orders.enums import HoldKind
from orders.models import Hold, LinePart
from orders.selectors.demand import ORDER_LINE_PART


def orders_that_gave_back(order_ids: Collection[int]) -> set[int]:
    """Those of the orders that nobody has paid and whose reservation ran out before. One statement."""
    expired = Reservation.objects.filter(
        reference_kind=ORDER_LINE_PART, reference_id=OuterRef("pk"), state=ReservationState.EXPIRED
    )
    unpaid = Hold.objects.filter(order=OuterRef("line__order_id"), kind=HoldKind.UNPAID, lifted_at=None)
    parts = LinePart.objects.filter(Among("line__order_id", order_ids)).filter(
        Exists(unpaid), Exists(expired)
    )
    return set(parts.values_list("line__order_id", flat=True))
