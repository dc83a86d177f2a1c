"""Returns: the list with its queues, and the page that guides goods from the door to the shelf."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.actors import Actor
from config.kernel.admin import (
    ExtraVerb,
    Queue,
    ReasonForm,
    TransitionAdmin,
    TransitionVerb,
    admin_url,
    badge_column,
    bulk_action,
    queue_filter,
    status_badge,
)
from config.kernel.admin.timeline import in_words
from config.kernel.models import Event
from config.kernel.results import Results
from config.kernel.templatetags.bancale import ago, local_text, quantity
from orders.models import Order
from returns.admin.forms import (
    UNIT,
    InspectForm,
    ReceiveForm,
    RefurbishedForm,
    ids_of,
    labels_of,
    units_of,
)
from returns.enums import Disposition, Reception, RmaStatus
from returns.models import Rma
from returns.selectors import queues
from returns.services.approving import (
    approve_returns,
    cancel_returns,
    expire_returns,
    mark_returns_in_transit,
    reject_returns,
)
from returns.services.inspecting import Inspection, Verdict, inspect_returns, resolve_returns
from returns.services.receiving import ReturnReceipt, receive_returns
from returns.states import APPROVE, INSPECT, RECEIVE, RMA

QUEUES = (
    Queue("to_approve", gettext_lazy("Returns to approve"), queues.to_approve),
    Queue("to_receive", gettext_lazy("Returns expected"), queues.to_receive, "info"),
    Queue("to_inspect", gettext_lazy("Returns to inspect"), queues.to_inspect),
    Queue("to_close", gettext_lazy("Returns to close"), queues.to_close, "info"),
    Queue("refurbishing", gettext_lazy("Being refurbished"), queues.refurbishing, "info"),
)
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


def _count(rma: Rma, **wanted: str) -> int:
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
    return [
        _("What arrived is counted in at %(place)s and stands in quarantine: not for sale yet.")
        % {"place": rma.location.name},
        _("Something else that arrived enters no stock."),
    ]


def _on_inspect(_rma: Rma) -> list[Any]:
    return [
        _("Units back to stock are free for the next in line at once."),
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
        applies=lambda rma: _count(rma, disposition=Disposition.QUARANTINE) > 0,
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
            and _count(rma, reception=Reception.EXPECTED) + _count(rma, reception=Reception.LOST) > 0
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
        applies=lambda rma: rma.status in INSPECTABLE and _count(rma, disposition=Disposition.REFURBISH) > 0,
    ),
)


@admin.register(Rma)
class RmaAdmin(TransitionAdmin):
    machine = RMA
    lock_kind = "order"
    lock_through = "order"
    verbs = RMA_VERBS
    extra_verbs = EXTRA_VERBS
    change_form_template = "returns/rma.html"
    list_display = ("number", "shown_status", "order_link", "why", "asked", "location", "since")
    list_filter = (queue_filter(QUEUES), "status", "reason", ("location", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("order", "location")
    search_fields = ("number", "order__number", "order__email")
    search_help_text = gettext_lazy("Number, order or e-mail")
    ordering = ("-id",)
    shown_status = badge_column("status", RmaStatus, gettext_lazy("status"))
    actions = (
        bulk_action(
            approve_returns,
            APPROVE.permission,
            APPROVE.label,
            model="returns.Rma",
            done=gettext_lazy("approved"),
            consequences=(gettext_lazy("The goods may come back."),),
        ),
    )
    empty_title = gettext_lazy("No returns yet")
    empty_text = gettext_lazy("A return begins on the page of an order whose goods have left.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rma]:
        rows: QuerySet[Rma] = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and match.url_name == "returns_rma_changelist":
            return queues.with_units(rows)
        return rows.select_related("order", "location")

    def timeline_of(self, obj: Rma) -> list[Any]:
        """Its own events and those of its units."""
        own = Q(subject_type="rma", subject_id=obj.pk) | Q(thread_type="rma", thread_id=obj.pk)
        return list(in_words(Event.objects.filter(own).order_by("-id")[: self.timeline_limit]))

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        labels = labels_of(obj)
        return {
            **page,
            "title": _("Return %(number)s") % {"number": obj.number},
            "sub": list(_sub(obj)),
            "notices": list(_notices(obj)),
            "steps": _steps(obj),
            "show_form": False,
            "units": [
                {
                    "label": labels[unit.pk],
                    "reception": status_badge(Reception, unit.reception),
                    "condition": unit.get_condition_display() if unit.condition else "",
                    "disposition": status_badge(Disposition, unit.disposition) if unit.disposition else "",
                }
                for unit in units_of(obj)
            ],
            "facts": list(_facts(obj)),
        }

    @admin.display(description=gettext_lazy("order"), ordering="order__number")
    def order_link(self, row: Rma) -> Any:
        return format_html('<a href="{}">{}</a>', admin_url(Order, "change", row.order_id), row.order.number)

    @admin.display(description=gettext_lazy("reason"), ordering="reason")
    def why(self, row: Rma) -> str:
        return str(row.get_reason_display())

    @admin.display(description=gettext_lazy("units"), ordering="unit_count")
    def asked(self, row: Any) -> Any:
        return quantity(row.unit_count)

    @admin.display(description=gettext_lazy("requested"), ordering="requested_at")
    def since(self, row: Rma) -> Any:
        return ago(row.requested_at)


def _sub(rma: Rma) -> Any:
    url = admin_url(Order, "change", rma.order_id)
    yield format_html('<a href="{}">{}</a>', url, _("Order %(number)s") % {"number": rma.order.number})
    yield _("requested %(when)s") % {"when": local_text(rma.requested_at)}
    yield _("comes back to %(place)s") % {"place": rma.location.name}


def _notices(rma: Rma) -> Any:
    expected = _count(rma, reception=Reception.EXPECTED)
    if rma.status == RmaStatus.RECEIVED and expected:
        text = ngettext("%(n)s unit is still expected.", "%(n)s units are still expected.", expected)
        yield {
            "tone": "wait",
            "title": text % {"n": expected},
            "text": _("“Receive the rest” counts it in, or says that it will not come."),
        }


def _steps(rma: Rma) -> list[tuple[str, str]]:
    if rma.status in (RmaStatus.REJECTED, RmaStatus.CANCELLED, RmaStatus.EXPIRED):
        return [(_("Requested"), "done"), (str(RmaStatus(rma.status).label), "stop")]
    words = [
        (_("Requested"), _("Requested")),
        (_("Approve"), _("Approved")),
        (_("Receive"), _("Received")),
        (_("Inspect"), _("Inspected")),
        (_("Close"), _("Closed")),
    ]
    reached = {
        RmaStatus.REQUESTED: 1,
        RmaStatus.APPROVED: 2,
        RmaStatus.IN_TRANSIT: 2,
        RmaStatus.RECEIVED: 3,
        RmaStatus.INSPECTED: 4,
        RmaStatus.RESOLVED: 5,
    }[RmaStatus(rma.status)]
    return [
        (past, "done") if place < reached else (verb, "now" if place == reached else "")
        for place, (verb, past) in enumerate(words)
    ]


def _facts(rma: Rma) -> Any:
    yield _("Reason"), rma.get_reason_display()
    yield _("Comes back to"), rma.location.name
    if rma.received_at is not None:
        yield _("Received"), local_text(rma.received_at)
    if rma.resolved_at is not None:
        yield _("Closed"), local_text(rma.resolved_at)
    if rma.closed_reason:
        yield _("Closed because"), rma.closed_reason
