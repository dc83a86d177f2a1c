"""A new order from the phone: customer, address, lines and shipping on one page."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.admin import CountryField, acting, admin_url
from config.kernel.admin.asked import number_of
from config.kernel.errors import BancaleError
from config.kernel.money import exponent
from config.kernel.quantities import MOST_UNITS
from inventory.models import Sku
from inventory.selectors.closest import Unknown, closest_skus
from orders.admin.new_order_sums import sums_fragment, sums_of
from orders.enums import ChannelKind
from orders.errors import PlacedBefore
from orders.models import Order, SalesChannel
from orders.phone import OWN_KEY, SOURCE, PhoneLine, PhoneOrder, read_phone_order, tells_the_same, write_body
from orders.services.accepting import Incoming, accept_orders
from orders.services.raw import RawEntry, store_raw_orders
from orders.states import PLACE

BLANK_LINES = 4
MOST_LINES = 200
# Unknown SKUs that are told which are like them.
MOST_SAID = 5
MORE, LOOK, FRAGMENT = "more_lines", "look", "fragment"
# Channels that an order from the phone may count to, the likeliest first; never a marketplace unasked.
OURS = {ChannelKind.PHONE: 0, ChannelKind.WEB_SHOP: 1, ChannelKind.WOOCOMMERCE: 2, ChannelKind.SHOPIFY: 3}
PAID_BY = (
    ("", _("Not paid yet")),
    ("card", _("Card")),
    ("bank_transfer", _("Bank transfer")),
    ("cash", _("Cash")),
)
MONEY: dict[str, Any] = {"max_digits": 14, "decimal_places": 4, "min_value": Decimal(0)}


class NewOrderForm(forms.Form):
    sales_channel = forms.ModelChoiceField(SalesChannel.objects.none(), label=_("Sales channel"))
    name = forms.CharField(label=_("Name"), max_length=200)
    email = forms.EmailField(label=_("E-mail"), required=False, help_text=_("Without it no mail is sent."))
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    company = forms.CharField(label=_("Company"), max_length=200, required=False)
    line1 = forms.CharField(label=_("Street"), max_length=200)
    line2 = forms.CharField(label=_("More"), max_length=200, required=False)
    postal_code = forms.CharField(label=_("Post code"), max_length=20, required=False)
    city = forms.CharField(label=_("City"), max_length=120)
    country_code = CountryField()
    prices_include_tax = forms.BooleanField(label=_("Prices include tax"), required=False, initial=True)
    tax_rate = forms.DecimalField(
        label=_("Tax %"), max_digits=5, decimal_places=2, min_value=0, max_value=99, required=False
    )
    shipping_method = forms.CharField(label=_("Shipping method"), max_length=120, required=False)
    shipping_amount = forms.DecimalField(label=_("Shipping"), required=False, **MONEY)
    paid_by = forms.ChoiceField(
        label=_("Paid by"),
        choices=PAID_BY,
        required=False,
        help_text=_("An unpaid order is held until a payment is reported."),
    )
    payment_reference = forms.CharField(label=_("Payment reference"), max_length=120, required=False)
    note = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea({"rows": 2}))
    nonce = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        channels = SalesChannel.objects.filter(is_active=True).select_related("legal_entity")
        field: Any = self.fields["sales_channel"]
        field.queryset = channels
        first = min(
            (one for one in channels if one.kind in OURS),
            key=lambda one: OURS[ChannelKind(one.kind)],
            default=None,
        )
        if first is not None:
            self.initial.setdefault("sales_channel", first.pk)
            self.initial.setdefault("language", first.language)
            self.initial.setdefault("country_code", first.legal_entity.country_code)


class LineForm(forms.Form):
    sku = forms.CharField(
        label=_("SKU"),
        max_length=120,
        required=False,
        widget=forms.TextInput({"list": "skus", "autocomplete": "off", "spellcheck": "false"}),
    )
    quantity = forms.IntegerField(label=_("Quantity"), min_value=1, max_value=MOST_UNITS, required=False)
    unit_amount = forms.DecimalField(label=_("Unit price"), required=False, **MONEY)

    def clean(self) -> dict[str, Any]:
        """A line is whole or empty."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if self.has_changed():
            for name in ("sku", "quantity", "unit_amount"):
                if name not in self.errors and values.get(name) in (None, ""):
                    self.add_error(name, gettext("Fill this in, or empty the line."))
        return values


