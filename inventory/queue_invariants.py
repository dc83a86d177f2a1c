"""The invariant of those who wait for stock (`manage.py audit`)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _

from config.kernel.audit import Violation, invariant
from inventory.enums import MovementKind, ReservationState
from inventory.models import Location, Reservation, StockLevel, StockMovement

SHOWN = 50
# Shipped units were reserved; the others stay for sale or off it, though one entry alone looks like a loss.
TAKES_NOTHING = (MovementKind.SHIP, MovementKind.MOVE, MovementKind.OTHER_REASON)
FREE = Greatest(F("on_hand") - F("reserved") - F("unsellable") - F("buffer"), Value(0))


def _total(rows: QuerySet[Any], units: Combinable, by: str) -> Coalesce:
    """Σ of an expression over rows that are bound to the outer row already; `by` is what they have in common."""
    total = rows.order_by().values(by).annotate(total=Sum(units)).values("total")
    return Coalesce(Subquery(total, output_field=IntegerField()), Value(0))


@invariant("stock.queue", _("Nobody in line was overtaken"))
def nobody_overtaken() -> Iterator[Violation]:
    """No open reservation was taken from under those that waited ahead of it.

    Precisely: O was opened at a location that sells, and fewer units are free at such locations than are waited for
    by those W of the same SKU and equal priority, of other references, that stand before O by (`queued_at`, id) and
    had begun to wait when O was opened (`opened_at` > `waiting_since`). `waiting_since` and not `queued_at`,
    because an order that arrives late may have an old place in the queue. Priorities are compared only when
    equal: a raised one does not take back what was given before. As many units as were left for W and are gone
    since, lost or given to others ahead of O, say nothing about it; nor do those that are offered no more, since their
    location was closed or ships no more, or a larger buffer keeps them.
    """
    shown = 0
    stocks: dict[int, _Stock] = {}
    for row in _takers():
        missing = row["owed"] - row["free"] - _gone_since(row)
        if missing <= 0:
            continue
        stock = stocks.get(row["sku"]) or stocks.setdefault(row["sku"], _stock_of(row["sku"]))
        if missing <= _kept_back_since(row, stock):
            continue
        detail = f"was taken although reservation {row['first']} waits ahead of it"
        yield Violation(f"reservation:{row['pk']}", detail)
        shown += 1
        if shown == SHOWN:
            return


def _takers() -> Iterable[Mapping[str, Any]]:
    """Open reservations at locations that sell, for which fewer units are `free` now than are `owed` to those who
    waited ahead when they were opened, the `first` of these."""
    before = Q(queued_at__lt=OuterRef("queued_at")) | Q(
        queued_at=OuterRef("queued_at"), pk__lt=OuterRef("stood")
    )
    # The open part of a part-filled reservation is a younger row, and stood where the older one still stands.
    stood = Reservation.objects.filter(
        sku=OuterRef("sku"),
        reference_kind=OuterRef("reference_kind"),
        reference_id=OuterRef("reference_id"),
        queued_at=OuterRef("queued_at"),
    )
    ahead = Reservation.objects.filter(
        before,
        sku=OuterRef("sku"),
        state=ReservationState.WAITING,
        priority=OuterRef("priority"),
        waiting_since__lt=OuterRef("opened_at"),
    ).exclude(reference_kind=OuterRef("reference_kind"), reference_id=OuterRef("reference_id"))
    taken = Reservation.objects.filter(
        state=ReservationState.OPEN, level__location__is_active=True, level__location__can_ship=True
    )
    levels = StockLevel.objects.filter(
        sku=OuterRef("sku"), location__is_active=True, location__can_ship=True, on_hand__gt=0
    )
    lined = Reservation.objects.filter(state=ReservationState.WAITING).values("sku")
    return (
        taken.filter(sku__in=lined)
        .annotate(stood=Subquery(stood.order_by("pk").values("pk")[:1]))
        .annotate(first=Subquery(ahead.order_by("queued_at", "pk").values("pk")[:1]))
        .annotate(owed=_total(ahead, F("quantity"), "sku"), free=_total(levels, FREE, "sku"))
        .filter(owed__gt=F("free"))
        .order_by("pk")
        .values("pk", "sku", "priority", "queued_at", "opened_at", "first", "owed", "free")
    )


def _gone_since(taker: Mapping[str, Any]) -> int:
    """Free units of the SKU that were taken away after a reservation was opened, and by whom nobody behind it: by
    movements, or by reservations of a higher priority or an older place."""
    at = taker["opened_at"]
    gone = F("unsellable_delta") - F("delta")
    moved = StockMovement.objects.filter(level__sku=taker["sku"], at__gte=at).exclude(kind__in=TAKES_NOTHING)
    higher = Q(priority__gt=taker["priority"])
    # Whoever waited already is owed less since; others have come to an old place, as those who lost units do.
    older = Q(
        Q(waiting_since=None) | Q(waiting_since__gte=at),
        priority=taker["priority"],
        queued_at__lt=taker["queued_at"],
        opened_at__gt=at,
    )
    held = (ReservationState.OPEN, ReservationState.CONSUMED)
    given = Reservation.objects.filter(higher | older, sku=taker["sku"], opened_at__gte=at, state__in=held)
    lost = moved.annotate(gone=gone).filter(gone__gt=0).aggregate(units=Sum("gone"))["units"]
    return (lost or 0) + (given.aggregate(units=Sum("quantity"))["units"] or 0)


State = tuple[datetime, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class _Stock:
    """The levels of a SKU that hold units, with what their buffers and locations were set to."""

    levels: Sequence[StockLevel]
    buffers: Mapping[int, Sequence[State]]
    places: Mapping[int, Sequence[State]]


def _stock_of(sku_id: int) -> _Stock:
    """Three statements."""
    levels = list(StockLevel.objects.filter(sku=sku_id, on_hand__gt=0).select_related("location"))
    return _Stock(
        levels,
        _states(StockLevel, {level.pk for level in levels}, "buffer"),
        _states(Location, {level.location_id for level in levels}, "is_active", "can_ship"),
    )


def _kept_back_since(taker: Mapping[str, Any], stock: _Stock) -> int:
    """Units of the SKU that would be free under the buffers and locations of when a reservation was opened, beyond
    those that are free now. What came to a level since is none of them. One statement."""
    came = _come_since(taker)
    units = 0
    for level in stock.levels:
        # A level is made without a buffer, by a statement that its history does not know.
        (buffer,) = _then(stock.buffers[level.pk], taker["opened_at"], (0,), (level.buffer,))
        place = level.location
        now_so = (place.is_active, place.can_ship)
        was_selling = all(_then(stock.places[place.pk], taker["opened_at"], now_so, now_so))
        unpromised = level.unpromised - max(0, came.get(level.pk, 0))
        then = max(0, unpromised - buffer) if was_selling else 0
        units += max(0, then - (max(0, level.free) if place.is_selling else 0))
    return units


def _come_since(taker: Mapping[str, Any]) -> Mapping[int, int]:
    """Sellable units that movements, shipping not among them, brought to levels of the SKU after a reservation was
    opened, by level, less those that they took away."""
    moved = StockMovement.objects.filter(level__sku=taker["sku"], at__gt=taker["opened_at"])
    came = moved.exclude(kind=MovementKind.SHIP).order_by().values("level")
    return dict(came.annotate(units=Sum(F("delta") - F("unsellable_delta"))).values_list("level", "units"))


def _states(model: Any, ids: Iterable[int], *columns: str) -> Mapping[int, list[State]]:
    """What columns of rows were set to and when, by row, oldest first; one statement."""
    found: dict[int, list[State]] = defaultdict(list)
    rows = model.history.filter(id__in=list(ids)).order_by("history_date", "history_id")
    for pk, at, *values in rows.values_list("id", "history_date", *columns):
        found[pk].append((at, tuple(values)))
    return found


def _then(
    states: Sequence[State], at: datetime, first: tuple[Any, ...], now: tuple[Any, ...]
) -> tuple[Any, ...]:
    """The state of a moment: `first` before any that is known, and `now` where none is known at all."""
    before = [values for since, values in states if since <= at]
    return before[-1] if before else first if states else now
