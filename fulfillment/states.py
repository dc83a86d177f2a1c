"""Edges of the fulfillment order and the parcel."""

from django.utils.translation import gettext_lazy as _

from config.kernel.states import Edge, Machine, register
from fulfillment.enums import FulfillmentOrderStatus, ParcelStatus

F = FulfillmentOrderStatus
WORK = "fulfillment.work_fulfillmentorder"

RELEASE = Edge(
    "release",
    frozenset({F.OPEN}),
    F.RELEASED,
    "fulfillment.release_fulfillmentorder",
    _("Release"),
    "primary",
)
START_PICKING = Edge("start_picking", frozenset({F.RELEASED}), F.PICKING, WORK, _("Start picking"))
FINISH_PICKING = Edge("finish_picking", frozenset({F.PICKING}), F.PICKED, WORK, _("Finish picking"))
PACK = Edge("pack", frozenset({F.PICKED}), F.PACKED, WORK, _("Pack"))
SHIP = Edge(
    "ship", frozenset({F.PACKED}), F.SHIPPED, "fulfillment.ship_fulfillmentorder", _("Ship"), "primary"
)
SHIP_BY_HAND = Edge(
    "ship_by_hand",
    frozenset({F.RELEASED}),
    F.SHIPPED,
    "fulfillment.ship_fulfillmentorder",
    _("Ship by hand"),
    "primary",
)
CANCEL = Edge(
    "cancel",
    frozenset({F.OPEN, F.RELEASED, F.PICKING, F.PICKED, F.PACKED}),
    F.CANCELLED,
    "fulfillment.cancel_fulfillmentorder",
    _("Cancel work"),
    "risk",
)

FULFILLMENT_ORDER = register(
    Machine(
        name="fulfillment_order",
        model="fulfillment.FulfillmentOrder",
        statuses=FulfillmentOrderStatus,
        initial=frozenset({F.OPEN}),
        edges=(RELEASE, START_PICKING, FINISH_PICKING, PACK, SHIP, SHIP_BY_HAND, CANCEL),
        thread=("order", "order_id"),
    )
)

P = ParcelStatus
TRACK = "fulfillment.track_parcel"
MOVING = frozenset({P.HANDED_OVER, P.IN_TRANSIT, P.OUT_FOR_DELIVERY, P.EXCEPTION})

HAND_OVER = Edge("hand_over", frozenset({P.LABELLED}), P.HANDED_OVER, TRACK, _("Hand over"))
MOVE = Edge("move", frozenset({P.HANDED_OVER, P.EXCEPTION}), P.IN_TRANSIT, TRACK, _("In transit"))
GO_OUT = Edge(
    "go_out",
    frozenset({P.HANDED_OVER, P.IN_TRANSIT, P.EXCEPTION}),
    P.OUT_FOR_DELIVERY,
    TRACK,
    _("Out for delivery"),
)
# A lost parcel may still turn up at the door.
DELIVER = Edge("deliver", MOVING | {P.LOST}, P.DELIVERED, TRACK, _("Mark as delivered"), "primary")
VOID = Edge("void", frozenset({P.LABELLED}), P.VOIDED, TRACK, _("Void"), "risk")
TROUBLE = Edge("trouble", MOVING - {P.EXCEPTION}, P.EXCEPTION, TRACK, _("Report a problem"))
SEND_BACK = Edge("send_back", MOVING, P.RETURNED_TO_SENDER, TRACK, _("Returned to sender"))
LOSE = Edge("lose", MOVING, P.LOST, TRACK, _("Mark as lost"), "risk")

PARCEL = register(
    Machine(
        name="parcel",
        model="fulfillment.Parcel",
        statuses=ParcelStatus,
        initial=frozenset({P.LABELLED}),
        edges=(HAND_OVER, MOVE, GO_OUT, DELIVER, VOID, TROUBLE, SEND_BACK, LOSE),
        thread=("order", "order_id"),
    )
)
