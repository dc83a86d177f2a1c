"""The goods of one order as its page reads them: parts, live reservations and warehouse work, once an instance.

Cards, buttons and confirm pages of all rooms derive what they say from these three reads.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from inventory.enums import ReservationState
from inventory.models import Reservation
from orders.models import LinePart, Order, OrderLine
from orders.selectors.once import once
from orders.selectors.order_rows import rows_of
from orders.warehouse import AskedUnits, asked_of_warehouse


@dataclass(slots=True)
class Goods:
    """Parts with their line and SKU in the sequence of the lines; reservations in queue order, with their level."""

    parts: list[LinePart]
    reservations: list[Reservation]
    asked: list[AskedUnits] = field(default_factory=list)

    @property
    def undecided(self) -> int:
        """Units of known SKUs that nobody has reserved or put in line."""
        claimed: dict[int, int] = defaultdict(int)
        for row in self.reservations:
            claimed[row.reference_id] += row.quantity
        goods = (part for part in self.parts if part.line.requires_shipping and part.sku_id is not None)
        return sum(max(0, part.remaining - claimed[part.pk]) for part in goods)

    @property
    def shipped(self) -> int:
        return sum(part.shipped for part in self.parts)

    @property
    def unknown_codes(self) -> list[str]:
        """What the channel calls the lines that nobody knows and that are not all cancelled, in their sequence."""
        return list(dict.fromkeys(line.sku_code for line in self._unknown() if line.sku_code))

    @property
    def unknown_titles(self) -> list[str]:
        """The titles of those among them that came without a code."""
        return list(dict.fromkeys(line.title for line in self._unknown() if not line.sku_code))

    @property
    def unknown(self) -> list[tuple[str, str]]:
        """Code ("" where none was sent) and title of each such line, in their sequence."""
        return list(dict.fromkeys((line.sku_code, line.title) for line in self._unknown()))

    def _unknown(self) -> list[OrderLine]:
        return [part.line for part in self.parts if part.sku_id is None and part.ordered > part.cancelled]

    def unasked(self) -> dict[int, dict[int, int]]:
        """Reserved units of goods that no live work asks for, by location and part."""
        left: dict[tuple[int, int], int] = defaultdict(int)
        for row in self.reservations:
            if row.state == ReservationState.OPEN and row.level is not None:
                left[row.level.location_id, row.reference_id] += row.quantity
        for one in self.asked:
            left[one.location_id, one.part_id] -= one.quantity
        shipped_goods = {part.pk for part in self.parts if part.line.requires_shipping}
        found: dict[int, dict[int, int]] = defaultdict(dict)
        for (place, part_id), units in sorted(left.items()):
            if units > 0 and part_id in shipped_goods:
                found[place][part_id] = units
        return dict(found)


def goods_of(order: Order) -> Goods:
    """The order's goods: two statements beside the one of `rows_of`, once an instance."""
    return once(order, "_goods", lambda: _read(order))


def _read(order: Order) -> Goods:
    parts = list(
        LinePart.objects.filter(line__order=order)
        .select_related("line__sku", "sku")
        .order_by("line__position", "pk")
    )
    return Goods(parts, rows_of(order, "reservations"), asked_of_warehouse([part.pk for part in parts]))
