"""What stock will be after a change that nobody has made yet: figures, promises, those in line, alerts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.kernel import clock
from inventory.models import Location, Reservation, Sku, StockLevel
from inventory.owners import Loss, Reference
from inventory.selectors.expiry import is_overdue
from inventory.selectors.losses import losses
from inventory.selectors.queue import waiting_in_line

# A SKU's id and a location's.
Place = tuple[int, int]
RAISED, CLEARED = "raised", "cleared"


@dataclass(frozen=True, slots=True)
class Change:
    """What to add to a level's figures."""

    on_hand: int = 0
    unsellable: int = 0

    def __add__(self, other: "Change") -> "Change":
        return Change(self.on_hand + other.on_hand, self.unsellable + other.unsellable)


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One level before and after. `lost` units of its promises would wait again, `given` ones go to those in line;
    both stand in the figures after. `alert` is `RAISED` or `CLEARED` where its low-stock alert would be."""

    sku: Sku
    location: Location
    on_hand: int
    on_hand_after: int
    reserved: int
    reserved_after: int
    free: int
    free_after: int
    unpromised_after: int
    reorder_point: int
    lost: int = 0
    given: int = 0
    alert: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """Units that somebody in line would get."""

    sku_id: int
    reference: Reference
    units: int


@dataclass(frozen=True, slots=True)
class Preview:
    """`waiting` are the units by SKU id that would still wait."""

    lines: tuple[PreviewLine, ...]
    losses: tuple[Loss, ...]
    served: tuple[Served, ...]
    waiting: Mapping[int, int]

    @property
    def broken(self) -> dict[Reference, int]:
        """Units by reference that would lose their promise and get no other stock."""
        units: dict[Reference, int] = defaultdict(int)
        for loss in self.losses:
            units[loss.reference] += loss.quantity
        for one in self.served:
            if one.reference in units:
                units[one.reference] -= one.units
        return {reference: some for reference, some in units.items() if some > 0}

    @property
    def signature(self) -> str:
        """The same as long as nothing shown has changed, neither the stock nor what is to be done to it."""
        figures = [
            (line.sku.pk, line.location.pk, line.on_hand, line.on_hand_after, line.free, line.free_after)
            for line in self.lines
        ]
        return f"{figures}{[(loss.reservation_id, loss.quantity) for loss in self.losses]}"


def preview(changes: Mapping[Place, Change]) -> Preview:
    """Figures before and after changes by (sku_id, location_id); no lock, five statements at most, and with those of
    the owners two more where promises would break.

    Where units are added or promises break, those in line are served in the order of the queue by what is free at
    locations that sell, as `stock.freed` makes happen soon after; whoever lost stands in line again by then. Their
    units are taken from the changed levels first.
    """
    skus = Sku.objects.in_bulk({sku_id for sku_id, _place in changes})
    levels = {
        (level.sku_id, level.location_id): level
        for level in StockLevel.objects.filter(sku__in=skus).select_related("location")
    }
    places = Location.objects.in_bulk({place for _sku, place in changes})
    cuts = {pair: change.unsellable - change.on_hand for pair, change in changes.items()}
    lost = losses(levels.values(), cuts)
    added = {pk for (pk, _place), change in changes.items() if change.on_hand > change.unsellable}
    free = _selling(levels, changes, places)
    for loss in lost:
        if (loss.sku_id, loss.location_id) in free:
            free[loss.sku_id, loss.location_id] += loss.quantity
    served, waiting = _serve((added & set(skus)) | {loss.sku_id for loss in lost}, free, lost)
    # Of a SKU that only loses and that nobody gets, the losses say it all.
    waiting = {pk: units for pk, units in waiting.items() if pk in added | {one.sku_id for one in served}}
    left = _units_of(served)
    lines = []
    for (sku_id, place), change in changes.items():
        if sku_id in skus and place in places:
            room = max(0, free.get((sku_id, place), 0))
            given = min(left.get(sku_id, 0), room)
            left[sku_id] = left.get(sku_id, 0) - given
            units = sum(one.quantity for one in lost if (one.sku_id, one.location_id) == (sku_id, place))
            level = levels.get((sku_id, place)) or StockLevel(sku_id=sku_id, location_id=place)
            lines.append(_line(skus[sku_id], places[place], level, change, (units, given)))
    return Preview(tuple(lines), tuple(lost), tuple(served), waiting)


def _selling(
    levels: Mapping[Place, StockLevel], changes: Mapping[Place, Change], places: Mapping[int, Location]
) -> dict[Place, int]:
    """Free units after the changes at locations that sell."""
    free = {pair: level.free for pair, level in levels.items() if level.location.is_selling}
    for (sku_id, place), change in changes.items():
        if place in places and places[place].is_selling:
            free[sku_id, place] = free.get((sku_id, place), 0) + change.on_hand - change.unsellable
    return free


def _serve(
    sku_ids: Iterable[int], free: Mapping[Place, int], lost: Sequence[Loss]
) -> tuple[list[Served], dict[int, int]]:
    """Who in line gets how much of what would be free, and how many units still wait; those whose time has run out
    neither get nor wait."""
    at = clock.now()
    left: dict[int, int] = defaultdict(int)
    for (sku_id, _place), units in free.items():
        left[sku_id] += max(0, units)
    served: list[Served] = []
    waiting: dict[int, int] = defaultdict(int)
    for row in _line_with(lost, sku_ids) if sku_ids else ():
        if is_overdue(row, at):
            continue
        given = min(left[row.sku_id], row.quantity)
        left[row.sku_id] -= given
        waiting[row.sku_id] += row.quantity - given
        if given:
            served.append(Served(row.sku_id, (row.reference_kind, row.reference_id), given))
    return served, {sku_id: units for sku_id, units in waiting.items() if units}


def _line_with(lost: Sequence[Loss], sku_ids: Iterable[int]) -> list[Reservation]:
    """Those who wait, and those who would wait again in their old place; none of these is saved."""
    line = waiting_in_line(sku_ids)
    if not lost:
        return line
    rows = Reservation.objects.in_bulk([loss.reservation_id for loss in lost])
    again = []
    for loss in lost:
        row = rows[loss.reservation_id]
        row.quantity = loss.quantity
        again.append(row)
    return sorted([*line, *again], key=lambda row: (row.sku_id, -row.priority, row.queued_at, row.pk))


def _units_of(served: Sequence[Served]) -> dict[int, int]:
    units: dict[int, int] = defaultdict(int)
    for one in served:
        units[one.sku_id] += one.units
    return dict(units)


def _line(
    sku: Sku, location: Location, level: StockLevel, change: Change, promises: tuple[int, int]
) -> PreviewLine:
    lost, given = promises
    moved = lost - given
    unpromised = level.unpromised + change.on_hand - change.unsellable + moved
    is_low = level.reorder_point > 0 and unpromised <= level.reorder_point
    is_reordered = location.is_active and sku.is_active
    return PreviewLine(
        sku,
        location,
        on_hand=level.on_hand,
        on_hand_after=level.on_hand + change.on_hand,
        reserved=level.reserved,
        reserved_after=level.reserved - moved,
        free=level.free,
        free_after=level.free + change.on_hand - change.unsellable + moved,
        unpromised_after=unpromised,
        reorder_point=level.reorder_point,
        lost=lost,
        given=given,
        alert="" if is_low == level.is_low or not is_reordered else RAISED if is_low else CLEARED,
    )
