"""Stock levels: made, locked, and changed in one statement."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable

from config.kernel.errors import Conflict
from config.kernel.locks import lock_rows
from config.kernel.outbox import NewFact, record_facts
from inventory.models import StockLevel

# A statement of this many levels stays below every parameter limit.
MOST_LEVELS = 1000


@dataclass(slots=True)
class LevelChange:
    """What to add to a level's figures. `taken_free` units must be free before, or nothing is written."""

    on_hand: int = 0
    reserved: int = 0
    unsellable: int = 0
    taken_free: int = 0


def ensure_levels(pairs: Iterable[tuple[int, int]]) -> None:
    """Insert the missing levels of (sku_id, location_id) pairs, sorted; call it before `lock_levels`."""
    wanted = sorted(set(pairs))
    found = set(
        StockLevel.objects.filter(
            sku_id__in={sku_id for sku_id, _location in wanted},
            location_id__in={location_id for _sku, location_id in wanted},
        ).values_list("sku_id", "location_id")
    )
    missing = [
        StockLevel(sku_id=sku, location_id=place) for sku, place in wanted if (sku, place) not in found
    ]
    if missing:
        StockLevel.objects.bulk_create(missing, ignore_conflicts=True)


def lock_levels(sku_ids: Iterable[int]) -> list[StockLevel]:
    """Lock all levels of these SKUs by ascending pk; one statement. Their locations come along.

    Whoever holds them is alone with the SKUs' levels, bins and reservations until commit.
    """
    rows = StockLevel.objects.select_related("location").filter(sku_id__in=set(sku_ids))
    return lock_rows("stock_level", rows)


def change_levels(levels: Mapping[int, StockLevel], changes: Mapping[int, LevelChange]) -> None:
    """Add to locked levels' figures: one UPDATE, its row count checked; the objects follow, version + 1.

    The statement itself holds the condition that enough is free, so that it refuses even where a lock failed.
    Refuses `Conflict`, and nothing of the caller's transaction may then stay.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("change_levels needs a transaction")
    ids = sorted(changes)
    for start in range(0, len(ids), MOST_LEVELS):
        _write({pk: changes[pk] for pk in ids[start : start + MOST_LEVELS]})
    for pk in ids:
        level, change = levels[pk], changes[pk]
        level.on_hand += change.on_hand
        level.reserved += change.reserved
        level.unsellable += change.unsellable
        level.version += 1


def _write(changes: Mapping[int, LevelChange]) -> None:
    columns: dict[str, Combinable] = {"version": F("version") + 1}
    for name in ("on_hand", "reserved", "unsellable"):
        deltas = {pk: getattr(change, name) for pk, change in changes.items() if getattr(change, name)}
        if deltas:
            columns[name] = F(name) + by_pk(deltas)
    written = _with_enough_free(changes).update(**columns)
    if written != len(changes):
        raise Conflict(detail=f"{len(changes) - written} stock levels had fewer free units than promised")


def _with_enough_free(changes: Mapping[int, LevelChange]) -> QuerySet[StockLevel]:
    rows = StockLevel.objects.filter(pk__in=list(changes))
    taken = {pk: change.taken_free for pk, change in changes.items() if change.taken_free}
    if not taken:
        return rows
    rest = F("on_hand") - F("reserved") - F("unsellable") - F("buffer") - by_pk(taken)
    return rows.alias(rest=rest).filter(~Q(pk__in=list(taken)) | Q(rest__gte=0))


def by_pk(values: Mapping[int, int]) -> Case:
    """An expression: the number of each row's pk, 0 for the others. One WHEN a distinct number."""
    pks: dict[int, list[int]] = defaultdict(list)
    for pk, value in values.items():
        pks[value].append(pk)
    return Case(*(When(pk__in=some, then=Value(value)) for value, some in pks.items()), default=Value(0))


def by_place(levels: Sequence[StockLevel]) -> dict[tuple[int, int], StockLevel]:
    """Levels by (sku_id, location_id)."""
    return {(level.sku_id, level.location_id): level for level in levels}


def record_freed(sku_ids: Iterable[int]) -> None:
    """Say that free units of these SKUs may have grown, so that those in line are looked at."""
    record_facts([NewFact("stock.freed", ("sku", sku_id)) for sku_id in sorted(set(sku_ids))])
