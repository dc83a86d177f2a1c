"""The document of what is changed by hand, and where the units are taken from."""

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import BancaleError, InvalidInput
from config.kernel.events import Entry, Thread, record_events
from inventory.enums import AdjustmentKind, BinKind
from inventory.errors import NotEnoughInBin, NotEnoughStock
from inventory.models import StockAdjustment, StockLevel
from inventory.owners import Reference
from inventory.services.arrivals import Places, UnitLine
from inventory.services.movements import bins_to_ship_from

REFERENCE = "stock_adjustment"
LONGEST_REASON = 120


def clean_reason(reason: str) -> str:
    """A reason without outer blanks. Raises `InvalidInput` unless it has 1 to 120 characters."""
    cleaned = reason.strip()
    if 0 < len(cleaned) <= LONGEST_REASON:
        return cleaned
    accepted = _("1 to %(most)s characters") % {"most": LONGEST_REASON}
    raise InvalidInput(field=str(_("reason")), value=cleaned[:LONGEST_REASON], accepted=str(accepted))


def open_adjustment(kind: AdjustmentKind, reason: str, actor: Actor) -> Reference:
    """Write the document that movements by hand name."""
    document = StockAdjustment.objects.create(
        kind=kind,
        reason=reason,
        adjusted_at=clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label="" if actor.kind == ActorKind.USER else actor.label[:80],
    )
    reference = (REFERENCE, document.pk)
    record_events([Entry(reference, Thread(*reference), "adjusted", facts={"kind": str(kind)})], actor=actor)
    return reference


def bin_problem(line: UnitLine, bin_ids: Iterable[int | None], places: Places) -> BancaleError | None:
    """Why a named bin does not do: it must be one for sale of the line's location."""
    for bin_id in bin_ids:
        found = places.bins.get(bin_id or 0)
        if bin_id is None or (
            found and found.location_id == line.location_id and found.kind != BinKind.QUARANTINE
        ):
            continue
        accepted = _("a bin for sale of this location is")
        return InvalidInput(field=str(_("bin")), value=bin_id, accepted=str(accepted))
    return None


class Shelves:
    """Units for sale by level and bin under locks, as lines take them one after the other: one statement."""

    def __init__(self, levels: Iterable[StockLevel]) -> None:
        self.levels = {level.pk: level for level in levels}
        self.bins: dict[int, dict[int, int]] = {
            level_id: {row.bin_id: row.quantity for row in rows}
            for level_id, rows in bins_to_ship_from(self.levels).items()
        }

    def put(self, level: StockLevel, bin_id: int, units: int) -> None:
        stock = self.bins.setdefault(level.pk, {})
        stock[bin_id] = stock.get(bin_id, 0) + units

    def problem(self, level: StockLevel | None, units: int, bin_id: int | None = None) -> BancaleError | None:
        """Why so many units cannot be taken from the level, or from one bin of it."""
        stock = self.bins.get(level.pk, {}) if level is not None else {}
        if bin_id is not None:
            found = stock.get(bin_id, 0)
            return None if found >= units else NotEnoughInBin(found=found, asked=units)
        found = sum(stock.values())
        return None if found >= units else NotEnoughStock(free=found, asked=units)

    def missing(self, units: int) -> BancaleError:
        """The refusal where there is no level at all."""
        return NotEnoughStock(free=0, asked=units)

    def take(self, level: StockLevel, units: int, bin_id: int | None = None) -> Iterator[tuple[int, int]]:
        """(bin id, units) that are taken: the named bin, else the default bin first, then the fullest."""
        stock = self.bins[level.pk]
        for place in [bin_id] if bin_id is not None else list(stock):
            taken = min(units, stock[place])
            if taken:
                stock[place] -= taken
                units -= taken
                yield place, taken
