"""Units in transit arrive, are missing, or come back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Case, Value, When
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, Conflict, InvalidInput
from config.kernel.results import Results
from config.kernel.states import apply_transition
from inventory.enums import MovementKind
from inventory.errors import LocationClosed, LossUnexplained, MoreThanSent
from inventory.models import Transfer, TransferLine
from inventory.services.additions import add_to_rows
from inventory.services.adjustments import clean_reason
from inventory.services.levels import by_place, ensure_levels, lock_levels, record_freed
from inventory.services.movements import Cause, Posting, post_movements
from inventory.services.transfers.desk import Desk, default_bins, document_of
from inventory.states import CANCEL_TRANSFER, RECEIVE, TRANSFER

TABLE = TransferLine._meta.db_table
IN_TRANSIT = (
    f"{TABLE}.sent - {TABLE}.received - {TABLE}.lost - {TABLE}.returned"
    " = change.received + change.lost + change.returned"
)


@dataclass(frozen=True, slots=True)
class TransferReceipt:
    """What arrived of a transfer, by line id; a line that is not named arrived whole. `reason` says why units are
    missing."""

    transfer_id: int
    received: Mapping[int, int] = field(default_factory=dict)
    reason: str = ""

    @property
    def key(self) -> int:
        return self.transfer_id


@verb
def receive_transfers(receipts: Sequence[TransferReceipt], *, actor: Actor) -> Results[int]:
    """Add what arrived to the destination's default bin; what is missing of it is lost, with a reason.

    At most 200. Locks the transfers by ascending pk, makes missing levels, locks all levels of the SKUs. A
    received transfer comes back `unchanged`. Records `stock.freed`.

    Refuses: `NotFound`; `NotYourPlace`; `IllegalTransition`; `LocationClosed`; `MoreThanSent`; `LossUnexplained`;
    `InvalidInput` for a quantity below 0 or an unknown line. Raises `NotAllowed`.
    """
    actor.require(RECEIVE.permission)
    results: Results[int] = Results(receipt.key for receipt in receipts)
    with batch_transaction():
        desk = Desk.of(results.keys, actor=actor)
        desk.sort_out(RECEIVE, results, actor=actor, at="destination")
        told = {receipt.key: receipt for receipt in receipts}
        for pk in results.open_ids:
            if (problem := _problem(desk.transfers[pk], desk.lines[pk], told[pk])) is not None:
                results.refuse(pk, problem)
            else:
                results.done(pk)
        arrived = [desk.transfers[pk] for pk in results.done_ids]
        units = {
            line.pk: told[row.pk].received.get(line.pk, line.sent)
            for row in arrived
            for line in desk.lines[row.pk]
        }
        _put_down([(row, row.destination_id) for row in arrived], desk, units, actor)
        changes = {
            line.pk: (units[line.pk], line.sent - units[line.pk], 0)
            for row in arrived
            for line in desk.lines[row.pk]
        }
        _count(changes)
        _close_received(arrived, desk, told, actor)
    return results


def _problem(
    transfer: Transfer, lines: Sequence[TransferLine], receipt: TransferReceipt
) -> BancaleError | None:
    if not transfer.destination.is_active:
        return LocationClosed(location=transfer.destination.code)
    if unknown := set(receipt.received) - {line.pk for line in lines}:
        return InvalidInput(
            field=str(_("line")), value=min(unknown), accepted=str(_("a line of the transfer is"))
        )
    missing = 0
    for line in lines:
        received = receipt.received.get(line.pk, line.sent)
        if received < 0:
            accepted = str(_("whole units from 0 are"))
            return InvalidInput(field=line.sku.code, value=received, accepted=accepted)
        if received > line.sent:
            return MoreThanSent(sku=line.sku.code, received=received, sent=line.sent)
        missing += line.sent - received
    if missing and not receipt.reason.strip():
        return LossUnexplained(units=missing)
    return None


def _close_received(
    arrived: Sequence[Transfer], desk: Desk, told: Mapping[int, TransferReceipt], actor: Actor
) -> None:
    if not arrived:
        return
    facts, reasons = {}, {}
    for row in arrived:
        receipt = told[row.pk]
        lost = sum(line.sent - receipt.received.get(line.pk, line.sent) for line in desk.lines[row.pk])
        reasons[row.pk] = receipt.reason.strip()[:120] if lost else ""
        more: dict[str, int | str] = {"lost": lost, "reason": reasons[row.pk]} if lost else {}
        facts[row.pk] = desk.facts(row.pk, **more)
    because = Case(*(When(pk=pk, then=Value(reason)) for pk, reason in reasons.items()), default=Value(""))
    also = {"received_at": clock.now(), "loss_reason": because}
    apply_transition(TRANSFER, RECEIVE, arrived, actor=actor, facts=facts, also=also)


@verb
def cancel_transfers(transfer_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Drop drafts, and bring what is on its way back to its origin's default bin.

    At most 200 ids. Locks as `receive_transfers` does. A cancelled transfer comes back `unchanged`. Records
    `stock.freed` where units came back.

    Refuses: `NotFound`; `NotYourPlace`; `IllegalTransition`. Raises `NotAllowed`, `InvalidInput` for the reason.
    """
    actor.require(CANCEL_TRANSFER.permission)
    said = clean_reason(reason)
    results: Results[int] = Results(transfer_ids)
    with batch_transaction():
        desk = Desk.of(transfer_ids, actor=actor)
        desk.sort_out(CANCEL_TRANSFER, results, actor=actor, at="origin")
        chosen = [desk.transfers[pk] for pk in results.open_ids]
        for row in chosen:
            results.done(row.pk)
        units = {line.pk: line.in_transit for row in chosen for line in desk.lines[row.pk]}
        _put_down([(row, row.origin_id) for row in chosen], desk, units, actor)
        _count({pk: (0, 0, back) for pk, back in units.items() if back})
        facts = {row.pk: desk.facts(row.pk, reason=said) for row in chosen}
        apply_transition(TRANSFER, CANCEL_TRANSFER, chosen, actor=actor, facts=facts)
    return results


def _put_down(
    places: Sequence[tuple[Transfer, int]], desk: Desk, units: Mapping[int, int], actor: Actor
) -> None:
    """Add units by line to the levels of these locations: ledger, bins and levels."""
    wanted = [
        (row, line, location_id)
        for row, location_id in places
        for line in desk.lines[row.pk]
        if units[line.pk]
    ]
    if not wanted:
        return
    ensure_levels((line.sku_id, location_id) for _row, line, location_id in wanted)
    levels = lock_levels(line.sku_id for _row, line, _location in wanted)
    at, bins = by_place(levels), default_bins({location_id for _row, _line, location_id in wanted})
    postings = [
        Posting(
            at[line.sku_id, location_id].pk,
            bins[location_id],
            MovementKind.TRANSFER_IN,
            delta=units[line.pk],
            document=document_of(row),
        )
        for row, line, location_id in wanted
    ]
    post_movements(postings, levels=levels, cause=Cause(document_of(wanted[0][0]), actor))
    record_freed(line.sku_id for _row, line, _location in wanted)


def _count(changes: Mapping[int, tuple[int, int, int]]) -> None:
    """What became of each line's units in transit: received, lost, came back."""
    if not changes:
        return
    columns = ("received", "lost", "returned")
    if add_to_rows(TransferLine, columns, changes, condition=IN_TRANSIT) != len(changes):
        raise Conflict(detail="units of a line are no longer in transit")
