"""Goods come back: what arrived stands in quarantine until it is inspected."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, NotFound
from config.kernel.results import Results
from config.kernel.states import Edge, apply_transition
from inventory.errors import KitHoldsNoStock, LocationClosed
from inventory.services.returning import take_back_into_quarantine
from orders.services.progress import RETURNED, record_returned, refused_shares
from returns.enums import RmaStatus
from returns.errors import NothingArrived, UnitsContradict, UnitsUnknown, WithoutSku
from returns.models import ReturnUnit, Rma
from returns.services.goods import count_change, document, for_stock, returned_goods, unit_facts
from returns.services.inspecting import finish_inspection
from returns.services.locking import lock_returns, units_of
from returns.states import ARRIVE, DISPOSITION, MISS, MISTAKE, QUARANTINE, RECEIVE, RECEPTION, RMA

Units = Mapping[int, ReturnUnit]


@dataclass(frozen=True, slots=True)
class ReturnReceipt:
    """What a person found in the box, as unit ids. Units not named stay expected; `lost` is only what staff says."""

    rma_id: int
    arrived: Collection[int] = ()
    wrong: Collection[int] = ()
    lost: Collection[int] = ()

    @property
    def key(self) -> int:
        return self.rma_id

    def steps(self) -> tuple[tuple[Edge, Collection[int]], ...]:
        return ((ARRIVE, self.arrived), (MISTAKE, self.wrong), (MISS, self.lost))


@verb
def receive_returns(receipts: Sequence[ReturnReceipt], *, actor: Actor) -> Results[int]:
    """Take arrived units into quarantine, note wrong and lost ones, and count the order's returned units up.

    At most 200 returns, and 200 line parts in all; answered by RMA id, the value is how many units arrived now.
    Locks orders, returns, stock levels and bins. A receipt that says only what is known already comes back
    `unchanged`, also after inspection. Later boxes of the same return are further receipts; when nothing is left
    to expect or inspect, the return is inspected.

    Refuses: `NotFound`; `IllegalTransition` unless approved, on its way or received; `UnitsUnknown`;
    `UnitsContradict`; `LocationClosed` for goods that arrive at a place that was closed; `NothingArrived` when the
    first receipt has neither right nor wrong goods; `KitHoldsNoStock` for goods whose SKU has become a kit since they
    were sold; `WithoutSku` for goods that never had one; `Conflict` for more units than the order has counted as
    shipped.
    """
    actor.require(RECEIVE.permission)
    results: Results[int] = Results(receipt.key for receipt in receipts)
    with batch_transaction():
        rmas = lock_returns(results.keys, actor=actor)
        units = units_of(rmas)
        chosen = []
        for receipt in receipts:
            rma = rmas.get(receipt.key)
            problem = NotFound() if rma is None else _refusal(receipt, rma, units[rma.pk])
            if problem is not None:
                results.refuse(receipt.key, problem)
            elif not any(_news(receipt, units[receipt.key])):
                results.unchanged(receipt.key)
            else:
                chosen.append(receipt)
        for pk, conflict in refused_shares(RETURNED, _new_parts(chosen, units)).items():
            results.refuse(pk, conflict)
        chosen = [receipt for receipt in chosen if receipt.key not in results.refusals]
        arrived = _write(chosen, rmas, units, actor=actor)
        for receipt in chosen:
            results.done(receipt.key, arrived[receipt.key])
    return results


def _news(receipt: ReturnReceipt, units: Units) -> Iterable[ReturnUnit]:
    return (
        units[pk] for edge, named in receipt.steps() for pk in named if units[pk].reception != edge.target
    )


def _new_parts(receipts: Iterable[ReturnReceipt], units: Mapping[int, Units]) -> dict[int, Counter[int]]:
    """Units by part that arrive now, by return."""
    return {
        receipt.key: Counter(
            units[receipt.key][pk].line_part_id
            for pk in receipt.arrived
            if units[receipt.key][pk].reception != ARRIVE.target
        )
        for receipt in receipts
    }


def _refusal(receipt: ReturnReceipt, rma: Rma, units: Units) -> BancaleError | None:
    """Why this cannot be said of the return, or None; no query."""
    named = [pk for _edge, ids in receipt.steps() for pk in ids]
    if unknown := sorted(set(named) - set(units)):
        return UnitsUnknown(number=rma.number, unit_ids=", ".join(map(str, unknown)))
    contradicting = {pk for pk in named if named.count(pk) > 1} | {
        pk
        for edge, ids in receipt.steps()
        for pk in ids
        if units[pk].reception != edge.target and not edge.leads_from(units[pk].reception)
    }
    if contradicting:
        return UnitsContradict(number=rma.number, unit_ids=", ".join(map(str, sorted(contradicting))))
    if named and not any(_news(receipt, units)):
        return None
    if rma.status != RmaStatus.RECEIVED and (problem := RECEIVE.refusal(rma.status)) is not None:
        return problem
    if (rma.status != RmaStatus.RECEIVED and not (receipt.arrived or receipt.wrong)) or not named:
        return NothingArrived(number=rma.number)
    arriving = [units[pk].line_part for pk in receipt.arrived if units[pk].reception != ARRIVE.target]
    if arriving and not rma.location.is_active:
        return LocationClosed(location=rma.location.name)
    if nameless := {part.line.title for part in arriving if part.sku is None}:
        return WithoutSku(lines=", ".join(sorted(nameless)))
    kits = sorted(part.sku.code for part in arriving if part.sku is not None and part.sku.is_kit)
    return KitHoldsNoStock(sku=kits[0]) if kits else None


def _write(
    receipts: Sequence[ReturnReceipt],
    rmas: Mapping[int, Rma],
    units: Mapping[int, Units],
    *,
    actor: Actor,
) -> Counter[int]:
    """Stock, counters, units and returns, in that order; gives the number of units that arrived, by return."""
    moved: dict[str, list[ReturnUnit]] = {edge.name: [] for edge in (ARRIVE, MISTAKE, MISS)}
    for receipt in receipts:
        own = units[receipt.key]
        for edge, named in receipt.steps():
            moved[edge.name] += [own[pk] for pk in sorted(named) if own[pk].reception != edge.target]
    arrived = moved[ARRIVE.name]
    if arrived:
        _take_back(arrived, rmas, actor=actor)
    for edge in (ARRIVE, MISTAKE, MISS):
        rows = moved[edge.name]
        apply_transition(RECEPTION, edge, rows, actor=actor, facts=unit_facts(rows))
    apply_transition(DISPOSITION, QUARANTINE, arrived, actor=actor, facts=unit_facts(arrived))
    touched = [rmas[receipt.key] for receipt in receipts]
    shown = {rma.pk: rma.version for rma in touched}
    first = [rma for rma in touched if rma.status != RmaStatus.RECEIVED]
    counted = Counter(unit.rma_id for unit in arrived)
    facts = {rma.pk: {"number": rma.number, "units": counted[rma.pk]} for rma in first}
    apply_transition(RMA, RECEIVE, first, actor=actor, facts=facts, also={"received_at": clock.now()})
    finish_inspection(touched, actor=actor)
    count_change([rma for rma in touched if rma.version == shown[rma.pk]])
    return counted


def _take_back(arrived: Sequence[ReturnUnit], rmas: Mapping[int, Rma], *, actor: Actor) -> None:
    take_back_into_quarantine(
        returned_goods(arrived, rmas, step="received"), reference=document(arrived[0]), actor=for_stock(actor)
    ).raise_refusals()
    parts = Counter(unit.line_part_id for unit in arrived)
    record_returned(sorted({unit.order_id for unit in arrived}), parts, actor=actor)
