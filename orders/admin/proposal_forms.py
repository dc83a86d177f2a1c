"""The plain forms by which wishes are added to a change: lines as a table, and one form each for the rest."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import CountryField
from config.kernel.money import round_money
from inventory.models import Sku
from orders.change_shapes import Line, Shape
from orders.changes import GiveDiscount, RemoveLine, SetPrice, SetQuantity, SetShipping
from orders.models import Address
from orders.neutral import NeutralAddress
from orders.services.proposals.wishes import NewAddress, NewLine, Wish

MONEY: dict[str, Any] = {"max_digits": 14, "decimal_places": 4, "min_value": Decimal(0)}
QUANTITY, PRICE = "quantity", "price"
ADDRESS_FIELDS = (
    "name", "company", "line1", "line2", "postal_code", "city", "region", "country_code", "phone",
)  # fmt: skip


class LinesForm(forms.Form):
    """Quantity and price of each line as the change leaves it; what differs becomes a wish."""

    title = _("Lines")
    button = _("Show what this does")

    def __init__(self, *args: Any, shape: Shape, address: Address | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = shape.lines
        for line in shape.lines:
            self._field(line, QUANTITY, forms.IntegerField(min_value=0, initial=line.quantity))
            price = None if line.unit_amount is None else _plain(line.unit_amount, shape.currency)
            self._field(line, PRICE, forms.DecimalField(required=False, initial=price, **MONEY))

    def _field(self, line: Line, name: str, field: forms.Field) -> None:
        labels = {
            QUANTITY: gettext("Quantity of %(line)s") % {"line": line.name},
            PRICE: gettext("Price of %(line)s") % {"line": line.name},
        }
        field.label = labels[name]
        field.widget.attrs["aria-label"] = labels[name]
        self.fields[f"{name}_{line.ref}"] = field

    def rows(self) -> list[dict[str, Any]]:
        """Each line with its two boxes."""
        return [
            {"line": line, "quantity": self[f"{QUANTITY}_{line.ref}"], "price": self[f"{PRICE}_{line.ref}"]}
            for line in self.lines
        ]

    def wishes(self) -> list[Wish]:
        found: list[Wish] = []
        for line in self.lines:
            quantity = self.cleaned_data[f"{QUANTITY}_{line.ref}"]
            price = self.cleaned_data[f"{PRICE}_{line.ref}"]
            if quantity != line.quantity:
                found.append(SetQuantity(line.ref, quantity) if quantity else RemoveLine(line.ref))
            if price is not None and price != line.unit_amount:
                found.append(SetPrice(line.ref, price))
        return found


class AddLineForm(forms.Form):
    title = _("Add a line")
    button = _("Add this line")
    sku = forms.CharField(label=_("SKU"), max_length=120)
    quantity = forms.IntegerField(label=_("Quantity"), min_value=1, initial=1)
    price = forms.DecimalField(label=_("Unit price"), **MONEY)
    tax_rate = forms.DecimalField(
        label=_("Tax %"),
        max_digits=5,
        decimal_places=2,
        min_value=0,
        max_value=99,
        required=False,
        help_text=_("Empty: the tax that the order's other lines bear."),
    )

    def __init__(self, *args: Any, shape: Shape, address: Address | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def clean_sku(self) -> Sku:
        code = self.cleaned_data["sku"].strip()
        sku = Sku.objects.filter(code__in={code, code.upper()}).order_by("pk").first()
        if sku is None:
            raise forms.ValidationError(gettext("No SKU is called “%(code)s”.") % {"code": code})
        if not sku.is_active:
            raise forms.ValidationError(gettext("%(sku)s is not active.") % {"sku": sku.code})
        return sku

    def wishes(self) -> list[Wish]:
        values = self.cleaned_data
        return [NewLine(values["sku"].pk, values["quantity"], values["price"], values["tax_rate"])]


class DiscountForm(forms.Form):
    title = _("Discount")
    button = _("Give this discount")
    line = forms.TypedChoiceField(label=_("On"), coerce=int, required=False, empty_value=None)
    amount = forms.DecimalField(label=_("Amount"), required=False, **MONEY)
    percent = forms.DecimalField(
        label=_("Or percent"), max_digits=5, decimal_places=2, min_value=0, max_value=100, required=False
    )
    why = forms.CharField(label=_("What for"), max_length=200, required=False)

    def __init__(self, *args: Any, shape: Shape, address: Address | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["line"]
        lines = [(line.ref, f"{line.title} ({line.name})") for line in shape.lines if line.quantity]
        field.choices = [("", gettext("The whole order")), *lines]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and (values["amount"] is None) == (values["percent"] is None):
            raise forms.ValidationError(gettext("Say an amount or a percentage, not both."))
        return values

    def wishes(self) -> list[Wish]:
        values = self.cleaned_data
        return [GiveDiscount(values["line"], values["amount"], values["percent"], values["why"])]


class AddressForm(forms.Form):
    title = _("Address")
    button = _("Send it there")
    name = forms.CharField(label=_("Name"), max_length=200)
    company = forms.CharField(label=_("Company"), max_length=200, required=False)
    line1 = forms.CharField(label=_("Street"), max_length=200)
    line2 = forms.CharField(label=_("More"), max_length=200, required=False)
    postal_code = forms.CharField(label=_("Post code"), max_length=20, required=False)
    city = forms.CharField(label=_("City"), max_length=120)
    region = forms.CharField(label=_("Region"), max_length=120, required=False)
    country_code = CountryField()
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)

    def __init__(self, *args: Any, shape: Shape, address: Address | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if address is not None:
            self.initial = {name: getattr(address, name) for name in ADDRESS_FIELDS}
            self.email = address.email

    email = ""

    def wishes(self) -> list[Wish]:
        values = {name: self.cleaned_data[name] for name in ADDRESS_FIELDS}
        return [NewAddress(NeutralAddress(**values, email=self.email))]


class ShippingForm(forms.Form):
    title = _("Shipping method")
    button = _("Ship it so")
    method = forms.CharField(label=_("Shipping method"), max_length=120)
    amount = forms.DecimalField(
        label=_("What the buyer pays for it"),
        required=False,
        help_text=_("Empty: as before."),
        **MONEY,
    )

    def __init__(self, *args: Any, shape: Shape, address: Address | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("method", shape.shipping_method)

    def wishes(self) -> list[Wish]:
        return [SetShipping(self.cleaned_data["method"], self.cleaned_data["amount"])]


FORMS: Mapping[str, Callable[..., Any]] = {
    "lines": LinesForm,
    "add": AddLineForm,
    "discount": DiscountForm,
    "address": AddressForm,
    "shipping": ShippingForm,
}


def _plain(amount: Decimal, currency: str) -> Decimal:
    """The currency's own decimals at least, and no zeros that say nothing."""
    rounded = round_money(amount, currency)
    return rounded if rounded == amount else amount.normalize()