class BaseLines(forms.BaseFormSet):
    def clean(self) -> None:
        """Every SKU is known and active, and there is a line at all."""
        if not any(form.has_changed() or form.errors for form in self.forms):
            raise forms.ValidationError(gettext("An order needs at least one line."))
        # A line with another fault too: both are told at once.
        lines = [form for form in self.forms if form.has_changed() and form.cleaned_data.get("sku")]
        wanted = {form.cleaned_data["sku"] for form in lines}
        known = Sku.objects.in_bulk(list(wanted | {code.upper() for code in wanted}), field_name="code")
        for form in lines:
            code = form.cleaned_data["sku"]
            sku = known.get(code) or known.get(code.upper())
            if sku is None:
                form.unknown = Unknown(code, "")
                form.add_error("sku", gettext("No SKU is called “%(code)s”.") % {"code": code})
            elif not sku.is_active:
                form.add_error("sku", gettext("%(sku)s is not active.") % {"sku": sku.code})
            else:
                form.cleaned_data["found"] = sku


LineSet: Any = forms.formset_factory(LineForm, formset=BaseLines, extra=0, max_num=MOST_LINES)


def new_order_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """GET shows the empty page; POST stores the body as typed, then accepts the order, once a nonce."""
    if not request.user.has_perm(PLACE.permission):
        raise PermissionDenied
    if request.method != "POST":
        form, lines = NewOrderForm(initial={"nonce": uuid4().hex}), LineSet(initial=[{}] * BLANK_LINES)
        return _page(model_admin, request, form, lines)
    form, lines = NewOrderForm(request.POST), LineSet(_posted(request))
    if FRAGMENT in request.POST:
        return sums_fragment(request, sums_of(form, lines, _typed))
    if LOOK in request.POST:
        sums = sums_of(form, lines, _typed)
        return _page(model_admin, request, _unchecked(form), lines, lenient=True, sums=sums)
    if MORE in request.POST:
        return _page(model_admin, request, _unchecked(form), lines, lenient=True)
    if not (form.is_valid() & lines.is_valid() and _coins_fit(form, lines)):
        _say_alike(lines)
        return _page(model_admin, request, form, lines)
    try:
        order = Order.objects.get(pk=_accept(request, form, lines))
    except PlacedBefore as error:
        form = _renewed(request)
        form.add_error(None, str(error))
        return _page(model_admin, request, form, lines)
    except BancaleError as error:
        form.add_error(None, str(error))
        return _page(model_admin, request, form, lines)
    messages.success(request, gettext("Order %(number)s is placed.") % {"number": order.number})
    return HttpResponseRedirect(admin_url(Order, "change", order.pk))


def _renewed(request: HttpRequest) -> NewOrderForm:
    """The same values under a nonce of their own."""
    data = request.POST.copy()
    data["nonce"] = uuid4().hex
    return NewOrderForm(data)


def _posted(request: HttpRequest) -> Any:
    """What was posted; “More lines” makes the formset longer."""
    data = request.POST.copy()
    if MORE in data:
        total = number_of(data.get("form-TOTAL_FORMS")) + BLANK_LINES
        data["form-TOTAL_FORMS"] = str(min(total, MOST_LINES))
    return data


def _unchecked(form: NewOrderForm) -> NewOrderForm:
    """The same values without their errors: the person has not finished typing."""
    typed = form.data.dict()  # type: ignore[attr-defined]
    return NewOrderForm(initial={**typed, "prices_include_tax": "prices_include_tax" in typed})


