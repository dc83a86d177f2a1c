"""Looking at what came back, and deciding where each unit goes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, IllegalTransition, InvalidInput, NotFound
from config.kernel.results import Results
from config.kernel.states import Edge, apply_transition
from inventory.services.returning import empty_quarantine
from returns.enums import Condition, Disposition, RmaStatus
from returns.errors import DamagedGoodsForSale, NoVerdict, UnitsContradict, UnitsUnknown
from returns.models import ReturnUnit, Rma
from returns.selectors.units import undecided_units
from returns.services.goods import count_change, document, for_stock, returned_goods, unit_facts
from returns.services.locking import lock_returns, units_of
from returns.states import DISPOSITION, INSPECT, REFURBISH, RESOLVE, RESTOCK, RMA, SCRAP, TO_VENDOR

Units = Mapping[int, ReturnUnit]

EDGE_OF_VERDICT: Mapping[str, Edge] = {edge.target: edge for edge in (RESTOCK, REFURBISH, SCRAP, TO_VENDOR)}
NOT_FOR_SALE = frozenset({Condition.DAMAGED, Condition.DEFECTIVE})
# A unit sent to be refurbished may come out of it long after the return was closed.
INSPECTABLE = frozenset({RmaStatus.RECEIVED, RmaStatus.INSPECTED, RmaStatus.RESOLVED})


class Verdict(NamedTuple):
    """A unit's condition and where it goes, in the words of `Condition` and `Disposition`."""

    condition: str
    disposition: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a person found, by unit id."""

    rma_id: int
    verdicts: Mapping[int, Verdict] = field(default_factory=dict)

    @property
    def key(self) -> int:
        return self.rma_id


@verb
def inspect_returns(inspections: Sequence[Inspection], *, actor: Actor) -> Results[int]:
    """Send units from quarantine back to stock, to refurbishing, to scrap or to the supplier.

    At most 200 returns, and 200 line parts in all; answered by RMA id, the value is how many units were decided
    now. Locks orders, returns, stock levels and bins. Units for refurbishing and for the supplier stay set aside.
    Verdicts given before come back `unchanged`. When no unit is expected or undecided any more, the return is
    inspected.

    Refuses: `NotFound`; `IllegalTransition` unless received; `NoVerdict`; `UnitsUnknown`; `InvalidInput` for an
    unknown condition or destination; `UnitsContradict` for units that did not arrive or went another way;
    `DamagedGoodsForSale`; `NotEnoughUnsellable` where fewer units are in quarantine than the return has sent there, and
    what else the stock room refuses, for that return alone.
    """
    actor.require(INSPECT.permission)
    results: Results[int] = Results(inspection.key for inspection in inspections)
    with batch_transaction():
        rmas = lock_returns(results.keys, actor=actor)
        units = units_of(rmas)
        chosen: dict[int, dict[int, Verdict]] = {}
        for inspection in inspections:
            rma = rmas.get(inspection.key)
            problem = NotFound() if rma is None else _refusal(inspection, rma, units[rma.pk])
            news = {} if problem is not None else _news(inspection, units[inspection.key])
            if problem is not None:
                results.refuse(inspection.key, problem)
            elif not news:
                results.unchanged(inspection.key)
            else:
                chosen[inspection.key] = news
        for pk, short in _move_stock(chosen, rmas, units, actor=actor).items():
            results.refuse(pk, short)
            del chosen[pk]
        _write(chosen, units, actor=actor)
        shown = {pk: rmas[pk].version for pk in chosen}
        finish_inspection([rmas[pk] for pk in chosen], actor=actor)
        count_change([rmas[pk] for pk in chosen if rmas[pk].version == shown[pk]])
        for pk, news in chosen.items():
            results.done(pk, len(news))
    return results


@verb
def resolve_returns(rma_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Close inspected returns. At most 200 ids; locks orders, then returns; a second call is `unchanged`.

    Refuses: `NotFound`; `IllegalTransition` unless inspected, which means that no unit is undecided.
    """
    actor.require(RESOLVE.permission)
    results: Results[int] = Results(rma_ids)
    with batch_transaction():
        rmas = lock_returns(rma_ids, actor=actor)
        for pk in results.keys:
            if pk not in rmas:
                results.refuse(pk, NotFound())
            elif rmas[pk].status == RmaStatus.RESOLVED:
                results.unchanged(pk)
            elif (problem := RESOLVE.refusal(rmas[pk].status)) is not None:
                results.refuse(pk, problem)
            else:
                results.done(pk)
        chosen = [rmas[pk] for pk in results.done_ids]
        facts = {rma.pk: {"number": rma.number} for rma in chosen}
        apply_transition(RMA, RESOLVE, chosen, actor=actor, facts=facts, also={"resolved_at": clock.now()})
    return results


