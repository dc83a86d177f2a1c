"""One document of changes by hand, with all its lines or not at all."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.kernel import idempotency
from config.kernel.actors import Actor
from config.kernel.batches import retried
from config.kernel.errors import InvalidInput, NotFound
from config.kernel.rehearsing import rehearse
from config.kernel.results import Results
from inventory.enums import AdjustmentKind, UnsellableReason
from inventory.errors import LineRefused
from inventory.models import Location
from inventory.owners import Reference
from inventory.services.adjustments import REFERENCE, clean_reason, open_adjustment
from inventory.services.binning import MOVE, BinMove, move_bin
from inventory.services.correcting import ADJUST, Adjustment, adjust_stock
from inventory.services.returning import ReturnedGoods
from inventory.services.setting_aside import (
    SET_ASIDE,
    Aside,
    change_reason,
    put_back,
    set_aside,
    write_off,
)

K = AdjustmentKind
PERMISSIONS = {
    K.CORRECTION: ADJUST,
    K.SET_ASIDE: SET_ASIDE,
    K.OTHER_REASON: SET_ASIDE,
    K.PUT_BACK: SET_ASIDE,
    K.SCRAP: ADJUST,
    K.MOVE: MOVE,
}
MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class AdjustedLine:
    """`units` are signed for a correction. `bin_id` is where they are taken from (or come to, for found units)."""

    sku_id: int
    units: int
    bin_id: int | None = None
    to_bin_id: int | None = None


@dataclass(frozen=True, slots=True)
class AdjustmentPlan:
    """`aside` is the reason units are set aside for; it says nothing for corrections and moves. `becomes` is the one
    that takes its place, of the kind OTHER_REASON alone."""

    kind: AdjustmentKind
    location_id: int
    reason: str
    lines: tuple[AdjustedLine, ...]
    aside: UnsellableReason = UnsellableReason.DAMAGED
    becomes: UnsellableReason | None = None


def book_adjustment(plan: AdjustmentPlan, *, nonce: str, actor: Actor) -> int:
    """Book all lines under one document; returns its pk. The same nonce again returns the same pk.

    Locks as the verb of the kind does. Raises `NotAllowed`, `NotFound` for the location, `InvalidInput` for the
    reason or no lines, `LineRefused` with the number of the first line that the verb refuses, `KeyReused` for a
    nonce that came with another plan.
    """
    actor.require(PERMISSIONS[plan.kind])
    actor.require_place(plan.location_id)
    said = plan.reason.strip() if plan.kind == K.MOVE else clean_reason(plan.reason)
    if not 0 < len(plan.lines) <= MOST_LINES:
        accepted = str(_("1 to %(most)s lines are") % {"most": MOST_LINES})
        raise InvalidInput(field=str(_("lines")), value=len(plan.lines), accepted=accepted)
    request = {**asdict(plan), "actor": actor.id}

    def once() -> int:
        with transaction.atomic():
            before = idempotency.begin(REFERENCE, nonce, request)
            if before is not None:
                return int(before["adjustment"])
            if not Location.objects.filter(pk=plan.location_id).exists():
                raise NotFound(location_id=plan.location_id)
            document = open_adjustment(plan.kind, said, actor)
            _refuse_first(_book(plan, document, said, actor))
            idempotency.finish(REFERENCE, nonce, {"adjustment": document[1]})
            return document[1]

    return retried(once)


def adjustment_problems(plan: AdjustmentPlan, *, actor: Actor) -> dict[int, str]:
    """Why lines would be refused now, by their number from 1, as the verb of the kind decides it; nothing is written.

    Raises what `book_adjustment` raises for the plan as a whole.
    """
    actor.require(PERMISSIONS[plan.kind])
    actor.require_place(plan.location_id)
    said = plan.reason.strip() if plan.kind == K.MOVE else clean_reason(plan.reason)
    results = rehearse(lambda: _book(plan, (REFERENCE, 0), said, actor))
    if results is None:
        return {}
    numbered = enumerate(results.keys, start=1)
    return {number: str(results.refusals[key]) for number, key in numbered if key in results.refusals}


def _refuse_first(results: Results[str]) -> None:
    for number, key in enumerate(results.keys, start=1):
        if (problem := results.refusals.get(key)) is not None:
            raise LineRefused(line=number, reason=str(problem))


def _book(plan: AdjustmentPlan, document: Reference, said: str, actor: Actor) -> Results[str]:
    keyed = [(f"{REFERENCE}:{document[1]}:{number}", line) for number, line in enumerate(plan.lines, start=1)]
    place = plan.location_id
    if plan.kind == K.CORRECTION:
        corrections = [Adjustment(key, line.sku_id, place, line.units, line.bin_id) for key, line in keyed]
        return adjust_stock(corrections, reason=said, actor=actor, reference=document)
    if plan.kind == K.MOVE:
        moves = [
            BinMove(key, line.sku_id, place, line.bin_id or 0, line.to_bin_id or 0, line.units)
            for key, line in keyed
        ]
        return move_bin(moves, reason=said, actor=actor, reference=document)
    if plan.kind == K.SET_ASIDE:
        aside = [Aside(key, line.sku_id, place, line.units, line.bin_id) for key, line in keyed]
        return set_aside(aside, reason=plan.aside, note=said, actor=actor, reference=document)
    goods: Sequence[ReturnedGoods] = [
        ReturnedGoods(key, line.sku_id, place, line.units) for key, line in keyed
    ]
    verb = {K.PUT_BACK: put_back, K.SCRAP: write_off}.get(plan.kind)
    if verb is None:
        verb = partial(change_reason, becomes=plan.becomes or plan.aside)
    return verb(goods, reason=plan.aside, note=said, actor=actor, reference=document)
