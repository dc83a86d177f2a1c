"""What carriers and staff say about parcels: every statement is kept, few of them move anything."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import DateTimeField, Max
from django.utils.translation import gettext as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import Conflict, InvalidInput, NotFound
from config.kernel.outbox import NewFact, record_facts
from config.kernel.results import Results
from config.kernel.states import Edge, apply_transition, each
from config.kernel.texts import is_storable, storable
from fulfillment.errors import ParcelNotShipped
from fulfillment.models import Parcel, ParcelLine, TrackingEvent, TrackingKey
from fulfillment.services.locking import lock_parcels
from fulfillment.states import DELIVER, PARCEL
from fulfillment.tracking import NEWS, OURS, edge_for_news
from orders.services.progress import DELIVERED, record_delivered, refused_shares
from orders.services.texts import limit_of

PARCEL_DELIVERED = "parcel.delivered"
TRACK = "fulfillment.track_parcel"
STAFF = "staff"
# Clocks of carriers run ahead; more than this is a mistake.
MOST_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Statement:
    """One dated statement about a parcel. `key` names it for ever ("gls:event:77"); `code` is the carrier's own."""

    key: str
    parcel_id: int
    status: str
    stated_at: datetime
    source: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class ParcelMark:
    """What a member of staff says of a parcel by a button: exactly one edge of its machine."""

    parcel_id: int
    edge: Edge

    @property
    def key(self) -> int:
        return self.parcel_id


@dataclass
class _Moves:
    """Edges to walk, per parcel in the order told, and where each parcel stands while they are chosen."""

    parcels: Mapping[int, Parcel]
    latest: dict[int, datetime]
    chosen: dict[int, list[Edge]] = field(default_factory=lambda: defaultdict(list))
    delivered_at: dict[int, datetime] = field(default_factory=dict)
    units: Counter[int] = field(default_factory=Counter)

    def status(self, parcel_id: int) -> str:
        chosen = self.chosen.get(parcel_id)
        return chosen[-1].target if chosen else self.parcels[parcel_id].status

    def walk(self, parcel_id: int, edge: Edge, at: datetime) -> None:
        self.chosen[parcel_id].append(edge)
        if edge is DELIVER:
            self.delivered_at[parcel_id] = at

    def drop_uncountable(self) -> dict[int, Conflict]:
        """Leave out the parcels whose delivery the order's counters cannot take, and say why: two statements."""
        units: dict[int, Counter[int]] = {pk: Counter() for pk in sorted(self.delivered_at)}
        if not units:
            return {}
        lines = ParcelLine.objects.filter(parcel__in=list(units)).order_by("pk")
        for parcel_id, part_id, quantity in lines.values_list("parcel_id", "line_part_id", "quantity"):
            units[parcel_id][part_id] += quantity
        refused = refused_shares(DELIVERED, units)
        for pk in refused:
            del self.chosen[pk], self.delivered_at[pk]
        self.units = sum((units[pk] for pk in self.delivered_at), Counter[int]())
        return refused


@verb
def record_tracking(statements: Sequence[Statement], *, actor: Actor) -> Results[str]:
    """Keep statements about parcels, and move those parcels that they say something newer about.

    At most 200. Locks the orders, then the parcels. Every statement is stored once a key: a known key comes back
    `unchanged`. Late and repeated news is stored and moves nothing back; delivered is never taken back. What is said of
    a parcel that was not shipped, or is void, is stored and moves nothing. The value is the parcel's status afterwards.
    A delivery counts its units up on the order and records `parcel.delivered`.

    Refuses: `NotFound`; `InvalidInput` for a status that no carrier can state, a time without zone or ahead of
    ours by more than a day, a key, source or code that is too long; `Conflict` for all that is said of a parcel
    whose delivery would count more units than were shipped, of which nothing is kept.
    """
    actor.require(TRACK)
    results: Results[str] = Results(statement.key for statement in statements)
    with batch_transaction():
        parcels = lock_parcels({statement.parcel_id for statement in statements}, actor=actor)
        keys = [one.key for one in statements if is_storable(one.key)]
        known = set(TrackingKey.objects.filter(key__in=keys).values_list("key", flat=True))
        fresh = []
        for statement in statements:
            parcel = parcels.get(statement.parcel_id)
            if statement.key in known:
                results.unchanged(statement.key, parcel.status if parcel else None)
            elif parcel is None:
                results.refuse(statement.key, NotFound())
            elif (problem := _fault(statement)) is not None:
                results.refuse(statement.key, problem)
            else:
                fresh.append(statement)
        if fresh:
            moves = _Moves(parcels, _latest(parcels))
            _choose(sorted(fresh, key=lambda one: one.stated_at), moves)
            refused = moves.drop_uncountable()
            for one in fresh:
                if one.parcel_id in refused:
                    results.refuse(one.key, refused[one.parcel_id])
            fresh = [one for one in fresh if one.parcel_id not in refused]
            _store(fresh)
            _apply(moves, actor=actor)
        for statement in fresh:
            results.done(statement.key, parcels[statement.parcel_id].status)
    return results


