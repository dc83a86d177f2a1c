"""The transactional outbox: facts written with the change, deliveries claimed in bulk, done, settled.

A nudge after commit is a courtesy; the sweep is the guarantee. A handler may see a delivery twice (a worker
died between doing and settling), so it makes its effect unique itself.
"""

import logging
import math
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F, Q

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.enums import DeliveryState
from config.kernel.errors import BancaleError, brief
from config.kernel.events import correlation
from config.kernel.fastpath import insert_rows, insert_values, new_row
from config.kernel.languages import kept_words
from config.kernel.machines import BURY, CLAIM, DELIVER, DELIVERY, FAIL, LOSE_TRACK, SUPPRESS
from config.kernel.results import Results
from config.kernel.sessions import LET_GO, claimed, lost
from config.kernel.states import Edge, apply_transition
from config.kernel.texts import storable

log = logging.getLogger(__name__)

CLAIM_SIZE = 200
# A mail can take seconds, so that a lease and a task's time limit hold only a few of them.
CLAIM_SIZES = {"mail": 20}
LEASE = timedelta(seconds=120)
MAX_ATTEMPTS = 10
CUT_OFF = "the worker stopped in the middle"
LONGEST_PAUSE = timedelta(minutes=15)
# Seconds between looks of a worker after others that died, in one long turn or in many short ones.
LOOK_EVERY = 5
# By this process; one that takes a dead one's place has not looked yet.
_looked = {"at": -math.inf}


class OutcomeUnknown(BancaleError):
    """The effect may have happened: never repeated by itself, a person decides."""

    code = "unknown"


class Suppressed(BancaleError):
    """Nothing is owed any more; the message is the reason."""

    code = "suppressed"


class WorkerLost(BancaleError):
    """Whoever had claimed it is gone; it is no fault of the delivery unless that happens again."""

    code = "worker_lost"
    message = CUT_OFF


@dataclass(frozen=True, slots=True)
class Owed:
    """One claimed delivery as its handler sees it."""

    delivery_id: int
    fact_id: int
    kind: str
    subject_type: str
    subject_id: int
    payload: Mapping[str, Any]
    recorded_at: datetime
    attempt: int
    subscriber: str


Handler = Callable[[Sequence[Owed]], Results[int]]


@dataclass(frozen=True, slots=True)
class Subscriber:
    name: str
    kinds: frozenset[str]
    handler: Handler
    lane: str = "work"


class NewFact(NamedTuple):
    """`payload` carries ids, versions and codes; workers read the rest again."""

    kind: str
    subject: tuple[str, int]
    payload: Mapping[str, Any] = MappingProxyType({})


SUBSCRIBERS: dict[str, Subscriber] = {}
LANES = ("work", "mail")


def subscribe(name: str, kinds: Iterable[str], handler: Handler, *, lane: str = "work") -> None:
    """Register a handler of facts, from `AppConfig.ready()`.

    It gets up to 200 deliveries outside any transaction and answers by delivery id: done, unchanged (the effect
    was there already), or refused: `Suppressed`, `OutcomeUnknown`, or any other error, which is tried again.
    """
    if lane not in LANES:
        raise ValueError(f"unknown lane {lane}")
    SUBSCRIBERS[name] = Subscriber(name, frozenset(kinds), handler, lane)


def record_facts(facts: Sequence[NewFact]) -> None:
    """Write facts and one delivery a subscriber in the caller's transaction: two statements,
    then a nudge.

    Facts that nobody subscribes to are not written.
    """
    from config.kernel.models import Delivery, Fact

    kinds = {fact.kind for fact in facts}
    hearers = {kind: [s for s in SUBSCRIBERS.values() if kind in s.kinds] for kind in kinds}
    wanted = [fact for fact in facts if hearers[fact.kind]]
    if not wanted:
        return
    at, related = clock.now(), correlation.get()
    rows = [
        new_row(
            Fact,
            kind=fact.kind,
            subject_type=fact.subject[0],
            subject_id=fact.subject[1],
            payload=dict(fact.payload),
            recorded_at=at,
            correlation=related,
        )
        for fact in wanted
    ]
    insert_rows(Fact, rows)
    insert_values(
        Delivery,
        ("fact_id", "subscriber", "lane", "due_at"),
        [(row.pk, hearer.name, hearer.lane, at) for row in rows for hearer in hearers[row.kind]],
    )
    nudge({hearer.lane for fact in wanted for hearer in hearers[fact.kind]})


