"""Somebody is moved in the queue of a SKU, because a person says so."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput, NotFound
from config.kernel.results import Results
from inventory.enums import ReservationState
from inventory.errors import NotWaiting
from inventory.models import Reservation
from inventory.models.reservations import MOST_PRIORITY
from inventory.owners import OWNERS, Requeued, ids_by_kind
from inventory.selectors.queue import queue_places
from inventory.services.adjustments import clean_reason
from inventory.services.levels import lock_stock, record_freed
from inventory.states import RESERVE


@dataclass(frozen=True, slots=True)
class Requeue:
    """The priority that one waiting reservation is to have; among equals the older one stands first, as ever."""

    reservation_id: int
    priority: int

    @property
    def key(self) -> int:
        return self.reservation_id


@verb
def requeue_reservations(wishes: Sequence[Requeue], *, reason: str, actor: Actor) -> Results[int]:
    """Change the priority of waiting reservations, and so their place in line. Values: the place they have now.

    At most 200. Locks the owners of their references, those of their SKUs that have no level, then all levels;
    owners write the story. What others were given before stays theirs: whoever is moved waits from now on among
    those of the new priority. One that has this priority comes back `unchanged`. Records `stock.freed` for the SKUs.

    Refuses: `NotFound`; `NotWaiting`; `InvalidInput` for a priority outside −1,000 to 1,000. Raises `NotAllowed`,
    `InvalidInput` for the reason (1 to 120 characters).
    """
    actor.require(RESERVE)
    said = clean_reason(reason)
    results: Results[int] = Results(wish.key for wish in wishes)
    wanted = {wish.key: wish.priority for wish in wishes}
    with batch_transaction():
        before = Reservation.objects.filter(pk__in=results.keys)
        for kind, ids in ids_by_kind(set(before.values_list("reference_kind", "reference_id"))).items():
            for owner in OWNERS.get(kind, ()):
                owner.lock(ids)
        lock_stock(before.values_list("sku_id", flat=True))
        rows = Reservation.objects.in_bulk(results.keys)
        moved = [rows[pk] for pk in results.keys if _is_moved(pk, rows.get(pk), wanted[pk], results)]
        places = queue_places(row.pk for row in moved)
        _write(moved, wanted)
        now = queue_places(row.pk for row in moved)
        told = [
            Requeued(
                row.pk, row.sku_id, (row.reference_kind, row.reference_id), row.quantity,
                places[row.pk].position, now[row.pk].position, said,
            )
            for row in moved
        ]  # fmt: skip
        for kind in ids_by_kind({one.reference for one in told}):
            for owner in OWNERS.get(kind, ()):
                owner.requeue([one for one in told if one.reference[0] == kind], actor=actor)
        if moved:
            record_freed(row.sku_id for row in moved)
        for row in moved:
            results.done(row.pk, now[row.pk].position)
    return results


def _is_moved(pk: int, row: Reservation | None, priority: int, results: Results[int]) -> bool:
    problem: BancaleError | None = None
    if row is None:
        problem = NotFound(reservation_id=pk)
    elif row.state != ReservationState.WAITING:
        problem = NotWaiting(reservation_id=pk)
    elif abs(priority) > MOST_PRIORITY:
        accepted = _("−%(most)s to %(most)s are") % {"most": MOST_PRIORITY}
        problem = InvalidInput(field=str(_("priority")), value=priority, accepted=accepted)
    if problem is not None:
        results.refuse(pk, problem)
        return False
    if row is not None and row.priority == priority:
        results.unchanged(pk)
        return False
    return True


def _write(rows: Sequence[Reservation], wanted: dict[int, int]) -> None:
    at = clock.now()
    for row in rows:
        row.priority, row.waiting_since = wanted[row.pk], at
        row.version += 1
    Reservation.objects.bulk_update(rows, ["priority", "waiting_since", "version"])
