"""Edges of reservations, transfers and counts. A reservation's story is its own row, so it writes no events."""

from django.utils.translation import gettext_lazy as _

from config.kernel.states import Edge, Machine, register
from inventory.enums import (
    LIVE_ALERT,
    LIVE_RESERVATION,
    AlertStatus,
    CountStatus,
    ReservationState,
    TransferStatus,
)

S = ReservationState
RESERVE = "inventory.change_reservation"

FILL = Edge("fill", frozenset({S.WAITING}), S.OPEN, RESERVE, _("Fill"))
WAIT = Edge("wait", frozenset({S.OPEN}), S.WAITING, RESERVE, _("Put back in line"))
CONSUME = Edge("consume", frozenset({S.OPEN}), S.CONSUMED, RESERVE, _("Ship"))
RELEASE = Edge("release", LIVE_RESERVATION, S.RELEASED, RESERVE, _("Give back"))
EXPIRE = Edge("expire", LIVE_RESERVATION, S.EXPIRED, RESERVE, _("Expire"))

RESERVATION = register(
    Machine(
        name="reservation",
        model="inventory.Reservation",
        statuses=ReservationState,
        initial=frozenset({S.WAITING, S.OPEN}),
        edges=(FILL, WAIT, CONSUME, RELEASE, EXPIRE),
        thread=("sku", "sku_id"),
        field="state",
        writes_events=False,
    )
)

T = TransferStatus

SEND = Edge("send", frozenset({T.DRAFT}), T.SENT, "inventory.send_transfer", _("Send"), "primary")
RECEIVE = Edge(
    "receive", frozenset({T.SENT}), T.RECEIVED, "inventory.receive_transfer", _("Receive"), "primary"
)
UNDO_SEND = Edge("undo", frozenset({T.SENT}), T.DRAFT, "inventory.undo_transfer", _("Undo sending…"), "risk")
CANCEL_TRANSFER = Edge(
    "cancel", frozenset({T.DRAFT, T.SENT}), T.CANCELLED, "inventory.cancel_transfer", _("Cancel"), "risk"
)

TRANSFER = register(
    Machine(
        name="transfer",
        model="inventory.Transfer",
        statuses=TransferStatus,
        initial=frozenset({T.DRAFT}),
        edges=(SEND, RECEIVE, UNDO_SEND, CANCEL_TRANSFER),
        thread=("transfer", "pk"),
    )
)

C = CountStatus
COUNT_STOCK = "inventory.count_stock"

COUNT = Edge("count", frozenset({C.DRAFT}), C.COUNTED, COUNT_STOCK, _("Enter what was counted"), "primary")
RECOUNT = Edge("recount", frozenset({C.COUNTED}), C.DRAFT, COUNT_STOCK, _("Count again"))
APPROVE = Edge(
    "approve", frozenset({C.COUNTED}), C.APPROVED, "inventory.approve_stockcount", _("Approve"), "primary"
)
UNDO_COUNT = Edge("undo", frozenset({C.APPROVED}), C.UNDONE, "inventory.undo_stockcount", _("Undo…"), "risk")
CANCEL_COUNT = Edge(
    "cancel", frozenset({C.DRAFT, C.COUNTED}), C.CANCELLED, "inventory.cancel_stockcount", _("Cancel"), "risk"
)

STOCK_COUNT = register(
    Machine(
        name="stock_count",
        model="inventory.StockCount",
        statuses=CountStatus,
        initial=frozenset({C.DRAFT}),
        edges=(COUNT, RECOUNT, APPROVE, UNDO_COUNT, CANCEL_COUNT),
        thread=("stock_count", "pk"),
    )
)

A = AlertStatus
SETTLE_ALERT = "inventory.settle_lowstockalert"

ACKNOWLEDGE = Edge(
    "acknowledge", frozenset({A.OPEN, A.SNOOZED}), A.ACKNOWLEDGED, SETTLE_ALERT, _("Acknowledge…"), "primary"
)
SNOOZE = Edge("snooze", LIVE_ALERT, A.SNOOZED, SETTLE_ALERT, _("Snooze…"))
WAKE = Edge("wake", frozenset({A.SNOOZED}), A.OPEN, SETTLE_ALERT, _("Wake"))
CLEAR = Edge("clear", LIVE_ALERT, A.CLEARED, SETTLE_ALERT, _("Clear"))

LOW_STOCK_ALERT = register(
    Machine(
        name="low_stock_alert",
        model="inventory.LowStockAlert",
        statuses=AlertStatus,
        initial=frozenset({A.OPEN}),
        edges=(ACKNOWLEDGE, SNOOZE, WAKE, CLEAR),
        thread=("low_stock_alert", "pk"),
    )
)