def nudge(lanes: Iterable[str]) -> None:
    """Ask the workers after commit, once a lane and transaction; a broker that is down changes nothing."""
    waiting = getattr(connection, "_bancale_nudges", None)
    queued = {hook[1] for hook in connection.run_on_commit}
    for lane in lanes:
        if waiting is None:
            waiting = connection._bancale_nudges = {}  # type: ignore[attr-defined]
        if waiting.get(lane) in queued and waiting.get(lane) is not None:
            continue
        hook = waiting[lane] = partial(_publish, lane)
        transaction.on_commit(hook, robust=True)


def _publish(lane: str) -> None:
    from celery import current_app

    current_app.send_task("kernel.deliver_outbox", args=[lane], queue=lane)


def claim(lane: str, limit: int | None = None) -> list[Owed]:
    """Take due deliveries of a lane, in a transaction of its own; rivals skip each other's.

    They are held until they are settled, the lease runs out, or this database session ends (`reclaim`).
    """
    from config.kernel.models import Attempt, Delivery

    at = clock.now()
    with transaction.atomic():
        rows = list(
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("fact")
            .filter(lane=lane, state__in=[DeliveryState.DUE, DeliveryState.FAILED], due_at__lte=at)
            .order_by("due_at", "id")[: limit or CLAIM_SIZES.get(lane, CLAIM_SIZE)]
        )
        apply_transition(
            DELIVERY, CLAIM, rows,
            actor=Actor.system("outbox"),
            also={**claimed(at + LEASE), "attempt_count": F("attempt_count") + 1},
        )  # fmt: skip
        for row in rows:
            row.attempt_count += 1
        insert_values(
            Attempt,
            ("delivery_id", "number", "started_at"),
            [(row.pk, row.attempt_count, at) for row in rows],
        )
    return [_owed(row) for row in rows]


def _owed(row: Any) -> Owed:
    fact = row.fact
    return Owed(
        row.pk,
        fact.pk,
        fact.kind,
        fact.subject_type,
        fact.subject_id,
        fact.payload,
        fact.recorded_at,
        row.attempt_count,
        row.subscriber,
    )


def deliver_due(lane: str, *, rounds: int = 50, seconds: float | None = None, size: int | None = None) -> int:
    """Claim, do and settle until nothing of the lane is due; returns how many were claimed.

    A round takes `size` of them, or what is usual for the lane.
    No round begins after `seconds`: what is left then is asked of the workers again.
    """
    total, started = 0, time.monotonic()
    for number in range(rounds):
        now = time.monotonic()
        if seconds is not None and now - started > seconds:
            nudge({lane})
            break
        if number:
            # All workers at long turns would leave the sweep, and what the dead held, waiting.
            reclaim_now_and_then()
        owed = claim(lane, size)
        if not owed:
            break
        total += len(owed)
        by_handler = defaultdict(list)
        for one in owed:
            by_handler[_handler(one.subscriber)].append(one)
        for handler, batch in by_handler.items():
            settle({one.delivery_id: one.attempt for one in batch}, _do(handler, batch))
    return total


def _handler(name: str) -> Handler:
    """Subscribers of one handler are served together: the mails of all kinds in one go."""
    subscriber = SUBSCRIBERS.get(name)
    return _refuse_all if subscriber is None else subscriber.handler


def _refuse_all(batch: Sequence[Owed]) -> Results[int]:
    results: Results[int] = Results(one.delivery_id for one in batch)
    for one in batch:
        results.refuse(one.delivery_id, BancaleError("no subscriber is registered under this name"))
    return results


def _do(handler: Handler, batch: Sequence[Owed]) -> Results[int]:
    """Call a handler; when it breaks on many, call it for each alone so that one never spoils the rest."""
    results: Results[int] = Results(one.delivery_id for one in batch)
    try:
        results.absorb(handler(batch))
    except Exception as error:
        log.exception("%s failed on %d deliveries", batch[0].subscriber, len(batch))
        if len(batch) > 1:
            for one in batch:
                results.absorb(_do(handler, [one]))
        else:
            results.refuse(batch[0].delivery_id, BancaleError(f"{type(error).__name__}: {brief(error)}"))
    return results


