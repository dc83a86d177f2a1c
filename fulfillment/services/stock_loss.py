"""Stock that work was asked for is no longer there: the work is called back, what is left can be released again."""

from collections.abc import Collection, Mapping, Sequence

from config.kernel.actors import Actor
from config.kernel.locks import lock_rows
from config.kernel.states import apply_transition
from fulfillment.enums import LIVE_FULFILLMENT
from fulfillment.models import FulfillmentOrder, FulfillmentOrderLine
from fulfillment.selectors.work import ORDER_LINE_PART, asked_units, short_work
from fulfillment.services.asking import count_asked
from fulfillment.states import CANCEL, FULFILLMENT_ORDER
from inventory.owners import Expired, Loss, Requeued

LOST_STOCK = "lost_stock"


class WarehouseWork:
    """The work behind reservations of the kind "order_line_part"; the order behind it is locked before."""

    kind = ORDER_LINE_PART

    def lock(self, reference_ids: Collection[int]) -> None:
        """Lock the live fulfillment orders that ask for these parts; a locked order gets no others."""
        asking = FulfillmentOrderLine.objects.filter(line_part__in=list(reference_ids))
        rows = FulfillmentOrder.objects.filter(
            status__in=LIVE_FULFILLMENT, pk__in=asking.values("fulfillment_order")
        )
        lock_rows("fulfillment_order", rows)

    def bound_units(self, reference_ids: Collection[int]) -> Mapping[tuple[int, int], int]:
        """What live fulfillment orders ask for."""
        return {(spot.part_id, spot.location_id): units for spot, units in asked_units(reference_ids).items()}

    def lose(self, losses: Sequence[Loss], *, actor: Actor) -> None:
        """Call back the work that asks for more than is still reserved; the units left stay reserved."""
        work = short_work({loss.reference[1] for loss in losses})
        facts = {
            one.pk: {"number": one.number, "location_id": one.location_id, "why": LOST_STOCK} for one in work
        }
        apply_transition(FULFILLMENT_ORDER, CANCEL, work, actor=actor, facts=facts)
        count_asked(work)

    def expire(self, expired: Sequence[Expired], *, actor: Actor) -> None:
        """Nothing to do: what work asks for does not expire."""

    def keep(self, kept: Sequence[Expired], *, actor: Actor) -> None:
        """Nothing to do: it is this work that keeps them."""

    def requeue(self, moved: Sequence[Requeued], *, actor: Actor) -> None:
        """Nothing to do: work asks for nothing that waits."""
