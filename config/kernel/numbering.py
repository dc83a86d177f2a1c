"""Document numbers from counter rows, which are locked last and held shortest."""

from django.db import connection, transaction

from config.kernel.fastpath import commit_with_the_next
from config.kernel.locks import note_lock


def reserve_numbers(kind: str, count: int) -> list[str]:
    """`next_numbers` in a short transaction of its own, so that nobody waits behind the work they are for.

    Numbers whose work then fails leave a gap. Inside a caller's transaction the counter stays locked.
    """
    if count == 0:
        return []
    is_own = not connection.in_atomic_block
    with transaction.atomic():
        if is_own:
            commit_with_the_next()
        return next_numbers(kind, count)


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
