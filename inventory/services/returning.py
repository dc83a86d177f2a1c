"""Goods come back: into quarantine, from there for sale again or to scrap."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.results import Results
from inventory.enums import BinKind, MovementKind, UnsellableReason
from inventory.errors import NotEnoughUnsellable
from inventory.models import StockLevel, UnsellableStock
from inventory.services.arrivals import Places, new_lines
from inventory.services.levels import by_place, ensure_levels, lock_levels, record_freed
from inventory.services.movements import Cause, Posting, keep_keys, post_movements

RETURN = "inventory.return_stock"
QUARANTINE = UnsellableReason.QUARANTINE


@dataclass(frozen=True, slots=True)
class ReturnedGoods:
    """Units that came back, or a step with them. `key` names the source line for ever, apart for each verb;
    `document` is the ledger's cause where a batch has many."""

    key: str
    sku_id: int
    location_id: int
    quantity: int
    document: tuple[str, int] | None = None


@verb
def take_back_into_quarantine(
    goods: Sequence[ReturnedGoods], *, reference: tuple[str, int], actor: Actor
) -> Results[str]:
    """Count returned units in: on hand in the quarantine bin, not for sale until somebody has looked.

    At most 200. Makes missing levels, locks all levels of the SKUs. A key taken back before comes
    back `unchanged`.

    Refuses: `NotAllowed`; `NotFound`; `KitHoldsNoStock`; `LocationClosed`; `BinMissing`; `InvalidInput`.
    """
    actor.require(RETURN)
    results: Results[str] = Results(line.key for line in goods)
    with batch_transaction():
        places = Places.of(goods, actor=actor)
        fit = _fitting(goods, places, results, bins=(BinKind.QUARANTINE,), opens=True)
        ensure_levels((line.sku_id, line.location_id) for line in fit)
        levels = lock_levels(line.sku_id for line in fit)
        fresh = new_lines(fit, "return", results)
        at = by_place(levels)
        postings = [
            Posting(
                at[line.sku_id, line.location_id].pk,
                places.bin_of[line.location_id, BinKind.QUARANTINE],
                MovementKind.RETURN,
                delta=line.quantity,
                unsellable_delta=line.quantity,
                unsellable_reason=QUARANTINE,
                document=line.document,
            )
            for line in fresh
        ]
        post_movements(postings, levels=levels, cause=Cause(reference, actor))
        keep_keys(f"return:{line.key}" for line in fresh)
        for line in fresh:
            results.done(line.key)
    return results


@verb
def put_back_for_sale(
    goods: Sequence[ReturnedGoods], *, reference: tuple[str, int], actor: Actor
) -> Results[str]:
    """Move units from quarantine to the default bin, free again for whoever is first in line.

    At most 200. Locks all levels of the SKUs; two ledger entries a line, one a bin. A key put back
    before comes back `unchanged`. Records `stock.freed` for each SKU.

    Refuses: `NotAllowed`; `NotFound`; `NotEnoughUnsellable`; `BinMissing`; `InvalidInput`.
    """
    actor.require(RETURN)
    return out_of_sale(
        {MovementKind.PUT_BACK: goods},
        reason=QUARANTINE,
        cause=lambda: Cause(reference, actor),
        actor=actor,
    )


@verb
def scrap_unsellable(
    goods: Sequence[ReturnedGoods], *, reference: tuple[str, int], actor: Actor
) -> Results[str]:
    """Write units in quarantine off: they are no longer on hand.

    At most 200. Locks all levels of the SKUs. A key scrapped before comes back `unchanged`.

    Refuses: `NotAllowed`; `NotFound`; `NotEnoughUnsellable`; `BinMissing`; `InvalidInput`.
    """
    actor.require(RETURN)
    return out_of_sale(
        {MovementKind.SCRAP: goods},
        reason=QUARANTINE,
        cause=lambda: Cause(reference, actor),
        actor=actor,
    )


