"""Cancelling some units of some lines, and what becomes of the order then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput
from config.kernel.results import Results
from inventory.enums import ReservationState
from inventory.services.levels import lock_levels
from inventory.services.reservations import Cut, cut_reservations
from orders.errors import NotEnoughLeft, UnitsAtWork
from orders.models import LinePart, Order
from orders.services.axes import refresh_axes
from orders.services.cancelled_value import ask_for_no_money, settle_cancelled
from orders.services.cancelling import call_off, closed, fit_reason, parts_by_order, tell_units
from orders.services.claims import PartClaims, kits_left, kits_loose, read_claims
from orders.services.completing import complete_delivered
from orders.services.counters import write_counters
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.unknown_skus import follow_unknown_skus
from orders.services.versions import count_up
from orders.states import CANCEL

GIVEN_BACK = "units_cancelled"


@dataclass(frozen=True, slots=True)
class CancelUnits:
    """Whole units to cancel of one order, by line id; of a kit, whole kits, of which what had left stays sent."""

    order_id: int
    lines: Mapping[int, int]

    @property
    def key(self) -> int:
        return self.order_id


@verb
def cancel_units(requests: Sequence[CancelUnits], *, reason: str, actor: Actor) -> Results[int]:
    """Cancel units of lines that have not been shipped; what they had reserved is free for others at once.

    At most 200 orders. Locks the orders by ascending pk, then all levels of the lines' SKUs. Of a part's units
    those go first that nobody has decided, then those that wait, then reserved ones that the warehouse was not
    asked for. Of kits that have left in part, a part of which less is owed than they take is cancelled to its last
    unit, so that no rest is kept alive by what cannot come back. What they were worth is owed no more; where nothing
    is owed then, the unpaid hold is lifted. When nothing is left to ship, an order of which nothing was shipped is
    cancelled and a part-shipped one completed, at once or when what was shipped arrives.
    `reason` as for `cancel_orders`. A second call cancels again: the door makes a press count once.

    Refuses an order's whole request: `OrderClosed`, `NotEnoughLeft`, `UnitsAtWork` with the fulfillment orders
    to call back, `InvalidInput` for a quantity or a line of another order, `NotFound`. Raises `NotAllowed`,
    `InvalidInput` for the reason.
    """
    actor.require(CANCEL.permission)
    reason = fit_reason(reason)
    results: Results[int] = Results(request.key for request in requests)
    with batch_transaction():
        orders = {order.pk: order for order in lock_orders(results.keys, actor=actor)}
        refuse_unknown(results, list(orders.values()))
        parts = parts_by_order(results.keys)
        asked = {line_id for request in requests for line_id in request.lines}
        some = [part for rows in parts.values() for part in rows if part.line_id in asked]
        levels = lock_levels({part.sku_id for part in some if part.sku_id})
        claims = read_claims(some, levels)
        units: dict[int, int] = {}
        for request in requests:
            if request.order_id not in orders:
                continue
            problem = _refusal(orders[request.order_id], request, parts[request.order_id], claims)
            if problem is not None:
                results.refuse(request.key, problem)
            else:
                units |= _units(request, parts[request.order_id])
                results.done(request.key)
        chosen = [order for pk, order in orders.items() if results.is_done(pk)]
        if chosen:
            cuts = _count(units, claims)
            cut_reservations(cuts, reason=GIVEN_BACK, levels=levels, actor=actor)
            write_counters([claims[pk].part for pk in sorted(units)], ["cancelled", "allocated"])
            tell_units(chosen, parts, units, reason=reason, actor=actor)
            _close(chosen, parts, reason, actor)
    return results


def _refusal(
    order: Order, request: CancelUnits, parts: Sequence[LinePart], claims: Mapping[int, PartClaims]
) -> BancaleError | None:
    if (problem := closed(order)) is not None:
        return problem
    if not request.lines:
        return InvalidInput(field="lines", value="", accepted=_("accepted are units of at least one line"))
    by_line: dict[int, list[LinePart]] = {line_id: [] for line_id in request.lines}
    for part in parts:
        if part.line_id in by_line:
            by_line[part.line_id].append(part)
    for line_id, quantity in request.lines.items():
        if not by_line[line_id]:
            return InvalidInput(field="line", value=line_id, accepted=_("accepted are lines of the order"))
        if quantity <= 0:
            return InvalidInput(
                field="quantity", value=quantity, accepted=_("accepted are whole units, from 1")
            )
        problem = _short(order, quantity, by_line[line_id], claims)
        if problem is not None:
            return problem
    return None


def _short(
    order: Order, quantity: int, parts: Sequence[LinePart], claims: Mapping[int, PartClaims]
) -> BancaleError | None:
    """Why so many units of one line cannot be cancelled."""
    line = parts[0].line
    facts: dict[str, Any] = {
        "number": order.number,
        "line": line.sku_code or line.title,
        "asked": quantity,
    }
    mine = [claims[part.pk] for part in parts]
    left, loose = kits_left(mine), kits_loose(mine)
    if quantity > left:
        return NotEnoughLeft(**facts, left=left)
    if quantity > loose:
        work = sorted({number for part in parts for number in claims[part.pk].work})
        return UnitsAtWork(**facts, left=loose, work=", ".join(work))
    return None


def _units(request: CancelUnits, parts: Sequence[LinePart]) -> dict[int, int]:
    return {
        part.pk: min(request.lines[part.line_id] * part.per_unit, part.remaining)
        for part in parts
        if part.line_id in request.lines and part.remaining
    }


def _count(units: Mapping[int, int], claims: Mapping[int, PartClaims]) -> list[Cut]:
    """What to give back; the counters follow in memory."""
    cuts = []
    for pk, count in units.items():
        part, given = claims[pk].part, claims[pk].take(count)
        part.cancelled += count
        part.allocated -= sum(cut.quantity for cut in given if cut.reservation.state == ReservationState.OPEN)
        cuts += given
    return cuts


def _close(
    orders: Sequence[Order], parts_of: Mapping[int, list[LinePart]], reason: str, actor: Actor
) -> None:
    empty = [order for order in orders if not any(part.remaining for part in parts_of[order.pk])]
    others = [order for order in orders if order not in empty]
    if others:
        follow_unknown_skus(others, actor=actor)
        count_up([order.pk for order in others])
        settle_cancelled(others, parts_of)
        ask_for_no_money(others, actor=actor)
        refresh_axes(others)
        complete_delivered(others, actor=actor)
    if empty:
        call_off(empty, parts_of, reason=reason, actor=actor)
