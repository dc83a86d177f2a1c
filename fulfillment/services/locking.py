"""The row locks of this room, each after the orders they belong to."""

from collections.abc import Iterable

from config.kernel.locks import lock_rows
from fulfillment.models import FulfillmentOrder, Parcel
from orders.models import Order
from orders.services.locking import lock_orders


def lock_work(
    fulfillment_order_ids: Iterable[int],
) -> tuple[dict[int, Order], dict[int, FulfillmentOrder]]:
    """Lock the orders of fulfillment orders, then these, and return both by id: three statements.

    An order never changes hands, so it can be looked up before the lock.
    """
    ids = list(fulfillment_order_ids)
    order_ids = set(FulfillmentOrder.objects.filter(pk__in=ids).values_list("order_id", flat=True))
    orders = {order.pk: order for order in lock_orders(sorted(order_ids))}
    rows = FulfillmentOrder.objects.filter(pk__in=ids).select_related("location")
    return orders, {work.pk: work for work in lock_rows("fulfillment_order", rows)}


def lock_parcels(parcel_ids: Iterable[int]) -> dict[int, Parcel]:
    """Lock the orders of parcels, then the parcels, and return these by id: three statements."""
    ids = list(parcel_ids)
    order_ids = set(Parcel.objects.filter(pk__in=ids).values_list("order_id", flat=True))
    lock_orders(sorted(order_ids))
    return {parcel.pk: parcel for parcel in lock_rows("parcel", Parcel.objects.filter(pk__in=ids))}
