"""The row locks of this room, each after the orders they belong to."""

from collections.abc import Iterable

from config.kernel.actors import Actor
from config.kernel.locks import lock_rows
from config.kernel.visibility import seen_by
from fulfillment.models import FulfillmentOrder, Parcel
from orders.models import Order
from orders.services.locking import lock_orders


def lock_work(
    fulfillment_order_ids: Iterable[int], *, actor: Actor
) -> tuple[dict[int, Order], dict[int, FulfillmentOrder]]:
    """Lock the orders of fulfillment orders that the actor sees, then these, and return both by id: three statements.

    Neither order nor location of a fulfillment order ever changes, so both can be looked up before the lock.
    """
    seen = seen_by(actor, FulfillmentOrder.objects.filter(pk__in=list(fulfillment_order_ids)))
    found = dict(seen.values_list("pk", "order_id"))
    ids, order_ids = list(found), set(found.values())
    orders = {order.pk: order for order in lock_orders(sorted(order_ids))}
    rows = FulfillmentOrder.objects.filter(pk__in=ids).select_related("location")
    return orders, {work.pk: work for work in lock_rows("fulfillment_order", rows)}


def lock_parcels(parcel_ids: Iterable[int], *, actor: Actor) -> dict[int, Parcel]:
    """Lock the orders of parcels that the actor sees, then the parcels, and return these by id: three statements."""
    found = dict(seen_by(actor, Parcel.objects.filter(pk__in=list(parcel_ids))).values_list("pk", "order_id"))
    ids = list(found)
    lock_orders(sorted(set(found.values())))
    return {parcel.pk: parcel for parcel in lock_rows("parcel", Parcel.objects.filter(pk__in=ids))}
