"""The rows of a guided page: what was typed or scanned, and how many."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.asked import number_of
from config.kernel.quantities import MOST_UNITS
from inventory.selectors.sku_page import found_skus

BLANK_LINES = 5
MOST_LINES = 200
MORE = "more_lines"
# What fields of a form that has one a line are named by, before the line's id.
LINE = "line_"


class UnitLineForm(forms.Form):
    """Each complaint names the row, the field and the value."""

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

    @property
    def units(self) -> int:
        return int(self.cleaned_data["quantity"])

    def accepted(self) -> str:
        """What units must be, in words."""
        return gettext("whole units from 1 to %(most)s")

    def is_accepted(self, units: str) -> bool:
        return units.isascii() and units.isdigit() and 0 < int(units) <= MOST_UNITS


class BaseUnitLines(forms.BaseFormSet):
    def filled(self) -> list[Any]:
        return [form for form in self.forms if form.has_changed() and form.cleaned_data.get("sku")]

    def refuse(self, problems: Mapping[int, str]) -> bool:
        """Mark the rows that the stock would refuse, by their number among the filled ones; whether there are any."""
        for number, form in enumerate(self.filled(), start=1):
            if number in problems:
                form.add_error(
                    "quantity", gettext("Row %(row)s: %(why)s") % {"row": form.row, "why": problems[number]}
                )
        return bool(problems)

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
    UnitLineForm, formset=BaseUnitLines, extra=0, max_num=MOST_LINES, validate_max=True
)


def longer(request: HttpRequest) -> Any:
    """The same rows and five more, without complaints: the person has not finished typing."""
    total = min(number_of(request.POST.get("form-TOTAL_FORMS")), MOST_LINES - BLANK_LINES)
    typed = [
        {name: request.POST.get(f"form-{row}-{name}", "") for name in ("sku", "quantity")}
        for row in range(total)
    ]
    return LineSet(initial=[*typed, *[{}] * BLANK_LINES])
