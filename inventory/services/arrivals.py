"""Lines of units on the move: what each must name, and its one answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.errors import BancaleError, InvalidInput, NotFound
from config.kernel.quantities import MOST_UNITS
from config.kernel.results import Results
from config.kernel.visibility import seen_by
from inventory.enums import BinKind
from inventory.errors import BinMissing, KitHoldsNoStock, LocationClosed
from inventory.models import Bin, Location, Sku
from inventory.services.movements import posted_keys

LONGEST_KEY = 100


class UnitLine(Protocol):
    """Units of one SKU at one location; `key` names the source line for ever."""

    @property
    def key(self) -> str: ...
    @property
    def sku_id(self) -> int: ...
    @property
    def location_id(self) -> int: ...
    @property
    def quantity(self) -> int: ...


L = TypeVar("L", bound=UnitLine)


@dataclass(slots=True)
class Places:
    """What the ids of lines stand for, as far as the actor sees them: three statements."""

    sku_ids: set[int] = field(default_factory=set)
    locations: dict[int, Location] = field(default_factory=dict)
    bins: dict[int, Bin] = field(default_factory=dict)
    bin_of: dict[tuple[int, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Sequence[UnitLine], bin_ids: Iterable[int] = (), *, actor: Actor) -> "Places":
        location_ids = {line.location_id for line in lines}
        places = cls(
            sku_ids=set(
                Sku.objects.filter(pk__in={line.sku_id for line in lines}).values_list("pk", flat=True)
            ),
            locations=seen_by(actor, Location.objects.all()).in_bulk(location_ids),
        )
        special = Bin.objects.filter(
            location_id__in=location_ids, kind__in=[BinKind.DEFAULT, BinKind.QUARANTINE]
        )
        for row in (special | Bin.objects.filter(pk__in=list(bin_ids))).order_by("-pk"):
            places.bins[row.pk] = row
            places.bin_of[row.location_id, row.kind] = row.pk
        return places

    def problem(self, line: UnitLine, *, bins: Iterable[BinKind], opens: bool) -> BancaleError | None:
        """Why a line cannot move: ids, key, quantity, a bin kind missing, or a closed location if it `opens` stock."""
        if line.sku_id not in self.sku_ids or line.location_id not in self.locations:
            return NotFound(sku_id=line.sku_id, location_id=line.location_id)
        if (refused := refuse_key(line.key) or refuse_quantity(line.quantity)) is not None:
            return refused
        location = self.locations[line.location_id]
        if opens and not location.is_active:
            return LocationClosed(location=location.code)
        for kind in bins:
            if (location.pk, kind) not in self.bin_of:
                return BinMissing(location=location.code, kind=str(kind.label))
        return None


def refuse_key(key: str) -> InvalidInput | None:
    if 0 < len(key) <= LONGEST_KEY:
        return None
    accepted = _("1 to %(most)s characters") % {"most": LONGEST_KEY}
    return InvalidInput(field=str(_("key")), value=key[:LONGEST_KEY], accepted=str(accepted))


def refuse_quantity(quantity: int) -> InvalidInput | None:
    if 0 < quantity <= MOST_UNITS:
        return None
    accepted = _("whole units from 1 to %(most)s") % {"most": MOST_UNITS}
    return InvalidInput(field=str(_("quantity")), value=quantity, accepted=str(accepted))


def new_lines(lines: Sequence[L], prefix: str, results: Results[str]) -> list[L]:
    """The lines not posted before, under the levels' locks; a posted one is answered `unchanged`.

    Only here a rival's same key, and a SKU that has just become a kit, are seen for certain.
    """
    posted = posted_keys(f"{prefix}:{line.key}" for line in lines)
    sku_ids = {line.sku_id for line in lines}
    kits = dict(Sku.objects.filter(pk__in=sku_ids, is_kit=True).values_list("pk", "code"))
    fresh = []
    for line in lines:
        if f"{prefix}:{line.key}" in posted:
            results.unchanged(line.key)
        elif line.sku_id in kits:
            results.refuse(line.key, KitHoldsNoStock(sku=kits[line.sku_id]))
        else:
            fresh.append(line)
    return fresh
