"""What the warehouse is asked for, and what an order still has to ask."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import QuerySet, Sum

from fulfillment.enums import LIVE_FULFILLMENT
from fulfillment.models import FulfillmentOrder, FulfillmentOrderLine
from fulfillment.states import SHIP_BY_HAND
from inventory.enums import ReservationState
from inventory.models import Reservation
from orders.models import LinePart
from orders.warehouse import AskedUnits

ORDER_LINE_PART = "order_line_part"


class Spot(NamedTuple):
    """Units of one line part at one location."""

    part_id: int
    location_id: int


def reserved_units(part_ids: Iterable[int]) -> dict[Spot, int]:
    """Units that open reservations hold for line parts, by location; one statement."""
    rows = _reserved(part_ids).values_list("reference_id", "level__location_id")
    sums = rows.annotate(units=Sum("quantity"))
    return {Spot(part_id, location_id): units for part_id, location_id, units in sums}


def _reserved(part_ids: Iterable[int]) -> QuerySet[Reservation]:
    return Reservation.objects.filter(
        reference_kind=ORDER_LINE_PART, reference_id__in=list(part_ids), state=ReservationState.OPEN
    ).order_by()


def asked_units(part_ids: Iterable[int]) -> dict[Spot, int]:
    """Units that live fulfillment orders already ask for, by location; one statement."""
    rows = (
        FulfillmentOrderLine.objects.filter(
            line_part__in=list(part_ids), fulfillment_order__status__in=LIVE_FULFILLMENT
        )
        .values_list("line_part_id", "fulfillment_order__location_id")
        .annotate(units=Sum("quantity"))
        .order_by()
    )
    return {Spot(part_id, location_id): units for part_id, location_id, units in rows}


def short_work(part_ids: Iterable[int]) -> list[FulfillmentOrder]:
    """Live fulfillment orders that ask for more of these parts than is still reserved there, by ascending pk.

    Two statements, and one more where there are any.
    """
    ids = list(part_ids)
    reserved = reserved_units(ids)
    short = {spot for spot, units in asked_units(ids).items() if units > reserved.get(spot, 0)}
    if not short:
        return []
    lines = FulfillmentOrderLine.objects.filter(
        line_part__in={spot.part_id for spot in short}, fulfillment_order__status__in=LIVE_FULFILLMENT
    ).select_related("fulfillment_order")
    work = {
        line.fulfillment_order_id: line.fulfillment_order
        for line in lines.order_by("fulfillment_order_id")
        if (line.line_part_id, line.fulfillment_order.location_id) in short
    }
    return list(work.values())


def asked_work(part_ids: Iterable[int]) -> list[AskedUnits]:
    """What live fulfillment orders ask for, by name; one statement."""
    rows = FulfillmentOrderLine.objects.filter(
        line_part__in=list(part_ids), fulfillment_order__status__in=LIVE_FULFILLMENT
    ).order_by("pk")
    columns = ("line_part_id", "fulfillment_order__location_id", "quantity", "fulfillment_order__number")
    return [AskedUnits(*row) for row in rows.values_list(*columns)]


@dataclass(frozen=True, slots=True)
class Uncovered:
    """Reserved units that no live fulfillment order asks for, by order, location, line part; `closed` are the names
    of those of the locations that are not active."""

    units: Mapping[int, Mapping[int, Mapping[int, int]]]
    closed: Mapping[int, str]

    def closed_of(self, order_id: int) -> str:
        """The closed locations where an order has such units, "" without any."""
        return ", ".join(self.closed[place] for place in self.units[order_id] if place in self.closed)


def uncovered_units(order_ids: Iterable[int]) -> Uncovered:
    """What an order could ask of the warehouse beside what it asks for already; three statements."""
    part_orders = dict(
        LinePart.objects.filter(line__order__in=list(order_ids), line__requires_shipping=True)
        .order_by("pk")
        .values_list("pk", "line__order_id")
    )
    asked = asked_units(part_orders)
    found: dict[int, dict[int, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
    closed: dict[int, str] = {}
    columns = ("reference_id", "level__location_id", "level__location__is_active", "level__location__name")
    reserved = _reserved(part_orders).values_list(*columns).annotate(units=Sum("quantity"))
    for part_id, location_id, is_active, name, units in sorted(reserved):
        left = units - asked.get(Spot(part_id, location_id), 0)
        if left > 0:
            found[part_orders[part_id]][location_id][part_id] = left
            closed |= {} if is_active else {location_id: name}
    return Uncovered(dict(found), closed)


def live_work(order_ids: Iterable[int]) -> dict[int, list[int]]:
    """Ids of the live fulfillment orders by order, oldest first; one statement."""
    rows = FulfillmentOrder.objects.filter(order__in=list(order_ids), status__in=LIVE_FULFILLMENT)
    return _by_order(rows)


def released_ids_by_order(order_ids: Iterable[int]) -> dict[int, list[int]]:
    """Ids of the fulfillment orders that can be shipped by hand, by order, oldest first; one statement."""
    rows = FulfillmentOrder.objects.filter(order__in=list(order_ids), status__in=SHIP_BY_HAND.sources)
    return _by_order(rows)


def _by_order(rows: QuerySet[FulfillmentOrder]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for pk, order_id in rows.order_by("pk").values_list("pk", "order_id"):
        found[order_id].append(pk)
    return found
