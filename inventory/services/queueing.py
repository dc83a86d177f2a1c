"""Nobody is overtaken: units that those ahead in the queue wait for are not given to those behind."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from inventory.errors import QueueJumped
from inventory.models import Reservation, StockLevel
from inventory.selectors.queue import waiting_in_line


class Wish(NamedTuple):
    """Units that somebody would take now, and the place in the SKU's queue from which they would.

    `reservation_id` is set for one who waits already; a new wish stands behind those queued at the same moment.
    """

    sku_id: int
    level_id: int | None
    quantity: int
    priority: int
    queued_at: datetime
    reference: tuple[str, int]
    reservation_id: int | None = None

    def is_behind(self, row: Reservation) -> bool:
        """Whether a waiting reservation goes first. A reference does not stand in its own way."""
        if row.pk == self.reservation_id or (row.reference_kind, row.reference_id) == self.reference:
            return False
        if row.priority != self.priority:
            return row.priority > self.priority
        if row.queued_at != self.queued_at:
            return row.queued_at < self.queued_at
        return self.reservation_id is None or row.pk < self.reservation_id

    @property
    def place(self) -> tuple[int, datetime, int]:
        last = 2**63
        return (-self.priority, self.queued_at, self.reservation_id or last)


Lines = Mapping[int, Sequence[Reservation]]


def refuse_overtaking(wishes: Sequence[Wish], levels: Sequence[StockLevel]) -> None:
    """Raise `QueueJumped` when a wish leaves fewer free units than wait ahead of it; one query.

    `levels` are all levels of the SKUs, as they are before the wishes. Only units at locations that ship are
    waited for, so a wish at another location overtakes nobody.
    """
    if (jumped := overtaking(wishes, levels, lines_of(wish.sku_id for wish in wishes))) is not None:
        raise jumped


def lines_of(sku_ids: Iterable[int]) -> Lines:
    """Who waits, by SKU in queue order; one query."""
    lines: dict[int, list[Reservation]] = defaultdict(list)
    for row in waiting_in_line(sku_ids):
        lines[row.sku_id].append(row)
    return lines


def overtaking(wishes: Sequence[Wish], levels: Sequence[StockLevel], lines: Lines) -> QueueJumped | None:
    """The first wish, by place, that leaves fewer free units than wait ahead of it. Pure."""
    if not lines:
        return None
    free = free_for_line(levels, {})
    shipping = {level.pk for level in levels if level.location.is_selling}
    taken: dict[int, int] = defaultdict(int)
    for wish in sorted(wishes, key=lambda wish: wish.place):
        if wish.level_id not in shipping or wish.sku_id not in lines:
            continue
        waiting = sum(row.quantity for row in lines[wish.sku_id] if wish.is_behind(row))
        new = taken[wish.sku_id] if wish.reservation_id is None else 0
        if free[wish.sku_id] < new + waiting + wish.quantity:
            return QueueJumped(waiting=waiting, free=free[wish.sku_id] - new, asked=wish.quantity)
        taken[wish.sku_id] += wish.quantity
    return None


def free_for_line(levels: Sequence[StockLevel], taken: Mapping[int, int]) -> dict[int, int]:
    """Free units by SKU at locations that ship, once so many more of a level, or fewer, are reserved."""
    free: dict[int, int] = defaultdict(int)
    for level in levels:
        if level.location.is_selling:
            free[level.sku_id] += max(0, level.free - taken.get(level.pk, 0))
    return free


def may_give_nothing(level: StockLevel) -> bool:
    """Whether units that are no longer reserved here come free for nobody in line: at a location that ships no
    more, or where they vanish into a buffer that is larger than what is left."""
    return level.free < 0 or not level.location.is_selling


def refuse_lost_units(taken: Mapping[int, int], levels: Sequence[StockLevel]) -> None:
    """Raise `QueueJumped` when promises that change places leave fewer free units than wait, and fewer than before.

    `taken` are units by level, negative where they leave; `levels` are all levels of the SKUs, as they are before.
    One query, none where as many come free as are taken.
    """
    before, after = free_for_line(levels, {}), free_for_line(levels, taken)
    fewer = {sku_id for sku_id in before if after[sku_id] < before[sku_id]}
    if not fewer:
        return
    waiting: dict[int, int] = defaultdict(int)
    for row in waiting_in_line(fewer):
        waiting[row.sku_id] += row.quantity
    for sku_id in sorted(fewer):
        if after[sku_id] < waiting[sku_id]:
            asked = before[sku_id] - after[sku_id]
            raise QueueJumped(waiting=waiting[sku_id], free=before[sku_id], asked=asked)
