"""Edges of the order and of a payment, and which steps each hold refuses."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from config.kernel.states import Edge, Machine, register
from orders.enums import HoldKind, ImportStatus, OrderStatus, PaymentStatus, ProposalStatus, Step

O = OrderStatus  # noqa: E741

PLACE = Edge("place", frozenset({O.DRAFT}), O.PLACED, "orders.place_order", _("Place order"), "primary")
CONFIRM = Edge(
    "confirm", frozenset({O.PLACED}), O.CONFIRMED, "orders.confirm_order", _("Confirm order"), "primary"
)
COMPLETE = Edge(
    "complete", frozenset({O.CONFIRMED}), O.COMPLETED, "orders.complete_order", _("Complete order")
)
# Of a placed order that the channel had sent in part: its rest is cancelled before anybody confirmed it.
CLOSE = Edge("close", frozenset({O.PLACED}), O.COMPLETED, "orders.cancel_order", _("Complete what had left"))
CANCEL = Edge(
    "cancel",
    frozenset({O.DRAFT, O.PLACED, O.CONFIRMED}),
    O.CANCELLED,
    "orders.cancel_order",
    _("Cancel order"),
    "risk",
)
# From every status: a rolled back import takes its orders away, whatever they began as.
VOID = Edge("void", frozenset(O) - {O.VOID}, O.VOID, "orders.void_order", _("Void order"), "risk")
REOPEN = Edge("reopen", frozenset({O.COMPLETED}), O.CONFIRMED, "orders.reopen_order", _("Reopen order"))

ORDER = register(
    Machine(
        name="order",
        model="orders.Order",
        statuses=OrderStatus,
        initial=frozenset({O.DRAFT, O.PLACED, O.COMPLETED}),
        edges=(PLACE, CONFIRM, COMPLETE, CLOSE, CANCEL, VOID, REOPEN),
        thread=("order", "pk"),
    )
)

P = PaymentStatus
PAY = "orders.change_payment"

AUTHORISE = Edge("authorise", frozenset({P.PENDING}), P.AUTHORISED, PAY, _("Authorise"))
CAPTURE = Edge("capture", frozenset({P.PENDING, P.AUTHORISED}), P.CAPTURED, PAY, _("Capture"))
VOID_PAYMENT = Edge("void", frozenset({P.PENDING, P.AUTHORISED}), P.VOIDED, PAY, _("Void"), "risk")
FAIL_PAYMENT = Edge("fail", frozenset({P.PENDING, P.AUTHORISED}), P.FAILED, PAY, _("Fail"))
EXPIRE_PAYMENT = Edge("expire", frozenset({P.PENDING, P.AUTHORISED}), P.EXPIRED, PAY, _("Expire"))

PAYMENT = register(
    Machine(
        name="payment",
        model="orders.Payment",
        statuses=PaymentStatus,
        initial=frozenset(PaymentStatus),
        edges=(AUTHORISE, CAPTURE, VOID_PAYMENT, FAIL_PAYMENT, EXPIRE_PAYMENT),
        thread=("order", "order_id"),
    )
)

PROPOSE = "orders.propose_change"
S = ProposalStatus

CONFIRM_CHANGE = Edge("confirm", frozenset({S.OPEN}), S.CONFIRMED, PROPOSE, _("Change the order"), "primary")
OVERTAKE = Edge("overtake", frozenset({S.OPEN}), S.STALE, PROPOSE, _("Overtake"))
RENEW = Edge(
    "renew", frozenset({S.STALE}), S.OPEN, PROPOSE, _("Go on with the order as it is now"), "primary"
)
DROP = Edge("drop", frozenset({S.OPEN, S.STALE}), S.DROPPED, PROPOSE, _("Drop the change"), "risk")

PROPOSAL = register(
    Machine(
        name="proposal",
        model="orders.Proposal",
        statuses=ProposalStatus,
        initial=frozenset({S.OPEN}),
        edges=(CONFIRM_CHANGE, OVERTAKE, RENEW, DROP),
        thread=("order", "order_id"),
    )
)

I = ImportStatus  # noqa: E741
IMPORT = "orders.import_orders"

CHECKED = Edge("checked", frozenset({I.UPLOADED}), I.CHECKED, IMPORT, _("Check"))
REMAP = Edge("remap", frozenset({I.CHECKED}), I.UPLOADED, IMPORT, _("Change the columns"))
APPLY = Edge("apply", frozenset({I.CHECKED}), I.APPLYING, IMPORT, _("Apply"), "primary")
APPLIED = Edge("applied", frozenset({I.APPLYING}), I.APPLIED, IMPORT, _("Applied"))
FINISH_IMPORT = Edge("finish", frozenset({I.APPLIED}), I.FINISHED, IMPORT, _("Finish"), "primary")
CANCEL_IMPORT = Edge("cancel", frozenset({I.UPLOADED, I.CHECKED}), I.CANCELLED, IMPORT, _("Cancel"), "risk")
ROLL_BACK = Edge(
    "roll_back", frozenset({I.APPLYING, I.APPLIED}), I.ROLLED_BACK, IMPORT, _("Roll back"), "risk"
)

IMPORT_RUN = register(
    Machine(
        name="import_run",
        model="orders.ImportRun",
        statuses=ImportStatus,
        initial=frozenset({I.UPLOADED}),
        edges=(CHECKED, REMAP, APPLY, APPLIED, FINISH_IMPORT, CANCEL_IMPORT, ROLL_BACK),
        thread=("import_run", "pk"),
    )
)

# Every open hold refuses release, label and ship; besides these:
_ALWAYS = frozenset({Step.RELEASE, Step.LABEL, Step.SHIP})
HOLD_REFUSES: Mapping[HoldKind, frozenset[Step]] = {
    HoldKind.AWAITING_DETAILS: _ALWAYS | {Step.CONFIRM},
    HoldKind.UNPAID: _ALWAYS,
    HoldKind.UNKNOWN_SKU: _ALWAYS,
    HoldKind.TOTALS: _ALWAYS | {Step.CONFIRM},
    HoldKind.ADDRESS: _ALWAYS | {Step.CONFIRM},
    HoldKind.DUPLICATE: _ALWAYS | {Step.CONFIRM},
    HoldKind.FRAUD: _ALWAYS | {Step.CONFIRM},
    HoldKind.CANCEL_REQUESTED: _ALWAYS | {Step.CONFIRM},
    HoldKind.IMPORT: _ALWAYS | {Step.CONFIRM},
    HoldKind.MANUAL: _ALWAYS | {Step.CONFIRM},
}
