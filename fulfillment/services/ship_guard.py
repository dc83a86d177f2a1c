"""Stop the line: the last look before goods leave, taken under the order's lock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from config.kernel.errors import BancaleError
from fulfillment.enums import FulfillmentOrderStatus
from fulfillment.errors import (
    AddressChanged,
    AlreadyShipped,
    LineStopped,
    NotReleased,
    TrackingNumberTaken,
    UnitsNotReserved,
)
from fulfillment.models import FulfillmentOrder, FulfillmentOrderLine, Parcel
from fulfillment.selectors.work import Spot
from fulfillment.services.releasing import held
from fulfillment.states import SHIP_BY_HAND
from orders.enums import OrderStatus, Step
from orders.models import Hold, Order
from orders.services.progress import LEFT, SHIPPED, why_short

Number = tuple[str, str]


@dataclass
class Desk:
    """What one batch of shipments looks at, all of it locked or read under the lock.

    `reserved`, `allocated` and `passed` move on with each fulfillment order that passes, so that two of a batch never
    take the same units or the same number. `allocated` is by part, as the orders count. `taken` holds live parcels by
    carrier in lower case and number.
    """

    orders: Mapping[int, Order]
    work: Mapping[int, FulfillmentOrder]
    lines: Mapping[int, Sequence[FulfillmentOrderLine]]
    holds: Mapping[int, Sequence[Hold]]
    reserved: dict[Spot, int]
    shipped: Mapping[int, Sequence[Parcel]]
    taken: Mapping[Number, Parcel]
    passed: dict[Number, FulfillmentOrder] = field(default_factory=dict)
    allocated: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        parts = (line.line_part for lines in self.lines.values() for line in lines)
        self.allocated = {part.pk: LEFT[SHIPPED](part) for part in parts}

    def repeated(self, work: FulfillmentOrder, carrier: str, number: str) -> int | None:
        """The parcel that this very request made before."""
        for parcel in self.shipped.get(work.pk, ()):
            if (parcel.carrier.lower(), parcel.tracking_number) == (carrier.lower(), number):
                return parcel.pk
        return None

    def guard(self, work: FulfillmentOrder, carrier: str, number: str) -> None:
        """Raise why this fulfillment order may not leave now; else count it as leaving. No query."""
        problem = self.stop(work) or self._number(carrier, number)
        if problem is not None:
            raise problem
        self.passed[carrier.lower(), number] = work
        for line in self.lines[work.pk]:
            self.reserved[Spot(line.line_part_id, work.location_id)] -= line.quantity
            self.allocated[line.line_part_id] -= line.quantity

    def stop(self, work: FulfillmentOrder) -> BancaleError | None:
        """Why this fulfillment order may not leave, whatever its parcel's number; None when it may. No query."""
        order = self.orders[work.order_id]
        return (
            self._status(work)
            or self._order(order)
            or held(order, self.holds.get(order.pk, ()), Step.SHIP)
            or self._address(work, order)
            or self._units(work)
            or why_short(SHIPPED, self.units(work), self.allocated)
        )

    def units(self, work: FulfillmentOrder) -> dict[int, int]:
        """What of it leaves, by part."""
        return {line.line_part_id: line.quantity for line in self.lines[work.pk]}

    def _status(self, work: FulfillmentOrder) -> BancaleError | None:
        if work.status == FulfillmentOrderStatus.SHIPPED:
            parcels = ", ".join(str(parcel) for parcel in self.shipped.get(work.pk, ()))
            return AlreadyShipped(fulfillment_order=work.number, parcel=parcels)
        if not SHIP_BY_HAND.leads_from(work.status):
            return NotReleased(fulfillment_order=work.number, status=work.get_status_display())
        return None

    def _order(self, order: Order) -> BancaleError | None:
        if order.status == OrderStatus.CONFIRMED:
            return None
        return LineStopped(number=order.number, status=order.get_status_display())

    def _address(self, work: FulfillmentOrder, order: Order) -> BancaleError | None:
        if work.ship_to_id == order.ship_to_id:
            return None
        return AddressChanged(
            number=order.number,
            fulfillment_order=work.number,
            released_to=work.ship_to_id,
            ship_to=order.ship_to_id,
        )

    def _number(self, carrier: str, number: str) -> BancaleError | None:
        facts: dict[str, Any] = {"carrier": carrier, "tracking_number": number}
        if (parcel := self.taken.get((carrier.lower(), number))) is not None:
            facts |= {"parcel_id": parcel.pk, "order_id": parcel.order_id, "owner": parcel.order.number}
            return TrackingNumberTaken(**facts)
        if (other := self.passed.get((carrier.lower(), number))) is not None:
            return TrackingNumberTaken(**facts, parcel_id=None, order_id=other.order_id, owner=other.number)
        return None

    def _units(self, work: FulfillmentOrder) -> BancaleError | None:
        missing = {}
        for line in self.lines[work.pk]:
            short = line.quantity - self.reserved.get(Spot(line.line_part_id, work.location_id), 0)
            if short > 0:
                missing[line.line_part_id] = short
        if not missing:
            return None
        return UnitsNotReserved(fulfillment_order=work.number, location=work.location.name, missing=missing)
