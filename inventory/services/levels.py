"""Stock levels: made, locked, and changed in one statement."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from config.kernel.compiled_reads import CompiledRead
from config.kernel.errors import Conflict
from config.kernel.fastpath import Among, add_to_rows, attach
from config.kernel.locks import LockingRead
from config.kernel.outbox import NewFact, record_facts
from inventory.models import Location, Sku, StockLevel
from inventory.selectors.stock import all_locations

REORDER_POINT_CROSSED = "stock.reorder_point_crossed"
LEVELS = StockLevel._meta.db_table
ENOUGH_FREE = (
    f"(change.extra = 0 OR {LEVELS}.on_hand - {LEVELS}.reserved - {LEVELS}.unsellable - {LEVELS}.buffer"
    " >= change.extra)"
)


@dataclass(slots=True)
class LevelChange:
    """What to add to a level's figures. `taken_free` units must be free before, or nothing is written."""

    on_hand: int = 0
    reserved: int = 0
    unsellable: int = 0
    taken_free: int = 0


def ensure_levels(pairs: Iterable[tuple[int, int]]) -> None:
    """Insert the missing levels of (sku_id, location_id) pairs, sorted; call it before `lock_levels`.

    Where one is missing its SKU is locked too, because no level is there yet to keep it from becoming a kit.
    """
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
        with transaction.atomic():
            lock_skus({level.sku_id for level in missing})
            StockLevel.objects.bulk_create(missing, ignore_conflicts=True)


def lock_skus(sku_ids: Iterable[int]) -> list[Sku]:
    """Lock SKUs by ascending pk, before their levels. For what makes a first level of a SKU, makes it a kit, or lets
    somebody wait for one that has no level.

    Not a kind of the kernel's order: a verb that makes levels may follow one that locked other levels.
    """
    return list(Sku.objects.filter(pk__in=set(sku_ids)).order_by("pk").select_for_update(no_key=True))


def lock_levels(sku_ids: Iterable[int]) -> list[StockLevel]:
    """Lock all levels of these SKUs by ascending pk; two statements. Their locations come along.

    Whoever holds them is alone with the SKUs' levels, bins and reservations until commit.
    """
    levels = _locked(set(sku_ids))
    places = _places({level.location_id for level in levels})
    attach(levels, "location", {place.pk: place for place in places})
    return levels


@dataclass(frozen=True, slots=True)
class Stock:
    """What stands of some SKUs, under locks: all their levels, each with its location. `kits` are the codes of those
    that are kits, of which nobody can be promised a unit; `places` are all locations there are."""

    levels: list[StockLevel]
    places: list[Location]
    kits: Mapping[int, str]


def lock_stock(sku_ids: Iterable[int]) -> Stock:
    """Lock all levels of these SKUs by ascending pk, and before them the SKUs that have none.

    For verbs that let somebody wait: where no level is there to lock, the first one could be made and given away
    beside them, or the SKU become a kit. Three statements; one more where a SKU has no level, and one where
    nothing of one is on hand.
    """
    wanted = set(sku_ids)
    bare = [pk for (pk,) in _without_level(wanted)]
    alone = lock_skus(bare) if bare else []
    levels, places = _locked(wanted), all_locations()
    attach(levels, "location", {place.pk: place for place in places})
    kits = {sku.pk: sku.code for sku in alone if sku.is_kit}
    empty = wanted.difference(bare, (level.sku_id for level in levels if level.on_hand))
    return Stock(levels, places, kits | kits_among(empty))


def kits_among(sku_ids: Collection[int]) -> dict[int, str]:
    """Codes of those SKUs that are kits; one statement, none for none."""
    return (
        dict(Sku.objects.filter(Among("pk", sku_ids), is_kit=True).values_list("pk", "code"))
        if sku_ids
        else {}
    )


# A level is never deleted, so that a SKU which has one before any lock has one under it.
_without_level: CompiledRead[tuple[int]] = CompiledRead(
    lambda sku_ids: (
        Sku.objects.filter(Among("pk", sku_ids))
        .exclude(Exists(StockLevel.objects.filter(sku=OuterRef("pk"))))
        .order_by("pk")
        .values_list("pk")
    )
)
_locked = LockingRead("stock_level", lambda sku_ids: StockLevel.objects.filter(Among("sku_id", sku_ids)))
_places = CompiledRead(lambda pks: Location.objects.filter(Among("pk", pks)).order_by())


def change_levels(levels: Mapping[int, StockLevel], changes: Mapping[int, LevelChange]) -> None:
    """Add to locked levels' figures: one UPDATE, its row count checked; the objects follow, version + 1.

    The statement itself holds the condition that enough is free, so that it refuses even where a lock failed.
    A level that crosses its reorder point is news; the others cost nothing. Refuses `Conflict`, and nothing of
    the caller's transaction may then stay.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("change_levels needs a transaction")
    numbers = {
        pk: (change.on_hand, change.reserved, change.unsellable, change.taken_free)
        for pk, change in changes.items()
    }
    columns = ("on_hand", "reserved", "unsellable")
    written = add_to_rows(StockLevel, columns, numbers, condition=ENOUGH_FREE, also="version = version + 1")
    if written != len(changes):
        raise Conflict(detail=f"{len(changes) - written} stock levels had fewer free units than promised")
    crossed = []
    for pk, change in changes.items():
        level = levels[pk]
        was_low = level.is_low
        level.on_hand += change.on_hand
        level.reserved += change.reserved
        level.unsellable += change.unsellable
        level.version += 1
        if level.is_low != was_low:
            crossed.append(pk)
    record_crossed(crossed)


def by_place(levels: Sequence[StockLevel]) -> dict[tuple[int, int], StockLevel]:
    """Levels by (sku_id, location_id)."""
    return {(level.sku_id, level.location_id): level for level in levels}


def record_freed(sku_ids: Iterable[int]) -> None:
    """Say that free units of these SKUs may have grown, so that those in line are looked at."""
    record_facts([NewFact("stock.freed", ("sku", sku_id)) for sku_id in sorted(set(sku_ids))])


def record_crossed(level_ids: Iterable[int]) -> None:
    """Say that levels have crossed their reorder point, downwards or upwards, so that their alerts follow."""
    ids = sorted(set(level_ids))
    if ids:
        record_facts([NewFact(REORDER_POINT_CROSSED, ("stock_level", pk)) for pk in ids])
