"""Edges of the RMA and of a returned unit's two axes."""

from django.utils.translation import gettext_lazy as _

from config.kernel.states import Edge, Machine, register
from returns.enums import Disposition, Reception, RmaStatus

R = RmaStatus

APPROVE = Edge(
    "approve", frozenset({R.REQUESTED}), R.APPROVED, "returns.approve_rma", _("Approve return"), "primary"
)
REJECT = Edge(
    "reject", frozenset({R.REQUESTED}), R.REJECTED, "returns.approve_rma", _("Reject return"), "risk"
)
SEND = Edge("send", frozenset({R.APPROVED}), R.IN_TRANSIT, "returns.receive_rma", _("On its way back"))
RECEIVE = Edge(
    "receive",
    frozenset({R.APPROVED, R.IN_TRANSIT}),
    R.RECEIVED,
    "returns.receive_rma",
    _("Receive goods"),
    "primary",
)
INSPECT = Edge(
    "inspect", frozenset({R.RECEIVED}), R.INSPECTED, "returns.inspect_rma", _("Inspect"), "primary"
)
RESOLVE = Edge(
    "resolve", frozenset({R.INSPECTED}), R.RESOLVED, "returns.inspect_rma", _("Close return"), "primary"
)
CANCEL = Edge(
    "cancel",
    frozenset({R.REQUESTED, R.APPROVED, R.IN_TRANSIT}),
    R.CANCELLED,
    "returns.approve_rma",
    _("Cancel return"),
    "risk",
)
EXPIRE = Edge("expire", frozenset({R.APPROVED}), R.EXPIRED, "returns.approve_rma", _("Expire"))

RMA = register(
    Machine(
        name="rma",
        model="returns.Rma",
        statuses=RmaStatus,
        initial=frozenset({R.REQUESTED}),
        edges=(APPROVE, REJECT, SEND, RECEIVE, INSPECT, RESOLVE, CANCEL, EXPIRE),
        thread=("order", "order_id"),
    )
)

# What happens to single units stands on the timeline of their return, not of the order.
C = Reception

ARRIVE = Edge("arrive", frozenset({C.EXPECTED, C.LOST}), C.RECEIVED, "returns.receive_rma", _("Arrived"))
MISS = Edge("miss", frozenset({C.EXPECTED}), C.LOST, "returns.receive_rma", _("Did not arrive"))
MISTAKE = Edge(
    "mistake", frozenset({C.EXPECTED}), C.WRONG, "returns.receive_rma", _("Something else arrived")
)

RECEPTION = register(
    Machine(
        name="return_unit",
        model="returns.ReturnUnit",
        statuses=Reception,
        initial=frozenset({C.EXPECTED}),
        edges=(ARRIVE, MISS, MISTAKE),
        thread=("rma", "rma_id"),
        field="reception",
    )
)

D = Disposition
INSPECT_UNIT = "returns.inspect_rma"

QUARANTINE = Edge("quarantine", frozenset({D.NONE}), D.QUARANTINE, "returns.receive_rma", _("Quarantine"))
RESTOCK = Edge("restock", frozenset({D.QUARANTINE, D.REFURBISH}), D.RESTOCK, INSPECT_UNIT, _("Back to stock"))
REFURBISH = Edge("refurbish", frozenset({D.QUARANTINE}), D.REFURBISH, INSPECT_UNIT, _("Refurbish"))
SCRAP = Edge("scrap", frozenset({D.QUARANTINE, D.REFURBISH}), D.SCRAP, INSPECT_UNIT, _("Scrap"), "risk")
TO_VENDOR = Edge("to_vendor", frozenset({D.QUARANTINE}), D.TO_VENDOR, INSPECT_UNIT, _("To the supplier"))

# An undecided unit has no status event of this axis yet: the axis begins with `quarantine`.
DISPOSITION = register(
    Machine(
        name="return_disposition",
        model="returns.ReturnUnit",
        statuses=Disposition,
        initial=frozenset({D.NONE}),
        edges=(QUARANTINE, RESTOCK, REFURBISH, SCRAP, TO_VENDOR),
        thread=("rma", "rma_id"),
        field="disposition",
    )
)
