"""Units that are set aside, and what for."""

from collections import Counter
from collections.abc import Iterable

from inventory.models import UnsellableStock


def units_aside(sku_ids: Iterable[int], location_id: int) -> Counter[tuple[int, str]]:
    """Units at a location by (SKU id, reason), 0 where there are none. One statement."""
    rows = UnsellableStock.objects.filter(level__sku__in=list(sku_ids), level__location=location_id)
    return Counter(
        {(pk, reason): units for pk, reason, units in rows.values_list("level__sku", "reason", "quantity")}
    )
