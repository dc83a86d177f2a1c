"""How many units of an order the warehouse is asked for, kept on the order wherever work begins or is called back."""

from collections.abc import Iterable

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from fulfillment.enums import LIVE_FULFILLMENT
from fulfillment.models import FulfillmentOrder, FulfillmentOrderLine
from orders.models import Order


def count_asked(work: Iterable[FulfillmentOrder]) -> None:
    """Count again what live work asks for of the orders of this work, all locked; one statement.

    Work that ships is counted down by `record_shipped`, in the statement that moves the order on.
    """
    order_ids = {one.order_id for one in work}
    if not order_ids:
        return
    lines = FulfillmentOrderLine.objects.filter(
        fulfillment_order__order=OuterRef("pk"), fulfillment_order__status__in=LIVE_FULFILLMENT
    )
    units = (
        lines.order_by().values("fulfillment_order__order").annotate(units=Sum("quantity")).values("units")
    )
    Order.objects.filter(pk__in=order_ids).update(asked_quantity=Coalesce(Subquery(units), 0))
