"""Returned units as the stock room's ledger sees them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import F

from config.kernel.actors import Actor
from config.kernel.batches import MAX_BATCH
from config.kernel.errors import TooMany
from inventory.services.returning import ReturnedGoods
from returns.models import ReturnUnit, Rma


def document(unit: ReturnUnit) -> tuple[str, int]:
    """What a movement of this unit names as its cause."""
    return ("rma", unit.rma_id)


def returned_goods(units: Sequence[ReturnUnit], rmas: Mapping[int, Rma], *, step: str) -> list[ReturnedGoods]:
    """One entry a return and line part. The key names step and first unit, so that a replay posts nothing twice.

    Refuses `TooMany` when there are more entries than the stock room takes at once; take fewer returns then.
    """
    groups: dict[tuple[int, int], list[ReturnUnit]] = defaultdict(list)
    for unit in units:
        groups[unit.rma_id, unit.line_part_id].append(unit)
    if len(groups) > MAX_BATCH:
        raise TooMany(limit=MAX_BATCH, count=len(groups))
    goods = []
    for rows in groups.values():
        sku_id = rows[0].line_part.sku_id
        if sku_id is None:
            raise ValueError(f"unit {rows[0].pk} was shipped without a SKU")
        key = f"return_unit:{min(unit.pk for unit in rows)}:{step}"
        place = rmas[rows[0].rma_id].location_id
        goods.append(ReturnedGoods(key, sku_id, place, len(rows), document(rows[0])))
    return goods


def for_stock(actor: Actor) -> Actor:
    """The same actor for the stock room's verbs: whoever may receive or inspect a return may book its goods."""
    return replace(actor, permissions=None)


def count_change(rmas: Collection[Rma]) -> None:
    """Add one to the version of returns whose units alone have changed, so that a page shown before is stale."""
    Rma.objects.filter(pk__in=[rma.pk for rma in rmas]).update(version=F("version") + 1)
    for rma in rmas:
        rma.version += 1


def unit_facts(units: Sequence[ReturnUnit]) -> dict[int, dict[str, Any]]:
    """What a unit's events carry."""
    return {
        unit.pk: {
            "rma_id": unit.rma_id,
            "line_part_id": unit.line_part_id,
            "sku": unit.line_part.sku.code if unit.line_part.sku else "",
        }
        for unit in units
    }
