"""The address holds of orders whose address a file changes, and as they were before where that is taken back."""

from collections.abc import Mapping, Sequence
from typing import Any

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.events import record_events
from orders.enums import HoldKind
from orders.intake_rules import address_faults
from orders.models import Hold, Order
from orders.neutral import NeutralOrder
from orders.selectors.holds import open_holds
from orders.services.filling_holds import HoldChanges, write_holds
from orders.services.holds import PLACED, hold_entry

BEFORE = "address_hold"
Moved = Sequence[tuple[Order, NeutralOrder, tuple[str, ...]]]


def follow_addresses(moved: Moved, *, actor: Actor) -> dict[int, dict[str, Any]]:
    """Hold locked orders whose new address nothing can be sent to, and let go of those for which it can; each with
    what was stated and the fields of its address that had to be cut. Returns by order what stood before."""
    changes = _changes([order for order, _stated, _cut in moved], actor)
    before = {}
    for order, stated, cut in moved:
        hold = changes.open(order, HoldKind.ADDRESS)
        before[order.pk] = {BEFORE: {"hold": hold.pk, "facts": hold.facts} if hold else None}
        if faults := address_faults(stated, cut):
            changes.put(order, HoldKind.ADDRESS, faults)
        else:
            changes.lift(order, HoldKind.ADDRESS)
    write_holds(changes)
    return before


def restore_address_holds(
    orders: Sequence[Order], images: Mapping[int, Mapping[str, Any]], *, actor: Actor
) -> None:
    """Hold locked orders that have their former address again as they were held before; those of which nothing was
    kept stay as they are."""
    back = [order for order in orders if BEFORE in images[order.pk]]
    changes = _changes(back, actor)
    lifted: list[int] = []
    for order in back:
        hold = images[order.pk][BEFORE]
        if hold is None:
            changes.lift(order, HoldKind.ADDRESS)
        elif changes.open(order, HoldKind.ADDRESS) is not None:
            changes.put(order, HoldKind.ADDRESS, hold["facts"])
        else:
            lifted.append(hold["hold"])
    write_holds(changes)
    _open_again(lifted, actor)


def _open_again(hold_ids: Sequence[int], actor: Actor) -> None:
    """The very holds: a buyer who was told of one would be told of another once more."""
    if hold_ids:
        rows = Hold.objects.filter(pk__in=hold_ids).order_by("pk")
        rows.update(lifted_at=None, lifted_by="")
        record_events([hold_entry(hold, PLACED) for hold in rows], actor=actor)


def _changes(orders: Sequence[Order], actor: Actor) -> HoldChanges:
    return HoldChanges(open_holds([order.pk for order in orders]) if orders else {}, clock.now(), actor)
