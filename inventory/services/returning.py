"""Goods come back: into quarantine, from there for sale again or to scrap; units stay aside for another reason."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError
from config.kernel.results import Results
from inventory.enums import BinKind, MovementKind, UnsellableReason
from inventory.errors import NotEnoughUnsellable, UnitsToInspect
from inventory.models import Sku, StockLevel, UnsellableStock
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
    before comes back `unchanged`. Lines that name one `document` go together or not at all. Records `stock.freed`
    for each SKU.

    Refuses: `NotAllowed`; `NotFound`; `NotEnoughUnsellable`; `BinMissing`; `InvalidInput`.
    """
    actor.require(RETURN)
    because = Because(QUARANTINE, lambda: Cause(reference, actor))
    return out_of_sale({MovementKind.PUT_BACK: goods}, because=because, actor=actor)


@verb
def scrap_unsellable(
    goods: Sequence[ReturnedGoods], *, reference: tuple[str, int], actor: Actor
) -> Results[str]:
    """Write units in quarantine off: they are no longer on hand.

    At most 200. Locks all levels of the SKUs. A key scrapped before comes back `unchanged`. Lines that name one
    `document` go together or not at all.

    Refuses: `NotAllowed`; `NotFound`; `NotEnoughUnsellable`; `BinMissing`; `InvalidInput`.
    """
    actor.require(RETURN)
    because = Because(QUARANTINE, lambda: Cause(reference, actor))
    return out_of_sale({MovementKind.SCRAP: goods}, because=because, actor=actor)


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
    return out_of_sale(lines, because=Because(QUARANTINE, lambda: Cause(reference, actor)), actor=actor)


# SKU ids in; units by (sku_id, location_id) out that must stay set aside.
Kept = Callable[[Collection[int]], Mapping[tuple[int, int], int]]


def nothing_kept(_sku_ids: Collection[int]) -> Mapping[tuple[int, int], int]:
    """Of other reasons every unit may leave."""
    return {}


class Because(NamedTuple):
    """The reason for which units were set aside, and why they leave. `cause` is asked once, when there is something
    to post, and `kept` under the levels' locks. Units of the kind OTHER_REASON stay aside for `becomes`."""

    reason: UnsellableReason
    cause: Callable[[], Cause]
    kept: Kept = nothing_kept
    becomes: UnsellableReason | None = None


_BINS = {
    MovementKind.PUT_BACK: (BinKind.QUARANTINE, BinKind.DEFAULT),
    MovementKind.SCRAP: (BinKind.QUARANTINE,),
    MovementKind.OTHER_REASON: (BinKind.QUARANTINE,),
}


def out_of_sale(
    lines: Mapping[MovementKind, Sequence[ReturnedGoods]], *, because: Because, actor: Actor
) -> Results[str]:
    """Put set-aside units of one reason back for sale, write them off, or keep them aside for another reason, by the
    kind of movement.

    Locks, answers and refusals are those of `put_back_for_sale`, further `UnitsToInspect` for those that are kept;
    the caller has asked for the right.
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
        fresh = {kind: new_lines(some, kind, results) for kind, some in fit.items()}
        aside = _Aside.of(levels, because)
        aside.answer(every, results)
        postings: list[Posting] = []
        keys: list[str] = []
        freed: list[int] = []
        for kind, some in fresh.items():
            for line in (line for line in some if results.is_done(line.key)):
                level = aside.at[line.sku_id, line.location_id]
                postings += _entries(level, line, kind, because, places)
                keys.append(f"{kind}:{line.key}")
                freed += [line.sku_id] if kind == MovementKind.PUT_BACK else []
        if postings:
            post_movements(postings, levels=levels, cause=because.cause())
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


@dataclass(slots=True)
class _Aside:
    """Units set aside for a reason, by level, as they are taken by one line after the other."""

    at: dict[tuple[int, int], StockLevel]
    held: dict[int, int]
    kept: Mapping[tuple[int, int], int]
    codes: Mapping[int, str]

    @classmethod
    def of(cls, levels: Sequence[StockLevel], because: Because) -> "_Aside":
        rows = UnsellableStock.objects.filter(
            level_id__in=[level.pk for level in levels], reason=because.reason
        )
        kept = because.kept({level.sku_id for level in levels})
        return cls(
            at=by_place(levels),
            held=dict(rows.values_list("level_id", "quantity")),
            kept=kept,
            codes=dict(Sku.objects.filter(pk__in={pk for pk, _place in kept}).values_list("pk", "code"))
            if kept
            else {},
        )

    def answer(self, lines: Sequence[ReturnedGoods], results: Results[str]) -> None:
        """Answer each line without an answer; those of one document are all done or none, for one's reason."""
        together: dict[object, list[ReturnedGoods]] = defaultdict(list)
        for line in lines:
            together[line.document or line.key].append(line)
        answered = {*results.unchanged_ids}
        for some in together.values():
            rest = [line for line in some if line.key not in answered]
            refused = (results.refusals[line.key] for line in rest if line.key in results.refusals)
            problem = next(refused, None) or self._problem(rest)
            for line in rest:
                if problem is not None:
                    results.refuse(line.key, results.refusals.get(line.key, problem))
                else:
                    self.held[self.at[line.sku_id, line.location_id].pk] -= line.quantity
                    results.done(line.key)

    def _problem(self, lines: Sequence[ReturnedGoods]) -> BancaleError | None:
        asked = Counter[tuple[int, int]]()
        for line in lines:
            asked[line.sku_id, line.location_id] += line.quantity
        for place, units in asked.items():
            level = self.at.get(place)
            held, kept = self.held.get(level.pk, 0) if level else 0, self.kept.get(place, 0)
            if level is None or held < units:
                return NotEnoughUnsellable(found=held, asked=units)
            if held - kept < units:
                sku = self.codes.get(level.sku_id, "")
                return UnitsToInspect(sku=sku, kept=kept, found=max(0, held - kept), asked=units)
        return None


def _entries(
    level: StockLevel, line: ReturnedGoods, kind: MovementKind, because: Because, places: Places
) -> Iterator[Posting]:
    quarantine_bin = places.bin_of[line.location_id, BinKind.QUARANTINE]
    is_leaving = kind != MovementKind.OTHER_REASON
    yield Posting(
        level.pk,
        quarantine_bin,
        kind,
        delta=-line.quantity if is_leaving else 0,
        unsellable_delta=-line.quantity,
        unsellable_reason=because.reason,
        document=line.document,
    )
    if not is_leaving:
        yield Posting(
            level.pk,
            quarantine_bin,
            kind,
            unsellable_delta=line.quantity,
            unsellable_reason=because.becomes,
            document=line.document,
        )
    if kind == MovementKind.PUT_BACK:
        default_bin = places.bin_of[line.location_id, BinKind.DEFAULT]
        yield Posting(level.pk, default_bin, kind, delta=line.quantity, document=line.document)
