"""The demo's warehouse hands: ship what is released, see it delivered or go astray, bring some of it back."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from config.demo.generator import RETURNS, Fate, Story
from config.demo.making import SHOPS, paid
from config.demo.master import ACTOR, WAREHOUSE, Business
from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from fulfillment.enums import FulfillmentOrderStatus, ParcelStatus
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services.shipping import HandShipment, ship_by_hand
from fulfillment.services.tracking import Statement, record_tracking
from orders.models import LinePart
from orders.services.payments import PaymentReport, report_payments
from returns.enums import Condition, Disposition, ReturnReason
from returns.models import ReturnUnit, Rma
from returns.services.approving import (
    approve_returns,
    cancel_returns,
    expire_returns,
    mark_returns_in_transit,
    reject_returns,
)
from returns.services.inspecting import Inspection, Verdict, inspect_returns, resolve_returns
from returns.services.receiving import ReturnReceipt, receive_returns
from returns.services.requesting import ReturnRequest, request_returns

CARRIERS = ("BRT", "GLS", "DHL")
# Returns that get so far; the later stages go through the earlier ones.
_INSPECTED = {Fate.RETURN_INSPECTED, Fate.RETURN_RESTOCKED, Fate.RETURN_SCRAPPED}
_RECEIVED = {Fate.RETURN_RECEIVED, *_INSPECTED}
_SENT = {Fate.RETURN_IN_TRANSIT, *_RECEIVED}
_APPROVED = {Fate.RETURN_APPROVED, Fate.RETURN_EXPIRED, *_SENT}
_VERDICTS = {
    Fate.RETURN_SCRAPPED: Verdict(Condition.DAMAGED, Disposition.SCRAP),
    Fate.RETURN_INSPECTED: Verdict(Condition.OPENED, Disposition.REFURBISH),
    Fate.RETURN_RESTOCKED: Verdict(Condition.AS_NEW, Disposition.RESTOCK),
}


def ship(order_ids: Sequence[int], *, only_first: bool = False) -> None:
    """Ship the released work of these orders, or of each only the first parcel; what is held is refused and stays."""
    work = FulfillmentOrder.objects.filter(order__in=order_ids, status=FulfillmentOrderStatus.RELEASED)
    chosen: dict[int, int] = {}
    for pk, order_id in work.order_by("pk").values_list("pk", "order_id"):
        chosen.setdefault(order_id if only_first else -pk, pk)
    requests = [HandShipment(pk, CARRIERS[pk % 3], f"DEMO{pk:08d}") for pk in chosen.values()]
    in_batches(ship_by_hand, requests, actor=WAREHOUSE)


def tell(order_ids: Sequence[int], status: ParcelStatus) -> None:
    """Let the carrier say one thing about the parcels of these orders."""
    at = clock.now()
    parcels = Parcel.objects.filter(order__in=order_ids).exclude(status=ParcelStatus.DELIVERED)
    statements = [
        Statement(f"demo:{pk}:{status}", pk, status, at, CARRIERS[pk % 3].lower())
        for pk in parcels.values_list("pk", flat=True)
    ]
    in_batches(record_tracking, statements, actor=Actor.system("carrier"))


def ask_back(fates: Mapping[int, Fate], business: Business) -> None:
    """Buyers want to send the first shipped unit of these orders back; some are told yes, some no."""
    first: dict[int, int] = {}
    parts = LinePart.objects.filter(line__order__in=list(fates), shipped__gt=0).select_related("line")
    for part in parts.order_by("pk"):
        first.setdefault(part.line.order_id, part.pk)
    requests = [
        ReturnRequest(f"demo:{pk}", pk, {part: 1}, _reason(pk, fates[pk]), business.location_ids["TO"])
        for pk, part in first.items()
    ]
    in_batches(request_returns, requests, actor=ACTOR)
    rmas = _rmas(fates)
    _each(approve_returns, rmas, _APPROVED)
    _each(reject_returns, rmas, {Fate.RETURN_REJECTED}, reason="Outside the thirty days.")
    _each(cancel_returns, rmas, {Fate.RETURN_CANCELLED}, reason="They keep it after all.")
    _each(mark_returns_in_transit, rmas, _SENT)


def take_back(fates: Mapping[int, Fate]) -> None:
    """The boxes arrive and are looked at."""
    rmas = _rmas(fates)
    units: dict[int, list[int]] = {pk: [] for pk in rmas}
    for unit in ReturnUnit.objects.filter(rma__in=list(rmas)):
        units[unit.rma_id].append(unit.pk)
    arrived = [pk for pk, fate in rmas.items() if fate in _RECEIVED]
    in_batches(receive_returns, [ReturnReceipt(pk, tuple(units[pk])) for pk in arrived], actor=WAREHOUSE)
    seen = [pk for pk, fate in rmas.items() if fate in _VERDICTS]
    inspections = [Inspection(pk, dict.fromkeys(units[pk], _VERDICTS[rmas[pk]])) for pk in seen]
    in_batches(inspect_returns, inspections, actor=WAREHOUSE)
    _each(resolve_returns, rmas, _INSPECTED - {Fate.RETURN_INSPECTED})
    _each(expire_returns, rmas, {Fate.RETURN_EXPIRED})


def give_back(told: Mapping[int, Story]) -> None:
    """The channels report money returned: all of it for what was cancelled or broken, else the first unit's price."""
    reports = []
    for order_id, story in told.items():
        order = story.order
        unit = order.lines[0].unit_amount or Decimal(0)
        total = order.total_amount or Decimal(0)
        refunded = min(unit, total) if story.fate == Fate.RETURN_RESTOCKED else total
        payment = paid(SHOPS[story.channel], order.external_id, total, refunded)
        reports.append(PaymentReport(order_id, (payment,)))
    in_batches(report_payments, reports, actor=ACTOR)


def _rmas(fates: Mapping[int, Fate]) -> dict[int, Fate]:
    wanted = [pk for pk, fate in fates.items() if fate in RETURNS]
    return {rma.pk: fates[rma.order_id] for rma in Rma.objects.filter(order__in=wanted).order_by("pk")}


def _each(verb: object, rmas: Mapping[int, Fate], fates: Collection[Fate], **facts: object) -> None:
    chosen = [pk for pk, fate in rmas.items() if fate in fates]
    if chosen:
        in_batches(verb, chosen, actor=ACTOR, **facts)  # type: ignore[arg-type]


def _reason(order_id: int, fate: Fate) -> ReturnReason:
    """Broken goods come back as damaged; the others for one reason or another, the same each time."""
    if fate == Fate.RETURN_SCRAPPED:
        return ReturnReason.DAMAGED
    return (ReturnReason.CHANGED_MIND, ReturnReason.WRONG, ReturnReason.DEFECTIVE, ReturnReason.OTHER)[
        order_id % 4
    ]
