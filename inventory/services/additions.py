"""Different numbers added to many rows in one statement.

A CASE with an arm a row costs rows × arms; joining the numbers as VALUES costs rows. PostgreSQL and SQLite read
the same statement.
"""

from collections.abc import Mapping, Sequence

from django.db import connection, models

# A statement of this many rows stays below every parameter limit.
MOST_ROWS = 1000


def add_to_rows(
    model: type[models.Model],
    columns: Sequence[str],
    numbers: Mapping[int, Sequence[int]],
    *,
    condition: str,
    also: str = "",
) -> int:
    """Add to `columns` of the rows with these pks where `condition` holds; returns how many rows it did.

    `numbers` has one number a column, and further ones that the condition reads as `change.extra`. Column names,
    `condition` and `also` are ours, never input.
    """
    written = 0
    ids = sorted(numbers)
    for start in range(0, len(ids), MOST_ROWS):
        part = {pk: numbers[pk] for pk in ids[start : start + MOST_ROWS]}
        written += _add(model._meta.db_table, columns, part, condition, also)
    return written


def _add(
    table: str, columns: Sequence[str], numbers: Mapping[int, Sequence[int]], condition: str, also: str
) -> int:
    extra = [] if len(next(iter(numbers.values()))) == len(columns) else ["extra"]
    names = ["id", *columns, *extra]
    row = f"({', '.join(['%s'] * len(names))})"
    # VALUES calls its columns column1, column2 … on both databases; SQLite counts rows only after a plain UPDATE.
    named = ", ".join(f"column{place} AS {name}" for place, name in enumerate(names, start=1))
    sets = [f"{name} = {table}.{name} + change.{name}" for name in columns] + ([also] if also else [])
    statement = (
        f"UPDATE {table} SET {', '.join(sets)} "  # noqa: S608
        f"FROM (SELECT {named} FROM (VALUES {', '.join([row] * len(numbers))}) AS listed) AS change "
        f"WHERE {table}.id = change.id AND {condition}"
    )
    params = [number for pk, row_numbers in numbers.items() for number in (pk, *row_numbers)]
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return int(cursor.rowcount)
