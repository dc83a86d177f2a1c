"""How much of a SKU a location wants: buffer, reorder point, target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, NotFound
from config.kernel.history import CHANGED, record_history
from config.kernel.results import Results
from config.kernel.visibility import seen_by
from inventory.errors import KitHoldsNoStock
from inventory.models import Location, Sku, StockLevel
from inventory.services.arrivals import refuse_quantity
from inventory.services.levels import by_place, ensure_levels, lock_levels, record_crossed, record_freed

CHANGE_LEVEL = "inventory.change_stocklevel"


@dataclass(frozen=True, slots=True)
class LevelPolicy:
    """`buffer` units are never offered for sale; below `reorder_point` the level is low; `target` is full."""

    sku_id: int
    location_id: int
    buffer: int = 0
    reorder_point: int = 0
    target: int = 0

    @property
    def key(self) -> tuple[int, int]:
        return (self.sku_id, self.location_id)

    @property
    def figures(self) -> tuple[int, int, int]:
        return (self.buffer, self.reorder_point, self.target)


@verb
def set_policies(policies: Sequence[LevelPolicy], *, actor: Actor) -> Results[tuple[int, int]]:
    """Set the three figures of levels, making missing levels; the same figures again come back `unchanged`.

    At most 200. Locks the SKUs' levels. A smaller buffer frees units and records `stock.freed`.

    Refuses: `NotAllowed`; `NotFound` for an unknown SKU or location; `KitHoldsNoStock`; `InvalidInput` for a negative
    figure.
    """
    actor.require(CHANGE_LEVEL)
    results: Results[tuple[int, int]] = Results(policy.key for policy in policies)
    with batch_transaction():
        skus = Sku.objects.in_bulk({policy.sku_id for policy in policies})
        places = set(
            seen_by(actor, Location.objects.filter(pk__in=[p.location_id for p in policies])).values_list(
                "pk", flat=True
            )
        )
        fit = [policy for policy in policies if _fits(policy, skus, places, results)]
        ensure_levels(policy.key for policy in fit)
        levels = by_place(lock_levels(policy.sku_id for policy in fit))
        changed = []
        freed = set()
        crossed = []
        for policy in fit:
            level = levels[policy.key]
            if policy.figures == (level.buffer, level.reorder_point, level.target):
                results.unchanged(policy.key)
                continue
            if policy.buffer < level.buffer:
                freed.add(level.sku_id)
            was_low = level.is_low
            level.buffer, level.reorder_point, level.target = policy.figures
            level.version += 1
            if level.is_low != was_low:
                crossed.append(level.pk)
            changed.append(level)
            results.done(policy.key)
        StockLevel.objects.bulk_update(changed, ["buffer", "reorder_point", "target", "version"])
        record_history(changed, CHANGED, actor=actor)
        record_freed(freed)
        record_crossed(crossed)
    return results


def _fits(
    policy: LevelPolicy, skus: Mapping[int, Sku], places: set[int], results: Results[tuple[int, int]]
) -> bool:
    problem: BancaleError | None = None
    sku = skus.get(policy.sku_id)
    if sku is None or policy.location_id not in places:
        problem = NotFound(sku_id=policy.sku_id, location_id=policy.location_id)
    elif sku.is_kit:
        problem = KitHoldsNoStock(sku=sku.code)
    for figure in policy.figures:
        if problem is None and figure != 0:
            problem = refuse_quantity(figure)
    if problem is not None:
        results.refuse(policy.key, problem)
    return problem is None
