"""The buttons of a return: which verb, which form, and what its confirm page says."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.actors import Actor
from config.kernel.admin import ExtraVerb, ReasonForm, TransitionVerb, ids_of, status_badge
from config.kernel.results import Results
from returns.admin.forms import (
    UNIT,
    InspectForm,
    ReceiveForm,
    RefurbishedForm,
    labels_of,
    units_of,
)
from returns.enums import Disposition, Reception, RmaStatus
from returns.models import Rma
from returns.services.approving import (
    approve_returns,
    cancel_returns,
    expire_returns,
    mark_returns_in_transit,
    reject_returns,
)
from returns.services.inspecting import Inspection, Verdict, inspect_returns, resolve_returns
from returns.services.receiving import ReturnReceipt, receive_returns
from returns.states import INSPECT, RECEIVE

INSPECTABLE = (RmaStatus.RECEIVED, RmaStatus.INSPECTED, RmaStatus.RESOLVED)


def receive_box(ids: Sequence[int], *, actor: Actor, **given: Any) -> Results[int]:
    """`receive_returns` for the one return of a confirm page."""
    said = ids_of(given, UNIT)

    def named(reception: str) -> list[int]:
        return [pk for pk, value in said.items() if value == reception]

    receipts = [
        ReturnReceipt(pk, named(Reception.RECEIVED), named(Reception.WRONG), named(Reception.LOST))
        for pk in ids
    ]
    return receive_returns(receipts, actor=actor)


def inspect_units(ids: Sequence[int], *, actor: Actor, **given: Any) -> Results[int]:
    """`inspect_returns` for the one return of a confirm page."""
    verdicts = {pk: Verdict(*verdict) for pk, verdict in ids_of(given, UNIT).items() if verdict}
    return inspect_returns([Inspection(pk, verdicts) for pk in ids], actor=actor)


def count_of(rma: Rma, **wanted: str) -> int:
    """How many units have all these values; no query after the first."""
    return sum(all(getattr(unit, name) == value for name, value in wanted.items()) for unit in units_of(rma))


def _units(rma: Rma) -> Mapping[str, Any]:
    labels = labels_of(rma)
    rows = [[labels[unit.pk], status_badge(Reception, unit.reception)] for unit in units_of(rma)]
    return {"columns": [_("Unit"), _("Reception")], "rows": rows}


def _on_approve(rma: Rma) -> list[str]:
    text = ngettext(
        "%(n)s unit may come back to %(place)s.",
        "%(n)s units may come back to %(place)s.",
        len(units_of(rma)),
    )
    return [text % {"n": len(units_of(rma)), "place": rma.location.name}]


def _on_receive(rma: Rma) -> list[Any]:
    counted = _("What arrived is counted in at %(place)s and stands in quarantine: not for sale yet.")
    closed = _("%(place)s is closed: what arrived cannot be counted in there; say only what did not come.")
    facts = {"place": rma.location.name}
    return [
        counted % facts if rma.location.is_active else {"text": closed % facts, "tone": "stop"},
        _("Something else that arrived enters no stock."),
    ]


def _on_inspect(rma: Rma) -> list[Any]:
    free = _("Units back to stock are free for the next in line at once.")
    closed = _("%(place)s is closed: units back to stock wait there, and nobody is promised them.")
    facts = {"place": rma.location.name}
    return [
        free if rma.location.is_active else {"text": closed % facts, "tone": "wait"},
        {"text": _("Scrapped units leave the stock."), "tone": "stop"},
        _("Units for refurbishing and for the supplier stay set aside."),
        _("Leave a unit empty to decide it later."),
    ]


def _received(rma: Rma, value: Any) -> str:
    return ngettext("%(n)s unit is in quarantine now.", "%(n)s units are in quarantine now.", value or 0) % {
        "n": value or 0
    }


def _decided(rma: Rma, value: Any) -> str:
    return ngettext("%(n)s unit decided.", "%(n)s units decided.", value or 0) % {"n": value or 0}


NOT_BACK = gettext_lazy("It cannot be taken back; correct the stock by hand if it was wrong.")
RMA_VERBS = {
    "approve": TransitionVerb(
        verb=approve_returns,
        success=gettext_lazy("Approved."),
        consequences=_on_approve,
        lines=_units,
        undo=gettext_lazy("It can be cancelled until goods arrive."),
    ),
    "reject": TransitionVerb(
        verb=reject_returns,
        form=ReasonForm,
        success=gettext_lazy("Rejected."),
        consequences=lambda rma: [_("The goods stay with the buyer; they may be asked for again.")],
        undo=gettext_lazy("Request a new return from the order."),
    ),
    "send": TransitionVerb(
        verb=mark_returns_in_transit,
        success=gettext_lazy("Noted."),
        consequences=lambda rma: [_("The buyer has sent the goods.")],
        undo=gettext_lazy("It can be cancelled until goods arrive."),
    ),
    "receive": TransitionVerb(
        verb=receive_box,
        form=ReceiveForm,
        effect=gettext_lazy("Count the goods in"),
        success=_received,
        consequences=_on_receive,
        undo=NOT_BACK,
    ),
    "inspect": TransitionVerb(
        verb=inspect_units,
        form=InspectForm,
        success=_decided,
        consequences=_on_inspect,
        undo=NOT_BACK,
        applies=lambda rma: count_of(rma, disposition=Disposition.QUARANTINE) > 0,
    ),
    "resolve": TransitionVerb(
        verb=resolve_returns,
        success=gettext_lazy("Closed."),
        consequences=lambda rma: [
            _("Nothing more is expected of it."),
            {"text": _("Money is not sent back by this: refund it where it was paid."), "tone": "wait"},
        ],
        lines=_units,
        undo=gettext_lazy("It cannot be opened again."),
    ),
    "cancel": TransitionVerb(
        verb=cancel_returns,
        form=ReasonForm,
        success=gettext_lazy("Cancelled."),
        consequences=lambda rma: [_("Nothing is expected back; its units can be asked for again.")],
        undo=gettext_lazy("Request a new return from the order."),
    ),
    "expire": TransitionVerb(
        verb=expire_returns,
        success=gettext_lazy("Expired."),
        consequences=lambda rma: [_("Nothing is expected back; its units can be asked for again.")],
        undo=gettext_lazy("Request a new return from the order."),
    ),
}
EXTRA_VERBS = (
    ExtraVerb(
        name="receive_more",
        label=gettext_lazy("Receive the rest"),
        permission=RECEIVE.permission,
        verb=receive_box,
        form=ReceiveForm,
        effect=gettext_lazy("Count the goods in"),
        success=_received,
        consequences=_on_receive,
        undo=NOT_BACK,
        applies=lambda rma: (
            rma.status == RmaStatus.RECEIVED
            and count_of(rma, reception=Reception.EXPECTED) + count_of(rma, reception=Reception.LOST) > 0
        ),
    ),
    ExtraVerb(
        name="refurbished",
        label=gettext_lazy("Refurbished: decide again"),
        permission=INSPECT.permission,
        verb=inspect_units,
        form=RefurbishedForm,
        success=_decided,
        consequences=_on_inspect,
        undo=NOT_BACK,
        applies=lambda rma: (
            rma.status in INSPECTABLE and count_of(rma, disposition=Disposition.REFURBISH) > 0
        ),
    ),
)
