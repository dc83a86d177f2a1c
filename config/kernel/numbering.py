"""Document numbers from counter rows, which are locked last and held shortest."""

from django.db import connection

from config.kernel.locks import note_lock


def next_numbers(kind: str, count: int, *, prefix: str = "", first: int = 10001) -> list[str]:
    """Take `count` consecutive numbers of a kind ("order", "rma"), inside the caller's transaction.

    One statement, on both databases. A rolled-back transaction leaves no gap; the row lock makes rivals wait
    until commit.
    """
    from config.kernel.models import DocumentCounter

    if count == 0:
        return []
    note_lock("document_counter")
    table = DocumentCounter._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (kind, next_value) VALUES (%s, %s)"  # noqa: S608  (our own table name)
            f" ON CONFLICT (kind) DO UPDATE SET next_value = {table}.next_value + %s RETURNING next_value",
            [kind, first + count, count],
        )
        after = int(cursor.fetchone()[0])
    return [f"{prefix}{number}" for number in range(after - count, after)]
