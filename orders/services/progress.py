"""Goods move on: what upper rooms report of parts, written to the orders' counters.

Called inside the caller's transaction with the orders locked by `lock_orders`. Quantities are units by part.
A call that would break a counter raises `Conflict` before anything is written.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from config.kernel.actors import Actor
from config.kernel.errors import Conflict
from config.kernel.events import Entry, Thread, record_events
from orders.models import LinePart, Order
from orders.services.axes import refresh_axes
from orders.services.completing import complete_delivered
from orders.services.counters import write_counters

SHIPPED, DELIVERED, RETURNED = "shipped", "delivered", "returned"


def record_shipped(order_ids: Iterable[int], quantities: Mapping[int, int], *, actor: Actor) -> None:
    """Count units as shipped whose reservations the caller consumes: allocated goes down as shipped goes up.

    Units of the stage before, packed or picked, go down too, as far as there are any. Raises `Conflict` for more
    than is allocated.
    """
    parts = _parts(order_ids, quantities)
    for part in parts:
        units = quantities[part.pk]
        if units > part.allocated:
            raise Conflict(detail=f"part {part.pk}: {units} to ship, {part.allocated} allocated")
    for part in parts:
        units = quantities[part.pk]
        part.shipped += units
        part.allocated -= units
        packed = min(part.packed, units)
        part.packed -= packed
        part.picked -= min(part.picked, units - packed)
    _write(order_ids, parts, quantities, SHIPPED, actor)


def record_delivered(order_ids: Iterable[int], quantities: Mapping[int, int], *, actor: Actor) -> None:
    """Count shipped units as delivered; a confirmed order with nothing left to deliver is completed.

    The completing needs no permission of the caller's actor. Raises `Conflict` for more than was shipped.
    """
    parts = _parts(order_ids, quantities)
    for part in parts:
        if part.delivered + quantities[part.pk] > part.shipped:
            raise Conflict(detail=f"part {part.pk}: {part.shipped} shipped, {part.delivered} delivered")
    for part in parts:
        part.delivered += quantities[part.pk]
    orders = _write(order_ids, parts, quantities, DELIVERED, actor)
    complete_delivered(orders, actor=actor)


def record_returned(order_ids: Iterable[int], quantities: Mapping[int, int], *, actor: Actor) -> None:
    """Count shipped units as returned. Raises `Conflict` for more than was shipped."""
    parts = _parts(order_ids, quantities)
    for part in parts:
        if part.returned + quantities[part.pk] > part.shipped:
            raise Conflict(detail=f"part {part.pk}: {part.shipped} shipped, {part.returned} returned")
    for part in parts:
        part.returned += quantities[part.pk]
    _write(order_ids, parts, quantities, RETURNED, actor)


def _parts(order_ids: Iterable[int], quantities: Mapping[int, int]) -> list[LinePart]:
    if any(units <= 0 for units in quantities.values()):
        raise Conflict(detail="quantities are whole units above 0")
    parts = LinePart.objects.filter(pk__in=list(quantities), line__order__in=list(order_ids))
    found = list(parts.select_related("line").order_by("pk"))
    if len(found) < len(quantities):
        raise Conflict(detail=f"{len(quantities) - len(found)} parts belong to none of the orders")
    return found


def _write(
    order_ids: Iterable[int],
    parts: list[LinePart],
    quantities: Mapping[int, int],
    step: str,
    actor: Actor,
) -> list[Order]:
    """Counters, one event an order that moved, axes; returns the orders that moved."""
    if not parts:
        return []
    columns = {SHIPPED: ["shipped", "allocated", "packed", "picked"]}.get(step, [step])
    write_counters(parts, columns)
    moved: dict[int, dict[str, int]] = defaultdict(dict)
    for part in parts:
        moved[part.line.order_id][str(part.pk)] = quantities[part.pk]
    record_events(
        [
            Entry(
                ("order", order_id),
                Thread("order", order_id),
                step,
                facts={"units": sum(units.values()), "parts": units},
            )
            for order_id, units in sorted(moved.items())
        ],
        actor=actor,
    )
    orders = list(Order.objects.filter(pk__in=list(moved)).order_by("pk"))
    refresh_axes(orders)
    return orders
