"""One order with everything its page shows, in a bounded number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from inventory.enums import ReservationState
from inventory.models import Location, Reservation, Sku
from inventory.selectors.queue import QueuePlace, queue_places
from orders.models import AllocationDecision, LinePart, Order, OrderLine
from orders.selectors.order_goods import goods_of
from orders.selectors.order_rows import rows_of

COUNTERS = ("cancelled", "allocated", "shipped", "delivered", "returned")


@dataclass(slots=True)
class PartView:
    """A part as shown: its counters, where its units lie, where it stands in line, and until when it keeps that."""

    part: LinePart
    at: list[tuple[str, int]] = field(default_factory=list)
    waiting: int = 0
    place: QueuePlace | None = None
    until: datetime | None = None


@dataclass(slots=True)
class LineView:
    """A line as shown. Its counters are those of its scarcest part, in units of the line."""

    line: OrderLine
    parts: list[PartView]
    counters: Mapping[str, int]

    @property
    def is_kit(self) -> bool:
        return len(self.parts) > 1 or any(view.part.per_unit > 1 for view in self.parts)

    @property
    def waiting(self) -> int:
        """Units of the line that its scarcest part keeps waiting."""
        return max((-(-view.waiting // view.part.per_unit) for view in self.parts), default=0)

    @property
    def place(self) -> QueuePlace | None:
        places = [view.place for view in self.parts if view.place is not None]
        return max(places, key=lambda place: place.position, default=None)

    @property
    def at(self) -> list[tuple[str, int]]:
        """Locations of a plain line's units; a kit's stand on its parts."""
        return [] if self.is_kit else [stand for view in self.parts for stand in view.at]


@dataclass(frozen=True, slots=True)
class TaxSum:
    title: str
    rate: Decimal | None
    owner: str
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision with the names that its ids stand for."""

    decision: AllocationDecision
    locations: Mapping[int, str]
    skus: Mapping[int, str]


def with_page_rows(rows: QuerySet[Order]) -> QuerySet[Order]:
    """What an order points at, in the same statement."""
    return rows.select_related(
        "sales_channel", "legal_entity", "customer", "ship_to", "bill_to", "preferred_location", "import_run"
    )


def line_views(order: Order) -> list[LineView]:
    """The order's lines with parts, stands and places in line; one statement beside those of `goods_of`."""
    goods = goods_of(order)
    by_pk = {part.pk: PartView(part) for part in goods.parts}
    _add_reservations(by_pk, goods.reservations)
    lines: dict[int, OrderLine] = {part.line_id: part.line for part in goods.parts}
    parts: dict[int, list[PartView]] = defaultdict(list)
    for view in by_pk.values():
        parts[view.part.line_id].append(view)
    return [
        LineView(line, parts[pk], line_counters([v.part for v in parts[pk]])) for pk, line in lines.items()
    ]


def kept_until(lines: Iterable[LineView]) -> datetime | None:
    """When the first of the lines' units and places in line goes back, None for never."""
    return min((view.until for line in lines for view in line.parts if view.until is not None), default=None)


def line_counters(parts: Sequence[LinePart]) -> dict[str, int]:
    """A line's counters: of each the minimum over its parts, in units of the line."""
    return {
        name: min((getattr(part, name) // part.per_unit for part in parts), default=0) for name in COUNTERS
    }


def _add_reservations(views: Mapping[int, PartView], reservations: Iterable[Reservation]) -> None:
    rows = sorted(reservations, key=lambda row: row.pk)
    waiting = [row.pk for row in rows if row.state == ReservationState.WAITING]
    places = queue_places(waiting) if waiting else {}
    for row in rows:
        view = views[row.reference_id]
        if row.expires_at is not None:
            view.until = row.expires_at if view.until is None else min(view.until, row.expires_at)
        if row.level is not None and row.state == ReservationState.OPEN:
            view.at.append((row.level.location.name, row.quantity))
        elif row.state == ReservationState.WAITING:
            view.waiting += row.quantity
            place = places.get(row.pk)
            if place is not None and (view.place is None or place.position > view.place.position):
                view.place = place


def tax_sums(order: Order) -> list[TaxSum]:
    """Taxes added up by title, rate and owner; an amount is None while any of it is unknown."""
    sums: dict[tuple[str, Decimal | None, str], Decimal | None] = {}
    for tax in rows_of(order, "taxes"):
        key = (tax.title, tax.rate, tax.owner)
        before = sums.get(key, Decimal(0))
        sums[key] = None if before is None or tax.amount is None else before + tax.amount
    return [TaxSum(title, rate, owner, amount) for (title, rate, owner), amount in sums.items()]


def newest_decision(order: Order) -> DecisionView | None:
    """What the planner said last, with names: one statement, since the SKUs are the order's own."""
    decision = next(iter(rows_of(order, "decision")), None)
    if decision is None:
        return None
    own = {part.sku_id: part.sku.code for part in goods_of(order).parts if part.sku is not None}
    return named_decision(decision, own)


def named_decision(
    decision: AllocationDecision, known: Mapping[int | None, str] | None = None
) -> DecisionView:
    """A decision with the names that its ids stand for: two statements, one where the SKUs are `known`."""
    places = {row["location"] for row in [*decision.chosen, *decision.candidates]}
    skus = {row["sku"] for row in [*decision.chosen, *decision.waiting] if row["sku"]}
    codes = {pk: known[pk] for pk in skus if pk in known} if known else {}
    if rest := skus - set(codes):
        codes |= _names(Sku, rest, "code")
    return DecisionView(decision, _names(Location, places, "name"), codes)


def _names(model: type[Location] | type[Sku], pks: Iterable[int], column: str) -> dict[int, str]:
    return dict(model._default_manager.filter(pk__in=set(pks)).values_list("pk", column))
