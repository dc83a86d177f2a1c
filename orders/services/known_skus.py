"""Which SKU of ours a channel's code means."""

from collections import defaultdict
from collections.abc import Collection

from config.kernel.fastpath import Among
from inventory.models import KitPart, Sku
from orders.models import SkuAlias
from orders.parts import KitShare, KnownSku


def find_skus(codes: Collection[str], *, sales_channel_id: int) -> dict[str, KnownSku]:
    """SKUs with their kit parts by the code that means them: our own code, else what the channel's was mapped to.

    Three statements at most; one where every code is our own and none is a kit.
    """
    wanted = set(codes) - {""}
    found = {sku.code: sku for sku in Sku.objects.filter(Among("code", wanted))} if wanted else {}
    if foreign := wanted - set(found):
        aliases = SkuAlias.objects.filter(Among("code", foreign), sales_channel=sales_channel_id)
        found |= {alias.code: alias.sku for alias in aliases.select_related("sku")}
    kits = {sku.pk for sku in found.values() if sku.is_kit}
    shares: dict[int, list[KitShare]] = defaultdict(list)
    for part in KitPart.objects.filter(kit__in=kits).order_by("pk") if kits else ():
        shares[part.kit_id].append(KitShare(part.part_id, part.per_unit, part.value_weight))
    return {
        code: KnownSku(sku.pk, tuple(shares[sku.pk]) if sku.is_kit else None) for code, sku in found.items()
    }
