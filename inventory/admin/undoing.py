"""Undo on the pages of the stock room: what it would do, the button, and the way to it from a movement."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import (
    ExtraVerb,
    Foreseen,
    TransitionAdmin,
    TransitionVerb,
    bulk_action,
    describe,
)
from config.kernel.events import Thread
from config.kernel.results import Results
from config.kernel.templatetags.bancale import DASH, badge
from inventory.admin.foreseeing import foreseen, foreseen_reasons
from inventory.admin.pages import PageAdmin, actor_of, set_actors
from inventory.admin.reasons import WhyForm
from inventory.enums import MovementKind
from inventory.models import StockLevel, StockMovement
from inventory.selectors.previews import Change, Place
from inventory.selectors.undoing import Posted, posted_by, undo_problem
from inventory.services.undoing.documents import UNDONE

UNDO = "undo"
Verb = Callable[..., Results[int]]
# Models of documents that can be undone, by what movements name them with.
_DOCUMENTS: dict[str, type[Model]] = {}


def undo_verb(kind: str, verb: Verb, permission: str) -> ExtraVerb:
    """The button that takes a document without a status back."""
    words = _words(kind, verb)
    return ExtraVerb(
        name=UNDO,
        label=_("Undo…"),
        permission=permission,
        applies=lambda document: not document.undone_at,
        **words,
    )


def undo_edge(kind: str, verb: Verb, *, success: Any, consequences: Any) -> TransitionVerb:
    """The words of an undo edge's confirm page."""
    return TransitionVerb(
        **{**_words(kind, verb), "success": success, "consequences": lambda _row: consequences}
    )


def _words(kind: str, verb: Verb) -> dict[str, Any]:
    return {
        "verb": verb,
        "form": WhyForm,
        "tone": "risk",
        "title": _("Undo"),
        "effect": _("Undo"),
        "success": _("Undone: the opposite of each movement is booked."),
        "consequences": lambda _document: (
            _("Each movement gets its opposite, in the same bin; the ledger keeps both."),
        ),
        "foresee": lambda document, _values: foreseen_undo(kind, document.pk),
        "blocked": lambda document: str(undo_problem((kind, document.pk)) or ""),
    }


def bulk_undo(one: ExtraVerb, model: str) -> Any:
    """The same on many rows of the list."""
    return bulk_action(
        one.verb,
        one.permission,
        _("Undo"),
        model=model,
        done=_("undone"),
        form=WhyForm,
        trial={"reason": "-"},
        names=("reason",),
        risk=True,
        consequences=(_("Each movement gets its opposite, in the same bin; the ledger keeps both."),),
    )


def undone_badges(document: Any) -> list[tuple[Any, str]]:
    return [(_("Undone"), "back")] if document.undone_at else []


class DocumentAdmin(PageAdmin, TransitionAdmin):
    """A document without a status: its number, who booked it, and whether it was undone. `lock_kind` is its kind."""

    def load_page(self, request: HttpRequest, rows: list[Any]) -> None:
        set_actors(rows)

    def thread_of(self, obj: Any) -> Thread:
        return Thread(self.lock_kind, obj.pk)

    @admin.display(description=_("number"), ordering="id")
    def number(self, row: Any) -> str:
        return str(row.number)

    @admin.display(description=_("state"), ordering="undone_at")
    def state(self, row: Any) -> Any:
        return badge(_("Undone"), "back") if row.undone_at else DASH

    @admin.display(description=_("by"))
    def who(self, row: Any) -> str:
        return actor_of(row)


def describe_undo(kind: str) -> None:
    """How the undo reads on the document's timeline."""
    describe(kind, UNDONE, _("Undone"), detail="%(reason)s", tone="back")


def foreseen_undo(kind: str, pk: int) -> Foreseen:
    """What taking a document back would do now, or why it cannot be."""
    posted = posted_by(kind, [pk]).get(pk, [])
    if posted and all(one.kind == MovementKind.OTHER_REASON for one in posted):
        shown = foreseen_reasons(_reasons(posted))
    else:
        shown = foreseen(_changes(posted))
    if (problem := undo_problem((kind, pk))) is None:
        return shown
    refused = {"text": str(problem), "tone": "stop", "url": ""}
    return Foreseen([refused], shown.lines, f"{problem}{shown.mark}")


def _changes(posted: list[Posted]) -> dict[Place, Change]:
    place_of = _places(posted)
    changes: dict[Place, Change] = {}
    for one in posted:
        place = place_of[one.level_id]
        changes[place] = changes.get(place, Change()) + Change(-one.delta, -one.unsellable_delta)
    return changes


def _reasons(posted: list[Posted]) -> dict[tuple[Place, str], int]:
    place_of = _places(posted)
    return {(place_of[one.level_id], one.unsellable_reason): -one.unsellable_delta for one in posted}


def _places(posted: list[Posted]) -> dict[int, Place]:
    ids = {one.level_id for one in posted}
    levels = StockLevel.objects.filter(pk__in=ids).values_list("pk", "sku_id", "location_id")
    return {pk: (sku_id, location_id) for pk, sku_id, location_id in levels}


def register_undo(kind: str, model: type[Model]) -> None:
    """Say what model movements of a kind name as their document; its page has the button."""
    _DOCUMENTS[kind] = model


def undo_of(movement: StockMovement, request: HttpRequest, site: Any) -> list[dict[str, Any]]:
    """The button that leads from a movement to the undo of its document, where that can be pressed by this person."""
    model = _DOCUMENTS.get(movement.reference_kind)
    if model is None or movement.is_undo:
        return []
    page = site.get_model_admin(model)
    document = page.get_object(request, str(movement.reference_id))
    if document is None or not page.has_view_permission(request, document):
        return []
    label = gettext("Undo %(document)s…") % {"document": document}
    presses = page.buttons(request, document)
    return [{**press, "label": label} for press in presses if press["name"] == UNDO]
