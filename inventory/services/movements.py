"""The ledger's one writer: movements, bins and levels change together or not at all."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.kernel import clock
from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import Conflict
from inventory.enums import BinKind, MovementKind, UnsellableReason
from inventory.models import BinStock, MovementKey, StockLevel, StockMovement, UnsellableStock
from inventory.services.additions import add_to_rows
from inventory.services.levels import LevelChange, change_levels


@dataclass(frozen=True, slots=True)
class Posting:
    """One ledger entry: `delta` units of on_hand in a bin, `unsellable_delta` of them set aside for QUARANTINE
    or another reason, `reserved_delta` what the level's promises change by at the same moment. `document` is
    what the entry names as its cause where that is not the whole batch's. `taken_free` units must be free before.
    `is_undo` where it takes another entry of its document back."""

    level_id: int
    bin_id: int
    kind: MovementKind
    delta: int = 0
    unsellable_delta: int = 0
    unsellable_reason: UnsellableReason | None = None
    reserved_delta: int = 0
    document: tuple[str, int] | None = None
    taken_free: int = 0
    is_undo: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    """The document that a movement names, and the words of whoever made it."""

    reference: tuple[str, int]
    actor: Actor
    reason: str = ""


def post_movements(postings: Sequence[Posting], *, levels: Sequence[StockLevel], cause: Cause) -> None:
    """Write ledger entries with all that follows from them, under locked levels.

    A level's lock guards its bins and reasons too, so that verbs can follow one another in one transaction. A
    fixed number of statements whatever the number of entries. The level objects follow. Raises `Conflict` when
    a bin would fall below zero, or set-aside units would lie in another bin than quarantine or others there, and the
    level's constraint holds what is promised: roll back then.
    """
    if not postings:
        return
    found = {level.pk: level for level in levels}
    _change_bins(postings)
    _change_unsellable(postings)
    _write_entries(postings, found, cause)
    change_levels(found, _level_changes(postings))


def _write_entries(postings: Sequence[Posting], levels: Mapping[int, StockLevel], cause: Cause) -> None:
    at, actor = clock.now(), cause.actor
    balance = {pk: level.on_hand for pk, level in levels.items()}
    entries = []
    for posting in postings:
        balance[posting.level_id] += posting.delta
        reference_kind, reference_id = posting.document or cause.reference
        entries.append(
            StockMovement(
                level_id=posting.level_id,
                bin_id=posting.bin_id,
                kind=posting.kind,
                delta=posting.delta,
                unsellable_delta=posting.unsellable_delta,
                unsellable_reason=posting.unsellable_reason or "",
                is_undo=posting.is_undo,
                balance_after=balance[posting.level_id],
                reference_kind=reference_kind,
                reference_id=reference_id,
                reason=cause.reason[:120],
                at=at,
                actor_kind=actor.kind,
                actor_id=actor.id,
                actor_label="" if actor.kind == ActorKind.USER else actor.label[:80],
            )
        )
    StockMovement.objects.bulk_create(entries)


def _level_changes(postings: Iterable[Posting]) -> dict[int, LevelChange]:
    changes: dict[int, LevelChange] = defaultdict(LevelChange)
    for posting in postings:
        change = changes[posting.level_id]
        change.on_hand += posting.delta
        change.reserved += posting.reserved_delta
        change.unsellable += posting.unsellable_delta
        change.taken_free += posting.taken_free
    return dict(changes)


def _change_bins(postings: Sequence[Posting]) -> None:
    deltas: dict[tuple[int, int], int] = defaultdict(int)
    for posting in postings:
        deltas[posting.level_id, posting.bin_id] += posting.delta
    moved = {pair: delta for pair, delta in deltas.items() if delta}
    if not moved:
        _refuse_mingling(postings, ())
        return
    rows = _bin_rows(moved)
    if missing := sorted(set(moved) - set(rows)):
        BinStock.objects.bulk_create(BinStock(level_id=level, bin_id=bin_id) for level, bin_id in missing)
        rows = _bin_rows(moved)
    _refuse_mingling(
        postings, {bin_id for (_level, bin_id), (_pk, kind) in rows.items() if kind == BinKind.QUARANTINE}
    )
    _add_quantities(BinStock, {rows[pair][0]: delta for pair, delta in moved.items()})


def _refuse_mingling(postings: Sequence[Posting], quarantine: Collection[int]) -> None:
    """What is set aside lies in quarantine: pickers are sent to every other bin."""
    strays: dict[int, int] = defaultdict(int)
    for posting in postings:
        inside = posting.delta if posting.bin_id in quarantine else 0
        strays[posting.level_id] += inside - posting.unsellable_delta
    if any(strays.values()):
        raise Conflict(detail="units that are set aside lie in the quarantine bin, and no others do")


def _bin_rows(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], tuple[int, str]]:
    """Primary key and bin's kind of the rows of (level_id, bin_id) pairs."""
    found = BinStock.objects.filter(
        level_id__in={level_id for level_id, _bin in pairs}, bin_id__in={bin_id for _level, bin_id in pairs}
    )
    columns = found.values_list("pk", "level_id", "bin_id", "bin__kind")
    return {(level_id, bin_id): (pk, kind) for pk, level_id, bin_id, kind in columns}


