"""Promises that were made until a time, and not kept by then."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from django.db.models import F

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import NotFound
from config.kernel.results import Results
from config.kernel.states import apply_transition
from inventory.enums import LIVE_RESERVATION, ReservationState
from inventory.errors import NotExpired
from inventory.models import Reservation, StockLevel
from inventory.owners import OWNERS, Expired, Reference, ReservationOwner, ids_by_kind
from inventory.selectors.expiry import is_overdue
from inventory.selectors.queue import QUEUE_ORDER
from inventory.services.levels import LevelChange, change_levels, lock_levels, record_freed
from inventory.services.reservations.cutting import Cut, split_off
from inventory.services.reservations.quantities import sum_by_level
from inventory.states import EXPIRE, RESERVATION

EXPIRED = "expired"


@verb
def expire_reservations(reservation_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Close open and waiting reservations whose time has run out; their units are free again.

    At most 200 ids. Locks the owners of their references, then all levels of their SKUs. Owners are told in the
    same transaction. Units that an owner is working on stay promised, from now on without an end, the oldest of
    a reference first: one of which nothing else is left, and one that is closed already, comes back `unchanged`.
    The values are the units that were closed. Records `stock.freed` for the SKUs.

    Refuses: `NotFound`; `NotExpired` for one without an end, or before it. Raises `NotAllowed`.
    """
    actor.require(EXPIRE.permission)
    results = Results(reservation_ids)
    with batch_transaction():
        _lock_owners(reservation_ids)
        sku_ids = Reservation.objects.filter(pk__in=reservation_ids).values_list("sku_id", flat=True)
        levels = lock_levels(sku_ids)
        rows = Reservation.objects.in_bulk(reservation_ids)
        due = [rows[pk] for pk in results.keys if _is_due(pk, rows.get(pk), results)]
        kept = _at_work(due, levels)
        over = {row.pk: row.quantity - kept.get(row.pk, 0) for row in due}
        pieces = split_off([Cut(row, over[row.pk]) for row in due if row.pk in kept and over[row.pk]])
        _lift_end([row for row in due if row.pk in kept], actor)
        gone = [row for row in due if row.pk not in kept] + pieces
        if gone:
            _close(gone, levels, actor)
        for row in due:
            if over[row.pk]:
                results.done(row.pk, over[row.pk])
            else:
                results.unchanged(row.pk)
    return results


def _lock_owners(reservation_ids: Sequence[int]) -> None:
    """A reservation never changes its reference, so that its owner can be looked up before any lock."""
    rows = Reservation.objects.filter(pk__in=reservation_ids, state__in=LIVE_RESERVATION)
    references = set(rows.values_list("reference_kind", "reference_id"))
    for kind, ids in ids_by_kind(references).items():
        for owner in OWNERS.get(kind, ()):
            owner.lock(ids)


def _is_due(pk: int, row: Reservation | None, results: Results[int]) -> bool:
    if row is None:
        results.refuse(pk, NotFound(reservation_id=pk))
    elif row.state not in LIVE_RESERVATION:
        results.unchanged(pk)
    elif not is_overdue(row, clock.now()):
        results.refuse(pk, NotExpired(reservation_id=pk))
    else:
        return True
    return False


def _at_work(rows: Sequence[Reservation], levels: Sequence[StockLevel]) -> dict[int, int]:
    """Units of the open reservations that an owner is working on, by pk; those without any are left out.

    What a reference holds at a place stands in for its work there in the sequence of the queue, with an end or not.
    """
    place = {level.pk: level.location_id for level in levels}
    held = {row.pk for row in rows if row.state == ReservationState.OPEN}
    kept: dict[int, int] = {}
    for kind, ids in ids_by_kind({_reference(row) for row in rows if row.pk in held}).items():
        bound: dict[tuple[int, int], int] = defaultdict(int)
        for owner in OWNERS.get(kind, ()):
            for spot, units in owner.bound_units(ids).items():
                bound[spot] += units
        if not any(bound.values()):
            continue
        every = Reservation.objects.filter(
            reference_kind=kind, reference_id__in=ids, state=ReservationState.OPEN, level__in=list(place)
        )
        for row in every.order_by(*QUEUE_ORDER):
            spot = (row.reference_id, place[row.level_id or 0])
            units = min(row.quantity, bound[spot])
            bound[spot] -= units
            if units and row.pk in held:
                kept[row.pk] = units
    return kept


def _reference(row: Reservation) -> Reference:
    return (row.reference_kind, row.reference_id)


def _lift_end(rows: Collection[Reservation], actor: Actor) -> None:
    """Whoever works on these units is told; the rows hold nothing else any more."""
    if rows:
        ids = [row.pk for row in rows]
        Reservation.objects.filter(pk__in=ids).update(expires_at=None, version=F("version") + 1)
        for owner, told in _owners_of(rows):
            owner.keep(told, actor=actor)


def _owners_of(rows: Iterable[Reservation]) -> Iterator[tuple[ReservationOwner, list[Expired]]]:
    """Whom to tell about these, kind by kind, as the rows are now."""
    told: dict[str, list[Expired]] = defaultdict(list)
    for row in rows:
        was_open = row.state == ReservationState.OPEN
        told[row.reference_kind].append(Expired(row.pk, row.sku_id, _reference(row), row.quantity, was_open))
    for kind in sorted(told):
        for owner in OWNERS.get(kind, ()):
            yield owner, told[kind]


def _close(rows: Sequence[Reservation], levels: Sequence[StockLevel], actor: Actor) -> None:
    owners = list(_owners_of(rows))
    held = sum_by_level((row.level_id, row.quantity) for row in rows if row.state == ReservationState.OPEN)
    also = {"closed_at": clock.now(), "closed_reason": EXPIRED}
    apply_transition(RESERVATION, EXPIRE, rows, actor=actor, also=also)
    if held:
        found = {level.pk: level for level in levels}
        change_levels(found, {pk: LevelChange(reserved=-units) for pk, units in held.items()})
    for owner, told in owners:
        owner.expire(told, actor=actor)
    record_freed(row.sku_id for row in rows)
