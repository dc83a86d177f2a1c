"""The queue of a SKU: highest priority first, then oldest `queued_at`, then id."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber

from config.kernel.compiled_reads import CompiledRead
from config.kernel.fastpath import Among
from inventory.enums import ReservationState
from inventory.models import Reservation

QUEUE_ORDER = (F("priority").desc(), F("queued_at").asc(), F("id").asc())


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """`position` counts from 1; `units_ahead` wait before it."""

    position: int
    units_ahead: int


def _waiting(sku_ids: Iterable[int]) -> QuerySet[Reservation]:
    waiting = Reservation.objects.filter(Among("sku_id", sku_ids), state=ReservationState.WAITING)
    return waiting.order_by("sku_id", *QUEUE_ORDER)


_in_line = CompiledRead(_waiting)


def waiting_in_line(sku_ids: Iterable[int]) -> list[Reservation]:
    """The waiting reservations of SKUs, SKU by SKU in queue order."""
    return _in_line(set(sku_ids))


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


@dataclass(frozen=True, slots=True)
class Standing:
    """Who waits in a SKU's queue at a place, as `queue_of` reads it."""

    reservation_id: int
    reference: tuple[str, int]
    quantity: int
    priority: int
    queued_at: datetime
    promised_at: datetime | None

    def key(self, priority: int | None = None) -> tuple[int, datetime, int]:
        """Sorts the queue, with another priority on trial."""
        return (-(self.priority if priority is None else priority), self.queued_at, self.reservation_id)


@dataclass(frozen=True, slots=True)
class Step:
    """A place that one who waits could have, by which priority, and who would wait longer or shorter for it."""

    priority: int
    place: int
    overtaken: tuple[Standing, ...]
    let_past: tuple[Standing, ...]


def queue_of(sku_id: int, limit: int = 500) -> list[Standing]:
    """The head of a SKU's queue, first come first; one statement."""
    return [
        Standing(
            row.pk,
            (row.reference_kind, row.reference_id),
            row.quantity,
            row.priority,
            row.queued_at,
            row.promised_at,
        )
        for row in _waiting([sku_id])[:limit]
    ]


def possible_steps(line: Sequence[Standing], reservation_id: int) -> list[Step]:
    """Each other place that a change of priority can give, first place first, by the smallest change. Pure."""
    me = next((one for one in line if one.reservation_id == reservation_id), None)
    if me is None:
        return []
    others = [one for one in line if one is not me]
    here = line.index(me) + 1
    levels = {one.priority for one in others}
    steps: dict[int, Step] = {}
    tried = {*levels, max(levels, default=0) + 1, min(levels, default=0) - 1}
    for priority in sorted(tried, key=lambda one: abs(one - me.priority)):
        ahead = [one for one in others if one.key() < me.key(priority)]
        place = len(ahead) + 1
        if place != here and place not in steps:
            was_ahead = others[: here - 1]
            steps[place] = Step(
                priority,
                place,
                tuple(one for one in was_ahead if one not in ahead),
                tuple(one for one in ahead if one not in was_ahead),
            )
    return [steps[place] for place in sorted(steps)]
