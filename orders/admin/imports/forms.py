"""What a person says to an import: the file, what its columns mean, and how to apply it."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import ObjectForm
from config.kernel.admin.dropping import TABLES, DropInput
from orders.enums import ImportMode, ImportPolicy
from orders.models import ImportRun, SalesChannel
from orders.sheets.fields import FIELDS
from orders.sheets.values import EXAMPLES, DateStyle, NumberStyle

TAX = {"": None, "included": True, "added": False}


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or Excel (.xlsx), up to 200 MiB; an Excel file up to 20 MiB."),
        widget=DropInput({"accept": TABLES}),
    )
    sales_channel = forms.ModelChoiceField(
        SalesChannel.objects.filter(is_active=True), label=_("Sales channel"), empty_label=None
    )
    mode = forms.ChoiceField(
        label=_("Mode"),
        choices=ImportMode.choices,
        initial=ImportMode.LIVE,
        help_text=_("History comes in completed: no mail, no stock, no hold."),
    )


class ColumnsForm(forms.Form):
    """One choice a field among the file's headings, those found first; then the ways of its values."""

    number_style = forms.ChoiceField(label=_("Numbers like"), required=False)
    date_style = forms.ChoiceField(label=_("Dates like"), required=False)
    tax = forms.ChoiceField(
        label=_("Prices"),
        required=False,
        choices=(
            ("", _("Let each order's total tell")),
            ("included", _("include tax")),
            ("added", _("tax comes on top")),
        ),
    )

    def __init__(self, *args: Any, run: ImportRun, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.run = run
        headings = [("", "–"), *((name, name) for name in run.reading["header"] if name)]
        for field in FIELDS:
            self.fields[f"field_{field.name}"] = forms.ChoiceField(
                label=field.label, choices=headings, required=field.is_needed,
                initial=run.columns.get(field.name, ""),
            )  # fmt: skip
        for name, styles in (("number_style", NumberStyle), ("date_style", DateStyle)):
            asked = run.question.get(name.removesuffix("_style"))
            found = [("", _("Let the file tell"))] if not asked else [("", "–")]
            chooser: Any = self.fields[name]
            chooser.choices = [*found, *((style.value, EXAMPLES[style]) for style in styles)]
            chooser.initial = getattr(run, name)
            if asked:
                chooser.required = True
                chooser.help_text = gettext("This file's values can be read in two ways: %(values)s") % {
                    "values": " · ".join(asked)
                }
        self.fields["tax"].initial = {True: "included", False: "added", None: ""}[run.prices_include_tax]

    @property
    def found(self) -> list[Any]:
        return [self[f"field_{field.name}"] for field in FIELDS if field.name in self.run.columns]

    @property
    def missing(self) -> list[Any]:
        needed = [one for one in FIELDS if one.name not in self.run.columns and one.is_needed]
        others = [one for one in FIELDS if one.name not in self.run.columns and not one.is_needed]
        return [self[f"field_{field.name}"] for field in (*needed, *others)]

    @property
    def ways(self) -> list[Any]:
        return [self[name] for name in ("number_style", "date_style", "tax")]

    def columns(self) -> dict[str, str]:
        values = self.cleaned_data
        return {
            field.name: values[f"field_{field.name}"] for field in FIELDS if values[f"field_{field.name}"]
        }


class ApplyForm(ObjectForm):
    policy = forms.TypedChoiceField(
        label=_("What becomes of bad orders"), choices=ImportPolicy.choices, coerce=ImportPolicy,
        widget=forms.RadioSelect,
    )  # fmt: skip

    def shape(self) -> None:
        field: Any = self.fields["policy"]
        if self.obj.summary.get("bad"):
            field.choices = [(ImportPolicy.GOOD_ONES.value, ImportPolicy.GOOD_ONES.label)]
        field.initial = field.choices[0][0]
