"""Transfers: planned on a guided page, sent and received by buttons."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.admin import (
    ObjectForm,
    Queue,
    SeenFilter,
    TransitionAdmin,
    TransitionVerb,
    badge_column,
    describe,
    ids_of,
    queue_filter,
)
from config.kernel.results import Results
from config.kernel.templatetags.bancale import localtime
from inventory.admin.line_forms import LINE
from inventory.admin.numbered import name_by_number
from inventory.admin.reasons import WhyForm
from inventory.admin.transfer_plan import (
    foreseen_arrival,
    foreseen_sending,
    foreseen_way_back,
    transfer_view,
)
from inventory.admin.undoing import register_undo, undo_edge
from inventory.enums import TransferStatus
from inventory.models import Transfer
from inventory.selectors.transit import arriving, lines_of
from inventory.services.adjustments import LONGEST_REASON
from inventory.services.transfers import (
    TransferReceipt,
    cancel_transfers,
    receive_transfers,
    send_transfers,
)
from inventory.services.transfers.booking import PLAN
from inventory.services.transfers.desk import REFERENCE
from inventory.services.undoing import undo_sending
from inventory.states import TRANSFER


class ArrivedForm(ObjectForm):
    """How many of each line arrived."""

    reason = forms.CharField(
        label=_("Why units are missing"),
        max_length=LONGEST_REASON,
        required=False,
        help_text=_("Needed when fewer arrived than were sent."),
    )

    def shape(self) -> None:
        fields = {}
        for line in lines_of(self.obj.pk):
            label = gettext("%(sku)s: units that arrived of %(sent)s") % {
                "sku": line.sku.code,
                "sent": line.sent,
            }
            fields[f"{LINE}{line.pk}"] = forms.IntegerField(
                label=label, min_value=0, max_value=line.sent, initial=line.sent
            )
        self.fields = {**fields, **self.fields}


def receive_pressed(ids: Sequence[int], *, actor: Actor, reason: str = "", **typed: int) -> Results[int]:
    return receive_transfers([TransferReceipt(pk, ids_of(typed, LINE), reason) for pk in ids], actor=actor)


VERBS = {
    "send": TransitionVerb(
        verb=send_transfers,
        success=_("The units have left, and are on their way."),
        consequences=lambda transfer: (
            gettext("The units leave %(place)s now; nobody can be promised them before they arrive.")
            % {"place": transfer.origin.name},
            _("Only free units are sent: what is promised, or owed to somebody in line, stays."),
        ),
        foresee=lambda transfer, _values: foreseen_sending(transfer),
        undo=_("Undo the sending, or cancel the transfer: what is on its way comes back."),
    ),
    "receive": TransitionVerb(
        verb=receive_pressed,
        form=ArrivedForm,
        success=_("The units have arrived."),
        consequences=lambda transfer: (
            gettext("What arrived goes to the default bin of %(place)s, free for whoever is first in line.")
            % {"place": transfer.destination.name},
            _("What is missing is lost, with your reason."),
        ),
        foresee=lambda transfer, values: foreseen_arrival(transfer, ids_of(values, LINE)),
        undo=_("Correct the stock of the place where the units are."),
    ),
    "undo": undo_edge(
        REFERENCE,
        undo_sending,
        success=_("The transfer is planned and not sent."),
        consequences=(
            _("For units that never left: they are in the bins again that they were taken from."),
            _("What did leave and comes back is called back by “Cancel”."),
        ),
    ),
    "cancel": TransitionVerb(
        verb=cancel_transfers,
        form=WhyForm,
        success=_("The transfer is cancelled."),
        consequences=lambda transfer: (
            (
                gettext("What is on its way goes back to the default bin of %(place)s.")
                % {"place": transfer.origin.name},
            )
            if transfer.status == TransferStatus.SENT
            else (_("Nothing has been sent; no stock changes."),)
        ),
        foresee=lambda transfer, _values: foreseen_way_back(transfer),
    ),
}


@admin.register(Transfer)
class TransferAdmin(TransitionAdmin):
    machine = TRANSFER
    verbs = VERBS
    lock_kind = "transfer"
    change_form_template = "inventory/transfer.html"
    list_display = ("number", "status_said", "origin", "destination", "note", "when")
    list_filter = (
        queue_filter(
            (
                Queue(
                    "to_receive",
                    _("Transfers to receive"),
                    arriving,
                    permission="inventory.receive_transfer",
                    since="sent_at",
                    on_front=False,
                ),
            )
        ),
        "status",
        ("destination", SeenFilter),
    )
    list_select_related = ("origin", "destination")
    search_fields = ("number__istartswith", "note__icontains")
    search_help_text = _("Beginning of the number, or words of the note")
    ordering = ("-id",)
    fields = readonly_fields = ("number", "status", "origin", "destination", "note", "when")
    status_said = badge_column("status", TransferStatus, _("status"))
    empty_title = _("Nothing goes between your locations yet")
    empty_text = _("Plan what one location sends another with “Add transfer”.")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(PLAN)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transfer]:
        return super().get_queryset(request).select_related("origin", "destination")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return transfer_view(self, request)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        lines = lines_of(obj.pk)
        way = gettext("%(origin)s to %(destination)s") % {
            "origin": obj.origin,
            "destination": obj.destination,
        }
        return {
            **page,
            "title": gettext("Transfer %(number)s") % {"number": obj.number},
            "sub": [way, localtime(obj.sent_at or obj.created_at), obj.note],
            "lines": lines,
            "loss_reason": obj.loss_reason,
            "show_form": False,
        }

    @admin.display(description=_("planned at"), ordering="id")
    def when(self, row: Transfer) -> Any:
        return localtime(row.created_at)


def _units(facts: Any) -> str:
    units = int(facts.get("units", 0))
    said = ngettext("%(n)s unit", "%(n)s units", units) % {"n": units}
    if facts.get("lost"):
        more = gettext("%(lost)s lost: %(reason)s") % {"lost": facts["lost"], "reason": facts.get("reason")}
        return f"{said}, {more}"
    return said


describe(REFERENCE, "created", _("Planned"), tone="info")
describe(REFERENCE, "send", _("Sent"), detail=_units, tone="info")
describe(REFERENCE, "receive", _("Received"), detail=_units, tone="ok")
describe(REFERENCE, "undo", _("Sending undone"), detail="%(reason)s", tone="back")
describe(REFERENCE, "cancel", _("Cancelled"), detail="%(reason)s", tone="stop")


name_by_number(REFERENCE, Transfer, _("Transfer %(number)s"))
register_undo(REFERENCE, Transfer)
