"""Which SKU of ours a channel's code means."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from config.kernel.fastpath import Among
from inventory.models import KitPart, Sku
from orders.models import SkuAlias
from orders.parts import KitShare, KnownSku


def find_skus(codes: Collection[str], *, sales_channel_id: int) -> dict[str, KnownSku]:
    """SKUs with their kit parts by the code that means them: our own code, else what the channel's was mapped to.

    Three statements at most; one where every code is our own and none is a kit.
    """
    wanted = set(codes) - {""}
    found = _rows(Sku.objects.filter(Among("code", wanted)), "code", "pk", "is_kit") if wanted else {}
    if foreign := wanted - set(found):
        aliases = SkuAlias.objects.filter(Among("code", foreign), sales_channel=sales_channel_id)
        found |= _rows(aliases, "code", "sku_id", "sku__is_kit")
    kits = {pk for pk, is_kit in found.values() if is_kit}
    shares: dict[int, list[KitShare]] = defaultdict(list)
    for part in KitPart.objects.filter(kit__in=kits).order_by("pk") if kits else ():
        shares[part.kit_id].append(KitShare(part.part_id, part.per_unit, part.value_weight))
    return {code: KnownSku(pk, tuple(shares[pk]) if is_kit else None) for code, (pk, is_kit) in found.items()}


def _rows(rows: QuerySet[Any], *columns: str) -> dict[str, tuple[int, bool]]:
    """(pk, whether it is a kit) by code."""
    return {code: (pk, is_kit) for code, pk, is_kit in rows.order_by().values_list(*columns)}
