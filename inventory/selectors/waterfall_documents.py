"""Whose units a waterfall's row is made of: the documents behind what is reserved and what waits."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber

from config.kernel.actors import Actor
from inventory.enums import LIVE_RESERVATION, ReservationState
from inventory.models import Reservation
from inventory.references import Reference, ResolvedReference, resolve
from inventory.selectors.queue import QUEUE_ORDER
from inventory.selectors.waterfall import Waterfall, WaterfallRow

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Document:
    """`quantity` is signed as its row is. `position` is a waiting reservation's place in line."""

    reference: Reference
    resolved: ResolvedReference
    quantity: int
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Documents:
    """The first documents of a row; `rest` is what further ones add, so that all sum to the row exactly."""

    shown: tuple[Document, ...] = ()
    rest: int = 0


def documents_of(explained: Waterfall, *, actor: Actor | None = None) -> dict[WaterfallRow, Documents]:
    """The documents of the rows that reservations make up: one statement, and those that name references.

    Who waits in line is named to those only who see the whole business.
    """
    is_bound = actor is not None and actor.locations is not None
    wanted = {
        row.link: row
        for row in explained.rows
        if (row.kind == "waiting" and not is_bound)
        or (row.kind == "reserved" and row.link[0] == "reservations")
    }
    if not wanted:
        return {}
    found: dict[tuple[str, int], list[Reservation]] = defaultdict(list)
    for reservation in _first(explained.sku_id):
        link = (
            ("queue", explained.sku_id)
            if reservation.level_id is None
            else ("reservations", reservation.level_id)
        )
        found[link].append(reservation)
    names = resolve(_reference(row) for rows in found.values() for row in rows)
    return {row: _documents(row, found[link], names) for link, row in wanted.items()}


def _first(sku_id: int) -> Iterable[Reservation]:
    """The first of each level's open reservations, and of the line, each numbered."""
    rows: QuerySet[Reservation] = Reservation.objects.filter(sku_id=sku_id, state__in=LIVE_RESERVATION)
    place = Case(
        When(state=ReservationState.OPEN, then=F("level_id")), default=Value(0), output_field=IntegerField()
    )
    numbered = rows.annotate(position=Window(RowNumber(), partition_by=place, order_by=QUEUE_ORDER)).order_by(
        "position"
    )
    return numbered.filter(Q(position__lte=SHOWN))


def _reference(row: Reservation) -> Reference:
    return (row.reference_kind, row.reference_id)


def _documents(
    row: WaterfallRow,
    reservations: Iterable[Reservation],
    names: Mapping[Reference, ResolvedReference],
) -> Documents:
    shown = tuple(
        Document(
            _reference(one),
            names[_reference(one)],
            -one.quantity,
            getattr(one, "position", None) if one.state == ReservationState.WAITING else None,
        )
        for one in reservations
    )
    return Documents(shown, row.quantity - sum(document.quantity for document in shown))