def _change_unsellable(postings: Iterable[Posting]) -> None:
    deltas: dict[tuple[int, str], int] = defaultdict(int)
    for posting in postings:
        if posting.unsellable_delta:
            deltas[posting.level_id, str(posting.unsellable_reason)] += posting.unsellable_delta
    if not deltas:
        return
    rows = _unsellable_rows(deltas)
    if missing := sorted(set(deltas) - set(rows)):
        UnsellableStock.objects.bulk_create(
            UnsellableStock(level_id=level, reason=reason) for level, reason in missing
        )
        rows = _unsellable_rows(deltas)
    _add_quantities(UnsellableStock, {rows[pair]: delta for pair, delta in deltas.items()})


def _unsellable_rows(pairs: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    found = UnsellableStock.objects.filter(level_id__in={level_id for level_id, _reason in pairs})
    return {(row.level_id, row.reason): row.pk for row in found}


def _add_quantities(model: type[BinStock] | type[UnsellableStock], deltas: Mapping[int, int]) -> None:
    """Add to rows that their level's lock guards; none may fall below zero."""
    table = model._meta.db_table
    numbers = {pk: (delta,) for pk, delta in deltas.items()}
    enough = f"{table}.quantity + change.quantity >= 0"
    if add_to_rows(model, ("quantity",), numbers, condition=enough) != len(deltas):
        raise Conflict(detail=f"{model._meta.verbose_name}: fewer units than are to leave")


def bins_to_ship_from(level_ids: Iterable[int]) -> dict[int, list[BinStock]]:
    """Stocked bins by level in the order they are emptied: default bin, then the fullest."""
    rows = BinStock.objects.select_related("bin").filter(level_id__in=set(level_ids), quantity__gt=0)
    by_level: dict[int, list[BinStock]] = defaultdict(list)
    for row in rows.exclude(bin__kind=BinKind.QUARANTINE):
        by_level[row.level_id].append(row)
    for found in by_level.values():
        found.sort(key=lambda row: (row.bin.kind != BinKind.DEFAULT, -row.quantity, row.pk))
    return dict(by_level)


def posted_keys(keys: Iterable[str]) -> set[str]:
    """Which source keys were posted before; ask under the levels' lock, so that a rival has committed."""
    return set(MovementKey.objects.filter(key__in=list(keys)).values_list("key", flat=True))


def keep_keys(keys: Iterable[str]) -> None:
    """Remember source keys with what they posted, in the same transaction."""
    at = clock.now()
    MovementKey.objects.bulk_create(MovementKey(key=key, posted_at=at) for key in keys)
