"""Which SKU of ours a channel's code means."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from config.kernel.compiled_reads import CompiledRead
from config.kernel.fastpath import Among
from config.kernel.texts import is_storable
from inventory.models import KitPart, Sku
from orders.models import SkuAlias
from orders.parts import KitShare, KnownSku

_own: CompiledRead[tuple[str, int, bool]] = CompiledRead(
    lambda codes: Sku.objects.filter(Among("code", codes)).order_by().values_list("code", "pk", "is_kit")
)


def find_skus(codes: Collection[str], *, sales_channel_id: int) -> dict[str, KnownSku]:
    """SKUs with their kit parts by the code that means them: our own code, else what the channel's was mapped to.

    Three statements at most; one where every code is our own and none is a kit.
    """
    wanted = {code for code in codes if code and is_storable(code)}
    found = _by_code_of(_own(wanted))
    if foreign := wanted - set(found):
        aliases = SkuAlias.objects.filter(Among("code", foreign), sales_channel=sales_channel_id)
        found |= _by_code_of(aliases.order_by().values_list("code", "sku_id", "sku__is_kit"))
    kits = {pk for pk, is_kit in found.values() if is_kit}
    shares: dict[int, list[KitShare]] = defaultdict(list)
    for part in KitPart.objects.filter(kit__in=kits).order_by("pk") if kits else ():
        shares[part.kit_id].append(KitShare(part.part_id, part.per_unit, part.value_weight))
    return {code: KnownSku(pk, tuple(shares[pk]) if is_kit else None) for code, (pk, is_kit) in found.items()}


def _by_code_of(rows: Iterable[tuple[str, int, bool]]) -> dict[str, tuple[int, bool]]:
    return {code: (pk, is_kit) for code, pk, is_kit in rows}
