"""Promised units leave the building."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Case, F, IntegerField, Value, When

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.errors import Conflict
from config.kernel.states import apply_transition
from inventory.enums import MovementKind, ReservationState
from inventory.errors import NotEnoughReserved
from inventory.models import BinStock, Reservation, StockLevel
from inventory.selectors.queue import QUEUE_ORDER
from inventory.services.movements import Cause, Posting, bins_to_ship_from, post_movements
from inventory.services.reservations.quantities import part_of
from inventory.states import CONSUME, RESERVATION

Document = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Take:
    """Units of a reference that leave a location; `document` is the ledger's cause where the batch has many."""

    reference_id: int
    location_id: int
    quantity: int
    document: Document | None = None


@dataclass(slots=True)
class _Use:
    """How many units of one open reservation leave."""

    reservation: Reservation
    level_id: int
    quantity: int


def consume_reservations(
    reference_kind: str,
    takes: Sequence[Take],
    *,
    movement_reference: Document,
    levels: Sequence[StockLevel],
    actor: Actor,
) -> None:
    """Ship promised units: reservations consumed, levels, bins and ledger down, in a fixed number of statements.

    `levels` are locked and the objects follow. Units leave the default bin first, then the fullest; one ledger
    entry a document, level and bin. Of a part-shipped reservation the rest stays open in a new row, in its old place.
    Raises `NotEnoughReserved` when a reference has fewer open units at the location, `Conflict` when the bins
    hold fewer; nothing is written then.
    """
    if not takes:
        return
    rows = _open_rows(reference_kind, takes, levels)
    uses = list(_uses(takes, rows))
    leaving = _by_level(takes, rows)
    bins = bins_to_ship_from(leaving)
    postings = [posting for pk in sorted(leaving) for posting in _postings(pk, leaving[pk], bins.get(pk, []))]
    post_movements(postings, levels=levels, cause=Cause(movement_reference, actor))
    _close(uses, actor)


def _open_rows(
    reference_kind: str, takes: Sequence[Take], levels: Sequence[StockLevel]
) -> Mapping[tuple[int, int], list[Reservation]]:
    """Open reservations by (reference id, location id), in queue order."""
    location_of = {level.pk: level.location_id for level in levels}
    rows = Reservation.objects.filter(
        reference_kind=reference_kind,
        reference_id__in={take.reference_id for take in takes},
        state=ReservationState.OPEN,
        level_id__in=list(location_of),
    ).order_by(*QUEUE_ORDER)
    found: dict[tuple[int, int], list[Reservation]] = defaultdict(list)
    for row in rows:
        found[row.reference_id, location_of[row.level_id or 0]].append(row)
    return found


def _uses(takes: Sequence[Take], rows: Mapping[tuple[int, int], list[Reservation]]) -> Iterator[_Use]:
    asked: dict[tuple[int, int], int] = defaultdict(int)
    for take in takes:
        asked[take.reference_id, take.location_id] += take.quantity
    for key, quantity in asked.items():
        open_rows, rest = rows.get(key, []), quantity
        found = sum(row.quantity for row in open_rows)
        if not 0 < quantity <= found:
            raise NotEnoughReserved(found=found, asked=quantity, reference_id=key[0], location_id=key[1])
        for row in open_rows:
            if rest:
                used = min(rest, row.quantity)
                rest -= used
                yield _Use(row, row.level_id or 0, used)


def _by_level(
    takes: Sequence[Take], rows: Mapping[tuple[int, int], list[Reservation]]
) -> dict[int, dict[Document | None, int]]:
    """Units that leave each level, by document."""
    leaving: dict[int, dict[Document | None, int]] = defaultdict(lambda: defaultdict(int))
    for take in takes:
        level_id = rows[take.reference_id, take.location_id][0].level_id or 0
        leaving[level_id][take.document] += take.quantity
    return dict(leaving)


def _postings(
    level_id: int, leaving: Mapping[Document | None, int], bins: Sequence[BinStock]
) -> Iterator[Posting]:
    """Entries that empty bins in the given order; each document's first carries what the promises go down by."""
    quantity = sum(leaving.values())
    if sum(row.quantity for row in bins) < quantity:
        raise Conflict(detail=f"the bins of level {level_id} hold less than the {quantity} units to ship")
    stock = [[row.bin_id, row.quantity] for row in bins]
    for document, units in leaving.items():
        promised, rest = units, units
        for place in stock:
            taken = min(rest, place[1])
            if taken:
                yield Posting(
                    level_id,
                    place[0],
                    MovementKind.SHIP,
                    delta=-taken,
                    reserved_delta=-promised,
                    document=document,
                )
                promised, rest = 0, rest - taken
                place[1] -= taken


def _close(uses: Sequence[_Use], actor: Actor) -> None:
    """Consume what leaves; what stays of a reservation goes on as a row of its own."""
    parts = [use for use in uses if use.quantity < use.reservation.quantity]
    rest = [
        part_of(
            use.reservation,
            use.reservation.quantity - use.quantity,
            level_id=use.level_id,
            opened_at=use.reservation.opened_at,
        )
        for use in parts
    ]
    also = {"closed_at": clock.now(), "closed_reason": "shipped"}
    if parts:
        whens = [When(pk=use.reservation.pk, then=Value(use.quantity)) for use in parts]
        also["quantity"] = Case(*whens, default=F("quantity"), output_field=IntegerField())
        Reservation.objects.bulk_create(rest)
    apply_transition(RESERVATION, CONSUME, [use.reservation for use in uses], actor=actor, also=also)
    for use in parts:
        use.reservation.quantity = use.quantity
