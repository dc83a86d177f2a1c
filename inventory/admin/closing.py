"""What still hangs on a location: shown on the page that asks before somebody closes it, and on its own after."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel.admin import admin_url
from inventory.enums import ReservationState, TransferStatus
from inventory.models import Location, Reservation, StockLevel, Transfer

FORESEEN = "foreseen"


@dataclass(frozen=True, slots=True)
class PlaceUse:
    """What somebody would have to look after; `url` lists it, for whoever may see rows of its `model`."""

    text: str
    model: type[Model]
    query: str

    @property
    def url(self) -> str:
        return f"{admin_url(self.model, 'changelist')}?{self.query}"


Reader = Callable[[Location], PlaceUse | None]
_readers: list[Reader] = []


def register_place_use(reader: Reader) -> Reader:
    """Let a room say what it has at a location, from its admin; a function registers once."""
    if reader not in _readers:
        _readers.append(reader)
    return reader


def closing_notices(request: HttpRequest, location: Location) -> list[dict[str, Any]]:
    """A notice for each use of a closed location; of an open one the page that asks before closing tells them."""
    if location.is_active:
        return []
    return [
        {"tone": "wait", "title": _("Closed, yet:"), "text": use.text, "url": use.url, "label": _("Show")}
        for use in _seen(request.user, _uses(location))
    ]


@dataclass(frozen=True, slots=True)
class Ending:
    """What a save of a location's page ends: that it is active, or only that it ships orders by itself."""

    location: Location
    closes: bool

    @classmethod
    def of(cls, location: Location, before: Mapping[str, Any]) -> "Ending | None":
        """By what stood on the page before; None where the location sells on, or sold nothing."""
        if before["is_active"] and not location.is_active:
            return cls(location, closes=True)
        if before["can_ship"] and location.is_active and not location.can_ship:
            return cls(location, closes=False)
        return None

    def uses(self, user: Any) -> list[PlaceUse]:
        """What it leaves behind, of what this person may see."""
        found = _uses(self.location) if self.closes else _found((_unsold,), self.location)
        return list(_seen(user, found))


class Unconfirmed(Exception):
    """A save that nobody has agreed to who saw what it leaves behind; rolls the save back. `uses` are shown."""

    def __init__(self, ending: Ending, uses: Sequence[PlaceUse]) -> None:
        super().__init__()
        self.ending, self.uses = ending, uses


def ask_before(request: HttpRequest, ending: Ending | None) -> None:
    """Raises `Unconfirmed` where something would be left behind of a kind that the person was not shown."""
    uses = ending.uses(request.user) if ending is not None else []
    if ending is not None and uses and request.POST.get(FORESEEN) != _mark(uses):
        raise Unconfirmed(ending, uses)


def closing_page(model_admin: Any, request: HttpRequest, asked: Unconfirmed) -> HttpResponse:
    """What the save would leave behind; its button sends the same form once more."""
    location = Location.objects.get(pk=asked.ending.location.pk)
    words = {"name": location.name}
    if asked.ending.closes:
        title, effect = _("Close %(name)s") % words, _("Close it")
        undo = _("Make it active again on its page.")
    else:
        title, effect = _("Ship no more orders from %(name)s") % words, _("Ship no more orders from it")
        undo = _("Let it ship orders again on its page.")
    left_out = {"csrfmiddlewaretoken", FORESEEN}
    posted = [
        (name, value) for name, values in request.POST.lists() for value in values if name not in left_out
    ]
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "object": location,
        "title": title,
        "effect": effect,
        "risk": True,
        "consequences": [{"text": use.text, "tone": "wait", "url": use.url} for use in asked.uses],
        "undo": undo,
        "hidden": [*posted, (FORESEEN, _mark(asked.uses))],
        "unforeseen": FORESEEN in request.POST,
        "cancel_url": admin_url(Location, "change", location.pk),
    }
    return TemplateResponse(request, "kernel/confirm.html", context)


def _mark(uses: Iterable[PlaceUse]) -> str:
    """What is left behind and not how much: of a busy location the numbers never stand still, and it could not be
    closed."""
    return " ".join(use.model._meta.label_lower for use in uses)


def _seen(user: Any, uses: Iterable[PlaceUse]) -> Iterator[PlaceUse]:
    for use in uses:
        if user.has_perm(f"{use.model._meta.app_label}.view_{use.model._meta.model_name}"):
            yield use


def _uses(location: Location) -> Iterator[PlaceUse]:
    return _found((_promised, _arriving, *_readers, _lying), location)


def _found(readers: Iterable[Reader], location: Location) -> Iterator[PlaceUse]:
    for reader in readers:
        if (use := reader(location)) is not None:
            yield use


def _promised(location: Location) -> PlaceUse | None:
    rows = Reservation.objects.filter(level__location=location, state=ReservationState.OPEN)
    units: int = rows.aggregate(units=Sum("quantity"))["units"] or 0
    if not units:
        return None
    text = ngettext(
        "%(count)s unit is reserved here. It is not released to the warehouse from a closed location; plan its "
        "order anew.",
        "%(count)s units are reserved here. They are not released to the warehouse from a closed location; plan "
        "their orders anew.",
        units,
    )
    query = f"level__location__id__exact={location.pk}&state__exact={ReservationState.OPEN}"
    return PlaceUse(text % {"count": units}, Reservation, query)


def _arriving(location: Location) -> PlaceUse | None:
    rows = Transfer.objects.filter(destination=location, status=TransferStatus.SENT)
    count = rows.count()
    if not count:
        return None
    text = ngettext(
        "%(count)s transfer is on its way here. A closed location receives none.",
        "%(count)s transfers are on their way here. A closed location receives none.",
        count,
    )
    query = f"destination__id__exact={location.pk}&status__exact={TransferStatus.SENT}"
    return PlaceUse(text % {"count": count}, Transfer, query)


def _lying(location: Location) -> PlaceUse | None:
    units = _on_hand(location)
    text = ngettext(
        "%(count)s unit is on hand here. It is not sold from a closed location; a transfer takes it to another one.",
        "%(count)s units are on hand here. They are not sold from a closed location; a transfer takes them to "
        "another one.",
        units,
    )
    return _stock(location, text, units)


def _unsold(location: Location) -> PlaceUse | None:
    units = _on_hand(location)
    text = ngettext(
        "%(count)s unit is on hand here. What nobody was promised is not sold from here any more; what is reserved "
        "is still shipped.",
        "%(count)s units are on hand here. What nobody was promised is not sold from here any more; what is "
        "reserved is still shipped.",
        units,
    )
    return _stock(location, text, units)


def _on_hand(location: Location) -> int:
    return StockLevel.objects.filter(location=location).aggregate(units=Sum("on_hand"))["units"] or 0


def _stock(location: Location, text: str, units: int) -> PlaceUse | None:
    if not units:
        return None
    said = number_format(units, use_l10n=True, force_grouping=True)
    return PlaceUse(text % {"count": said}, StockLevel, f"location__id__exact={location.pk}")
