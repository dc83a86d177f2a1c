"""Invariants as queries. Each must find nothing; `manage.py audit` runs them all."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise: whose, and what was found against what was expected."""

    subject: str
    detail: str


Check = Callable[[], Iterable[Violation]]


@dataclass(frozen=True, slots=True)
class Invariant:
    code: str
    title: str | Promise
    check: Check


@dataclass(frozen=True, slots=True)
class Finding:
    invariant: Invariant
    violations: tuple[Violation, ...]
    seconds: float


INVARIANTS: dict[str, Invariant] = {}


def invariant(code: str, title: str | Promise) -> Callable[[Check], Check]:
    """Register a check under a stable code ("stock.on_hand"), from a module that `ready()` imports."""

    def wrap(check: Check) -> Check:
        INVARIANTS[code] = Invariant(code, title, check)
        return check

    return wrap


def run_audit(codes: Iterable[str] = ()) -> Iterator[Finding]:
    """Run the named invariants, or all, one after the other; seconds of each with its findings."""
    chosen = list(codes) or sorted(INVARIANTS)
    for code in chosen:
        started = time.perf_counter()
        violations = tuple(INVARIANTS[code].check())
        yield Finding(INVARIANTS[code], violations, time.perf_counter() - started)