@verb
def empty_quarantine(
    goods: Sequence[ReturnedGoods], *, scrapped: Collection[str], reference: tuple[str, int], actor: Actor
) -> Results[str]:
    """Put units back for sale, and write those off whose keys are `scrapped`: one inspection, one set of locks.

    Locks, answers and refusals are those of `put_back_for_sale` and `scrap_unsellable`.
    """
    actor.require(RETURN)
    lines = {
        MovementKind.PUT_BACK: [line for line in goods if line.key not in scrapped],
        MovementKind.SCRAP: [line for line in goods if line.key in scrapped],
    }
    return out_of_sale(lines, reason=QUARANTINE, cause=lambda: Cause(reference, actor), actor=actor)


class Posted(NamedTuple):
    """What a ledger entry is called, and the reason for which the units were set aside."""

    kind: MovementKind
    reason: UnsellableReason


_BINS = {
    MovementKind.PUT_BACK: (BinKind.QUARANTINE, BinKind.DEFAULT),
    MovementKind.SCRAP: (BinKind.QUARANTINE,),
}


def out_of_sale(
    lines: Mapping[MovementKind, Sequence[ReturnedGoods]],
    *,
    reason: UnsellableReason,
    cause: Callable[[], Cause],
    actor: Actor,
) -> Results[str]:
    """Put set-aside units of one reason back for sale, or write them off, by the kind of movement.

    `cause` is asked once, when there is something to post. Locks, answers and refusals are those of
    `put_back_for_sale`; the caller has asked for the right.
    """
    every = [line for some in lines.values() for line in some]
    results: Results[str] = Results(line.key for line in every)
    with batch_transaction():
        places = Places.of(every, actor=actor)
        fit = {
            kind: _fitting(some, places, results, bins=_BINS[kind], opens=False)
            for kind, some in lines.items()
            if some
        }
        levels = lock_levels(line.sku_id for some in fit.values() for line in some)
        held, at = _held([level.pk for level in levels], reason), by_place(levels)
        postings: list[Posting] = []
        keys: list[str] = []
        freed: list[int] = []
        for kind, some in fit.items():
            for level, line in _within(new_lines(some, kind, results), at, held, results):
                postings += _entries(level, line, Posted(kind, reason), places)
                keys.append(f"{kind}:{line.key}")
                freed += [line.sku_id] if kind == MovementKind.PUT_BACK else []
        if postings:
            post_movements(postings, levels=levels, cause=cause())
        keep_keys(keys)
        if freed:
            record_freed(freed)
    return results


def _fitting(
    goods: Sequence[ReturnedGoods],
    places: Places,
    results: Results[str],
    *,
    bins: Sequence[BinKind],
    opens: bool,
) -> list[ReturnedGoods]:
    fit = []
    for line in goods:
        if (problem := places.problem(line, bins=bins, opens=opens)) is not None:
            results.refuse(line.key, problem)
        else:
            fit.append(line)
    return fit


def _held(level_ids: Sequence[int], reason: UnsellableReason) -> dict[int, int]:
    """Units set aside for a reason, by level."""
    rows = UnsellableStock.objects.filter(level_id__in=level_ids, reason=reason)
    return dict(rows.values_list("level_id", "quantity"))


def _within(
    lines: Sequence[ReturnedGoods],
    at: dict[tuple[int, int], StockLevel],
    held: dict[int, int],
    results: Results[str],
) -> Iterator[tuple[StockLevel, ReturnedGoods]]:
    """Answer each line; the units that earlier lines take are gone for later ones."""
    for line in lines:
        level = at.get((line.sku_id, line.location_id))
        found = held.get(level.pk, 0) if level else 0
        if level is None or found < line.quantity:
            results.refuse(line.key, NotEnoughUnsellable(found=found, asked=line.quantity))
            continue
        held[level.pk] = found - line.quantity
        results.done(line.key)
        yield level, line


def _entries(level: StockLevel, line: ReturnedGoods, posted: Posted, places: Places) -> Iterator[Posting]:
    yield Posting(
        level.pk,
        places.bin_of[line.location_id, BinKind.QUARANTINE],
        posted.kind,
        delta=-line.quantity,
        unsellable_delta=-line.quantity,
        unsellable_reason=posted.reason,
        document=line.document,
    )
    if posted.kind == MovementKind.PUT_BACK:
        default_bin = places.bin_of[line.location_id, BinKind.DEFAULT]
        yield Posting(level.pk, default_bin, posted.kind, delta=line.quantity, document=line.document)
