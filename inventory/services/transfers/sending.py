"""Units leave a location for another one."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, Conflict
from config.kernel.results import Results
from config.kernel.states import apply_transition
from inventory.enums import MovementKind
from inventory.errors import NotEnoughStock, QueueJumped
from inventory.models import Location, StockLevel, Transfer, TransferLine
from inventory.selectors.stock import waiting_quantity
from inventory.services.additions import add_to_rows
from inventory.services.adjustments import Shelves
from inventory.services.levels import by_place, lock_levels
from inventory.services.movements import Cause, Posting, post_movements
from inventory.services.transfers.desk import Desk, document_of
from inventory.states import SEND, TRANSFER

NOT_SENT = f"{TransferLine._meta.db_table}.sent = 0"


@verb
def send_transfers(transfer_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Take the units of drafts off their origin; they are in transit until the destination receives them.

    At most 200 ids. Locks the transfers by ascending pk, then all levels of their SKUs. Only free units leave,
    and none that somebody in line is owed. A transfer is sent whole or not at all; one on its way is `unchanged`.

    Refuses: `NotFound`; `NotYourPlace`; `IllegalTransition`; `NotEnoughStock`; `QueueJumped`. Raises `NotAllowed`.
    """
    actor.require(SEND.permission)
    results: Results[int] = Results(transfer_ids)
    with batch_transaction():
        desk = Desk.of(transfer_ids, actor=actor)
        desk.sort_out(SEND, results, actor=actor, at="origin")
        wanted = [line for pk in results.open_ids for line in desk.lines[pk]]
        levels = lock_levels(line.sku_id for line in wanted)
        yard = _Yard(levels, waiting_quantity(line.sku_id for line in wanted) if wanted else {})
        postings: list[Posting] = []
        for pk in results.open_ids:
            transfer = desk.transfers[pk]
            if (problem := yard.problem(transfer, desk.lines[pk])) is not None:
                results.refuse(pk, problem)
                continue
            postings += yard.load(transfer, desk.lines[pk])
            results.done(pk)
        _write([desk.transfers[pk] for pk in results.done_ids], desk, postings, levels, actor)
    return results


def sending_problem(origin: Location, units: Mapping[int, int]) -> BancaleError | None:
    """Why so many units by SKU id could not leave a location now: what `send_transfers` would answer, without locks."""
    levels = list(StockLevel.objects.filter(sku__in=units).select_related("location"))
    transfer = Transfer(origin=origin)
    lines = [TransferLine(sku_id=sku_id, quantity=some) for sku_id, some in units.items()]
    return _Yard(levels, waiting_quantity(units)).problem(transfer, lines)


class _Yard:
    """What can still leave, as transfers are loaded one after the other."""

    def __init__(self, levels: Sequence[StockLevel], waiting: Mapping[int, int]) -> None:
        self.at = by_place(levels)
        self.shelves = Shelves(levels)
        self.free = {level.pk: max(0, level.free) for level in levels}
        self.owed = waiting
        self.selling: dict[int, int] = defaultdict(int)
        for level in levels:
            if level.location.is_selling:
                self.selling[level.sku_id] += self.free[level.pk]

    def problem(self, transfer: Transfer, lines: Sequence[TransferLine]) -> BancaleError | None:
        for line in lines:
            level = self.at.get((line.sku_id, transfer.origin_id))
            free = self.free[level.pk] if level is not None else 0
            if level is None or free < line.quantity:
                return NotEnoughStock(free=free, asked=line.quantity)
            if (problem := self.shelves.problem(level, line.quantity)) is not None:
                return problem
            owed, here = self.owed.get(line.sku_id, 0), self.selling[line.sku_id]
            if owed and level.location.is_selling and here - owed < line.quantity:
                return QueueJumped(waiting=owed, free=here, asked=line.quantity)
        return None

    def load(self, transfer: Transfer, lines: Sequence[TransferLine]) -> Iterator[Posting]:
        for line in lines:
            level = self.at[line.sku_id, transfer.origin_id]
            self.free[level.pk] -= line.quantity
            if level.location.is_selling:
                self.selling[line.sku_id] -= line.quantity
            for bin_id, taken in self.shelves.take(level, line.quantity):
                yield Posting(
                    level.pk,
                    bin_id,
                    MovementKind.TRANSFER_OUT,
                    delta=-taken,
                    document=document_of(transfer),
                    taken_free=taken,
                )


def _write(
    transfers: Sequence[Transfer],
    desk: Desk,
    postings: Sequence[Posting],
    levels: Sequence[StockLevel],
    actor: Actor,
) -> None:
    if not transfers:
        return
    post_movements(postings, levels=levels, cause=Cause(document_of(transfers[0]), actor))
    lines = [line for transfer in transfers for line in desk.lines[transfer.pk]]
    numbers = {line.pk: (line.quantity,) for line in lines}
    if add_to_rows(TransferLine, ("sent",), numbers, condition=NOT_SENT) != len(lines):
        raise Conflict(detail="a line has been sent already")
    for line in lines:
        line.sent = line.quantity
    facts = {transfer.pk: desk.facts(transfer.pk) for transfer in transfers}
    apply_transition(TRANSFER, SEND, transfers, actor=actor, facts=facts, also={"sent_at": clock.now()})