def finish_inspection(rmas: Sequence[Rma], *, actor: Actor) -> None:
    """Mark received returns as inspected whose every unit is accounted for; three statements at most."""
    received = [rma for rma in rmas if INSPECT.leads_from(rma.status)]
    if not received:
        return
    undecided = undecided_units(rma.pk for rma in received)
    finished = [rma for rma in received if rma.pk not in undecided]
    facts = {rma.pk: {"number": rma.number} for rma in finished}
    apply_transition(RMA, INSPECT, finished, actor=actor, facts=facts)


def _news(inspection: Inspection, units: Units) -> dict[int, Verdict]:
    """Verdicts that say something new."""
    return {
        pk: verdict
        for pk, verdict in inspection.verdicts.items()
        if (units[pk].condition, units[pk].disposition) != (verdict.condition, verdict.disposition)
    }


def _refusal(inspection: Inspection, rma: Rma, units: Units) -> BancaleError | None:
    """Why these verdicts cannot be given, or None; no query."""
    if rma.status not in INSPECTABLE:
        return IllegalTransition(edge=INSPECT.label, status=rma.get_status_display())
    if not inspection.verdicts:
        return NoVerdict(number=rma.number)
    if unknown := sorted(set(inspection.verdicts) - set(units)):
        return UnitsUnknown(number=rma.number, unit_ids=_words(unknown))
    for verdict in inspection.verdicts.values():
        if (fault := _fault(verdict)) is not None:
            return fault
    news = _news(inspection, units)
    if lost_way := [
        pk for pk in news if not EDGE_OF_VERDICT[news[pk].disposition].leads_from(units[pk].disposition)
    ]:
        return UnitsContradict(number=rma.number, unit_ids=_words(lost_way))
    damaged = [
        pk
        for pk, verdict in news.items()
        if verdict.disposition == Disposition.RESTOCK and verdict.condition in NOT_FOR_SALE
    ]
    return DamagedGoodsForSale(number=rma.number, unit_ids=_words(damaged)) if damaged else None


def _fault(verdict: Verdict) -> InvalidInput | None:
    if verdict.disposition not in EDGE_OF_VERDICT:
        accepted = ", ".join(EDGE_OF_VERDICT)
        return InvalidInput(field=_("disposition"), value=verdict.disposition, accepted=accepted)
    if verdict.condition not in Condition.values or verdict.condition == Condition.UNKNOWN:
        accepted = ", ".join(value for value in Condition.values if value)
        return InvalidInput(field=_("condition"), value=verdict.condition, accepted=accepted)
    return None


def _words(unit_ids: Sequence[int]) -> str:
    return ", ".join(map(str, sorted(unit_ids)))


def _write(chosen: Mapping[int, Mapping[int, Verdict]], units: Mapping[int, Units], *, actor: Actor) -> None:
    """Two statements a distinct verdict, whatever the number of units."""
    groups: dict[Verdict, list[ReturnUnit]] = defaultdict(list)
    for rma_id, verdicts in chosen.items():
        for pk, verdict in verdicts.items():
            groups[verdict].append(units[rma_id][pk])
    for (condition, disposition), rows in sorted(groups.items()):
        apply_transition(
            DISPOSITION,
            EDGE_OF_VERDICT[disposition],
            rows,
            actor=actor,
            facts={pk: {**facts, "condition": condition} for pk, facts in unit_facts(rows).items()},
            also={"condition": condition},
        )


def _move_stock(
    chosen: Mapping[int, Mapping[int, Verdict]],
    rmas: Mapping[int, Rma],
    units: Mapping[int, Units],
    *,
    actor: Actor,
) -> dict[int, BancaleError]:
    """Units back for sale and to scrap leave quarantine in one go; the others stay where they are.

    Gives the returns of which nothing left, each with what refused it.
    """
    going: dict[str, list[ReturnUnit]] = {Disposition.RESTOCK: [], Disposition.SCRAP: []}
    for rma_id, verdicts in chosen.items():
        for pk, verdict in verdicts.items():
            if verdict.disposition in going:
                going[verdict.disposition].append(units[rma_id][pk])
    restocked, scrapped = (returned_goods(rows, rmas, step=str(step)) for step, rows in going.items())
    first = next((unit for rows in going.values() for unit in rows), None)
    if first is None:
        return {}
    refusals = empty_quarantine(
        [*restocked, *scrapped],
        scrapped={line.key for line in scrapped},
        reference=document(first),
        actor=for_stock(actor),
    ).refusals
    sent = {line.key: line.document for line in (*restocked, *scrapped) if line.document is not None}
    return {pk: refusals[key] for key, (_kind, pk) in sent.items() if key in refusals}
