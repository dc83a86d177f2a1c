"""What still hangs on a location: shown before somebody closes it, and after."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Sum
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel.admin import admin_url
from inventory.enums import ReservationState, TransferStatus
from inventory.models import Location, Reservation, Transfer


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
    """A notice for each use; for an open location only to whoever may close it."""
    user: Any = request.user
    if location.is_active and not user.has_perm("inventory.change_location"):
        return []
    title = _("Before you close it:") if location.is_active else _("Closed, yet:")
    tone = "info" if location.is_active else "wait"
    return [
        {"tone": tone, "title": title, "text": use.text, "url": use.url, "label": _("Show")}
        for use in _uses(location)
        if user.has_perm(f"{use.model._meta.app_label}.view_{use.model._meta.model_name}")
    ]


def _uses(location: Location) -> Iterator[PlaceUse]:
    found: Sequence[PlaceUse | None] = [reader(location) for reader in (_promised, _arriving, *_readers)]
    yield from (use for use in found if use is not None)


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
