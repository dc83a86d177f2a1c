"""The guided forms of returns: one row a unit."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.admin import ObjectForm, ids_of
from config.kernel.visibility import visible_to
from fulfillment.selectors.page import goods_title, is_kit_part
from inventory.models import Location
from orders.models import Order
from orders.selectors.order_goods import goods_of
from orders.selectors.order_rows import rows_of
from returns.enums import Condition, Disposition, Reception, ReturnReason
from returns.models import ReturnUnit, Rma
from returns.selectors.units import Returnable
from returns.services.inspecting import EDGE_OF_VERDICT

UNIT = "unit_"
PART = "part_"


def units_of(rma: Rma) -> list[ReturnUnit]:
    """The units with their SKU and line, asked once an instance."""
    if not hasattr(rma, "_units"):
        rows = rma.units.select_related("line_part__sku", "line_part__line").order_by("line_part", "pk")
        rma._units = list(rows)  # type: ignore[attr-defined]
    return list(rma._units)  # type: ignore[attr-defined]


def labels_of(rma: Rma) -> dict[int, str]:
    """What each unit is called on its return: its title, and which of several it is."""
    rows = units_of(rma)
    labels, seen = {}, dict[int, int]()
    for unit in rows:
        of = sum(other.line_part_id == unit.line_part_id for other in rows)
        seen[unit.line_part_id] = seen.get(unit.line_part_id, 0) + 1
        name = f"{goods_title(unit.line_part)} ({unit.line_part.sku})"
        which = _("unit %(n)s of %(of)s") % {"n": seen[unit.line_part_id], "of": of}
        labels[unit.pk] = f"{name}, {which}" if of > 1 else name
    return labels


class ReceiveForm(ObjectForm):
    """Says of each unit that is not there yet what the box held."""

    def shape(self) -> None:
        labels = labels_of(self.obj)
        for unit in units_of(self.obj):
            if unit.reception not in (Reception.EXPECTED, Reception.LOST):
                continue
            is_expected = unit.reception == Reception.EXPECTED
            choices = [("", _("Not in this box") if is_expected else _("Still lost"))]
            choices.append((Reception.RECEIVED.value, _("Arrived")))
            if is_expected:
                choices += [
                    (Reception.WRONG.value, str(Reception.WRONG.label)),
                    (Reception.LOST.value, _("Will not come")),
                ]
            self.fields[f"{UNIT}{unit.pk}"] = forms.ChoiceField(
                label=labels[unit.pk],
                choices=choices,
                required=False,
                initial=Reception.RECEIVED if is_expected else "",
            )


class VerdictWidget(forms.MultiWidget):
    def __init__(self, choices: Sequence[Any]) -> None:
        conditions = [("", _("condition…")), *((c.value, c.label) for c in Condition if c.value)]
        super().__init__(
            [
                forms.Select({"aria-label": _("Condition")}, choices=conditions),
                forms.Select({"aria-label": _("Where it goes")}, choices=[("", _("goes to…")), *choices]),
            ]
        )

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Both choices on one row."""
        return format_html('<span class="verdict">{}</span>', super().render(name, value, attrs, renderer))

    def decompress(self, value: Any) -> list[Any]:
        return list(value) if value else ["", ""]


class VerdictField(forms.MultiValueField):
    """A unit's condition and destination; None while neither is chosen."""

    def __init__(self, *, dispositions: Iterable[Disposition], **kwargs: Any) -> None:
        choices = [(one.value, one.label) for one in dispositions]
        fields = (forms.CharField(required=False), forms.ChoiceField(choices=choices, required=False))
        super().__init__(
            fields, widget=VerdictWidget(choices), require_all_fields=False, required=False, **kwargs
        )

    def compress(self, data_list: list[Any]) -> tuple[str, str] | None:
        if not any(data_list):
            return None
        if not all(data_list):
            raise forms.ValidationError(_("Choose both the condition and where it goes."))
        return data_list[0], data_list[1]


class InspectForm(ObjectForm):
    """Asks the verdict on each unit that waits for one."""

    waiting = Disposition.QUARANTINE

    def shape(self) -> None:
        labels = labels_of(self.obj)
        ways = [
            Disposition(target) for target, edge in EDGE_OF_VERDICT.items() if self.waiting in edge.sources
        ]
        for unit in units_of(self.obj):
            if unit.disposition == self.waiting:
                self.fields[f"{UNIT}{unit.pk}"] = VerdictField(label=labels[unit.pk], dispositions=ways)


class RefurbishedForm(InspectForm):
    """Asks the verdict on units that come out of refurbishing."""

    waiting = Disposition.REFURBISH


def returnable_of(order: Order) -> dict[int, Returnable]:
    """What of an order can come back, by part, where the ledger knows it; no statement beside those of `goods_of`."""
    taken = dict(rows_of(order, "returned"))
    left = {part: part.shipped - taken.get(part.pk, 0) for part in goods_of(order).parts if part.sku_id}
    return {part.pk: Returnable(part, units) for part, units in left.items() if units > 0}


def _can_come(one: Returnable) -> str:
    """How many, and of which kit: the buyer names the kit, the box holds its parts."""
    said, part = _("%(n)s can come back.") % {"n": one.quantity}, one.part
    if not is_kit_part(part):
        return said
    of_kit = _("Each %(kit)s holds %(n)s of it.") % {"kit": part.line.sku, "n": part.per_unit}
    return f"{said} {of_kit}"


class RequestForm(ObjectForm):
    """How many units of each part come back, why, and where to."""

    reason = forms.ChoiceField(label=gettext_lazy("Reason"), choices=ReturnReason.choices)
    location_id = forms.TypedChoiceField(label=gettext_lazy("Comes back to"), coerce=int)

    def shape(self) -> None:
        parts = returnable_of(self.obj)
        asked = {}
        for pk, one in parts.items():
            asked[f"{PART}{pk}"] = forms.IntegerField(
                label=f"{goods_title(one.part)} ({one.part.sku})",
                required=False,
                min_value=0,
                max_value=one.quantity,
                initial=1 if len(parts) == 1 else 0,
                help_text=_can_come(one),
            )
        self.fields = {**asked, **self.fields}
        places = visible_to(self.user, Location.objects.filter(is_active=True))
        field: Any = self.fields["location_id"]
        field.choices = [(place.pk, place.name) for place in places.order_by("preference", "code")]
        shipped_from = self.obj.shipments.order_by("pk").values_list("fulfillment_order__location", flat=True)
        field.initial = shipped_from.first()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors and not any(ids_of(values, PART).values()):
            raise forms.ValidationError(_("Say how many units come back."))
        return values
