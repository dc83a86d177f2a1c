"""The demo's warehouse hands: ship what is released, see it delivered, bring some of it back."""

from collections.abc import Mapping, Sequence

from config.demo.generator import Fate
from config.demo.master import Business
from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from fulfillment.enums import FulfillmentOrderStatus, ParcelStatus
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services.shipping import HandShipment, ship_by_hand
from fulfillment.services.tracking import Statement, record_tracking
from orders.models import LinePart
from returns.enums import Condition, Disposition, ReturnReason
from returns.models import ReturnUnit, Rma
from returns.services.approving import approve_returns
from returns.services.inspecting import Inspection, Verdict, inspect_returns, resolve_returns
from returns.services.receiving import ReturnReceipt, receive_returns
from returns.services.requesting import ReturnRequest, request_returns

CARRIERS = ("BRT", "GLS", "DHL")


def ship(order_ids: Sequence[int], actor: Actor) -> None:
    """Ship the released work of these orders; what is held is refused and stays."""
    work = FulfillmentOrder.objects.filter(order__in=order_ids, status=FulfillmentOrderStatus.RELEASED)
    requests = [
        HandShipment(pk, CARRIERS[pk % 3], f"DEMO{pk:08d}") for pk in work.values_list("pk", flat=True)
    ]
    in_batches(ship_by_hand, requests, actor=actor)


def deliver(order_ids: Sequence[int], actor: Actor) -> None:
    """Let the carrier say that the parcels of these orders arrived."""
    at = clock.now()
    parcels = Parcel.objects.filter(order__in=order_ids).exclude(status=ParcelStatus.DELIVERED)
    statements = [
        Statement(f"demo:{pk}:delivered", pk, ParcelStatus.DELIVERED, at, "demo")
        for pk in parcels.values_list("pk", flat=True)
    ]
    in_batches(record_tracking, statements, actor=actor)


def bring_back(fates: Mapping[int, Fate], business: Business, actor: Actor) -> None:
    """Send the first shipped unit of each order back, as far as its fate goes."""
    first: dict[int, int] = {}
    for part in (
        LinePart.objects.filter(line__order__in=fates, shipped__gt=0).order_by("pk").select_related("line")
    ):
        first.setdefault(part.line.order_id, part.pk)
    requests = [
        ReturnRequest(
            f"demo:{order_id}",
            order_id,
            {part: 1},
            _reason(order_id, fates[order_id]),
            business.location_ids["TO"],
        )
        for order_id, part in first.items()
    ]
    if not requests:
        return
    request_returns(requests, actor=actor)
    rmas = {rma.pk: fates[rma.order_id] for rma in Rma.objects.filter(order__in=list(first))}
    going = [pk for pk, fate in rmas.items() if fate != Fate.RETURN_REQUESTED]
    if going:
        _receive(going, rmas, actor)


def _reason(order_id: int, fate: Fate) -> ReturnReason:
    """Broken goods come back as damaged; the others for one reason or another, the same each time."""
    if fate == Fate.RETURN_SCRAPPED:
        return ReturnReason.DAMAGED
    return (ReturnReason.CHANGED_MIND, ReturnReason.WRONG, ReturnReason.OTHER)[order_id % 3]


def _receive(rma_ids: Sequence[int], fates: Mapping[int, Fate], actor: Actor) -> None:
    approve_returns(rma_ids, actor=actor)
    units: dict[int, list[int]] = {pk: [] for pk in rma_ids}
    for unit in ReturnUnit.objects.filter(rma__in=rma_ids):
        units[unit.rma_id].append(unit.pk)
    receive_returns([ReturnReceipt(pk, tuple(units[pk])) for pk in rma_ids], actor=actor)
    verdicts = {
        Fate.RETURN_RESTOCKED: Verdict(Condition.AS_NEW, Disposition.RESTOCK),
        Fate.RETURN_SCRAPPED: Verdict(Condition.DAMAGED, Disposition.SCRAP),
    }
    seen = [pk for pk in rma_ids if fates[pk] in verdicts]
    if seen:
        inspections = [Inspection(pk, dict.fromkeys(units[pk], verdicts[fates[pk]])) for pk in seen]
        inspect_returns(inspections, actor=actor)
        resolve_returns(seen, actor=actor)
