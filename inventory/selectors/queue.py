"""The queue of a SKU: highest priority first, then oldest `queued_at`, then id."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber

from config.kernel.fastpath import Among
from inventory.enums import ReservationState
from inventory.models import Reservation

QUEUE_ORDER = (F("priority").desc(), F("queued_at").asc(), F("id").asc())


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """`position` counts from 1; `units_ahead` wait before it."""

    position: int
    units_ahead: int


def waiting_in_line(sku_ids: Iterable[int]) -> QuerySet[Reservation]:
    """The waiting reservations of SKUs, SKU by SKU in queue order."""
    waiting = Reservation.objects.filter(Among("sku_id", set(sku_ids)), state=ReservationState.WAITING)
    return waiting.order_by("sku_id", *QUEUE_ORDER)


def queue_places(reservation_ids: Iterable[int]) -> dict[int, QueuePlace]:
    """Where waiting reservations stand in their SKU's queue; one that does not wait is left out."""
    ids = set(reservation_ids)
    skus = Reservation.objects.filter(pk__in=ids, state=ReservationState.WAITING).values("sku_id")
    line = Reservation.objects.filter(state=ReservationState.WAITING, sku_id__in=skus).annotate(
        position=Window(RowNumber(), partition_by="sku_id", order_by=QUEUE_ORDER),
        units=Window(Sum("quantity"), partition_by="sku_id", order_by=QUEUE_ORDER),
    )
    # A filter on plain columns would narrow the line before it is counted; one that also names the place is
    # applied to what was counted.
    wanted = Q(position=0) | Q(pk__in=ids)
    rows = line.filter(wanted).values_list("pk", "position", "units", "quantity")
    return {pk: QueuePlace(position, units - quantity) for pk, position, units, quantity in rows}
