"""Which units in quarantine wait for an inspection."""

from collections.abc import Collection, Mapping

from django.db.models import Count

from config.kernel.fastpath import Among
from returns.enums import TO_DECIDE
from returns.models import ReturnUnit


def units_to_inspect(sku_ids: Collection[int]) -> Mapping[tuple[int, int], int]:
    """Units of returns that an inspection has yet to send on, by (sku_id, location_id); one statement."""
    units = ReturnUnit.objects.filter(Among("line_part__sku_id", sku_ids), disposition__in=TO_DECIDE)
    rows = units.order_by().values_list("line_part__sku_id", "rma__location_id").annotate(units=Count("pk"))
    return {(sku_id, location_id): count for sku_id, location_id, count in rows}
