"""Units of returns: which are spoken for, which can still come back, which wait for somebody."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from orders.models import LinePart, Order
from returns.enums import LIVE_RMA, Disposition, Reception
from returns.models import ReturnUnit

# Units that came back, and units that a live return still speaks for (a lost one may yet arrive).
SPOKEN_FOR = Q(reception=Reception.RECEIVED) | Q(
    rma__status__in=LIVE_RMA, reception__in=[Reception.EXPECTED, Reception.LOST]
)


@dataclass(frozen=True, slots=True)
class Returnable:
    """A line part of an order and how many of its shipped units no return speaks for."""

    part: LinePart
    quantity: int


def spoken_for(part_ids: Iterable[int]) -> dict[int, int]:
    """Units that returns speak for, by line part; one statement."""
    return dict(_counted(ReturnUnit.objects.filter(line_part__in=list(part_ids))))


def spoken_for_of(order: Order) -> QuerySet[ReturnUnit, tuple[int, int]]:
    """The same of one order: (line part, units)."""
    return _counted(ReturnUnit.objects.filter(order=order))


def _counted(rows: QuerySet[ReturnUnit]) -> QuerySet[ReturnUnit, tuple[int, int]]:
    return rows.filter(SPOKEN_FOR).order_by().values_list("line_part").annotate(units=Count("pk"))


def returnable_parts(order_ids: Iterable[int]) -> dict[int, dict[int, Returnable]]:
    """Parts with shipped units, by order and part id; two statements."""
    parts = list(
        LinePart.objects.filter(line__order__in=list(order_ids), shipped__gt=0)
        .select_related("line", "sku")
        .order_by("pk")
    )
    taken = spoken_for(part.pk for part in parts)
    found: dict[int, dict[int, Returnable]] = defaultdict(dict)
    for part in parts:
        found[part.line.order_id][part.pk] = Returnable(part, part.shipped - taken.get(part.pk, 0))
    return found


UNDECIDED = Q(reception=Reception.EXPECTED) | Q(
    reception=Reception.RECEIVED, disposition__in=[Disposition.NONE, Disposition.QUARANTINE]
)


def undecided_units(rma_ids: Iterable[int]) -> dict[int, int]:
    """Units that are expected, or arrived and have no verdict, by return; one statement."""
    rows = ReturnUnit.objects.filter(UNDECIDED, rma__in=list(rma_ids)).order_by()
    return dict(rows.values_list("rma").annotate(units=Count("pk")))
