"""Rivals at the same rows at the same moment, on PostgreSQL; each race answers with what looks wrong afterwards."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar
from unittest import mock

from django.db import OperationalError, connection, connections, transaction

from config.kernel import clock, outbox, sessions
from config.kernel.models import Delivery
from config.kernel.results import Results
from inventory.errors import NotEnoughStock
from inventory.models import Sku, StockLevel
from inventory.services.levels import lock_levels
from inventory.services.reservations import Claim, place_reservations, placing
from tests.factories.inventory import make_level, make_location, make_sku
from tests.planted.deeds import told

RIVALS, UNITS = 6, 3
LOOK = sessions.ended_sessions
T = TypeVar("T")


def at_once(acts: Sequence[Callable[[], str]]) -> Counter[str]:
    """What each answered, all begun together."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], str]) -> str:
        try:
            connection.ensure_connection()
            start.wait(timeout=30)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as rivals:
        return Counter(rivals.map(run, acts))


def look_again(*_given: object) -> None:
    """Time between reading what is free and taking it, so that rivals meet."""
    time.sleep(0.05)


def buy(sku: Sku, number: int) -> str:
    try:
        with transaction.atomic():
            levels = lock_levels([sku.pk])
            if not levels:
                return "falsely refused"
            claim = Claim(sku.pk, levels[0].pk, 1, number, 0, clock.now())
            place_reservations("test", [claim], levels=levels)
    except NotEnoughStock:
        return "sold out"
    return "reserved"


def buy_the_last_units() -> list[str]:
    """Six want one of three; three more are kept back, so that the constraint on the row does not save the day."""
    sku = make_sku()
    make_level(sku, make_location(), on_hand=2 * UNITS, buffer=UNITS)
    with mock.patch.object(placing, "refuse_overtaking", look_again):
        answers = at_once([lambda number=number: buy(sku, number) for number in range(1, RIVALS + 1)])
    expected = {"reserved": UNITS, "sold out": RIVALS - UNITS}
    return told(free=(StockLevel.objects.get().free, 0), answers=(answers, expected))


def lock_two(skus: Sequence[Sku]) -> str:
    try:
        with transaction.atomic():
            lock_levels([sku.pk for sku in skus])
    except OperationalError as error:
        return type(error.__cause__).__name__
    return "locked"


def lock_in_opposite_order() -> list[str]:
    """One order names its two SKUs forwards, the other backwards."""
    skus = [make_sku(), make_sku()]
    for sku in skus:
        make_level(sku, make_location(), on_hand=1)
    answers = at_once([lambda: lock_two(skus), lambda: lock_two(skus[::-1])])
    return told(answers=(answers, {"locked": 2}))


def in_another_session(act: Callable[[], T]) -> T:
    """What a worker of its own answers; its session has ended afterwards."""

    def run() -> tuple[T, sessions.Session | None]:
        try:
            return act(), sessions.own_session()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as worker:
        answer, session = worker.submit(run).result()
    wait_for_the_end_of(session)
    return answer


@contextmanager
def own_fact(count: int = 1) -> Iterator[list[int]]:
    """One fact, or more, is due to a subscriber that notes each delivery it does."""
    done: list[int] = []

    def note(owed: Sequence[outbox.Owed]) -> Results[int]:
        results: Results[int] = Results(one.delivery_id for one in owed)
        for one in owed:
            done.append(one.delivery_id)
            results.done(one.delivery_id)
        return results

    with mock.patch.object(outbox, "SUBSCRIBERS", {}), mock.patch.object(outbox, "_publish"):
        outbox.subscribe("tests", ["test.done"], note)
        with transaction.atomic():
            outbox.record_facts([outbox.NewFact("test.done", ("test", number)) for number in range(count)])
        yield done


def wait_for_the_end_of(session: sessions.Session | None) -> None:
    """The server notices within milliseconds that a client has gone."""
    for _look in range(3000):
        if session is None or session in LOOK([session]):
            return
        time.sleep(0.02)
    raise AssertionError(f"session {session} is still there")


def sweep_beside_a_worker() -> list[str]:
    """A worker is at its delivery while another one sweeps."""

    def sweep() -> str:
        outbox.reclaim()
        outbox.deliver_due("work")
        return "swept"

    with own_fact() as done:
        (owed,) = outbox.claim("work")
        at_once([sweep])
        answer = outbox.SUBSCRIBERS["tests"].handler([owed])
        outbox.settle({owed.delivery_id: owed.attempt}, answer)
    return told(effects=(len(done), 1))


def sweep_beside_an_older_worker() -> list[str]:
    """A process of an older release, which knows no sessions, is at what a dead worker had before."""
    with own_fact():
        in_another_session(lambda: outbox.claim("work"))
        Delivery.objects.update(attempt_count=2, lease_until=clock.now() + outbox.LEASE)
        return told(taken=(outbox.reclaim(), 0))


def sweep_beside_a_younger_worker() -> list[str]:
    """A worker begins and claims something when a sweep has looked at the sessions and taken nothing yet."""
    with own_fact(count=2), ThreadPoolExecutor(1) as younger:
        in_another_session(lambda: outbox.claim("work", limit=1))

        def look(named: Collection[sessions.Session]) -> set[sessions.Session]:
            ended = LOOK(named)
            younger.submit(outbox.claim, "work").result()
            return ended

        try:
            with mock.patch.object(sessions, "ended_sessions", look):
                return told(taken=(outbox.reclaim(), 1))
        finally:
            younger.submit(connections.close_all).result()


def sweep_after_a_worker() -> list[str]:
    """A worker dies with its delivery; its lease has not run out when another one sweeps."""
    with own_fact() as done:
        in_another_session(lambda: outbox.claim("work"))
        outbox.reclaim()
        outbox.deliver_due("work")
    return told(effects=(len(done), 1))
