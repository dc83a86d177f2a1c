"""How the stock room's ledger names the documents of this room."""

from collections.abc import Iterable

from config.kernel.admin import admin_url
from fulfillment.models import FulfillmentOrder
from inventory.references import ResolvedReference, register_reference


def fulfillment_orders(ids: Iterable[int]) -> dict[int, ResolvedReference]:
    """Numbers and pages of fulfillment orders; one query."""
    rows = FulfillmentOrder.objects.filter(pk__in=list(ids)).values_list("pk", "number")
    return {pk: ResolvedReference(number, admin_url(FulfillmentOrder, "change", pk)) for pk, number in rows}


register_reference("fulfillment_order", fulfillment_orders)
