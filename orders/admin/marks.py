"""What staff put on an order for each other: notes, tags, and the hold for a fraud check."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.actors import Actor
from config.kernel.admin import ExtraVerb, ReasonForm, admin_url
from config.kernel.admin.asked import number_of
from config.kernel.batches import verb
from config.kernel.errors import InvalidInput
from config.kernel.results import Results
from orders.admin.panels import PanelContext, register_order_button, register_order_panel
from orders.admin.verbs import holds_of
from orders.enums import HoldKind
from orders.models import Order, OrderTag, Tag
from orders.selectors.order_rows import rows_of
from orders.services.holds import HOLD_ORDER, place_hold
from orders.services.noting import LONGEST_NOTE, NOTE, TAG, add_note, set_tags


class NoteForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Note"), max_length=LONGEST_NOTE, widget=forms.Textarea({"rows": 4})
    )


class TagsField(forms.CharField):
    """Words with commas between them."""

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        return [word.strip() for word in (text or "").split(",") if word.strip()]


class TagForm(forms.Form):
    """Tags to put on many orders, or to take off."""

    tags = TagsField(
        label=gettext_lazy("Tags"), max_length=400, help_text=gettext_lazy("With commas between them.")
    )


@verb
def tag_orders(ids: Sequence[int], *, tags: Sequence[str], actor: Actor) -> Results[int]:
    """Put tags on many orders."""
    return set_tags(ids, add=_needed(tags), actor=actor)


@verb
def untag_orders(ids: Sequence[int], *, tags: Sequence[str], actor: Actor) -> Results[int]:
    """Take tags off many orders."""
    return set_tags(ids, remove=_needed(tags), actor=actor)


def one_tag(given: Mapping[str, Any]) -> Mapping[str, str] | None:
    """The form that takes a tagging back: of one tag only, since an order may have had the others before."""
    return {"tags": given["tags"][0]} if len(given["tags"]) == 1 else None


def _needed(tags: Sequence[str]) -> Sequence[str]:
    if not tags:
        raise InvalidInput(field="tags", value="", accepted=_("accepted is at least one tag"))
    return tags


suspect_fraud = partial(place_hold, kind=HoldKind.FRAUD)

register_order_button(
    ExtraVerb(
        name="suspect_fraud",
        label=gettext_lazy("Hold for fraud check"),
        permission=HOLD_ORDER,
        verb=suspect_fraud,
        form=ReasonForm,
        success=gettext_lazy("Held for a fraud check; nothing of it leaves until the hold is lifted."),
        consequences=lambda order: [
            _("It cannot be confirmed, released, labelled or shipped until somebody lifts the hold."),
            _("The buyer is not told."),
        ],
        undo=gettext_lazy("“Lift hold” opens those steps again."),
        applies=lambda order: not order.is_closed and not _is_suspected(order),
    )
)
register_order_button(
    ExtraVerb(
        name="note",
        label=gettext_lazy("Add a note"),
        permission=NOTE,
        in_head=False,
        verb=add_note,
        form=NoteForm,
        success=gettext_lazy("Noted."),
        consequences=lambda order: [
            _("Colleagues who may see notes read it on the timeline; the buyer does not.")
        ],
    )
)


def _is_suspected(order: Order) -> bool:
    return any(hold.kind == HoldKind.FRAUD for hold in holds_of(order))


class TagFilter(admin.SimpleListFilter):
    """Orders that carry a tag; offered once there are tags."""

    title = gettext_lazy("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Tag.objects.order_by("name").values_list("pk", "name")[:100]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        tag = number_of(self.value())
        if not tag:
            return queryset
        return queryset.filter(Exists(OrderTag.objects.filter(order=OuterRef("pk"), tag=tag)))


@register_order_panel
def marks_panel(order: Order, request: HttpRequest) -> PanelContext | None:
    """The order's tags, and where to write a note."""
    links = [
        {"label": label, "url": f"{admin_url(Order, name, order.pk)}{place}"}
        for name, place, label, permission in (
            ("note", "", _("Add a note"), NOTE),
            ("edit", "#id_tags", _("Tags…"), TAG),
        )
        if request.user.has_perm(permission)
    ]
    tags = rows_of(order, "tags")
    if not links and not tags:
        return None
    context = {"tags": tags, "links": links}
    return PanelContext(
        title=_("Notes and tags"),
        template="orders/_marks.html",
        context=context,
        column="side",
        place=10,
        flush=False,
    )
