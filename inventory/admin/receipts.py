"""Receive stock: the guided page, and the receipts that it leaves."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import ReadOnlyAdmin, acting, admin_url, seen_choices
from config.kernel.errors import BancaleError
from config.kernel.templatetags.bancale import localtime
from inventory.admin.pages import PageAdmin, actor_of, set_actors
from inventory.models import Location, Sku, StockReceipt
from inventory.references import ResolvedReference, register_reference
from inventory.selectors.sku_page import found_skus, movements_of
from inventory.services.arrivals import MOST_UNITS
from inventory.services.receipts import REFERENCE, ReceivedLine, book_receipt
from inventory.services.receiving import RECEIVE

BLANK_LINES = 5
MOST_LINES = 200
MORE = "more_lines"


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


class ReceivedLineForm(forms.Form):
    """What was typed or scanned, and how many. Each complaint names the row, the field and the value."""

    sku = forms.CharField(label=_("SKU or barcode"), max_length=120, required=False)
    quantity = forms.CharField(
        label=_("Units"),
        max_length=20,
        required=False,
        widget=forms.TextInput({"inputmode": "numeric", "class": "vIntegerField"}),
    )

    @property
    def row(self) -> int:
        return int(str(self.prefix).rsplit("-", 1)[1]) + 1

    def complain(self, name: str, accepted: Any) -> None:
        words = {
            "row": self.row,
            "field": self.fields[name].label,
            "value": self.cleaned_data.get(name, ""),
            "accepted": accepted,
        }
        text = gettext("Row %(row)s, %(field)s: “%(value)s” is not accepted; %(accepted)s.")
        self.add_error(name, text % words)

    def clean(self) -> dict[str, Any]:
        """A row is whole or empty."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        typed, units = values.get("sku", ""), values.get("quantity", "")
        if not typed and not units:
            return values
        if not typed:
            self.complain("sku", gettext("a SKU or a barcode is needed"))
        if not self.is_accepted(units):
            self.complain("quantity", self.accepted() % {"most": MOST_UNITS})
        return values

    def accepted(self) -> str:
        """What units must be, in words."""
        return gettext("whole units from 1 to %(most)s")

    def is_accepted(self, units: str) -> bool:
        return units.isascii() and units.isdigit() and 0 < int(units) <= MOST_UNITS


class BaseReceivedLines(forms.BaseFormSet):
    def filled(self) -> list[Any]:
        return [form for form in self.forms if form.has_changed() and form.cleaned_data.get("sku")]

    def clean(self) -> None:
        """Every SKU is known and no kit, and there is a row at all."""
        filled = [form for form in self.forms if form.has_changed()]
        if not filled:
            raise forms.ValidationError(gettext("Fill in at least one row."))
        known = found_skus([form.cleaned_data.get("sku", "") for form in filled])
        for form in filled:
            typed = form.cleaned_data.get("sku", "")
            sku = known.get(typed)
            if typed and sku is None:
                form.complain("sku", gettext("a known SKU or barcode is needed"))
            elif sku is not None and sku.is_kit:
                form.complain("sku", gettext("a kit holds no stock, its parts do"))
            form.cleaned_data["found"] = sku


LineSet: Any = forms.formset_factory(
    ReceivedLineForm, formset=BaseReceivedLines, extra=0, max_num=MOST_LINES, validate_max=True
)


def _form(request: HttpRequest, *args: Any, **kwargs: Any) -> ReceiptForm:
    return seen_choices(ReceiptForm(*args, **kwargs), request, "location")


def receive_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """GET shows the empty page; POST books the receipt, once a nonce."""
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
    try:
        receipt = StockReceipt.objects.get(pk=_book(request, form, lines))
    except BancaleError as error:
        form.add_error(None, str(error))
        return _page(model_admin, request, form, lines)
    messages.success(request, _said(receipt, lines))
    return HttpResponseRedirect(admin_url(StockReceipt, "change", receipt.pk))


def number_of(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else 0


def longer(request: HttpRequest) -> Any:
    """The same rows and five more, without complaints: the person has not finished typing."""
    total = min(number_of(request.POST.get("form-TOTAL_FORMS")), MOST_LINES - BLANK_LINES)
    typed = [
        {name: request.POST.get(f"form-{row}-{name}", "") for name in ("sku", "quantity")}
        for row in range(total)
    ]
    return LineSet(initial=[*typed, *[{}] * BLANK_LINES])


def _book(request: HttpRequest, form: ReceiptForm, lines: Any) -> int:
    received = [
        ReceivedLine(line.cleaned_data["found"].pk, int(line.cleaned_data["quantity"]))
        for line in lines.filled()
    ]
    values = form.cleaned_data
    return book_receipt(
        received,
        location_id=values["location"].pk,
        note=values["note"],
        nonce=values["nonce"],
        actor=acting(request),
    )


def _said(receipt: StockReceipt, lines: Any) -> str:
    units = sum(int(line.cleaned_data["quantity"]) for line in lines.filled())
    text = ngettext(
        "%(number)s: %(n)s unit received into %(place)s.",
        "%(number)s: %(n)s units received into %(place)s.",
        units,
    )
    return text % {"number": receipt.number, "n": units, "place": receipt.location.name}


def _page(model_admin: Any, request: HttpRequest, form: ReceiptForm, lines: Any) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": gettext("Receive stock"),
        "form": form,
        "lines": lines,
        "more": MORE,
        "cancel_url": admin_url(StockReceipt, "changelist"),
    }
    return TemplateResponse(request, "inventory/receive.html", context)


@admin.register(StockReceipt)
class StockReceiptAdmin(PageAdmin, ReadOnlyAdmin):
    change_form_template = "inventory/receipt.html"
    list_display = ("number", "location", "note", "when", "who")
    list_filter = ("location",)
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

    def load_page(self, request: HttpRequest, rows: list[Any]) -> None:
        set_actors(rows)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        movements = movements_of((REFERENCE, obj.pk))
        return {
            "title": _("Receipt %(number)s") % {"number": obj.number},
            "sub": [obj.location.name, localtime(obj.received_at), actor_of(obj), obj.note or "–"],
            "movements": movements,
            "units": sum(row.delta for row in movements),
            "show_form": False,
        }

    @admin.display(description=_("number"), ordering="id")
    def number(self, row: StockReceipt) -> str:
        return row.number

    @admin.display(description=_("received at"), ordering="id")
    def when(self, row: StockReceipt) -> Any:
        return localtime(row.received_at)

    @admin.display(description=_("by"))
    def who(self, row: StockReceipt) -> str:
        return actor_of(row)


def _receipts(ids: Any) -> dict[int, ResolvedReference]:
    """Receipts need no look-up: their number is their id."""
    return {
        pk: ResolvedReference(
            gettext("Receipt %(number)s") % {"number": StockReceipt(pk=pk).number},
            admin_url(StockReceipt, "change", pk),
        )
        for pk in ids
    }


register_reference(REFERENCE, _receipts)
