"""Threads that call verbs at the same moment, on the test's database."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.db import OperationalError, connection, connections, transaction
from django.db.models import Model

from config.kernel.audit import run_audit
from config.kernel.results import Results

Call = Callable[[], Results[Any]]


def at_once(calls: Sequence[Call]) -> list[Any]:
    """What each call answered, all begun together: "done", "unchanged", or the class of its refusal."""
    return [None if results is None else answer_of(results) for results in together(calls)]


def together(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each call returned, all begun together; None for one that failed."""
    start, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(place: int) -> None:
        start.wait(timeout=30)
        try:
            answers[place] = calls[place]()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers


def answer_of(results: Results[Any]) -> Any:
    if results.refusals:
        return type(next(iter(results.refusals.values())))
    return "done" if results.done_ids else "unchanged"


def violations() -> list[str]:
    return [f"{found.invariant.code}: {one}" for found in run_audit() for one in found.violations]


def is_somebody_waiting(*, seconds: float = 20) -> bool:
    """Whether another session of this database waits for a lock, looked for again and again (PostgreSQL)."""
    query = (
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE NOT granted AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    until = time.monotonic() + seconds
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(query)
            if cursor.fetchone()[0]:
                return True
            time.sleep(0.05)
    return False


def comes_to_wait(is_over: Callable[[], bool], *, seconds: float = 30) -> bool:
    """Whether another session comes to wait for a lock before it is over (PostgreSQL), however slow the machine is."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_over():
            return False
        if is_somebody_waiting(seconds=0.05):
            return True
    raise AssertionError("it neither ended nor came to a lock")


def lock_row(row: Model, *, nowait: bool = False) -> None:
    """Lock a row, and no other that it names."""
    rows = type(row)._default_manager.filter(pk=row.pk).order_by("pk")
    list(rows.select_for_update(of=("self",), no_key=True, nowait=nowait))


def is_free(row: Model) -> bool:
    """Whether a row could be locked at once."""
    try:
        with transaction.atomic():
            lock_row(row, nowait=True)
    except OperationalError:
        return False
    return True
