"""Which SKUs open orders still ask for."""

from collections.abc import Collection, Mapping

from django.db.models import F, Sum

from config.kernel.errors import BancaleError
from config.kernel.fastpath import Among
from orders.enums import CLOSED_ORDER
from orders.errors import SkuOrdered
from orders.models import LinePart


def skus_ordered(sku_ids: Collection[int]) -> Mapping[int, BancaleError]:
    """Those of which an open order has goods to ship, whether reserved or not; one statement."""
    parts = LinePart.objects.filter(
        Among("sku_id", sku_ids), line__requires_shipping=True, line__order__is_history=False
    ).exclude(line__order__status__in=CLOSED_ORDER)
    left = Sum(F("ordered") - F("cancelled") - F("shipped"))
    rows = parts.order_by().values_list("sku_id", "sku__code").annotate(units=left).filter(units__gt=0)
    return {pk: SkuOrdered(sku=code, units=units) for pk, code, units in rows}
