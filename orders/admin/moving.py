"""Where an order ships from: planned anew, or chosen by a person who may."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.actors import Actor
from config.kernel.admin import ExtraVerb, ObjectForm
from config.kernel.results import Results
from inventory.models import Location
from orders.admin.cancel_lines import lines_left
from orders.admin.panels import register_order_button
from orders.models import Order
from orders.services.allocating import ALLOCATE
from orders.services.overriding import LONGEST_REASON, OVERRIDE, Override, override_allocation
from orders.services.reallocating import reallocate_orders


class OverrideForm(ObjectForm):
    location_id = forms.TypedChoiceField(label=gettext_lazy("Ships from"), coerce=int)
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=LONGEST_REASON, widget=forms.Textarea({"rows": 3})
    )

    def shape(self) -> None:
        places = Location.objects.filter(is_active=True).order_by("preference", "code")
        field: Any = self.fields["location_id"]
        field.choices = [(place.pk, _name(place)) for place in places]


def _name(place: Location) -> str:
    return place.name if place.can_ship else _("%(place)s (ships no orders by itself)") % {"place": place}


def override_typed(ids: Sequence[int], *, location_id: int, reason: str, actor: Actor) -> Results[int]:
    """`override_allocation` for the one order of a confirm page."""
    return override_allocation([Override(pk, location_id) for pk in ids], reason=reason, actor=actor)


def _has_reserved(order: Order) -> bool:
    return not order.is_closed and any(one.reserved and one.loose for one in lines_left(order))


def _table(order: Order) -> dict[str, Any]:
    rows = [[one.line.title, one.line.sku_code, one.reserved, one.waiting] for one in lines_left(order)]
    return {"columns": [_("Line"), _("SKU"), _("Reserved"), _("Waiting")], "rows": rows}


def _kept(_order: Order) -> list[str]:
    return [
        _("As many units stay reserved as before, and those that wait keep their place in line."),
        _("Units that the warehouse was asked for stay where they are."),
    ]


register_order_button(
    ExtraVerb(
        name="reallocate",
        label=gettext_lazy("Plan anew"),
        permission=ALLOCATE,
        verb=reallocate_orders,
        success=lambda order, outcome: (
            _("Planned anew; the lines show where it ships from.")
            if outcome
            else _("It already is at its best.")
        ),
        consequences=_kept,
        lines=_table,
        undo=gettext_lazy("It can be planned anew at any time."),
        applies=_has_reserved,
    )
)
register_order_button(
    ExtraVerb(
        name="override",
        label=gettext_lazy("Choose location…"),
        permission=OVERRIDE,
        verb=override_typed,
        form=OverrideForm,
        effect=gettext_lazy("Ship from there"),
        success=gettext_lazy("It ships from there; the reason stands on the decision."),
        consequences=_kept,
        lines=_table,
        undo=gettext_lazy("“Plan anew” lets the planner choose again."),
        applies=_has_reserved,
    )
)
