"""Transactions of many: limits, retries, and halving until the culprit stands alone."""

import functools
import random
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast

from django.db import IntegrityError, OperationalError, connection, transaction

from config.kernel.errors import Conflict, TooMany, brief
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

    The first argument is the sequence of units (ids, or objects with a `key`). Inside a transaction of the
    caller neither retry nor halving happens, because what went before cannot be repeated from here.
    """

    @functools.wraps(function)
    def wrapped(units: Sequence[Any], *args: Any, **kwargs: Any) -> Results[Any]:
        units = _collapse(units)
        if len(units) > MAX_BATCH:
            raise TooMany(limit=MAX_BATCH, count=len(units))
        if _is_inside():
            return function(units, *args, **kwargs)
        with rare_collections():
            return _halve(lambda part: function(part, *args, **kwargs), units)

    return cast(V, wrapped)


def _collapse(units: Sequence[Any]) -> list[Any]:
    """Drop repeated keys; the first of them stays."""
    first: dict[Hashable, Any] = {}
    for unit in units:
        first.setdefault(unit_key(unit), unit)
    return list(first.values())


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
    except IntegrityError as error:
        if len(units) == 1:
            alone: Results[Any] = Results([unit_key(units[0])])
            alone.refuse(unit_key(units[0]), Conflict(detail=brief(error)))
            return alone
    middle = len(units) // 2
    results = _halve(call, units[:middle])
    results.absorb(_halve(call, units[middle:]))
    return results


def in_batches(
    call: Callable[..., Results[Any]], units: Sequence[Any], *, size: int = MAX_BATCH, **kwargs: Any
) -> Results[Any]:
    """Run a verb over any number of units, a transaction each `size`, and put the answers together."""
    results: Results[Any] = Results()
    units = _collapse(units)
    for start in range(0, len(units), size):
        results.absorb(call(units[start : start + size], **kwargs))
    return results
