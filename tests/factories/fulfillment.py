"""Orders at each stage of the warehouse, brought there by the verbs."""

from collections.abc import Mapping
from itertools import count

from config.kernel import clock
from config.kernel.actors import Actor
from fulfillment.enums import ParcelStatus
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import HandShipment, ship_by_hand
from fulfillment.services.tracking import Statement, record_tracking
from inventory.models import Location, Sku
from orders.models import Order
from orders.services.allocating import allocate_orders
from orders.services.confirming import confirm_orders
from tests.factories.inventory import make_location, receive
from tests.factories.orders import make_order, neutral_line

ACTOR = Actor.system("tests")
_numbers = count(1)


def stock(units: Mapping[str, int], location: Location | None = None) -> Location:
    """Receive units by SKU code at a location, a new one by default; plain SKUs are made as needed."""
    location = location or make_location()
    for code, quantity in units.items():
        sku, _created = Sku.objects.get_or_create(
            code=code, defaults={"title": f"A {code.lower()}", "created_at": clock.now()}
        )
        receive(sku, location, quantity)
    return location


def make_confirmed(units: Mapping[str, int] | None = None, **fields: object) -> Order:
    """A confirmed order of so many units by SKU code (two mugs), allocated from whatever stock there is."""
    lines = tuple(neutral_line(code, quantity) for code, quantity in (units or {"MUG": 2}).items())
    order = make_order(lines=lines, **fields)
    confirm_orders([order.pk], actor=ACTOR).only()
    allocate_orders([order.pk], actor=ACTOR).only()
    order.refresh_from_db()
    return order


def make_released(
    units: Mapping[str, int] | None = None, goods: Mapping[str, int] | None = None, **fields: object
) -> FulfillmentOrder:
    """Released work of one location that had the units; name the `goods` where kits are ordered."""
    units = units or {"MUG": 2}
    stock(goods or units)
    order = make_confirmed(units, **fields)
    (pk,) = release_orders([order.pk], actor=ACTOR).only()
    return FulfillmentOrder.objects.get(pk=pk)


def hand(work: FulfillmentOrder, number: str = "", carrier: str = "GLS") -> HandShipment:
    return HandShipment(work.pk, carrier, number or f"TN{next(_numbers):06}")


def make_shipped(units: Mapping[str, int] | None = None, number: str = "", **fields: object) -> Parcel:
    """A parcel that was handed over."""
    work = make_released(units, **fields)
    return Parcel.objects.get(pk=ship_by_hand([hand(work, number)], actor=ACTOR).only())


def told(parcel: Parcel, status: str, **fields: object) -> Statement:
    """A carrier's statement about a parcel, dated now."""
    given = {"key": f"gls:{next(_numbers)}", "stated_at": clock.now(), "source": "gls"}
    return Statement(parcel_id=parcel.pk, status=status, **given | fields)  # type: ignore[arg-type]


def make_delivered(units: Mapping[str, int] | None = None, **fields: object) -> Parcel:
    """A parcel that arrived."""
    parcel = make_shipped(units, **fields)
    record_tracking([told(parcel, ParcelStatus.DELIVERED)], actor=ACTOR).raise_refusals()
    parcel.refresh_from_db()
    return parcel
