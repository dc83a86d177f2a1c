"""Stock that was reserved for orders is no longer there: their counters follow, their timelines tell."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from config.kernel.actors import Actor
from config.kernel.events import Entry, Thread, record_events
from inventory.owners import Expired, Loss, Requeued
from orders.models import LinePart, Order
from orders.selectors.demand import ORDER_LINE_PART
from orders.services.axes import refresh_axes
from orders.services.counters import write_counters
from orders.services.locking import lock_orders

LOST_STOCK = "lost_stock"
PROMISE_EXPIRED = "promise_expired"
PROMISE_KEPT = "promise_kept"
REQUEUED = "requeued"


class OrderDemand:
    """The orders behind reservations of the kind "order_line_part"."""

    kind = ORDER_LINE_PART

    def lock(self, reference_ids: Collection[int]) -> None:
        """Lock the orders of these parts. A part never changes its order, so that it can be looked up before."""
        lock_orders(LinePart.objects.filter(pk__in=reference_ids).values_list("line__order_id", flat=True))

    def bound_units(self, reference_ids: Collection[int]) -> Mapping[tuple[int, int], int]:
        return {}

    def lose(self, losses: Sequence[Loss], *, actor: Actor) -> None:
        """Count the parts' units as no longer allocated: counters, one event an order, axes."""
        lost: dict[int, int] = defaultdict(int)
        by_part: dict[int, list[Loss]] = defaultdict(list)
        for loss in losses:
            lost[loss.reference[1]] += loss.quantity
            by_part[loss.reference[1]].append(loss)
        parts = list(LinePart.objects.filter(pk__in=lost).select_related("line").order_by("pk"))
        by_order: dict[int, list[LinePart]] = defaultdict(list)
        for part in parts:
            part.allocated -= lost[part.pk]
            by_order[part.line.order_id].append(part)
        write_counters(parts, ["allocated"])
        entries = [
            _entry(order_id, lost, [loss for part in some for loss in by_part[part.pk]])
            for order_id, some in sorted(by_order.items())
        ]
        record_events(entries, actor=actor)
        refresh_axes(list(Order.objects.filter(pk__in=list(by_order)).order_by("pk")))

    def expire(self, expired: Sequence[Expired], *, actor: Actor) -> None:
        """Count what was held as no longer allocated; the units are undecided again, until somebody allocates."""
        held: dict[int, int] = defaultdict(int)
        for one in expired:
            held[one.reference[1]] += one.quantity if one.was_open else 0
        parts = _parts_of(expired)
        for part in parts:
            part.allocated -= held[part.pk]
        write_counters(parts, ["allocated"])
        record_events(_unit_entries(PROMISE_EXPIRED, expired, parts), actor=actor)
        refresh_axes(list(Order.objects.filter(lines__parts__in=parts).distinct().order_by("pk")))

    def keep(self, kept: Sequence[Expired], *, actor: Actor) -> None:
        """One event an order; nothing of its own figures changes."""
        record_events(_unit_entries(PROMISE_KEPT, kept, _parts_of(kept)), actor=actor)

    def requeue(self, moved: Sequence[Requeued], *, actor: Actor) -> None:
        """One event a moved reservation; nothing of the orders' own figures changes."""
        order_of = dict(
            LinePart.objects.filter(pk__in=[one.reference[1] for one in moved]).values_list(
                "pk", "line__order_id"
            )
        )
        record_events([_moved_entry(order_of[one.reference[1]], one) for one in moved], actor=actor)


def _parts_of(told: Sequence[Expired]) -> list[LinePart]:
    ids = {one.reference[1] for one in told}
    return list(LinePart.objects.filter(pk__in=ids).select_related("line").order_by("pk"))


def _unit_entries(kind: str, told: Sequence[Expired], parts: Sequence[LinePart]) -> list[Entry]:
    """One event an order, with its units by part."""
    order_of = {part.pk: part.line.order_id for part in parts}
    of_order: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in told:
        of_order[order_of[one.reference[1]]][str(one.reference[1])] += one.quantity
    return [units_entry(kind, order_id, units) for order_id, units in sorted(of_order.items())]


def units_entry(kind: str, order_id: int, units: Mapping[str, int], **more: str) -> Entry:
    """An event about units of an order, by part."""
    facts = {"units": sum(units.values()), "parts": dict(units), **more}
    return Entry(("order", order_id), Thread("order", order_id), kind, facts=facts)


def _moved_entry(order_id: int, one: Requeued) -> Entry:
    facts = {
        "sku": one.sku_id,
        "units": one.quantity,
        "from": one.place_before,
        "to": one.place,
        "reason": one.reason,
    }
    return Entry(("order", order_id), Thread("order", order_id), REQUEUED, facts=facts)


def _entry(order_id: int, lost: Mapping[int, int], losses: Sequence[Loss]) -> Entry:
    facts = {
        "units": sum(loss.quantity for loss in losses),
        "parts": {str(loss.reference[1]): lost[loss.reference[1]] for loss in losses},
        "locations": sorted({loss.location_id for loss in losses}),
        "documents": [list(document) for document in sorted({loss.document for loss in losses})],
    }
    return Entry(("order", order_id), Thread("order", order_id), LOST_STOCK, facts=facts)
