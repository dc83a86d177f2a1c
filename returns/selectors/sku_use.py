"""Which SKUs are on their way back."""

from collections.abc import Collection, Mapping

from django.db.models import Count

from config.kernel.errors import BancaleError
from config.kernel.fastpath import Among
from returns.enums import LIVE_RMA, Reception
from returns.errors import SkuExpectedBack
from returns.models import ReturnUnit


def skus_expected_back(sku_ids: Collection[int]) -> Mapping[int, BancaleError]:
    """Those of which a live return expects units; one statement."""
    units = ReturnUnit.objects.filter(
        Among("line_part__sku_id", sku_ids), reception=Reception.EXPECTED, rma__status__in=LIVE_RMA
    )
    rows = (
        units.order_by().values_list("line_part__sku_id", "line_part__sku__code").annotate(units=Count("pk"))
    )
    return {pk: SkuExpectedBack(sku=code, units=count) for pk, code, count in rows}
