"""What orders still ask of stock: undecided parts, live claims, and the queue of a SKU."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import F, QuerySet, Sum

from inventory.enums import LIVE_RESERVATION, ReservationState
from inventory.models import Location, Reservation
from orders.models import LinePart
from orders.planner import Place, Turn, Waiting

ORDER_LINE_PART = "order_line_part"


@dataclass(slots=True)
class Claimed:
    """What a part's live reservations claim: units held at locations, and units waiting."""

    by_location: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    waiting: int = 0

    @property
    def units(self) -> int:
        return sum(self.by_location.values()) + self.waiting


def goods_parts(order_ids: Iterable[int]) -> list[LinePart]:
    """The parts of orders that are shipped goods, with their line, in the order of the lines."""
    return list(
        LinePart.objects.filter(line__order__in=order_ids, line__requires_shipping=True)
        .select_related("line")
        .order_by("line__order_id", "line__position", "pk")
    )


def claimed_units(part_ids: Iterable[int]) -> dict[int, Claimed]:
    """Live reservations summed by part; a part without any has an empty entry. One statement."""
    claimed: dict[int, Claimed] = defaultdict(Claimed)
    rows = (
        Reservation.objects.filter(
            reference_kind=ORDER_LINE_PART, reference_id__in=list(part_ids), state__in=LIVE_RESERVATION
        )
        .values_list("reference_id", "state", "level__location_id")
        .annotate(units=Sum("quantity"))
    )
    for part_id, state, location_id, units in rows:
        if state == ReservationState.OPEN:
            claimed[part_id].by_location[location_id] += units
        else:
            claimed[part_id].waiting += units
    return claimed


def queue(sku_ids: Iterable[int]) -> QuerySet[Reservation]:
    """Waiting reservations of SKUs, whoever waits, each SKU's in the order in which they are served."""
    return Reservation.objects.filter(sku__in=list(sku_ids), state=ReservationState.WAITING).order_by(
        F("priority").desc(), "queued_at", "pk"
    )


def in_line(waiting: Iterable[Reservation]) -> tuple[Waiting, ...]:
    """Waiting reservations as the planner sees them."""
    return tuple(Waiting(row.sku_id, row.quantity, turn_of(row)) for row in waiting)


def turn_of(reservation: Reservation) -> Turn:
    return Turn(reservation.priority, reservation.queued_at, reservation.pk)


def all_places() -> tuple[Place, ...]:
    """Every location as the planner sees it; one that does not sell ships nothing."""
    return tuple(Place(place.pk, place.preference, place.is_selling) for place in Location.objects.all())


def used_locations(parts: Sequence[LinePart], claimed: dict[int, Claimed]) -> dict[int, list[int]]:
    """By order the locations that already hold units for it, ascending."""
    used: dict[int, set[int]] = defaultdict(set)
    for part in parts:
        if part.pk in claimed:
            used[part.line.order_id].update(claimed[part.pk].by_location)
    return {order_id: sorted(places) for order_id, places in used.items()}
