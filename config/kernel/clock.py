"""The only clock. The demo and the history import set it back; nothing writes a raw past date."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_set_to: ContextVar[datetime | None] = ContextVar("kernel_clock", default=None)


def now() -> datetime:
    """The present moment, aware, UTC."""
    return _set_to.get() or datetime.now(UTC)


def today(zone: str) -> date:
    """The calendar day in an IANA zone: a legal entity's for books, a location's for cut-offs."""
    return now().astimezone(ZoneInfo(zone)).date()


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Let `now()` answer `at` (aware) inside the block, in this context only."""
    if at.tzinfo is None:
        raise ValueError("frozen() needs an aware datetime")
    token = _set_to.set(at.astimezone(UTC))
    try:
        yield
    finally:
        _set_to.reset(token)
