"""Units that are set aside, and what for."""

from collections import Counter
from collections.abc import Iterable

from inventory.models import UnsellableStock
from inventory.selectors.previews import Place


def units_aside(places: Iterable[Place]) -> Counter[tuple[Place, str]]:
    """Units by place and reason, 0 where there are none. One statement."""
    wanted = set(places)
    rows = UnsellableStock.objects.filter(
        level__sku__in={sku_id for sku_id, _at in wanted}, level__location__in={at for _sku, at in wanted}
    )
    columns = ("level__sku", "level__location", "reason", "quantity")
    found = {((sku_id, at), reason): units for sku_id, at, reason, units in rows.values_list(*columns)}
    return Counter({key: units for key, units in found.items() if key[0] in wanted})