def _say_alike(lines: Any) -> None:
    """Name beside the first unknown SKUs those of ours that are most alike; two statements, if there are any."""
    wrong = [line for line in lines if hasattr(line, "unknown")][:MOST_SAID]
    for line, skus in zip(wrong, closest_skus([one.unknown for one in wrong]), strict=True):
        if skus:
            said = gettext("Alike: %(codes)s.") % {"codes": ", ".join(sku.code for sku in skus)}
            line.add_error("sku", said)


def _coins_fit(form: NewOrderForm, lines: Any) -> bool:
    """No amount is finer than the smallest coin of the channel's currency."""
    places = exponent(form.cleaned_data["sales_channel"].currency)
    fits = True
    for owner, name in [(form, "shipping_amount"), *((line, "unit_amount") for line in lines)]:
        amount = owner.cleaned_data.get(name)
        if amount is not None and amount != round(amount, places):
            owner.add_error(name, gettext("At most %(places)s decimals.") % {"places": places})
            fits = False
    return fits


def _accept(request: HttpRequest, form: NewOrderForm, lines: Any) -> int:
    channel = form.cleaned_data["sales_channel"]
    actor = acting(request)
    key = f"{OWN_KEY}{form.cleaned_data['nonce']}"
    typed = _typed(form.cleaned_data, lines, key)
    before = Order.objects.filter(sales_channel=channel, external_id=key).first()
    if before is not None:
        raw = before.raw_orders.filter(source=SOURCE).order_by("pk").first()
        if raw is not None and not tells_the_same(raw.body, typed):
            raise PlacedBefore(number=before.number)
        return int(before.pk)
    body = write_body(typed)
    stored = store_raw_orders([RawEntry(key, SOURCE, key, body)], sales_channel_id=channel.pk)
    incoming = Incoming(read_phone_order(body), raw_id=stored.only())
    return int(accept_orders([incoming], sales_channel_id=channel.pk, actor=actor).only())


def _typed(values: dict[str, Any], lines: Any, key: str) -> PhoneOrder:
    channel = values["sales_channel"]
    address = ("name", "company", "line1", "line2", "postal_code", "city", "phone", "email")
    ship_to = {name: values[name] for name in (*address, "country_code")}
    return PhoneOrder(
        external_id=key,
        placed_at=clock.now().isoformat(),
        currency=channel.currency,
        prices_include_tax=values["prices_include_tax"],
        tax_rate=str(values["tax_rate"] or ""),
        lines=[_typed_line(form.cleaned_data) for form in lines if form.has_changed()],
        shipping_amount=str(values["shipping_amount"] or ""),
        shipping_method=values["shipping_method"],
        buyer={name: values[name] for name in ("name", "email", "phone", "language")},
        ship_to=ship_to,
        paid_by=values["paid_by"],
        payment_reference=values["payment_reference"],
        note=values["note"],
    )


def _typed_line(values: dict[str, Any]) -> PhoneLine:
    sku = values["found"]
    return PhoneLine(
        sku=sku.code, title=sku.title, quantity=values["quantity"], unit_amount=str(values["unit_amount"])
    )


def _page(
    model_admin: Any,
    request: HttpRequest,
    form: NewOrderForm,
    lines: Any,
    *,
    lenient: bool = False,
    sums: dict[str, Any] | None = None,
) -> HttpResponse:
    sections = [
        (_("Customer"), [form[name] for name in ("sales_channel", "name", "email", "phone", "language")]),
        (
            _("Ship to"),
            [form[name] for name in ("company", "line1", "line2", "postal_code", "city", "country_code")],
        ),
        (
            _("Shipping, tax and payment"),
            [
                form[name]
                for name in (
                    "shipping_method", "shipping_amount", "prices_include_tax", "tax_rate", "paid_by",
                    "payment_reference", "note",
                )
            ],
        ),
    ]  # fmt: skip
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": gettext("New order"),
        "form": form,
        "sections": sections,
        "lines": lines,
        "lenient": lenient,
        "more": MORE,
        "look": LOOK,
        "sums": sums,
        "cancel_url": admin_url(Order, "changelist"),
    }
    return TemplateResponse(request, "orders/new_order.html", context)
