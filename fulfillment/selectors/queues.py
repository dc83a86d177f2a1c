"""The warehouse's work queues: what waits for a person, each a narrowing of a queryset."""

from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from config.kernel import clock
from fulfillment.enums import LIVE_FULFILLMENT, ParcelStatus
from fulfillment.models import FulfillmentOrder, FulfillmentOrderLine, Parcel, TrackingEvent
from orders.enums import CLOSED_ORDER, FulfillmentStatus, OrderStatus
from orders.models import Hold, LinePart, Order

QUIET = timedelta(days=5)
MOVING = (ParcelStatus.HANDED_OVER, ParcelStatus.IN_TRANSIT, ParcelStatus.OUT_FOR_DELIVERY)
# Where an order may have reserved units that have not left.
_HAS_UNITS = (
    FulfillmentStatus.PARTLY_ALLOCATED,
    FulfillmentStatus.ALLOCATED,
    FulfillmentStatus.BACKORDERED,
    FulfillmentStatus.PARTLY_SHIPPED,
)
TROUBLE = (ParcelStatus.EXCEPTION, ParcelStatus.RETURNED_TO_SENDER, ParcelStatus.LOST)


def _holds() -> Exists:
    return Exists(Hold.objects.filter(order=OuterRef("order"), lifted_at=None))


def _held() -> Q:
    """The same for counting: the held orders are read once and looked up, whatever the planner guesses of the rest."""
    return Q(order__in=Hold.objects.filter(lifted_at=None).values("order"))


_CLOSED = Q(order__status__in=CLOSED_ORDER)
_SAME_ADDRESS = Q(ship_to=F("order__ship_to"))


def with_stops(rows: QuerySet[FulfillmentOrder]) -> QuerySet[FulfillmentOrder]:
    """Adds `is_stopped`: its order is held, closed, or has another address than the one released."""
    return rows.annotate(is_stopped=_holds() | _CLOSED | ~_SAME_ADDRESS)


def with_units(rows: QuerySet[FulfillmentOrder]) -> QuerySet[FulfillmentOrder]:
    """Adds `units`, what is asked in all; counted for the rows that are shown, not for the whole table."""
    lines = FulfillmentOrderLine.objects.filter(fulfillment_order=OuterRef("pk")).order_by()
    return rows.annotate(
        units=Subquery(lines.values("fulfillment_order").annotate(units=Sum("quantity")).values("units"))
    )


def to_ship(rows: QuerySet[FulfillmentOrder]) -> QuerySet[FulfillmentOrder]:
    """Live work that nothing stops."""
    return rows.filter(~_held() & ~_CLOSED & _SAME_ADDRESS, status__in=LIVE_FULFILLMENT)


def stopped(rows: QuerySet[FulfillmentOrder]) -> QuerySet[FulfillmentOrder]:
    """Live work whose goods may not leave: held, cancelled or readdressed after its release."""
    return rows.filter(_held() | _CLOSED | ~_SAME_ADDRESS, status__in=LIVE_FULFILLMENT)


def under_way(rows: QuerySet[Parcel]) -> QuerySet[Parcel]:
    """Parcels on their way to the buyer."""
    return rows.filter(status__in=MOVING)


def quiet(rows: QuerySet[Parcel]) -> QuerySet[Parcel]:
    """Parcels on their way of which nothing was heard for five days."""
    since = clock.now() - QUIET
    heard = TrackingEvent.objects.filter(parcel=OuterRef("pk"), stated_at__gte=since)
    return under_way(rows).filter(~Exists(heard), shipment__shipped_at__lt=since)


def troubled(rows: QuerySet[Parcel]) -> QuerySet[Parcel]:
    """Parcels that need somebody: a problem, returned to us, or lost."""
    return rows.filter(status__in=TROUBLE)


def to_release(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Confirmed orders that no hold stops and that have reserved units no live fulfillment order asks for."""
    asked = FulfillmentOrderLine.objects.filter(
        line_part=OuterRef("pk"), fulfillment_order__status__in=LIVE_FULFILLMENT
    )
    units = asked.order_by().values("line_part").annotate(units=Sum("quantity")).values("units")
    parts = LinePart.objects.filter(
        line__order=OuterRef("pk"), line__requires_shipping=True, allocated__gt=Coalesce(Subquery(units), 0)
    )
    return rows.filter(
        Exists(parts),
        ~Q(pk__in=Hold.objects.filter(lifted_at=None).values("order")),
        status=OrderStatus.CONFIRMED,
        fulfillment_status__in=_HAS_UNITS,
        is_test=False,
    )
