"""The rows of a change by hand: what was typed or scanned, and the plan that they make."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from inventory.admin.line_forms import MOST_LINES, BaseUnitLines, UnitLineForm
from inventory.enums import AdjustmentKind, BinKind, UnsellableReason
from inventory.models import Bin, Location
from inventory.selectors.previews import Change, Place
from inventory.services.adjustment_booking import AdjustedLine, AdjustmentPlan
from inventory.services.adjustments import LONGEST_REASON
from inventory.services.setting_aside import same_reason

K = AdjustmentKind
WITH_ASIDE = frozenset({K.SET_ASIDE, K.OTHER_REASON, K.PUT_BACK, K.SCRAP})
WITH_BIN = frozenset({K.CORRECTION, K.SET_ASIDE, K.MOVE})


class AdjustmentForm(forms.Form):
    location = forms.ModelChoiceField(Location.objects.none(), label=_("Location"), empty_label=None)
    aside = forms.ChoiceField(label=_("Set aside as"), choices=UnsellableReason.choices)
    becomes = forms.ChoiceField(label=_("From now on as"), choices=UnsellableReason.choices)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        help_text=_("Stands on every movement, so that somebody understands it next year."),
    )
    kind = forms.CharField(widget=forms.HiddenInput)
    nonce = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, kind: AdjustmentKind, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["location"]
        field.queryset = Location.objects.all()
        self.initial["kind"] = kind.value
        self.initial.setdefault("aside", UnsellableReason.DAMAGED)
        self.initial.setdefault("becomes", UnsellableReason.QUARANTINE)
        self.fields["reason"].required = kind != K.MOVE
        if kind not in WITH_ASIDE:
            del self.fields["aside"]
        if kind != K.OTHER_REASON:
            del self.fields["becomes"]

    def clean_becomes(self) -> str:
        becomes: str = self.cleaned_data["becomes"]
        if becomes == self.cleaned_data.get("aside"):
            raise forms.ValidationError(str(same_reason(UnsellableReason(becomes))))
        return becomes


class AdjustedLineForm(UnitLineForm):
    bin = forms.CharField(label=_("Bin"), max_length=32, required=False)
    to_bin = forms.CharField(label=_("To bin"), max_length=32, required=False)

    def __init__(self, *args: Any, kind: AdjustmentKind, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(*args, **kwargs)
        if kind not in WITH_BIN:
            del self.fields["bin"]
        if kind != K.MOVE:
            del self.fields["to_bin"]

    def accepted(self) -> str:
        if self.kind == K.CORRECTION:
            return gettext("whole units from −%(most)s to %(most)s and not 0")
        return super().accepted()

    def is_accepted(self, units: str) -> bool:
        if self.kind != K.CORRECTION:
            return super().is_accepted(units)
        return super().is_accepted(units.removeprefix("-").removeprefix("−").removeprefix("+"))

    @property
    def units(self) -> int:
        return int(self.cleaned_data["quantity"].replace("−", "-"))


class BaseAdjustedLines(BaseUnitLines):
    def bins_found(self, location: Location) -> bool:
        """Find the bins that were typed, by their code in any case; False with complaints where one is unknown."""
        rows = Bin.objects.filter(location=location).exclude(kind=BinKind.QUARANTINE)
        known = {row.code.upper(): row.pk for row in rows}
        for form in self.filled():
            for name in ("bin", "to_bin"):
                typed = form.cleaned_data.get(name, "").upper()
                form.cleaned_data[f"{name}_id"] = known.get(typed)
                needed = form.kind == K.MOVE and name in form.fields
                if (typed or needed) and typed not in known:
                    form.complain(name, gettext("a bin for sale of %(place)s is") % {"place": location.name})
        return all(form.is_valid() for form in self.forms)


LineSet: Any = forms.formset_factory(
    AdjustedLineForm, formset=BaseAdjustedLines, extra=0, max_num=MOST_LINES, validate_max=True
)


def changes_of(plan: AdjustmentPlan) -> dict[Place, Change]:
    """What the rows change of each level's figures."""
    changes: dict[Place, Change] = {}
    for line in plan.lines:
        units, place = line.units, (line.sku_id, plan.location_id)
        one = {
            K.CORRECTION: Change(on_hand=units),
            K.SET_ASIDE: Change(unsellable=units),
            K.OTHER_REASON: Change(),
            K.PUT_BACK: Change(unsellable=-units),
            K.SCRAP: Change(on_hand=-units, unsellable=-units),
            K.MOVE: Change(),
        }[plan.kind]
        changes[place] = changes.get(place, Change()) + one
    return changes


def reasons_of(plan: AdjustmentPlan) -> dict[tuple[Place, str], int]:
    """What the rows change under each reason, where they do nothing else."""
    changes: dict[tuple[Place, str], int] = {}
    for line in plan.lines:
        place = (line.sku_id, plan.location_id)
        for reason, units in ((plan.aside, -line.units), (plan.becomes or plan.aside, line.units)):
            changes[place, reason] = changes.get((place, reason), 0) + units
    return changes


def plan_of(kind: AdjustmentKind, form: AdjustmentForm, lines: Any) -> AdjustmentPlan:
    values = form.cleaned_data
    rows = tuple(
        AdjustedLine(
            line.cleaned_data["found"].pk,
            line.units,
            line.cleaned_data.get("bin_id"),
            line.cleaned_data.get("to_bin_id"),
        )
        for line in lines.filled()
    )
    aside = UnsellableReason(values.get("aside") or UnsellableReason.DAMAGED)
    becomes = UnsellableReason(values["becomes"]) if kind == K.OTHER_REASON else None
    return AdjustmentPlan(kind, values["location"].pk, values["reason"], rows, aside, becomes)
