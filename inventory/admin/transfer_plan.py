"""Plan what one location sends another: the guided page, and what sending and receiving would do."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import Foreseen, acting, admin_url, seen_choices
from config.kernel.errors import BancaleError
from inventory.admin.foreseeing import foreseen
from inventory.admin.guided import guided_page, is_agreed
from inventory.admin.line_forms import BLANK_LINES, MORE, LineSet, longer
from inventory.models import Location, Transfer
from inventory.selectors.previews import Change, Place
from inventory.selectors.transit import lines_of
from inventory.services.transfers import TransferUnits, book_transfer
from inventory.services.transfers.booking import PLAN, TransferPlan
from inventory.services.transfers.desk import REFERENCE
from inventory.services.transfers.sending import sending_problem


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
    """GET shows the empty page; POST shows what will be, and then writes the draft, once a nonce."""
    if not request.user.has_perm(PLAN):
        raise PermissionDenied
    if request.method != "POST":
        places = list(Location.objects.filter(is_active=True).values_list("pk", flat=True)[:2])
        start = {"nonce": uuid4().hex, **dict(zip(("origin", "destination"), places, strict=False))}
        return _page(model_admin, request, _form(request, initial=start), LineSet(initial=[{}] * BLANK_LINES))
    if MORE in request.POST:
        return _page(model_admin, request, _form(request, initial=request.POST.dict()), longer(request))
    form, lines = _form(request, request.POST), LineSet(request.POST)
    if not (form.is_valid() & lines.is_valid()):
        return _page(model_admin, request, form, lines)
    values, units = form.cleaned_data, _units(lines)
    sees_arrival = acting(request).sees_place(values["destination"].pk)
    shown = foreseen_plan(values["origin"], values["destination"] if sees_arrival else None, units)
    if not is_agreed(request, shown, REFERENCE):
        return _page(model_admin, request, form, lines, foreseen=shown)
    wanted = tuple(TransferUnits(sku_id, quantity) for sku_id, quantity in units.items())
    plan = TransferPlan(values["origin"].pk, values["destination"].pk, wanted, values["note"])
    try:
        pk = book_transfer(plan, nonce=values["nonce"], actor=acting(request))
    except BancaleError as error:
        form.add_error(None, str(error))
        return _page(model_admin, request, form, lines, foreseen=shown)
    messages.success(request, gettext("The transfer is planned. Send it when the units leave."))
    return HttpResponseRedirect(admin_url(Transfer, "change", pk))


def _units(lines: Any) -> dict[int, int]:
    units: dict[int, int] = {}
    for line in lines.filled():
        sku_id = line.cleaned_data["found"].pk
        units[sku_id] = units.get(sku_id, 0) + line.units
    return units


def _page(
    model_admin: Any, request: HttpRequest, form: TransferForm, lines: Any, **more: Any
) -> HttpResponse:
    words = {
        "title": gettext("Plan a transfer"),
        "effect": gettext("Plan the transfer"),
        "lines_title": gettext("What is to go"),
        "hint": gettext("Nothing moves before the transfer is sent."),
    }
    return guided_page(model_admin, request, form, lines, **words, **more)


def foreseen_plan(origin: Location, destination: Location | None, units: Mapping[int, int]) -> Foreseen:
    """What both ends would have, once these units by SKU id were sent and received; or why they could not leave now.
    Without a destination, one that the person does not see, the origin alone."""
    arriving = {
        (sku_id, destination.pk): Change(on_hand=some) for sku_id, some in units.items() if destination
    }
    return _unless_refused(origin, units, {**_leaving(origin, units), **arriving})


def foreseen_sending(transfer: Transfer) -> Foreseen:
    """What the origin would have once the transfer was sent, or why it cannot be."""
    units = {line.sku_id: line.quantity for line in lines_of(transfer.pk)}
    return _unless_refused(transfer.origin, units, _leaving(transfer.origin, units))


def foreseen_arrival(transfer: Transfer, received: Mapping[int, int]) -> Foreseen:
    """What the destination would have if so many units by line id arrived; a line not named arrives whole."""
    units = {line.sku_id: received.get(line.pk, line.sent) for line in lines_of(transfer.pk)}
    return foreseen({(sku_id, transfer.destination_id): Change(on_hand=n) for sku_id, n in units.items()})


def foreseen_way_back(transfer: Transfer) -> Foreseen:
    """What the origin would have once what is on its way was back."""
    units = {line.sku_id: line.in_transit for line in lines_of(transfer.pk) if line.in_transit}
    return foreseen({(sku_id, transfer.origin_id): Change(on_hand=n) for sku_id, n in units.items()})


def _leaving(origin: Location, units: Mapping[int, int]) -> dict[Place, Change]:
    return {(sku_id, origin.pk): Change(on_hand=-some) for sku_id, some in units.items()}


def _unless_refused(origin: Location, units: Mapping[int, int], changes: Mapping[Place, Change]) -> Foreseen:
    shown = foreseen(changes)
    if (problem := sending_problem(origin, units)) is None:
        return shown
    text = gettext("As the stock is now, this cannot be sent. %(reason)s") % {"reason": problem}
    refused = {"text": text, "tone": "stop", "url": ""}
    return Foreseen([refused], shown.lines, f"{problem}{shown.mark}")
