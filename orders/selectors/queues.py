"""The work lists of the orders room. Each is a queryset of orders, so that a page may filter and count it."""

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from config.kernel import clock
from inventory.enums import ReservationState
from inventory.models import Location, Reservation, StockLevel
from orders.enums import FulfillmentStatus, OrderStatus
from orders.models import Hold, LegalEntity, LinePart, Order
from orders.selectors.demand import ORDER_LINE_PART

ACCEPTED = (OrderStatus.PLACED, OrderStatus.CONFIRMED)
NOT_GONE = (
    FulfillmentStatus.UNALLOCATED,
    FulfillmentStatus.PARTLY_ALLOCATED,
    FulfillmentStatus.ALLOCATED,
    FulfillmentStatus.BACKORDERED,
    FulfillmentStatus.PARTLY_SHIPPED,
)


def to_confirm() -> QuerySet[Order]:
    """Placed orders, oldest first; those on hold are among them."""
    return _oldest_first(Order.objects.filter(status=OrderStatus.PLACED))


def on_hold() -> QuerySet[Order]:
    """Orders that are not closed and have at least one open hold."""
    holds = Hold.objects.filter(order=OuterRef("pk"), lifted_at=None)
    return _oldest_first(Order.objects.filter(Exists(holds), status__in=ACCEPTED))


def to_allocate() -> QuerySet[Order]:
    """Orders with units of a known SKU that no reservation covers yet."""
    return _oldest_first(Order.objects.filter(Exists(undecided_parts()), status__in=ACCEPTED, is_test=False))


def undecided_parts() -> QuerySet[LinePart]:
    """Parts of an outer order that nothing covers yet: neither shipped, cancelled, reserved nor waiting."""
    waiting = (
        Reservation.objects.filter(
            reference_kind=ORDER_LINE_PART, reference_id=OuterRef("pk"), state=ReservationState.WAITING
        )
        .order_by()
        .values("reference_id")
        .annotate(units=Sum("quantity"))
        .values("units")
    )
    return LinePart.objects.filter(
        line__order=OuterRef("pk"),
        line__requires_shipping=True,
        sku__isnull=False,
        ordered__gt=F("cancelled") + F("shipped") + F("allocated") + Coalesce(Subquery(waiting), 0),
    )


def backordered() -> QuerySet[Order]:
    """Orders some of whose units wait for stock."""
    return _oldest_first(
        Order.objects.filter(fulfillment_status=FulfillmentStatus.BACKORDERED, status__in=ACCEPTED)
    )


def late() -> QuerySet[Order]:
    """Orders with goods still here on the day after they were promised to leave, in the legal entity's zone."""
    passed = Q(pk__in=[])
    for zone in LegalEntity.objects.order_by("time_zone").values_list("time_zone", flat=True).distinct():
        passed |= Q(legal_entity__time_zone=zone, dispatch_by_on__lt=clock.today(zone))
    return Order.objects.filter(passed, status__in=ACCEPTED, fulfillment_status__in=NOT_GONE).order_by(
        "dispatch_by_on", "pk"
    )


def fillable_sku_ids() -> list[int]:
    """SKUs with free units where orders ship from and somebody waiting, ascending."""
    selling = [place.pk for place in Location.objects.all() if place.is_selling]
    free = StockLevel.objects.filter(
        sku=OuterRef("sku"),
        location__in=selling,
        on_hand__gt=F("reserved") + F("unsellable") + F("buffer"),
    )
    waiting = Reservation.objects.filter(Exists(free), state=ReservationState.WAITING)
    return list(waiting.order_by("sku_id").values_list("sku_id", flat=True).distinct())


def _oldest_first(orders: QuerySet[Order]) -> QuerySet[Order]:
    return orders.order_by("placed_at", "pk")
