"""Transfers: planned on a guided page, sent and received by buttons."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.admin import (
    ObjectForm,
    Queue,
    TransitionAdmin,
    TransitionVerb,
    acting,
    admin_url,
    badge_column,
    describe,
    queue_filter,
    seen_choices,
)
from config.kernel.errors import BancaleError
from config.kernel.results import Results
from config.kernel.templatetags.bancale import localtime
from inventory.admin.receipts import BLANK_LINES, MORE, LineSet, longer
from inventory.enums import TransferStatus
from inventory.models import Location, Transfer
from inventory.references import ResolvedReference, register_reference
from inventory.selectors.transit import arriving, lines_of
from inventory.services.adjustments import LONGEST_REASON
from inventory.services.transfers import (
    TransferReceipt,
    TransferUnits,
    book_transfer,
    cancel_transfers,
    receive_transfers,
    send_transfers,
)
from inventory.services.transfers.booking import PLAN, TransferPlan
from inventory.services.transfers.desk import REFERENCE
from inventory.states import TRANSFER


class WhyForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)


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
            fields[f"line_{line.pk}"] = forms.IntegerField(
                label=label, min_value=0, max_value=line.sent, initial=line.sent
            )
        self.fields = {**fields, **self.fields}


def receive_pressed(ids: Sequence[int], *, actor: Actor, reason: str = "", **typed: int) -> Results[int]:
    units = {int(name.removeprefix("line_")): value for name, value in typed.items()}
    return receive_transfers([TransferReceipt(pk, units, reason) for pk in ids], actor=actor)


def _lines(transfer: Transfer) -> dict[str, Any]:
    rows = [(line.sku.code, line.sku.title, line.quantity) for line in lines_of(transfer.pk)]
    return {"columns": [gettext("SKU"), gettext("Title"), gettext("Units")], "rows": rows}


VERBS = {
    "send": TransitionVerb(
        verb=send_transfers,
        success=_("The units have left, and are on their way."),
        consequences=lambda transfer: (
            gettext("The units leave %(place)s now; nobody can be promised them before they arrive.")
            % {"place": transfer.origin.name},
            _("Only free units are sent: what is promised, or owed to somebody in line, stays."),
        ),
        lines=_lines,
        undo=_("Cancel the transfer: what is on its way comes back."),
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
        undo=_("Correct the stock of the place where the units are."),
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
    ),
}


class TransferForm(forms.Form):
    origin = forms.ModelChoiceField(Location.objects.none(), label=_("From"), empty_label=None)
    destination = forms.ModelChoiceField(Location.objects.none(), label=_("To"), empty_label=None)
    note = forms.CharField(label=_("Note"), max_length=120, required=False)
    nonce = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (
            ("origin", Location.objects.all()),
            ("destination", Location.objects.filter(is_active=True)),
        ):
            field: Any = self.fields[name]
            field.queryset = rows

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("origin") and values.get("origin") == values.get("destination"):
            self.add_error("destination", gettext("Choose another location than the first."))
        return values


def _form(request: HttpRequest, *args: Any, **kwargs: Any) -> TransferForm:
    return seen_choices(TransferForm(*args, **kwargs), request, "origin")


def transfer_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """GET shows the empty page; POST writes the draft, once a nonce."""
    if not request.user.has_perm(PLAN):
        raise PermissionDenied
    if request.method != "POST":
        places = list(Location.objects.filter(is_active=True).values_list("pk", flat=True)[:2])
        start = {"nonce": uuid4().hex, "origin": places[:1], "destination": places[1:]}
        start = {
            name: value[0] if isinstance(value, list) and value else value for name, value in start.items()
        }
        return _page(model_admin, request, _form(request, initial=start), LineSet(initial=[{}] * BLANK_LINES))
    if MORE in request.POST:
        return _page(model_admin, request, _form(request, initial=request.POST.dict()), longer(request))
    form, lines = _form(request, request.POST), LineSet(request.POST)
    if not (form.is_valid() & lines.is_valid()):
        return _page(model_admin, request, form, lines)
    values = form.cleaned_data
    units = tuple(
        TransferUnits(line.cleaned_data["found"].pk, int(line.cleaned_data["quantity"]))
        for line in lines.filled()
    )
    plan = TransferPlan(values["origin"].pk, values["destination"].pk, units, values["note"])
    try:
        pk = book_transfer(plan, nonce=values["nonce"], actor=acting(request))
    except BancaleError as error:
        form.add_error(None, str(error))
        return _page(model_admin, request, form, lines)
    messages.success(request, gettext("The transfer is planned. Send it when the units leave."))
    return HttpResponseRedirect(admin_url(Transfer, "change", pk))


def _page(model_admin: Any, request: HttpRequest, form: TransferForm, lines: Any) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": gettext("Plan a transfer"),
        "lines_title": gettext("What is to go"),
        "hint": gettext("Nothing moves before the transfer is sent."),
        "effect": gettext("Plan the transfer"),
        "form": form,
        "lines": lines,
        "more": MORE,
        "cancel_url": admin_url(Transfer, "changelist"),
    }
    return TemplateResponse(request, "inventory/document.html", context)


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
        "destination",
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
            "sub": [way, localtime(obj.sent_at or obj.created_at), obj.note or "–"],
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
describe(REFERENCE, "cancel", _("Cancelled"), detail="%(reason)s", tone="stop")


def _transfers(ids: Any) -> dict[int, ResolvedReference]:
    rows = Transfer.objects.filter(pk__in=list(ids)).values_list("pk", "number")
    return {
        pk: ResolvedReference(
            gettext("Transfer %(number)s") % {"number": number}, admin_url(Transfer, "change", pk)
        )
        for pk, number in rows
    }


register_reference(REFERENCE, _transfers)
