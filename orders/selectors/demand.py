"""What orders still ask of stock: undecided parts, live claims, and the queue of a SKU."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial

from django.db.models import F, Max, QuerySet, Sum

from config.kernel.compiled_reads import CompiledRead
from config.kernel.fastpath import Among
from inventory.enums import LIVE_RESERVATION, ReservationState
from inventory.models import Location, Reservation, StockLevel
from inventory.selectors.stock import all_locations
from orders.models import LinePart
from orders.planner import Place, Turn, Waiting

ORDER_LINE_PART = "order_line_part"
# No two join a line at one moment. The row's id would order them, and a part that is split off and loses its units
# again would come back behind its neighbours.
MOMENT = timedelta(microseconds=1)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
CHUNK = 500


@dataclass(slots=True)
class Claimed:
    """What a part's live reservations claim: units held at locations, and units waiting."""

    by_location: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    waiting: int = 0

    @property
    def units(self) -> int:
        return sum(self.by_location.values()) + self.waiting


def goods_parts(order_ids: Iterable[int], *, columns: Sequence[str] = ()) -> list[LinePart]:
    """The parts of orders that are shipped goods, with their line, in the order of the lines. With `columns`
    only these are read; any other would ask once a part."""
    return _goods(tuple(columns))(order_ids)


@cache
def _goods(columns: tuple[str, ...]) -> CompiledRead[LinePart]:
    return CompiledRead(partial(_goods_of, columns=columns))


def _goods_of(order_ids: Iterable[int], columns: tuple[str, ...]) -> QuerySet[LinePart]:
    rows = LinePart.objects.filter(Among("line__order_id", order_ids), line__requires_shipping=True)
    rows = rows.select_related("line").order_by("line__order_id", "line__position", "pk")
    return rows.only(*columns) if columns else rows


_claims: CompiledRead[tuple[int, str, int, int]] = CompiledRead(
    lambda part_ids: (
        Reservation.objects.filter(
            Among("reference_id", part_ids), reference_kind=ORDER_LINE_PART, state__in=LIVE_RESERVATION
        )
        .values_list("reference_id", "state", "level__location_id")
        .annotate(units=Sum("quantity"))
    ),
)


def claimed_units(part_ids: Iterable[int]) -> dict[int, Claimed]:
    """Live reservations summed by part; a part without any has an empty entry. One statement."""
    claimed: dict[int, Claimed] = defaultdict(Claimed)
    for part_id, state, location_id, units in _claims(part_ids):
        if state == ReservationState.OPEN:
            claimed[part_id].by_location[location_id] += units
        else:
            claimed[part_id].waiting += units
    return claimed


def queue(sku_ids: Iterable[int]) -> QuerySet[Reservation]:
    """Waiting reservations of SKUs, whoever waits, each SKU's in the order in which they are served."""
    return Reservation.objects.filter(Among("sku_id", sku_ids), state=ReservationState.WAITING).order_by(
        F("priority").desc(), "queued_at", "pk"
    )


def within_reach(sku_ids: Iterable[int], free: Mapping[int, int]) -> list[Reservation]:
    """The head of each SKU's queue, up to the one whom its `free` units no longer serve in full.

    Who stands behind gets nothing and is not read.
    """
    left = {sku_id: free.get(sku_id, 0) for sku_id in sku_ids if free.get(sku_id, 0) > 0}
    rows: list[Reservation] = []
    for row in queue(left).iterator(CHUNK) if left else ():
        if left.get(row.sku_id, 0) > 0:
            rows.append(row)
            left[row.sku_id] -= row.quantity
            if left[row.sku_id] <= 0:
                del left[row.sku_id]
                if not left:
                    break
    return rows


def selling_units(levels: Iterable[StockLevel]) -> dict[int, int]:
    """Free units by SKU at the locations that sell; `levels` with their locations."""
    free: dict[int, int] = defaultdict(int)
    for level in levels:
        if level.location.is_selling:
            free[level.sku_id] += max(0, level.free)
    return free


def in_line(waiting: Iterable[Reservation]) -> tuple[Waiting, ...]:
    """Waiting reservations as the planner sees them."""
    return tuple(Waiting(row.sku_id, row.quantity, turn_of(row)) for row in waiting)


_met: CompiledRead[tuple[int, int, int, datetime]] = CompiledRead(
    lambda sku_ids: (
        Reservation.objects.filter(Among("sku_id", sku_ids), state=ReservationState.WAITING)
        .values_list("sku_id", "priority")
        .annotate(units=Sum("quantity"), last=Max("queued_at"))
    )
)


@dataclass(slots=True)
class Line:
    """The queue of a SKU as one meets it who joins: its id, units by priority, and when the last of them joined."""

    sku_id: int
    units: dict[int, int] = field(default_factory=dict)
    last: datetime = BEGINNING

    def joined(self, at: datetime) -> datetime:
        """When somebody joins who does so now. Processes have clocks of their own; whoever comes later, under the
        lock of the SKU's levels, stands later, also where the clock says otherwise."""
        return max(at, self.last + MOMENT)

    @property
    def waiting(self) -> Iterator[Waiting]:
        """Those in line as the planner sees them, all before anybody new of their priority."""
        for priority, units in self.units.items():
            yield Waiting(self.sku_id, units, Turn(priority, self.last, 0))


def lines_of(sku_ids: Iterable[int]) -> dict[int, Line]:
    """The queues of SKUs, also of those that nobody waits for. One statement, however many wait."""
    lines = {sku_id: Line(sku_id) for sku_id in sku_ids}
    for sku_id, priority, units, last in _met(lines):
        line = lines[sku_id]
        line.units[priority], line.last = units, max(line.last, last)
    return lines


def turn_of(reservation: Reservation) -> Turn:
    return Turn(reservation.priority, reservation.queued_at, reservation.pk)


def all_places(known: Iterable[Location] | None = None) -> tuple[Place, ...]:
    """Every location as the planner sees it; one that does not sell ships nothing. One statement unless `known`."""
    places = all_locations() if known is None else known
    return tuple(Place(place.pk, place.preference, place.is_selling) for place in places)


def used_locations(parts: Sequence[LinePart], claimed: dict[int, Claimed]) -> dict[int, list[int]]:
    """By order the locations that already hold units for it, ascending."""
    used: dict[int, set[int]] = defaultdict(set)
    for part in parts:
        if part.pk in claimed:
            used[part.line.order_id].update(claimed[part.pk].by_location)
    return {order_id: sorted(places) for order_id, places in used.items()}
