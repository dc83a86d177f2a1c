"""Orders at every stage of their life, brought there by the verbs."""

from collections.abc import Sequence
from dataclasses import replace

from config.kernel import clock
from fulfillment.enums import ParcelStatus
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import HandShipment, ship_by_hand
from fulfillment.services.tracking import Statement, record_tracking
from orders.enums import HoldKind
from orders.services.accepting import Incoming, accept_orders
from orders.services.allocating import allocate_orders
from orders.services.cancelling import cancel_orders
from orders.services.confirming import confirm_orders
from orders.services.holds import place_hold
from tests.benchmarks.shop import ACTOR

BATCH = 200


def spread(incoming: Sequence[Incoming], channel_id: int) -> None:
    """A quarter history, most of the others shipped and delivered, one in eight open: in work, held or new."""
    for start in range(0, len(incoming), BATCH):
        _bring(incoming[start : start + BATCH], channel_id)


def _bring(incoming: Sequence[Incoming], channel_id: int) -> None:
    past = len(incoming) // 4
    told = [replace(one, is_history=place < past) for place, one in enumerate(incoming)]
    ids = list(accept_orders(told, sales_channel_id=channel_id, actor=ACTOR).values.values())
    live = ids[past:]
    new, held, cancelled, rest = live[:6], live[6:9], live[9:13], live[13:]
    place_hold(held, kind=HoldKind.FRAUD, actor=ACTOR)
    cancel_orders(cancelled, reason="out of stock", actor=ACTOR)
    confirm_orders(rest, actor=ACTOR)
    allocate_orders([*new[:3], *rest], actor=ACTOR)
    release_orders(rest[8:], actor=ACTOR)
    work = FulfillmentOrder.objects.filter(order__in=rest[20:]).order_by("pk")
    ship_by_hand([HandShipment(one.pk, "GLS", f"GLS{one.pk:09}") for one in work], actor=ACTOR)
    parcels = Parcel.objects.filter(order__in=rest[32:]).values_list("pk", flat=True)
    record_tracking(
        [
            Statement(f"gls:{pk}", pk, ParcelStatus.DELIVERED, stated_at=clock.now(), source="gls")
            for pk in parcels
        ],
        actor=ACTOR,
    )