@verb
def mark_parcels(marks: Sequence[ParcelMark], *, actor: Actor) -> Results[int]:
    """Move parcels along one edge each, as staff press it; kept as a statement of theirs dated now.

    At most 200, answered by parcel id. Locks the orders, then the parcels. A parcel that stands there already
    comes back `unchanged`. Records `parcel.delivered` as `record_tracking` does.

    Refuses: `NotFound`; `IllegalTransition` where the edge does not begin; `ParcelNotShipped` for handing over, which
    shipping does; `Conflict` for a delivery that would count more units than were shipped.
    """
    actor.require(TRACK)
    results: Results[int] = Results(mark.key for mark in marks)
    at = clock.now()
    with batch_transaction():
        parcels = lock_parcels((mark.parcel_id for mark in marks), actor=actor)
        moves = _Moves(parcels, {})
        for mark in marks:
            parcel = parcels.get(mark.parcel_id)
            if parcel is None:
                results.refuse(mark.key, NotFound())
            elif parcel.status == mark.edge.target:
                results.unchanged(mark.key)
            elif (problem := mark.edge.refusal(parcel.status)) is not None:
                results.refuse(mark.key, problem)
            elif mark.edge in OURS:
                results.refuse(mark.key, ParcelNotShipped(parcel=str(parcel)))
            else:
                moves.walk(parcel.pk, mark.edge, at)
        for pk, conflict in moves.drop_uncountable().items():
            results.refuse(pk, conflict)
        told = [
            Statement(f"{STAFF}:{pk}:{parcels[pk].version}", pk, edge.target, at, STAFF)
            for pk, (edge,) in moves.chosen.items()
        ]
        for one in told:
            results.done(one.parcel_id)
        _store(told)
        _apply(moves, actor=actor)
    return results


def _fault(statement: Statement) -> InvalidInput | None:
    if statement.status not in NEWS:
        accepted = ", ".join(sorted(NEWS))
        return InvalidInput(field=_("status"), value=statement.status, accepted=accepted)
    if statement.stated_at.tzinfo is None or statement.stated_at > clock.now() + MOST_AHEAD:
        value = statement.stated_at.isoformat()
        accepted = _("a time with its zone is, at most a day ahead")
        return InvalidInput(field=_("stated at"), value=value, accepted=accepted)
    for name, value, most in (
        (_("key"), statement.key, limit_of(TrackingKey, "key")),
        (_("source"), statement.source, limit_of(TrackingEvent, "source")),
        (_("code"), statement.code, limit_of(TrackingEvent, "code")),
    ):
        if len(value) > most or not is_storable(value):
            accepted = _("up to %(most)s characters are") % {"most": most}
            return InvalidInput(field=name, value=storable(value)[:80], accepted=accepted)
    return None


def _latest(parcels: Iterable[int]) -> dict[int, datetime]:
    rows = TrackingEvent.objects.filter(parcel__in=list(parcels)).order_by().values("parcel_id")
    return {row["parcel_id"]: row["at"] for row in rows.annotate(at=Max("stated_at"))}


def _choose(told: Iterable[Statement], moves: _Moves) -> None:
    """Decide the edges, oldest statement first; no query."""
    for one in told:
        latest = moves.latest.get(one.parcel_id)
        edge = edge_for_news(
            moves.status(one.parcel_id), one.status, stated_at=one.stated_at, latest_at=latest
        )
        if edge is not None:
            moves.walk(one.parcel_id, edge, one.stated_at)
        moves.latest[one.parcel_id] = max(one.stated_at, latest or one.stated_at)


def _store(told: Sequence[Statement]) -> None:
    if not told:
        return
    at = clock.now()
    TrackingKey.objects.bulk_create(TrackingKey(key=one.key, recorded_at=at) for one in told)
    TrackingEvent.objects.bulk_create(
        TrackingEvent(
            parcel_id=one.parcel_id,
            status=one.status,
            stated_at=one.stated_at,
            recorded_at=at,
            source=one.source,
            code=one.code,
        )
        for one in told
    )


def _apply(moves: _Moves, *, actor: Actor) -> None:
    """Walk the chosen edges, all parcels a step at a time: two statements an edge and step."""
    delivered: list[Parcel] = []
    for step in range(max((len(edges) for edges in moves.chosen.values()), default=0)):
        groups: dict[str, list[Parcel]] = defaultdict(list)
        for parcel_id, edges in moves.chosen.items():
            if step < len(edges):
                groups[edges[step].name].append(moves.parcels[parcel_id])
        for name, rows in groups.items():
            edge = PARCEL.by_name[name]
            times = {row.pk: moves.delivered_at[row.pk] for row in rows} if edge is DELIVER else {}
            also = {"delivered_at": each(times, DateTimeField())} if times else None
            facts = {
                row.pk: {"parcel_id": row.pk, "carrier": row.carrier, "tracking_number": row.tracking_number}
                for row in rows
            }
            apply_transition(PARCEL, edge, rows, actor=actor, facts=facts, also=also)
            delivered += rows if edge is DELIVER else []
    if delivered:
        record_delivered(sorted({parcel.order_id for parcel in delivered}), moves.units, actor=actor)
        record_facts(
            [NewFact(PARCEL_DELIVERED, ("parcel", one.pk), {"order_id": one.order_id}) for one in delivered]
        )
