"""The queue of a SKU: highest priority first, then oldest `queued_at`, then id."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, F, Q, QuerySet, Sum, Window
from django.db.models.functions import Coalesce, RowNumber

from config.kernel.compiled_reads import CompiledRead
from config.kernel.fastpath import Among
from inventory.enums import ReservationState
from inventory.models import Reservation
from inventory.models.reservations import MOST_PRIORITY

QUEUE_ORDER = (F("priority").desc(), F("queued_at").asc(), F("id").asc())


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """`position` counts from 1; `units_ahead` wait before it. `reservation_id` says whose it is."""

    position: int
    units_ahead: int
    reservation_id: int = field(default=0, compare=False)


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
    return {pk: QueuePlace(position, units - quantity, pk) for pk, position, units, quantity in rows}


@dataclass(frozen=True, slots=True)
class Standing:
    """Who waits in a SKU's queue at a place, as `queue_of` reads it."""

    reservation_id: int
    reference: tuple[str, int]
    quantity: int
    queued_at: datetime
    promised_at: datetime | None


def queue_of(sku_id: int, start: int, stop: int) -> list[Standing]:
    """A SKU's queue, first come first, from one place to before another, counted from 0; one statement."""
    return [
        Standing(row.pk, (row.reference_kind, row.reference_id), row.quantity, row.queued_at, row.promised_at)
        for row in _waiting([sku_id])[start:stop]
    ]


class Group(NamedTuple):
    """How many wait, and for how many units."""

    claims: int
    units: int


@dataclass(frozen=True, slots=True)
class Band:
    """Those of one priority beside somebody in the queue, and those of them who joined before."""

    priority: int
    everybody: Group
    earlier: Group


@dataclass(frozen=True, slots=True)
class Step:
    """A place that one who waits could have, by which priority; who is `passed` would wait longer for it where it
    `is_ahead`, else shorter."""

    priority: int
    place: int
    passed: Group
    is_ahead: bool


def bands_beside(row: Reservation) -> list[Band]:
    """All others in the queue of a reservation's SKU, however long, highest priority first; one statement."""
    before = Q(queued_at__lt=row.queued_at) | Q(queued_at=row.queued_at, pk__lt=row.pk)
    others = Reservation.objects.filter(sku=row.sku_id, state=ReservationState.WAITING).exclude(pk=row.pk)
    rows = (
        others.order_by("-priority")
        .values_list("priority")
        .annotate(
            claims=Count("pk"),
            units=Sum("quantity"),
            earlier=Count("pk", filter=before),
            earlier_units=Coalesce(Sum("quantity", filter=before), 0),
        )
    )
    return [
        Band(priority, Group(claims, units), Group(earlier, earlier_units))
        for priority, claims, units, earlier, earlier_units in rows
    ]


def possible_steps(bands: Sequence[Band], priority: int) -> list[Step]:
    """Each other place that a change of priority can give, first place first, by the smallest change. Pure."""
    here = ahead_of(bands, priority)
    # Among a band, before all of it, or after: nobody stands at the priorities between two bands.
    tried = {band.priority + step for band in bands for step in (-1, 0, 1)}
    steps: dict[int, Step] = {}
    for other in sorted(tried, key=lambda one: abs(one - priority)):
        ahead = ahead_of(bands, other)
        place = ahead.claims + 1
        if abs(other) > MOST_PRIORITY or ahead.claims == here.claims or place in steps:
            continue
        passed = Group(abs(here.claims - ahead.claims), abs(here.units - ahead.units))
        steps[place] = Step(other, place, passed, is_ahead=ahead.claims < here.claims)
    return [steps[place] for place in sorted(steps)]


def ahead_of(bands: Sequence[Band], priority: int) -> Group:
    """Who would stand ahead with this priority: all of a higher one, and the earlier of the same. Pure."""
    groups = [
        band.everybody if band.priority > priority else band.earlier
        for band in bands
        if band.priority >= priority
    ]
    return Group(sum(group.claims for group in groups), sum(group.units for group in groups))
