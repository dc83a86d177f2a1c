"""Goods move on: what upper rooms report of parts, written to the orders' counters.

Called inside the caller's transaction with the orders locked by `lock_orders`. Quantities are units by part.
A call that would break a counter raises `Conflict` before anything is written.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping

from config.kernel.actors import Actor
from config.kernel.errors import Conflict
from config.kernel.events import Entry, Thread, record_events
from orders.models import LinePart, Order
from orders.services.axes import refresh_axes
from orders.services.completing import complete_delivered
from orders.services.counters import write_counters

SHIPPED, DELIVERED, RETURNED = "shipped", "delivered", "returned"
# How many units of a part can take a step.
LEFT: Mapping[str, Callable[[LinePart], int]] = {
    SHIPPED: lambda part: part.allocated,
    DELIVERED: lambda part: part.shipped - part.delivered,
    RETURNED: lambda part: part.shipped - part.returned,
}


def refused_shares(step: str, shares: Mapping[int, Mapping[int, int]]) -> dict[int, Conflict]:
    """Which of several callers' shares, units by part each, cannot take a step, one after the other; one statement.

    Asked before anything is written, so that a share that does not fit never spoils the others. By the callers'
    keys, with what is wrong.
    """
    ids = {part_id for units in shares.values() for part_id in units}
    left = Counter({part.pk: LEFT[step](part) for part in LinePart.objects.filter(pk__in=ids)})
    refused: dict[int, Conflict] = {}
    for key, units in shares.items():
        if (problem := why_short(step, units, left)) is not None:
            refused[key] = problem
        else:
            left.subtract(units)
    return refused


def why_short(step: str, units: Mapping[int, int], left: Mapping[int, int]) -> Conflict | None:
    """Why these units by part cannot take a step of which so many by part are left, or None; no query."""
    short = next((pk for pk in sorted(units) if units[pk] > left.get(pk, 0)), None)
    if short is None:
        return None
    return Conflict(detail=f"part {short}: {units[short]} units to be {step}, {left.get(short, 0)} can be")


def record_shipped(order_ids: Iterable[int], quantities: Mapping[int, int], *, actor: Actor) -> None:
    """Count units as shipped whose reservations the caller consumes: allocated goes down as shipped goes up.

    Units of the stage before, packed or picked, go down too, as far as there are any, and the order's units that
    the warehouse is asked for. Raises `Conflict` for more than is allocated.
    """
    parts = _parts(order_ids, quantities, SHIPPED)
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
    parts = _parts(order_ids, quantities, DELIVERED)
    for part in parts:
        part.delivered += quantities[part.pk]
    orders = _write(order_ids, parts, quantities, DELIVERED, actor)
    complete_delivered(orders, actor=actor)


def record_returned(order_ids: Iterable[int], quantities: Mapping[int, int], *, actor: Actor) -> None:
    """Count shipped units as returned. Raises `Conflict` for more than was shipped."""
    parts = _parts(order_ids, quantities, RETURNED)
    for part in parts:
        part.returned += quantities[part.pk]
    _write(order_ids, parts, quantities, RETURNED, actor)


def _parts(order_ids: Iterable[int], quantities: Mapping[int, int], step: str) -> list[LinePart]:
    if any(units <= 0 for units in quantities.values()):
        raise Conflict(detail="quantities are whole units above 0")
    parts = LinePart.objects.filter(pk__in=list(quantities), line__order__in=list(order_ids))
    found = list(parts.select_related("line").order_by("pk"))
    if len(found) < len(quantities):
        raise Conflict(detail=f"{len(quantities) - len(found)} parts belong to none of the orders")
    problem = why_short(step, quantities, {part.pk: LEFT[step](part) for part in found})
    if problem is not None:
        raise problem
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
    if step == SHIPPED:
        for order in orders:
            order.asked_quantity -= min(order.asked_quantity, sum(moved[order.pk].values()))
        refresh_axes(orders, also=["asked_quantity"])
    else:
        refresh_axes(orders)
    return orders
