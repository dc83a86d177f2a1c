"""Sending goods off: stock leaves by the ledger, a parcel gets its number."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, NotFound
from config.kernel.events import record_events
from config.kernel.numbering import next_numbers
from config.kernel.outbox import NewFact, record_facts
from config.kernel.results import Results
from config.kernel.states import apply_transition
from fulfillment.enums import ParcelStatus
from fulfillment.models import FulfillmentOrder, FulfillmentOrderLine, Parcel, ParcelLine, Shipment
from fulfillment.selectors.parcels import parcels_of_work, parcels_with_numbers
from fulfillment.selectors.work import ORDER_LINE_PART, reserved_units
from fulfillment.services.locking import lock_work
from fulfillment.services.ship_guard import Desk
from fulfillment.states import FULFILLMENT_ORDER, HAND_OVER, PARCEL, SHIP_BY_HAND
from fulfillment.tracking import clean_carrier, clean_tracking_number
from inventory.services.levels import lock_levels
from inventory.services.reservations import Take, consume_reservations
from orders.models import Order
from orders.selectors.holds import open_holds
from orders.services.progress import record_shipped

PARCEL_SHIPPED = "parcel.shipped"


@dataclass(frozen=True, slots=True)
class HandShipment:
    """One fulfillment order that leaves whole, in one parcel, with what was typed for it."""

    fulfillment_order_id: int
    carrier: str
    tracking_number: str

    @property
    def key(self) -> int:
        return self.fulfillment_order_id


@dataclass(frozen=True, slots=True)
class _Leaving:
    """A fulfillment order that passed the guard."""

    work: FulfillmentOrder
    carrier: str
    tracking_number: str


@verb
def ship_by_hand(requests: Sequence[HandShipment], *, actor: Actor) -> Results[int]:
    """Ship released fulfillment orders whole: shipment, parcel handed over, stock out, order's counters up.

    At most 200. Answered by fulfillment order id; the value is the parcel's id. Locks orders, fulfillment orders,
    stock levels, bins and counters in that order, each by ascending pk. The last look at cancellation, holds and
    address is taken under these locks. A second call with the same carrier and number comes back `unchanged`.
    Records the fact `parcel.shipped`.

    Refuses: `NotFound`; `CarrierMissing`; `TrackingNumberRefused`; `TrackingNumberTaken`; `AlreadyShipped`;
    `LineStopped` for an order that is closed; `NotReleased`; `OrderHeld`; `AddressChanged`; `UnitsNotReserved`;
    `Conflict` for more units than the order has counted as allocated, or than the bins hold.
    """
    actor.require(SHIP_BY_HAND.permission)
    results: Results[int] = Results(request.key for request in requests)
    with batch_transaction():
        desk = _load(requests, actor)
        leaving = []
        for request in requests:
            try:
                carrier = clean_carrier(request.carrier)
                number = clean_tracking_number(request.tracking_number)
                work = desk.work.get(request.key)
                if work is None:
                    raise NotFound()
                if (parcel_id := desk.repeated(work, carrier, number)) is not None:
                    results.unchanged(request.key, parcel_id)
                    continue
                desk.guard(work, carrier, number)
                leaving.append(_Leaving(work, carrier, number))
            except BancaleError as error:
                results.refuse(request.key, error)
        if leaving:
            for parcel in _send(leaving, desk, actor=actor):
                results.done(parcel.shipment.fulfillment_order_id, parcel.pk)
    return results


def why_stopped(work: FulfillmentOrder) -> BancaleError | None:
    """Why a fulfillment order could not be shipped by hand at this moment, for its page; locks nothing."""
    return _desk({work.order_id: work.order}, {work.pk: work}, ()).stop(work)


def _load(requests: Sequence[HandShipment], actor: Actor) -> Desk:
    """Lock and read what the guard looks at: eight statements."""
    orders, work = lock_work((request.key for request in requests), actor=actor)
    return _desk(orders, work, _numbers(requests))


def _desk(orders: Mapping[int, Order], work: Mapping[int, FulfillmentOrder], numbers: Sequence[str]) -> Desk:
    lines: dict[int, list[FulfillmentOrderLine]] = {pk: [] for pk in work}
    rows = FulfillmentOrderLine.objects.filter(fulfillment_order__in=list(work)).order_by("pk")
    for line in rows.select_related("line_part"):
        lines[line.fulfillment_order_id].append(line)
    return Desk(
        orders=orders,
        work=work,
        lines=lines,
        holds=open_holds(list(orders)),
        reserved=reserved_units({line.line_part_id for some in lines.values() for line in some}),
        shipped=parcels_of_work(work),
        taken=parcels_with_numbers(numbers),
    )


def _numbers(requests: Iterable[HandShipment]) -> list[str]:
    numbers = []
    for request in requests:
        try:
            numbers.append(clean_tracking_number(request.tracking_number))
        except BancaleError:
            continue
    return numbers


def _send(leaving: Sequence[_Leaving], desk: Desk, *, actor: Actor) -> list[Parcel]:
    at = clock.now()
    _take_stock(leaving, desk, actor=actor)
    units = Counter[int]()
    for one in leaving:
        units.update(desk.units(one.work))
    record_shipped(sorted({one.work.order_id for one in leaving}), units, actor=actor)
    parcels = _pack(leaving, desk, at)
    record_events([PARCEL.created_entry(parcel, _facts(parcel)) for parcel in parcels], actor=actor)
    facts = {parcel.pk: _facts(parcel) for parcel in parcels}
    apply_transition(PARCEL, HAND_OVER, parcels, actor=actor, facts=facts)
    apply_transition(
        FULFILLMENT_ORDER,
        SHIP_BY_HAND,
        [one.work for one in leaving],
        actor=actor,
        facts={
            parcel.shipment.fulfillment_order_id: {
                **_facts(parcel),
                "number": parcel.shipment.fulfillment_order.number,
            }
            for parcel in parcels
        },
        also={"shipped_at": at},
    )
    record_facts(
        [NewFact(PARCEL_SHIPPED, ("parcel", parcel.pk), {"order_id": parcel.order_id}) for parcel in parcels]
    )
    return parcels


def _take_stock(leaving: Sequence[_Leaving], desk: Desk, *, actor: Actor) -> None:
    """Consume the reservations; each movement names its fulfillment order."""
    lines = [line for one in leaving for line in desk.lines[one.work.pk]]
    takes = [
        Take(
            line.line_part_id,
            desk.work[line.fulfillment_order_id].location_id,
            line.quantity,
            _document(line.fulfillment_order_id),
        )
        for line in lines
    ]
    consume_reservations(
        ORDER_LINE_PART,
        takes,
        movement_reference=_document(leaving[0].work.pk),
        levels=lock_levels({line.line_part.sku_id for line in lines if line.line_part.sku_id}),
        actor=actor,
    )


def _document(fulfillment_order_id: int) -> tuple[str, int]:
    return ("fulfillment_order", fulfillment_order_id)


def _pack(leaving: Sequence[_Leaving], desk: Desk, at: datetime) -> list[Parcel]:
    """Write shipments, parcels and their lines: three statements and the numbers."""
    numbers = next_numbers("shipment", len(leaving), prefix="S-")
    shipments = Shipment.objects.bulk_create(
        Shipment(number=number, order_id=one.work.order_id, fulfillment_order=one.work, shipped_at=at)
        for one, number in zip(leaving, numbers, strict=True)
    )
    parcels = Parcel.objects.bulk_create(
        Parcel(
            shipment=shipment,
            order_id=shipment.order_id,
            carrier=one.carrier,
            tracking_number=one.tracking_number,
            status=ParcelStatus.LABELLED,
        )
        for one, shipment in zip(leaving, shipments, strict=True)
    )
    ParcelLine.objects.bulk_create(
        ParcelLine(parcel=parcel, line_part_id=line.line_part_id, quantity=line.quantity)
        for one, parcel in zip(leaving, parcels, strict=True)
        for line in desk.lines[one.work.pk]
    )
    return parcels


def _facts(parcel: Parcel) -> Mapping[str, int | str]:
    return {
        "fulfillment_order_id": parcel.shipment.fulfillment_order_id,
        "parcel_id": parcel.pk,
        "carrier": parcel.carrier,
        "tracking_number": parcel.tracking_number,
    }
