"""Database sessions as signs of life: what a process holds ends when the database has seen its session end.

PostgreSQL ends a session when the process that opened it is gone, within milliseconds of a SIGKILL; its open
transaction has ended by then, so that nothing of it is written afterwards. SQLite has no sessions, and behind a pooler
a session is not the process's own; there a lease alone tells.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, models

from config.kernel import clock

# Whether a claim's session was written by the claim that holds now, and not left by an earlier one: old and new
# processes run side by side while a release is rolled out.
WITH_ITS_SESSION = models.Q(held_until=models.F("lease_until"))


class Session(NamedTuple):
    """One session. Its number, a process's, may be another's later; with its beginning it is nobody else's."""

    number: int
    began_at: datetime


def own_session() -> Session | None:
    """This process's database session; None where there is none of its own. Asked once a connection."""
    if connection.vendor != "postgresql":
        return None
    connection.ensure_connection()
    raw = connection.connection
    known: tuple[Any, Session | None] = getattr(connection, "_bancale_session", (None, None))
    if known[0] is not raw:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pid, backend_start FROM pg_stat_get_activity(pg_backend_pid())")
            number, began_at = cursor.fetchone()
        # A pooler answers the log-in itself, so that its number is not the one of the server's session.
        is_own = number == raw.info.backend_pid and began_at is not None
        known = (raw, Session(number, began_at) if is_own else None)
        connection._bancale_session = known  # type: ignore[attr-defined]
    return known[1]


def claimed(until: datetime) -> Mapping[str, Any]:
    """The columns of a claim by this process with a lease until then."""
    number, began_at = own_session() or (None, None)
    return {"lease_until": until, "held_until": until, "held_by": number, "session_began_at": began_at}


LET_GO: Mapping[str, None] = dict.fromkeys(("lease_until", "held_until", "held_by", "session_began_at"))


def lost(claims: models.QuerySet[Any]) -> models.Q:
    """Condition that nobody is at a claim any more: its lease ran out, or its session has ended.

    `claims` are all that count. Three statements at most. The claims are read before the sessions: one that begins
    to hold something in between is none of those looked for.
    """
    is_lost = models.Q(lease_until__lt=clock.now())
    for ended in ended_sessions(_named(claims)):
        is_lost |= WITH_ITS_SESSION & models.Q(held_by=ended.number, session_began_at=ended.began_at)
    return is_lost


def _named(claims: models.QuerySet[Any]) -> set[Session]:
    if connection.vendor != "postgresql":
        return set()
    rows = claims.filter(WITH_ITS_SESSION, held_by__isnull=False, session_began_at__isnull=False)
    return {Session(*row) for row in rows.order_by().values_list("held_by", "session_began_at").distinct()}


def ended_sessions(named: Collection[Session]) -> set[Session]:
    """Those of these sessions that the server has no more."""
    if not named:
        return set()
    with connection.cursor() as cursor:
        # A transaction keeps what it once read of sessions, which may be older than the claims.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        numbers = [one.number for one in named]
        cursor.execute("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = ANY(%s)", [numbers])
        living = dict(cursor.fetchall())
    # When another role's session began is not told to everybody: then its number has to do.
    return {
        one for one in named if one.number not in living or living[one.number] not in (None, one.began_at)
    }
