"""The faults: what each one strikes, and by what one sees that work goes on."""

import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connections

from config.kernel import clock
from config.kernel.models import Attempt
from config.prove.kills.clients import History
from config.prove.kills.stage import Stage

LONGEST_RECOVERY = 60
LOOK_EVERY = 0.05


@dataclass(frozen=True, slots=True)
class Counts:
    """How often to strike."""

    kills: int = 60
    crashes: int = 5
    flushes: int = 5


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    strike: Callable[[Stage, random.Random], None]
    is_of_the_web: bool


@dataclass(slots=True)
class Strikes:
    """What was struck, and the seconds until work went on, by fault."""

    recoveries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    never: list[str] = field(default_factory=list)


def _kill_web(stage: Stage, dice: random.Random) -> None:
    stage.services.web.kill_one(dice)


def _kill_child(stage: Stage, dice: random.Random) -> None:
    stage.services.worker.kill_one(dice)


def _kill_worker(stage: Stage, _dice: random.Random) -> None:
    stage.services.worker.kill_whole()
    stage.services.worker.start()


def _crash(stage: Stage, _dice: random.Random) -> None:
    stage.crash_postgres()


def _flush(stage: Stage, _dice: random.Random) -> None:
    stage.flush_redis()


KILLS = (
    Fault("web process SIGKILL", _kill_web, True),
    Fault("worker child SIGKILL", _kill_child, False),
    Fault("whole worker tree SIGKILL", _kill_worker, False),
)
CRASH = Fault("PostgreSQL SIGKILL, all processes", _crash, True)
FLUSH = Fault("Redis FLUSHALL", _flush, False)


def chosen(counts: Counts, dice: random.Random) -> list[Fault]:
    """The faults in the order in which they strike."""
    faults = [KILLS[number % len(KILLS)] for number in range(counts.kills)]
    faults += [CRASH] * counts.crashes + [FLUSH] * counts.flushes
    dice.shuffle(faults)
    return faults


def strike_all(stage: Stage, history: History, faults: list[Fault], dice: random.Random) -> Strikes:
    """Strike at random moments, each time after work went on from the one before."""
    strikes = Strikes()
    for fault in faults:
        time.sleep(dice.uniform(0.3, 2.0))
        at, moment = clock.now(), time.monotonic()
        fault.strike(stage, dice)
        while not _goes_on(fault, history, at, moment):
            if time.monotonic() - moment > LONGEST_RECOVERY:
                strikes.never.append(fault.name)
                break
            time.sleep(LOOK_EVERY)
        strikes.recoveries[fault.name].append(time.monotonic() - moment)
    return strikes


def _goes_on(fault: Fault, history: History, at: Any, moment: float) -> bool:
    """The web acknowledged a request that was sent since, or a worker began a delivery since and ended it."""
    if fault.is_of_the_web:
        return history.is_answered_since(moment)
    return bool(ask(lambda: Attempt.objects.filter(started_at__gt=at, ended_at__isnull=False).exists()))


def ask(query: Callable[[], Any]) -> Any:
    """What a query finds; None while the database is away."""
    try:
        return query()
    except DatabaseError:
        connections.close_all()
        return None
