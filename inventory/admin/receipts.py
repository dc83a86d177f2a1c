"""Receive stock: the guided page, and the receipts that it leaves."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import SeenFilter, acting, admin_url, seen_choices
from config.kernel.admin.asked import number_of
from config.kernel.errors import BancaleError
from config.kernel.templatetags.bancale import localtime
from inventory.admin.foreseeing import foreseen
from inventory.admin.guided import guided_page, is_agreed
from inventory.admin.line_forms import BLANK_LINES, MORE, LineSet, longer
from inventory.admin.numbered import name_by_number
from inventory.admin.pages import actor_of
from inventory.admin.undoing import (
    DocumentAdmin,
    bulk_undo,
    describe_undo,
    register_undo,
    undo_verb,
    undone_badges,
)
from inventory.models import Location, Sku, StockReceipt
from inventory.selectors.previews import Change, Place
from inventory.selectors.sku_page import movements_of
from inventory.services.receipts import REFERENCE, ReceivedLine, book_receipt
from inventory.services.receiving import RECEIVE
from inventory.services.undoing.documents import UNDO_RECEIPT, undo_receipts


class ReceiptForm(forms.Form):
    location = forms.ModelChoiceField(Location.objects.none(), label=_("Location"), empty_label=None)
    note = forms.CharField(
        label=_("Delivery note"),
        max_length=120,
        required=False,
        help_text=_("The supplier's number or your own words; it stands on every movement."),
    )
    nonce = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["location"]
        field.queryset = Location.objects.filter(is_active=True)


def _form(request: HttpRequest, *args: Any, **kwargs: Any) -> ReceiptForm:
    return seen_choices(ReceiptForm(*args, **kwargs), request, "location")


def receive_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """GET shows the empty page; POST shows what will be, and then books it, once a nonce."""
    if not request.user.has_perm(RECEIVE):
        raise PermissionDenied
    if request.method != "POST":
        sku = Sku.objects.filter(pk=number_of(request.GET.get("sku")), is_kit=False).first()
        start: dict[str, Any] = {"nonce": uuid4().hex, "location": number_of(request.GET.get("location"))}
        rows = [{"sku": sku.code}] if sku else []
        return _page(
            model_admin, request, _form(request, initial=start), LineSet(initial=[*rows, *[{}] * BLANK_LINES])
        )
    if MORE in request.POST:
        return _page(model_admin, request, _form(request, initial=request.POST.dict()), longer(request))
    form, lines = _form(request, request.POST), LineSet(request.POST)
    if not (form.is_valid() & lines.is_valid()):
        return _page(model_admin, request, form, lines)
    shown = foreseen(_changes(form.cleaned_data["location"].pk, lines))
    if not is_agreed(request, shown, REFERENCE):
        return _page(model_admin, request, form, lines, foreseen=shown)
    try:
        receipt = StockReceipt.objects.get(pk=_book(request, form, lines))
    except BancaleError as error:
        form.add_error(None, str(error))
        return _page(model_admin, request, form, lines, foreseen=shown)
    messages.success(request, _said(receipt, lines))
    return HttpResponseRedirect(admin_url(StockReceipt, "change", receipt.pk))


def _changes(location_id: int, lines: Any) -> dict[Place, Change]:
    changes: dict[Place, Change] = {}
    for line in lines.filled():
        place = (line.cleaned_data["found"].pk, location_id)
        changes[place] = changes.get(place, Change()) + Change(on_hand=line.units)
    return changes


def _book(request: HttpRequest, form: ReceiptForm, lines: Any) -> int:
    received = [ReceivedLine(line.cleaned_data["found"].pk, line.units) for line in lines.filled()]
    values = form.cleaned_data
    return book_receipt(
        received,
        location_id=values["location"].pk,
        note=values["note"],
        nonce=values["nonce"],
        actor=acting(request),
    )


def _said(receipt: StockReceipt, lines: Any) -> str:
    units = sum(line.units for line in lines.filled())
    text = ngettext(
        "%(number)s: %(n)s unit received into %(place)s.",
        "%(number)s: %(n)s units received into %(place)s.",
        units,
    )
    return text % {"number": receipt.number, "n": units, "place": receipt.location.name}


def _page(model_admin: Any, request: HttpRequest, form: ReceiptForm, lines: Any, **more: Any) -> HttpResponse:
    words = {
        "title": gettext("Receive stock"),
        "effect": gettext("Receive stock"),
        "lines_title": gettext("What came in"),
        "hint": gettext(
            "Units go to the location's default bin and are free at once for whoever is first in line."
        ),
    }
    return guided_page(model_admin, request, form, lines, **words, **more)


UNDO_IT = undo_verb(REFERENCE, undo_receipts, UNDO_RECEIPT)


@admin.register(StockReceipt)
class StockReceiptAdmin(DocumentAdmin):
    extra_verbs = (UNDO_IT,)
    lock_kind = REFERENCE
    actions = (bulk_undo(UNDO_IT, "inventory.StockReceipt"),)
    change_form_template = "inventory/receipt.html"
    list_display = ("number", "state", "location", "note", "when", "who")
    list_filter = (("location", SeenFilter),)
    list_select_related = ("location",)
    search_fields = ("note__istartswith", "=id")
    search_help_text = _("Beginning of the delivery note, or the number without R-")
    ordering = ("-id",)
    fields = readonly_fields = ("number", "location", "note", "when", "who")
    empty_title = _("Nothing has been received yet")
    empty_text = _("When goods arrive, count them in with “Add stock receipt”.")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(RECEIVE)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return receive_view(self, request)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        movements = movements_of((REFERENCE, obj.pk))
        return {
            **page,
            "badges": undone_badges(obj),
            "title": _("Receipt %(number)s") % {"number": obj.number},
            "sub": [obj.location.name, localtime(obj.received_at), actor_of(obj), obj.note],
            "movements": movements,
            "units": sum(row.delta for row in movements),
            "show_form": False,
        }

    @admin.display(description=_("received at"), ordering="id")
    def when(self, row: StockReceipt) -> Any:
        return localtime(row.received_at)


name_by_number(REFERENCE, StockReceipt, _("Receipt %(number)s"))
register_undo(REFERENCE, StockReceipt)
describe_undo(REFERENCE)
