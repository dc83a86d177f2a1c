"""Asking for goods to come back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput, NotFound
from config.kernel.events import record_events
from config.kernel.numbering import next_numbers
from config.kernel.results import Results
from config.kernel.visibility import seen_by
from inventory.models import Location
from orders.enums import OrderStatus
from orders.errors import OrderClosed
from orders.models import Order
from orders.services.locking import lock_orders
from returns.enums import Reception, ReturnReason, RmaStatus
from returns.errors import LocationUnknown, NothingReturned, NotReturnable, TooManyUnits, WithoutSku
from returns.models import ReturnUnit, Rma
from returns.selectors.units import Returnable, returnable_parts
from returns.states import RECEPTION, RMA

REQUEST = "returns.request_rma"
MOST_UNITS = 500


@dataclass(frozen=True, slots=True)
class ReturnRequest:
    """One wish to send goods back. `key` names it for ever; `units` are quantities by line part."""

    key: str
    order_id: int
    units: Mapping[int, int]
    reason: str
    location_id: int


@verb
def request_returns(requests: Sequence[ReturnRequest], *, actor: Actor) -> Results[str]:
    """Open one RMA a request, with a row for each unit that is to come back.

    At most 200, answered by key; the value is the RMA's id. Locks the orders by ascending pk. A key that was
    answered before comes back `unchanged` with its RMA. Two requests of a batch share what an order has left.

    Refuses: `NotFound`; `OrderClosed` for a void one; `InvalidInput` for an unknown reason; `LocationUnknown`;
    `NothingReturned`; `TooManyUnits`; `NotReturnable` when a quantity is above shipped less what other returns speak
    for; `WithoutSku`.
    """
    actor.require(REQUEST)
    results: Results[str] = Results(request.key for request in requests)
    with batch_transaction():
        order_ids = sorted({request.order_id for request in requests})
        orders = {order.pk: order for order in lock_orders(order_ids, actor=actor)}
        known = dict(Rma.objects.filter(request_key__in=results.keys).values_list("request_key", "pk"))
        named = Location.objects.filter(pk__in={one.location_id for one in requests}, is_active=True)
        locations = set(seen_by(actor, named).values_list("pk", flat=True))
        parts = returnable_parts(order_ids)
        left = {pk: {part_id: one.quantity for part_id, one in some.items()} for pk, some in parts.items()}
        chosen = []
        for request in requests:
            if request.key in known:
                results.unchanged(request.key, known[request.key])
                continue
            order = orders.get(request.order_id)
            problem = _refusal(request, order, left.get(request.order_id, {}), locations)
            problem = problem or _without_sku(request, parts[request.order_id])
            if problem is not None:
                results.refuse(request.key, problem)
                continue
            for part_id, units in request.units.items():
                left[request.order_id][part_id] -= units
            chosen.append(request)
        for request, rma in zip(chosen, _create(chosen, parts, actor=actor), strict=True):
            results.done(request.key, rma.pk)
    return results


def _refusal(
    request: ReturnRequest, order: Order | None, left: Mapping[int, int], locations: set[int]
) -> BancaleError | None:
    """Why the request is not granted, or None; no query."""
    if order is None:
        return NotFound()
    if order.status == OrderStatus.VOID:
        return OrderClosed(order.number, order.status)
    if request.reason not in ReturnReason.values:
        accepted = ", ".join(ReturnReason.values)
        return InvalidInput(field=_("reason"), value=request.reason, accepted=accepted)
    if request.location_id not in locations:
        return LocationUnknown()
    if not request.units or any(units <= 0 for units in request.units.values()):
        return NothingReturned()
    asked = sum(request.units.values())
    if asked > MOST_UNITS:
        return TooManyUnits(limit=MOST_UNITS, count=asked)
    returnable = {part_id: max(0, left.get(part_id, 0)) for part_id in request.units}
    if any(units > returnable[part_id] for part_id, units in request.units.items()):
        return NotReturnable(
            number=order.number,
            asked=dict(request.units),
            returnable=returnable,
            asked_units=asked,
            returnable_units=sum(returnable.values()),
        )
    return None


def _without_sku(request: ReturnRequest, parts: Mapping[int, Returnable]) -> WithoutSku | None:
    """Why a request that could be granted otherwise is not: the ledger has no row for some of its goods."""
    nameless = [parts[part_id].part for part_id in request.units if parts[part_id].part.sku_id is None]
    return WithoutSku(lines=", ".join(part.line.title for part in nameless)) if nameless else None


def _create(
    requests: Sequence[ReturnRequest], parts: Mapping[int, Mapping[int, Returnable]], *, actor: Actor
) -> list[Rma]:
    """Write RMAs, their units and the first events: three statements and the numbers."""
    if not requests:
        return []
    at = clock.now()
    numbers = next_numbers("rma", len(requests), prefix="R-")
    rmas = Rma.objects.bulk_create(
        Rma(
            number=number,
            order_id=request.order_id,
            status=RmaStatus.REQUESTED,
            reason=request.reason,
            location_id=request.location_id,
            request_key=request.key,
            requested_at=at,
        )
        for request, number in zip(requests, numbers, strict=True)
    )
    units = ReturnUnit.objects.bulk_create(
        ReturnUnit(rma=rma, order_id=rma.order_id, line_part_id=part_id, reception=Reception.EXPECTED)
        for rma, request in zip(rmas, requests, strict=True)
        for part_id, quantity in request.units.items()
        for _unit in range(quantity)
    )
    facts = {
        rma.pk: {"number": rma.number, "units": sum(one.units.values())}
        for rma, one in zip(rmas, requests, strict=True)
    }
    record_events(
        [
            *(RMA.created_entry(rma, facts[rma.pk]) for rma in rmas),
            *(RECEPTION.created_entry(unit, _unit_facts(unit, parts)) for unit in units),
        ],
        actor=actor,
    )
    return rmas


def _unit_facts(unit: ReturnUnit, parts: Mapping[int, Mapping[int, Returnable]]) -> dict[str, int | str]:
    sku = parts[unit.order_id][unit.line_part_id].part.sku
    return {"rma_id": unit.rma_id, "line_part_id": unit.line_part_id, "sku": sku.code if sku else ""}
