"""The warehouse's work queues: what waits for a person, each a narrowing of a queryset."""

from datetime import timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum

from config.kernel import clock
from fulfillment.enums import LIVE_FULFILLMENT, ParcelStatus
from fulfillment.models import FulfillmentOrder, FulfillmentOrderLine, Parcel, TrackingEvent
from orders.enums import CLOSED_ORDER, GOODS_GONE, OPEN_ORDER, FulfillmentStatus, OrderStatus
from orders.models import Hold, Order

QUIET = timedelta(days=5)
# As long as that a parcel of which nothing is heard may still be said to have arrived.
EXPECTED = timedelta(days=14)
MOVING = (ParcelStatus.HANDED_OVER, ParcelStatus.IN_TRANSIT, ParcelStatus.OUT_FOR_DELIVERY)
TROUBLE = (ParcelStatus.EXCEPTION, ParcelStatus.RETURNED_TO_SENDER, ParcelStatus.LOST)


def _holds() -> Exists:
    return Exists(Hold.objects.filter(order=OuterRef("order"), lifted_at=None))


def _held() -> Q:
    """The same for counting: the held orders are read once and looked up, whatever the planner guesses of the rest."""
    return Q(order__in=Hold.objects.filter(lifted_at=None).values("order"))


_LEFT = (FulfillmentStatus.SHIPPED, FulfillmentStatus.DELIVERED)
_CLOSED = Q(order__status__in=CLOSED_ORDER)
_SAME_ADDRESS = Q(ship_to=F("order__ship_to"))
# All that it compares stands in the indexes of live work and of open orders.
_MAY_LEAVE = _SAME_ADDRESS & Q(order__status__in=OPEN_ORDER)


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
    return rows.filter(~_held() & _MAY_LEAVE, status__in=LIVE_FULFILLMENT)


def stopped(rows: QuerySet[FulfillmentOrder]) -> QuerySet[FulfillmentOrder]:
    """Live work whose goods may not leave: held, cancelled or readdressed after its release."""
    may_leave = FulfillmentOrder.objects.filter(_MAY_LEAVE, status__in=LIVE_FULFILLMENT).values("pk")
    return rows.filter(_held() | ~Q(pk__in=may_leave), status__in=LIVE_FULFILLMENT)


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
    held = Hold.objects.filter(lifted_at=None).values("order")
    return rows.filter(
        ~Q(pk__in=held),
        status=OrderStatus.CONFIRMED,
        is_test=False,
        allocated_quantity__gt=F("asked_quantity"),
    )


def not_closed(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Confirmed orders of which nothing is expected any more, so that a person ends them.

    All has left and no parcel is awaited: each came back, was lost, or left two weeks ago and was never said to have
    arrived. All has arrived, and it was reopened. Or there is nothing to ship, as of services, and no hold refuses it.
    """
    held = Hold.objects.filter(lifted_at=None).values("order")
    awaited = Parcel.objects.filter(
        order=OuterRef("pk"),
        status__in=(*MOVING, ParcelStatus.LABELLED, ParcelStatus.EXCEPTION),
        shipment__shipped_at__gte=clock.now() - EXPECTED,
    )
    return rows.filter(
        ~Exists(awaited),
        Q(fulfillment_status__in=_LEFT) | ~Q(pk__in=held),
        status=OrderStatus.CONFIRMED,
        fulfillment_status__in=GOODS_GONE,
    )


def gone_as(rows: QuerySet[Order]) -> list[tuple[str, int]]:
    """How many orders have which fulfillment status, the most frequent first; one statement."""
    counted = rows.order_by().values("fulfillment_status").annotate(orders=Count("pk"))
    found = [(row["fulfillment_status"], row["orders"]) for row in counted]
    return sorted(found, key=lambda one: (-one[1], one[0]))
