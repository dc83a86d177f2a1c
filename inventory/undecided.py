"""Units in quarantine about which an upper room has yet to decide: the seam through which it keeps them there.

The stock desk puts back or writes off what nobody speaks for; the rest waits for whoever took it in.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping

# SKU ids in; units by (sku_id, location_id) out.
Undecided = Callable[[Collection[int]], Mapping[tuple[int, int], int]]
_readers: list[Undecided] = []


def register_undecided(reader: Undecided) -> Undecided:
    """Let a room say what it has yet to decide, from `AppConfig.ready()`; a function registers once."""
    if reader not in _readers:
        _readers.append(reader)
    return reader


def undecided_units(sku_ids: Collection[int]) -> dict[tuple[int, int], int]:
    """Units in quarantine that must stay there, by (sku_id, location_id); a statement a room, none without ids.

    The truth under the locks of the SKUs' levels.
    """
    found: dict[tuple[int, int], int] = defaultdict(int)
    for reader in _readers if sku_ids else ():
        for place, units in reader(sku_ids).items():
            found[place] += units
    return dict(found)
