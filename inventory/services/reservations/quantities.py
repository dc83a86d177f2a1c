"""Sums and splits of promises."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.kernel.errors import InvalidInput
from config.kernel.quantities import COLUMN_HOLDS
from inventory.enums import ReservationState
from inventory.errors import NotEnoughStock
from inventory.models import Reservation, StockLevel


def sum_by_level(pairs: Iterable[tuple[int | None, int]]) -> dict[int, int]:
    sums: dict[int, int] = defaultdict(int)
    for level_id, quantity in pairs:
        if level_id is not None:
            sums[level_id] += quantity
    return dict(sums)


def refuse_claimed(quantity: int) -> InvalidInput | None:
    """Why so many units cannot be promised, or None. What may be ordered is for whoever takes orders to say."""
    if 0 < quantity <= COLUMN_HOLDS:
        return None
    accepted = _("accepted are whole units, from 1 to %(most)s") % {"most": COLUMN_HOLDS}
    return InvalidInput(field="quantity", value=quantity, accepted=accepted)


def refuse_more_than_free(taken: Mapping[int, int], levels: Mapping[int, StockLevel]) -> None:
    for pk, asked in taken.items():
        if levels[pk].free < asked:
            raise NotEnoughStock(level_id=pk, free=max(0, levels[pk].free), asked=asked)


def part_of(
    row: Reservation,
    quantity: int,
    *,
    level_id: int | None,
    opened_at: datetime | None,
    state: str = ReservationState.OPEN,
) -> Reservation:
    """A reservation, open by default, of the same reference and place in the queue, for part of another's units."""
    return Reservation(
        sku_id=row.sku_id,
        level_id=level_id,
        quantity=quantity,
        reference_kind=row.reference_kind,
        reference_id=row.reference_id,
        priority=row.priority,
        promised_at=row.promised_at,
        queued_at=row.queued_at,
        waiting_since=row.waiting_since,
        expires_at=row.expires_at,
        state=state,
        opened_at=opened_at,
    )
