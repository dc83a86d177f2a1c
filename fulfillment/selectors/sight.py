"""Who sees which work: a person bound to locations sees what was asked of them, and the orders behind it."""

from django.db.models import OuterRef, Q

from config.kernel.visibility import at, has_any, see
from fulfillment.models import FulfillmentOrder
from orders.selectors.sight import see_orders


def _asked(locations: frozenset[int], path: str) -> Q:
    return has_any(FulfillmentOrder.objects.filter(order=OuterRef(path), location__in=locations))


see_orders(_asked)
see("fulfillment.fulfillmentorder", at("location"))
see("fulfillment.shipment", at("fulfillment_order__location"))
see("fulfillment.parcel", at("shipment__fulfillment_order__location"))
