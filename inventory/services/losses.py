"""Units leave that were promised: the promises wait again, and whoever stands behind them hears of it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.errors import Conflict
from config.kernel.locks import lock_savepoint
from config.kernel.states import apply_transition
from inventory.enums import ReservationState
from inventory.models import Reservation, StockLevel
from inventory.owners import OWNERS, Loss, Reference, ids_by_kind
from inventory.selectors.losses import Cuts, losses
from inventory.services.additions import add_to_rows
from inventory.services.levels import record_freed
from inventory.services.movements import Cause, Posting, post_movements
from inventory.states import RESERVATION, WAIT

STILL_OPEN = f"{Reservation._meta.db_table}.state = '{ReservationState.OPEN.value}'"
TRIES = 5

T = TypeVar("T")


class OwnersMoved(Exception):
    """Under the levels' locks others lose units than those whose owners are locked."""


def with_owners(call: Callable[[], T]) -> T:
    """Run a cut, and begin it again where promises changed between looking for their owners and locking the levels.

    Owners are locked before levels, and only the levels' locks show for certain who loses. Raises `Conflict`
    after five attempts.
    """
    for _attempt in range(TRIES):
        try:
            with lock_savepoint():
                return call()
        except OwnersMoved:
            continue
    raise Conflict(detail="the promises of this stock keep changing")


def lock_owners(cuts: Cuts) -> frozenset[Reference]:
    """Lock the owners of what these cuts would take, as it looks before any level is locked; returns whose."""
    wanted = {pair: units for pair, units in cuts.items() if units > 0}
    rows = StockLevel.objects.filter(
        sku_id__in={sku_id for sku_id, _place in wanted},
        location_id__in={place for _sku, place in wanted},
        reserved__gt=0,
    )
    found = {loss.reference for loss in losses(rows, wanted)} if wanted else set()
    for kind, ids in ids_by_kind(found).items():
        for owner in OWNERS.get(kind, ()):
            owner.lock(ids)
    return frozenset(found)


def post_cuts(
    postings: Sequence[Posting],
    *,
    levels: Sequence[StockLevel],
    locked: frozenset[Reference],
    cause: Cause,
) -> list[Loss]:
    """Post movements that may take promised units, under locked levels; returns what was lost.

    Of the reservations that are no longer covered, just enough units become waiting ones in their old place in
    the queue; their owners' rows follow. Records `stock.freed` for their SKUs, since other locations may have
    units. Raises `OwnersMoved` before anything is written, for `with_owners`.
    """
    lost = _documented(losses(levels, _cuts_of(postings, levels)), postings, levels, cause)
    if not {loss.reference for loss in lost} <= locked:
        raise OwnersMoved
    post_movements(_with_promises(postings, levels, lost), levels=levels, cause=cause)
    if lost:
        _wait(lost, cause.actor)
        for kind in ids_by_kind({loss.reference for loss in lost}):
            for owner in OWNERS.get(kind, ()):
                told = [loss for loss in lost if loss.reference[0] == kind]
                owner.lose(told, actor=cause.actor)
        record_freed(loss.sku_id for loss in lost)
    return lost


def _documented(
    lost: Sequence[Loss], postings: Sequence[Posting], levels: Sequence[StockLevel], cause: Cause
) -> list[Loss]:
    """Each loss with the document of the first entry that cut its level."""
    level_at = {(level.sku_id, level.location_id): level.pk for level in levels}
    cutting = [one for one in reversed(postings) if one.delta < one.unsellable_delta]
    document_of = {one.level_id: one.document or cause.reference for one in cutting}
    return [replace(loss, document=document_of[level_at[loss.sku_id, loss.location_id]]) for loss in lost]


def _cuts_of(postings: Iterable[Posting], levels: Sequence[StockLevel]) -> Cuts:
    place = {level.pk: (level.sku_id, level.location_id) for level in levels}
    cuts: dict[tuple[int, int], int] = defaultdict(int)
    for posting in postings:
        cuts[place[posting.level_id]] += posting.unsellable_delta - posting.delta
    return cuts


def _with_promises(
    postings: Sequence[Posting], levels: Sequence[StockLevel], lost: Sequence[Loss]
) -> list[Posting]:
    """The first entry of each level carries what its promises go down by."""
    level_at = {(level.sku_id, level.location_id): level.pk for level in levels}
    units: dict[int, int] = defaultdict(int)
    for loss in lost:
        units[level_at[loss.sku_id, loss.location_id]] += loss.quantity
    return [replace(posting, reserved_delta=-units.pop(posting.level_id, 0)) for posting in postings]


def _wait(lost: Sequence[Loss], actor: Actor) -> None:
    """Put units back in line: whole reservations along their edge, parts as rows of their own."""
    at = clock.now()
    rows = Reservation.objects.in_bulk([loss.reservation_id for loss in lost])
    whole = [rows[loss.reservation_id] for loss in lost if not loss.units_left]
    also = {"level_id": None, "opened_at": None, "waiting_since": at}
    apply_transition(RESERVATION, WAIT, whole, actor=actor, also=also)
    parts = {loss.reservation_id: loss.quantity for loss in lost if loss.units_left}
    if not parts:
        return
    shrunk = add_to_rows(
        Reservation,
        ("quantity",),
        {pk: (-units,) for pk, units in parts.items()},
        condition=STILL_OPEN,
        also="version = version + 1",
    )
    if shrunk != len(parts):
        raise Conflict(detail="a reservation is no longer open")
    Reservation.objects.bulk_create(
        Reservation(
            sku_id=row.sku_id,
            quantity=units,
            reference_kind=row.reference_kind,
            reference_id=row.reference_id,
            priority=row.priority,
            promised_at=row.promised_at,
            queued_at=row.queued_at,
            waiting_since=at,
            expires_at=row.expires_at,
            state=ReservationState.WAITING,
        )
        for row, units in ((rows[pk], units) for pk, units in parts.items())
    )
