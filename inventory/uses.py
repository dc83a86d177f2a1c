"""What SKUs are still needed for as they are: the seam through which upper rooms keep one from becoming a kit.

Kits hold no stock, so that units which an open order asks for, or which are on their way back, would fit nowhere.
"""

from collections.abc import Callable, Collection, Mapping

from config.kernel.errors import BancaleError

# SKU ids in; those that are needed out, each with what refuses to change it.
SkuUses = Callable[[Collection[int]], Mapping[int, BancaleError]]
_readers: list[SkuUses] = []


def register_uses(reader: SkuUses) -> SkuUses:
    """Let a room say what it needs, from `AppConfig.ready()`; a function registers once."""
    if reader not in _readers:
        _readers.append(reader)
    return reader


def uses_of(sku_ids: Collection[int]) -> dict[int, BancaleError]:
    """Why these SKUs must stay what they are, by id; a statement a room, none without ids."""
    found: dict[int, BancaleError] = {}
    for reader in _readers if sku_ids else ():
        found = {**reader(sku_ids), **found}
    return found