def settle(attempts: Mapping[int, int], results: Results[int]) -> None:
    """Record outcomes in one transaction: a statement or three for each kind of outcome and, of failures, each
    number of tries.

    `attempts` are the claimed ones by delivery id; the answer to one that was taken back meanwhile changes nothing.
    """
    from config.kernel.models import Attempt, Delivery

    at = clock.now()
    with transaction.atomic():
        held = Delivery.objects.select_for_update(of=("self",)).filter(
            pk__in=list(attempts), state=DeliveryState.IN_FLIGHT
        )
        rows = [row for row in held.order_by("pk") if row.attempt_count == attempts[row.pk]]
        groups: dict[_Outcome, list[Any]] = defaultdict(list)
        for row in rows:
            groups[_outcome(row, results)].append(row)
        for outcome, members in groups.items():
            columns = outcome.columns(at)
            apply_transition(DELIVERY, outcome.edge, members, actor=Actor.system("outbox"), also=columns)
            numbers = {row.attempt_count for row in members}
            Attempt.objects.filter(
                delivery__in=[row.pk for row in members], number__in=numbers, ended_at=None
            ).update(ended_at=at, outcome=outcome.edge.target, error=outcome.error)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What becomes of deliveries alike; `failures` are the tries that a pause is counted from, 0 for none: then it
    keeps its place among what is due."""

    edge: Edge
    error: str = ""
    failures: int = 0

    def columns(self, at: datetime) -> dict[str, Any]:
        columns: dict[str, Any] = {**LET_GO, "last_error": self.error}
        if self.edge is not FAIL:
            columns["settled_at"] = at
        elif self.failures:
            columns["due_at"] = at + _pause(self.failures)
        return columns


def _outcome(row: Any, results: Results[int]) -> _Outcome:
    error = results.refusals.get(row.pk)
    tries = row.attempt_count
    if error is None:
        answered = results.is_done(row.pk) or row.pk in results.unchanged_ids
        return _Outcome(DELIVER) if answered else _Outcome(FAIL, "the subscriber gave no answer", tries)
    # A word of one that no database keeps would leave all that were claimed with it unsettled.
    # Where nothing is filled in, whoever reads it finds it in the catalogue.
    said = kept_words(error) if error.facts else storable(str(error))
    if isinstance(error, Suppressed):
        return _Outcome(SUPPRESS, said)
    if isinstance(error, OutcomeUnknown):
        return _Outcome(LOSE_TRACK, said)
    if tries >= MAX_ATTEMPTS:
        return _Outcome(BURY, said)
    return _Outcome(FAIL, said, tries - isinstance(error, WorkerLost))


def _pause(attempts: int) -> timedelta:
    longest = min(LONGEST_PAUSE.total_seconds(), 5 * 2.0**attempts)
    return timedelta(seconds=random.uniform(longest / 2, longest))  # noqa: S311  (jitter)


def reclaim_now_and_then() -> None:
    """Give back what dead workers held, unless this process looked after them seconds ago."""
    if time.monotonic() - _looked["at"] > LOOK_EVERY:
        reclaim()


def reclaim() -> int:
    """Give back what dead workers held: their database session ended, or the lease ran out. Returns how many.

    The first time it is due as it was and the workers are asked at once, after that with the pause of the failures
    before.
    """
    from config.kernel.models import Delivery

    _looked["at"] = time.monotonic()
    total = 0
    is_lost = lost(Delivery.objects.filter(state=DeliveryState.IN_FLIGHT))
    while found := _reclaim_some(is_lost):
        total += found
    return total


def _reclaim_some(is_lost: Q) -> int:
    from config.kernel.models import Delivery

    with transaction.atomic():
        rows = list(
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(is_lost, state=DeliveryState.IN_FLIGHT)
            .order_by("pk")[:CLAIM_SIZE]
        )
        if rows:
            results: Results[int] = Results(row.pk for row in rows)
            for row in rows:
                results.refuse(row.pk, WorkerLost())
            settle({row.pk: row.attempt_count for row in rows}, results)
            nudge({row.lane for row in rows})
    return len(rows)
