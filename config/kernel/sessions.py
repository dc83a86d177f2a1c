"""Database sessions as signs of life: what a process holds ends when the database has seen its session end.

PostgreSQL ends a session when the process that opened it is gone, within milliseconds of a SIGKILL. SQLite has no
sessions, and behind a pooler a session is not the process's own; there a lease alone tells.
"""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models

# Whether a claim's session was written by the claim that holds now, and not left by an earlier one: old and new
# processes run side by side while a release is rolled out.
WITH_ITS_SESSION = models.Q(held_until=models.F("lease_until"))


def own_session() -> int | None:
    """The number of this process's database session; None where there is none of its own.

    Asked once a connection.
    """
    if connection.vendor != "postgresql":
        return None
    connection.ensure_connection()
    raw = connection.connection
    known: tuple[Any, int | None] = getattr(connection, "_bancale_session", (None, None))
    if known[0] is not raw:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (number,) = cursor.fetchone()
        # A pooler answers the log-in itself, so that its number is not the one of the server's session.
        known = (raw, int(number) if number == raw.info.backend_pid else None)
        connection._bancale_session = known  # type: ignore[attr-defined]
    return known[1]


class SessionEnded(models.Func):
    """Condition that the session whose number a column holds is gone; never of an empty one, never on SQLite."""

    conditional = True
    output_field = models.BooleanField()

    def __init__(self, column: str) -> None:
        super().__init__(models.F(column))

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        raise EmptyResultSet

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        sql, params = compiler.compile(self.source_expressions[0])
        living = f"EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = {sql})"  # noqa: S608  (a column of ours)
        return f"({sql} IS NOT NULL AND NOT {living})", [*params, *params]
