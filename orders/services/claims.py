"""The live reservations behind the parts of locked orders, and which of their units the warehouse is at work on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from inventory.enums import LIVE_RESERVATION, ReservationState
from inventory.models import Reservation, StockLevel
from inventory.selectors.queue import QUEUE_ORDER
from inventory.services.reservations import Cut
from orders.models import LinePart
from orders.selectors.demand import ORDER_LINE_PART
from orders.warehouse import AskedUnits, asked_of_warehouse


@dataclass(slots=True)
class PartClaims:
    """What one part claims: reservations in queue order, and units by location that live work asks for."""

    part: LinePart
    waiting: list[Reservation] = field(default_factory=list)
    held: list[tuple[Reservation, int]] = field(default_factory=list)
    asked: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    work: list[str] = field(default_factory=list)

    @property
    def undecided(self) -> int:
        """Units that no reservation covers."""
        claimed = sum(row.quantity for row in self.waiting) + sum(row.quantity for row, _place in self.held)
        return self.part.remaining - claimed

    @property
    def loose(self) -> int:
        """Units that can be taken without calling anything back from the warehouse."""
        waiting = sum(row.quantity for row in self.waiting)
        return max(0, self.undecided) + waiting + sum(cut.quantity for cut in self.unasked())

    def without(self, called_back: Iterable[AskedUnits]) -> "PartClaims":
        """The same once the warehouse was asked for so much less of this part."""
        asked = defaultdict(int, self.asked)
        for one in called_back:
            asked[one.location_id] -= one.quantity if one.part_id == self.part.pk else 0
        return replace(self, asked=asked)

    def unasked(self) -> Iterator[Cut]:
        """Open units that no live work asks for, the youngest reservations first."""
        bound = dict(self.asked)
        kept: list[Cut] = []
        for row, place in self.held:
            at_work = min(row.quantity, bound.get(place, 0))
            bound[place] = bound.get(place, 0) - at_work
            if row.quantity > at_work:
                kept.append(Cut(row, row.quantity - at_work))
        yield from reversed(kept)

    def take(self, units: int) -> list[Cut]:
        """What to give back for so many units: undecided ones cost nothing, then waiting, then loose open ones."""
        rest = units - min(units, max(0, self.undecided))
        cuts = []
        for cut in (*(Cut(row, row.quantity) for row in reversed(self.waiting)), *self.unasked()):
            if rest > 0:
                cuts.append(Cut(cut.reservation, min(rest, cut.quantity)))
                rest -= cuts[-1].quantity
        return cuts


def kits_left(claims: Iterable[PartClaims]) -> int:
    """Of one line's parts, the line's units of which anything is still owed: a kit, of which some parts have left,
    counts whole."""
    return max((-(-one.part.remaining // one.part.per_unit) for one in claims), default=0)


def kits_loose(claims: Sequence[PartClaims]) -> int:
    """How many of those can be cancelled without calling anything back from the warehouse."""
    bound = [one.loose // one.part.per_unit for one in claims if one.loose < one.part.remaining]
    return min([kits_left(claims), *bound])


def read_claims(parts: Sequence[LinePart], levels: Sequence[StockLevel]) -> dict[int, PartClaims]:
    """Claims by part id, also of parts without any. The orders and all levels of their SKUs are locked."""
    ids = [part.pk for part in parts]
    rows = Reservation.objects.filter(
        reference_kind=ORDER_LINE_PART, reference_id__in=ids, state__in=LIVE_RESERVATION
    ).order_by(*QUEUE_ORDER)
    location_of = {level.pk: level.location_id for level in levels}
    return claims_of(parts, rows, location_of, asked_of_warehouse(ids))


def claims_of(
    parts: Sequence[LinePart],
    rows: Iterable[Reservation],
    location_of: Mapping[int, int],
    asked_units: Iterable[AskedUnits],
) -> dict[int, PartClaims]:
    """Claims by part id from what was read; `rows` in queue order. Those of other parts are left out."""
    claims = {part.pk: PartClaims(part) for part in parts}
    for row in rows:
        one = claims.get(row.reference_id)
        if one is None:
            continue
        if row.state == ReservationState.WAITING:
            one.waiting.append(row)
        else:
            one.held.append((row, location_of[row.level_id or 0]))
    for asked in asked_units:
        one = claims.get(asked.part_id)
        if one is not None:
            one.asked[asked.location_id] += asked.quantity
            if asked.number not in one.work:
                one.work.append(asked.number)
    return claims
