"""Reservations: who was promised units, who waits, and moving somebody in line."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.admin import (
    ExtraVerb,
    ObjectForm,
    Queue,
    SeenFilter,
    TransitionAdmin,
    badge_column,
    queue_filter,
)
from config.kernel.results import Results
from config.kernel.templatetags.bancale import ago, localtime, quantity
from inventory.admin.pages import PageAdmin, reference_of, set_references
from inventory.admin.words import reference_link, sku_column, sku_link
from inventory.enums import ReservationState
from inventory.models import Reservation
from inventory.owners import OWNERS
from inventory.references import resolve
from inventory.selectors.queue import (
    Band,
    Step,
    ahead_of,
    bands_beside,
    possible_steps,
    queue_of,
    queue_places,
)
from inventory.selectors.sku_page import waiting
from inventory.services.adjustments import LONGEST_REASON
from inventory.services.reservations import Requeue, requeue_reservations
from inventory.states import RESERVE

SHOWN, BEHIND = 25, 5


def _bands(row: Reservation) -> list[Band]:
    """Who waits beside it, asked once an instance."""
    if not hasattr(row, "_bands"):
        row._bands = bands_beside(row)  # type: ignore[attr-defined]
    return list(row._bands)  # type: ignore[attr-defined]


def _steps(row: Reservation) -> list[Step]:
    """Where it could stand."""
    return possible_steps(_bands(row), row.priority)


class MoveInLineForm(ObjectForm):
    priority = forms.TypedChoiceField(label=_("New place"), coerce=int, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        help_text=_("Stands on the order's timeline; no names or addresses."),
    )

    def shape(self) -> None:
        field: Any = self.fields["priority"]
        field.choices = [(step.priority, step_words(step)) for step in _steps(self.obj)]


def step_words(step: Step) -> str:
    """A place, and who would wait longer or shorter for it."""
    passed, units = step.passed
    if step.is_ahead:
        who = ngettext("%(n)s other would wait longer", "%(n)s others would wait longer", passed) % {
            "n": passed
        }
    else:
        who = ngettext("%(n)s other would come first", "%(n)s others would come first", passed) % {
            "n": passed
        }
    what = ngettext("%(n)s unit", "%(n)s units", units) % {"n": units}
    return gettext("Place %(place)s: %(who)s (%(what)s)") % {"place": step.place, "who": who, "what": what}


def _line(row: Reservation) -> dict[str, Any]:
    """The queue as it stands around this one, and where each would stand if this one went first."""
    here = ahead_of(_bands(row), row.priority).claims
    start = max(0, here + 1 + BEHIND - SHOWN)
    line = queue_of(row.sku_id, start, start + SHOWN)
    names = resolve(one.reference for one in line)
    rows = []
    for place, one in enumerate(line, start):
        first = 1 if place == here else place + 2 if place < here else place + 1
        name = names[one.reference].label
        rows.append(
            [
                place + 1,
                gettext("%(who)s (this one)") % {"who": name} if place == here else name,
                one.quantity,
                ago(one.queued_at),
                localtime(one.promised_at),
                first,
            ]
        )
    columns = [
        _("Place in line"),
        _("For"),
        _("Units"),
        _("Waits since"),
        _("Promised for"),
        _("If this one goes first"),
    ]
    return {"columns": columns, "rows": rows}


def _consequences(_row: Reservation) -> list[Any]:
    return [
        _("Whoever stands ahead gets units first when they come; nothing that was given is taken back."),
        {
            "text": _("Those who are passed wait longer than their turn, perhaps past their promise."),
            "tone": "wait",
        },
    ]


def move_in_line(ids: Sequence[int], *, priority: int, reason: str, actor: Actor) -> Results[int]:
    """`requeue_reservations` for the one reservation of a confirm page."""
    return requeue_reservations([Requeue(pk, priority) for pk in ids], reason=reason, actor=actor)


MOVE_IN_LINE = ExtraVerb(
    name="requeue",
    label=_("Move in line…"),
    permission=RESERVE,
    title=_("Move in line"),
    effect=_("Move it there"),
    verb=move_in_line,
    form=MoveInLineForm,
    success=lambda _row, place: gettext("It stands at place %(place)s now.") % {"place": place},
    consequences=_consequences,
    lines=_line,
    undo=_("Move it back to its old place; who got units meanwhile keeps them."),
    applies=lambda row: row.state == ReservationState.WAITING and bool(_steps(row)),
)


@admin.register(Reservation)
class ReservationAdmin(PageAdmin, TransitionAdmin):
    extra_verbs = (MOVE_IN_LINE,)
    sku_said = sku_column("sku")
    list_display = ("sku_said", "units", "state_said", "place", "in_line", "document", "since", "promised")
    list_filter = (
        queue_filter((Queue("waiting", _("Waiting for stock"), waiting, "info", on_front=False),)),
        "state",
        ("level__location", SeenFilter),
    )
    list_select_related = ("sku", "level__location")
    search_fields = ("sku__code__istartswith",)
    search_help_text = _("Beginning of the SKU")
    ordering = ("-id",)
    fields = readonly_fields = (
        "sku_code", "units", "state_said", "place", "in_line", "document", "priority", "since", "promised",
        "expires", "opened_at", "closed_at", "closed_reason",
    )  # fmt: skip
    state_said = badge_column("state", ReservationState, _("state"))
    empty_title = _("Nothing is promised yet")
    empty_text = _("Each order's units are reserved here, or wait in line until stock comes.")

    def load_page(self, request: HttpRequest, rows: list[Any]) -> None:
        set_references(rows)
        places = queue_places(row.pk for row in rows if row.state == ReservationState.WAITING)
        for row in rows:
            row.queue_place = places.get(row.pk)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        return {**page, "title": f"{obj.sku.code} · {reference_of(obj).label}", "show_form": True}

    def locked(self, pk: int) -> Any:
        """The row with what it is for locked, which verbs lock before they change it, and before all stock."""
        rows = self.model._default_manager.filter(pk=pk)
        for kind, reference_id in rows.values_list("reference_kind", "reference_id"):
            for owner in OWNERS.get(kind, ())[:1]:
                owner.lock([reference_id])
        return rows.first()

    def timeline_of(self, obj: Any) -> None:
        """A reservation's story is its own row, and the timeline of what it is for."""
        return

    @admin.display(description=_("SKU"), ordering="sku__code")
    def sku_code(self, row: Reservation) -> Any:
        return sku_link(row.sku)

    @admin.display(description=_("units"), ordering="quantity")
    def units(self, row: Reservation) -> Any:
        return quantity(row.quantity)

    @admin.display(description=_("location"))
    def place(self, row: Reservation) -> str:
        return row.level.location.name if row.level else "–"

    @admin.display(description=_("place in line"))
    def in_line(self, row: Any) -> Any:
        if not hasattr(row, "queue_place"):
            row.queue_place = queue_places([row.pk]).get(row.pk)
        return quantity(row.queue_place.position if row.queue_place else None)

    @admin.display(description=_("for"))
    def document(self, row: Reservation) -> Any:
        return reference_link(row)

    @admin.display(description=_("in line since"), ordering="queued_at")
    def since(self, row: Reservation) -> Any:
        return ago(row.queued_at)

    @admin.display(description=_("promised for"), ordering="promised_at")
    def promised(self, row: Reservation) -> Any:
        return localtime(row.promised_at)

    @admin.display(description=_("expires at"))
    def expires(self, row: Reservation) -> Any:
        return localtime(row.expires_at)
