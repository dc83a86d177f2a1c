"""What people read about SKUs and their stock."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import (
    Exists,
    IntegerField,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce

from config.kernel.actors import Actor
from config.kernel.visibility import seen_by
from inventory.enums import LIVE_RESERVATION, ReservationState
from inventory.models import Barcode, Reservation, Sku, StockLevel, StockMovement
from inventory.selectors.queue import QUEUE_ORDER

M = TypeVar("M", bound=Model)
SHOWN = 25


def with_totals(skus: QuerySet[Sku]) -> QuerySet[Sku]:
    """Adds on_hand_units, reserved_units and waiting_units over all locations."""
    levels = StockLevel.objects.filter(sku=OuterRef("pk"))
    waiting = Reservation.objects.filter(sku=OuterRef("pk"), state=ReservationState.WAITING)
    return skus.annotate(
        on_hand_units=_total(levels, "on_hand"),
        reserved_units=_total(levels, "reserved"),
        waiting_units=_total(waiting, "quantity"),
    )


def _total(rows: QuerySet[M], column: str) -> Coalesce:
    sums = rows.order_by().values("sku").annotate(total=Sum(column)).values("total")
    return Coalesce(Subquery(sums, output_field=IntegerField()), Value(0))


def search_skus(skus: QuerySet[Sku], term: str) -> QuerySet[Sku]:
    """By the beginning of the code, a whole barcode, or words of the title."""
    term = term.strip()
    if not term:
        return skus
    scanned = Barcode.objects.filter(sku=OuterRef("pk"), code=term)
    words = Q()
    for word in term.split()[:6]:
        words &= Q(title__icontains=word)
    return skus.filter(Q(code__istartswith=term) | Exists(scanned) | words)


def waiting(reservations: QuerySet[Reservation]) -> QuerySet[Reservation]:
    """Promises that wait for stock, in queue order."""
    return reservations.filter(state=ReservationState.WAITING)


def levels_of(sku_id: int) -> list[StockLevel]:
    """All levels of a SKU, the preferred location first."""
    rows = StockLevel.objects.filter(sku_id=sku_id).select_related("location")
    return list(rows.order_by("location__preference", "location__code"))


def live_reservations(sku_id: int, limit: int = SHOWN, *, actor: Actor) -> list[Reservation]:
    """Who has been promised units, as far as the actor sees: those in line by place, then open ones, newest first."""
    every = Reservation.objects.filter(sku_id=sku_id, state__in=LIVE_RESERVATION)
    rows = seen_by(actor, every.select_related("level__location"))
    line = list(rows.filter(state=ReservationState.WAITING).order_by(*QUEUE_ORDER)[:limit])
    return line + list(rows.filter(state=ReservationState.OPEN).order_by("-id")[: limit - len(line)])


def last_movements(sku_id: int, limit: int = SHOWN, *, actor: Actor) -> list[StockMovement]:
    """The newest ledger entries of a SKU that the actor sees."""
    every = StockMovement.objects.filter(level__sku_id=sku_id).select_related("level__location", "bin")
    return list(seen_by(actor, every).order_by("-id")[:limit])


def movements_of(reference: tuple[str, int], limit: int = 200) -> list[StockMovement]:
    """The ledger entries of a document, in the order they were posted."""
    rows = StockMovement.objects.filter(reference_kind=reference[0], reference_id=reference[1])
    return list(rows.select_related("level__location", "level__sku", "bin").order_by("id")[:limit])


def found_skus(texts: Sequence[str]) -> dict[str, Sku]:
    """SKUs by what was typed or scanned: a code, in any case, or a barcode; two statements."""
    wanted = {text.strip() for text in texts if text.strip()}
    by_code = {
        sku.code: sku for sku in Sku.objects.filter(code__in={*wanted, *(text.upper() for text in wanted)})
    }
    scanned = {row.code: row.sku for row in Barcode.objects.filter(code__in=wanted).select_related("sku")}
    found: dict[str, Any] = {
        text: by_code.get(text) or scanned.get(text) or by_code.get(text.upper()) for text in wanted
    }
    return {text: sku for text, sku in found.items() if sku is not None}
