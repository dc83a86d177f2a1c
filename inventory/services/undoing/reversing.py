"""The ledger takes entries back by opposite ones: nothing is deleted."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from config.kernel.actors import Actor
from config.kernel.errors import BancaleError, NotYourPlace
from config.kernel.results import Results
from inventory.enums import MovementKind, UnsellableReason
from inventory.models import StockLevel
from inventory.owners import Reference
from inventory.selectors.undoing import Posted, Standing, posted_by
from inventory.services.levels import lock_levels, record_freed
from inventory.services.movements import Cause, Posting, post_movements


def reverse(
    kind: str, ids: Sequence[int], results: Results[int], *, reason: str, actor: Actor
) -> Mapping[int, Sequence[Posted]]:
    """Post the opposite of what locked documents of a kind have left in the ledger, each whole or not at all.

    Locks all levels of the SKUs. Answers in `results` those that cannot be: a location that the actor does not see,
    units that were promised, moved or counted since. The others are done; returns what each of these had posted.
    Records `stock.freed` where units become free.
    """
    posted = posted_by(kind, ids)
    every = [one for some in posted.values() for one in some]
    sku_ids = StockLevel.objects.filter(pk__in={one.level_id for one in every}).values_list(
        "sku_id", flat=True
    )
    levels = lock_levels(sku_ids)
    standing = Standing(levels, {one.bin_id for one in every})
    postings: list[Posting] = []
    for pk in ids:
        some = posted.get(pk, [])
        problem = _elsewhere(some, standing, actor) or standing.problem((kind, pk), some)
        if problem is not None:
            results.refuse(pk, problem)
            continue
        standing.take_back(some)
        postings += _opposite((kind, pk), some)
        results.done(pk)
    if postings:
        cause = Cause(postings[0].document or (kind, ids[0]), actor, reason)
        post_movements(postings, levels=levels, cause=cause)
        record_freed(standing.levels[pk].sku_id for pk in _gaining(postings))
    return {pk: posted.get(pk, []) for pk in results.done_ids}


def _elsewhere(posted: Iterable[Posted], standing: Standing, actor: Actor) -> BancaleError | None:
    for one in posted:
        location = standing.levels[one.level_id].location
        if not actor.sees_place(location.pk):
            return NotYourPlace(location=location.name)
    return None


def _opposite(reference: Reference, posted: Iterable[Posted]) -> Iterator[Posting]:
    """Units that leave first, so that the balance of a level never shows more than was there."""
    for one in sorted(posted, key=lambda one: -one.delta):
        yield Posting(
            one.level_id,
            one.bin_id,
            MovementKind(one.kind),
            delta=-one.delta,
            unsellable_delta=-one.unsellable_delta,
            unsellable_reason=UnsellableReason(one.unsellable_reason) if one.unsellable_reason else None,
            document=reference,
            is_undo=True,
        )


def _gaining(postings: Iterable[Posting]) -> Iterator[int]:
    """Levels that have more to sell afterwards."""
    free: dict[int, int] = {}
    for one in postings:
        free[one.level_id] = free.get(one.level_id, 0) + one.delta - one.unsellable_delta
    return (level_id for level_id, units in free.items() if units > 0)


def units_of(posted: Iterable[Posted]) -> int:
    """How many units a document moved, whichever way; what only went to another bin or reason counts once."""
    sums: dict[tuple[int, str, bool], int] = defaultdict(int)
    for one in posted:
        for what, units in (("here", one.delta), ("aside", one.unsellable_delta)):
            sums[one.level_id, what, units > 0] += abs(units)
    moved: dict[int, int] = {}
    for (level_id, _what, _is_more), units in sums.items():
        moved[level_id] = max(units, moved.get(level_id, 0))
    return sum(moved.values())
