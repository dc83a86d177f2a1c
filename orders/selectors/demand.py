"""What orders still ask of stock: undecided parts, live claims, and the queue of a SKU."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial

from django.db.models import F, Q, QuerySet, Sum

from config.kernel.compiled_reads import CompiledRead
from config.kernel.fastpath import Among
from inventory.enums import LIVE_RESERVATION, ReservationState
from inventory.models import Location, Reservation, StockLevel
from orders.models import LinePart
from orders.planner import Place, Turn, Waiting

ORDER_LINE_PART = "order_line_part"
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


_met: CompiledRead[tuple[int, int, int | None, int | None]] = CompiledRead(
    lambda sku_ids, at: (
        Reservation.objects.filter(Among("sku_id", sku_ids), state=ReservationState.WAITING)
        .values_list("sku_id", "priority")
        .annotate(
            before=Sum("quantity", filter=Q(queued_at__lte=at)),
            behind=Sum("quantity", filter=Q(queued_at__gt=at)),
        )
    )
)


def line_at(sku_ids: Iterable[int], at: datetime) -> tuple[Waiting, ...]:
    """The queues of SKUs summed as one who joins at `at` meets them: before and behind, by priority.

    One statement, however many wait.
    """
    met = []
    for sku_id, priority, before, behind in _met(sku_ids, at):
        if before:
            met.append(Waiting(sku_id, before, Turn(priority, at, 0)))
        if behind:
            met.append(Waiting(sku_id, behind, Turn(priority, at + timedelta(microseconds=1), 0)))
    return tuple(met)


def turn_of(reservation: Reservation) -> Turn:
    return Turn(reservation.priority, reservation.queued_at, reservation.pk)


_places = CompiledRead(Location.objects.all)


def all_places() -> tuple[Place, ...]:
    """Every location as the planner sees it; one that does not sell ships nothing."""
    return tuple(Place(place.pk, place.preference, place.is_selling) for place in _places())


def used_locations(parts: Sequence[LinePart], claimed: dict[int, Claimed]) -> dict[int, list[int]]:
    """By order the locations that already hold units for it, ascending."""
    used: dict[int, set[int]] = defaultdict(set)
    for part in parts:
        if part.pk in claimed:
            used[part.line.order_id].update(claimed[part.pk].by_location)
    return {order_id: sorted(places) for order_id, places in used.items()}
