"""Threads that call verbs at the same moment, on the test's database."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections

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
