"""Transactions of many: limits, retries, and halving until the culprit stands alone."""

import functools
import random
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast

from django.db import DataError, IntegrityError, OperationalError, connection, transaction

from config.kernel.errors import AskedTwice, Conflict, TooMany, brief
from config.kernel.garbage import rare_collections
from config.kernel.results import Results

MAX_BATCH = 200
RETRIES = 3
# deadlock_detected, serialization_failure, lock_not_available
_TRANSIENT_SQLSTATES = {"40P01", "40001", "55P03"}

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V", bound=Callable[..., Results[Any]])


@contextmanager
def batch_transaction() -> Iterator[None]:
    """The transaction of one batch; inside another one it is that one's savepoint."""
    with transaction.atomic():
        yield
    if not _is_inside():
        connection._bancale_commits = commits() + 1  # type: ignore[attr-defined]


def commits() -> int:
    """How many batches this thread has committed: the same number before and after a call that broke says that
    nothing of it stayed."""
    return getattr(connection, "_bancale_commits", 0)


def is_transient(error: OperationalError) -> bool:
    """Whether the database asks for the whole transaction again (deadlock, lock time-out, SQLite busy)."""
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate in _TRANSIENT_SQLSTATES or "database is locked" in str(error)


def retried(call: Callable[[], T]) -> T:
    """Run a whole transaction again when the database asks for it; inside one of the caller's it runs once."""
    if _is_inside():
        return call()
    for tried in range(RETRIES):
        try:
            return call()
        except OperationalError as error:
            if tried == RETRIES - 1 or not is_transient(error):
                raise
            time.sleep(random.uniform(0, 0.05 * 2**tried))  # noqa: S311  (jitter)
    raise AssertionError("unreachable")


def verb(function: V) -> V:
    """Make a function of many into a verb: at most 200 units, retried and halved when it is outermost.

    Halved until the unit stands alone that breaks a constraint, has a value that no column holds, or raises `Conflict`;
    that one is refused.

    The first argument is the sequence of units (ids, or objects with a `key`). Equal ones count once; unequal
    ones under one key are refused with `AskedTwice`. Inside a transaction of the caller neither retry nor halving
    happens, because what went before cannot be repeated from here.
    """

    @functools.wraps(function)
    def wrapped(units: Sequence[Any], *args: Any, **kwargs: Any) -> Results[Any]:
        units, refused = _collapse(units)
        if len(units) > MAX_BATCH:
            raise TooMany(limit=MAX_BATCH, count=len(units))
        if _is_inside():
            return _together(refused, function(units, *args, **kwargs))
        with rare_collections():
            return _together(refused, _halve(lambda part: function(part, *args, **kwargs), units))

    return cast(V, wrapped)


def _collapse(units: Sequence[Any]) -> tuple[list[Any], Results[Any] | None]:
    """One unit a key, and the refusals of keys that two unequal units stand under, where there are any."""
    first: dict[Hashable, Any] = {}
    twice: dict[Hashable, AskedTwice] = {}
    for unit in units:
        key = unit_key(unit)
        if first.setdefault(key, unit) != unit:
            twice[key] = AskedTwice(key=key)
    if not twice:
        return list(first.values()), None
    refused: Results[Any] = Results(first)
    for key, error in twice.items():
        refused.refuse(key, error)
    return [unit for key, unit in first.items() if key not in twice], refused


def _together(refused: Results[Any] | None, results: Results[Any]) -> Results[Any]:
    """A verb's answers with those that it was never asked, in the order asked."""
    if refused is None:
        return results
    refused.absorb(results)
    return refused


def unit_key(unit: Any) -> Hashable:
    """What a unit is answered under in `Results`: itself, or its `key`."""
    return cast(Hashable, getattr(unit, "key", unit))


def _is_inside() -> bool:
    """Whether a caller has opened a transaction, whose earlier work cannot be repeated from here."""
    return connection.in_atomic_block and not _is_test_transaction()


def _is_test_transaction() -> bool:
    """A test case wraps everything in a transaction that no caller of ours opened."""
    return bool(connection.atomic_blocks) and all(
        getattr(block, "_from_testcase", False) for block in connection.atomic_blocks
    )


def _halve(call: Callable[[Sequence[Any]], Results[Any]], units: Sequence[Any]) -> Results[Any]:
    try:
        return retried(lambda: call(units))
    except (IntegrityError, DataError, Conflict) as error:
        if not units:
            raise
        if len(units) == 1:
            alone: Results[Any] = Results([unit_key(units[0])])
            why = error if isinstance(error, Conflict) else Conflict(detail=brief(error))
            alone.refuse(unit_key(units[0]), why)
            return alone
    middle = len(units) // 2
    results = _halve(call, units[:middle])
    results.absorb(_halve(call, units[middle:]))
    return results


def in_batches(
    call: Callable[..., Results[Any]], units: Sequence[Any], *, size: int = MAX_BATCH, **kwargs: Any
) -> Results[Any]:
    """Run a verb over any number of units, a transaction each `size`, and put the answers together."""
    units, refused = _collapse(units)
    results: Results[Any] = Results() if refused is None else refused
    for start in range(0, len(units), size):
        results.absorb(call(units[start : start + size], **kwargs))
    return results
