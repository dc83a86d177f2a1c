"""Several small reads by one statement: what a page shows of one object, whatever tables it stands in."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from config.kernel.fastpath import is_fast


def _as_is(value: Any) -> Any:
    return value


# What a column's value is made of again after its way as JSON, so that it is what the driver would have given.
_MADE: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("bigint", "integer", "smallint", "boolean", "varchar", "text", "jsonb"), _as_is),
    "numeric": Decimal,
    "date": date.fromisoformat,
    "timestamp with time zone": datetime.fromisoformat,
}


def read_together(asked: Sequence[QuerySet[Any]]) -> list[list[Any]]:
    """The rows of each queryset, in its own order and as it would give them: objects or values.

    One statement on PostgreSQL, one a queryset elsewhere. For few rows each, since they travel as JSON; prefetches
    are not followed. Raises `TypeError` for a column of a type that does not travel.
    """
    if not is_fast():
        return [list(rows) for rows in asked]
    compilers = [rows.query.chain().get_compiler(connection=connection) for rows in asked]
    shown, params = [], []
    for compiler in compilers:
        try:
            sql, given = compiler.as_sql()
        except EmptyResultSet:
            shown.append("NULL")
            continue
        shown.append(_as_array(sql, _kinds(compiler)))
        params += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(shown)}", params)
        answers = cursor.fetchone()
    return [
        _filled(rows, compiler, json.loads(answer, parse_float=Decimal) if answer else [])
        for rows, compiler, answer in zip(asked, compilers, answers, strict=True)
    ]


def _kinds(compiler: Any) -> list[str]:
    kinds = []
    for expression, _sql, _alias in compiler.select:
        kind = str(expression.output_field.db_type(connection)).partition("(")[0]
        if kind not in _MADE:
            raise TypeError(f"{expression} is {kind}, which does not travel as JSON")
        kinds.append(kind)
    return kinds


def _as_array(sql: str, kinds: Sequence[str]) -> str:
    """The rows of a statement as one text of arrays; JSON columns as the text that the driver would give."""
    names = [f"c{place}" for place in range(len(kinds))]
    values = [f"{name}::text" if kind == "jsonb" else name for name, kind in zip(names, kinds, strict=True)]
    row = f"json_build_array({', '.join(values)})"
    return f"(SELECT json_agg({row})::text FROM ({sql}) AS part({', '.join(names)}))"  # noqa: S608  (the ORM's own SQL)


def _filled(rows: QuerySet[Any], compiler: Any, answer: list[list[Any]]) -> list[Any]:
    """What the queryset makes of these values instead of asking for them."""
    if not answer:
        return []
    made = [_MADE[kind] for kind in _kinds(compiler)]
    values = [
        tuple(None if value is None else make(value) for make, value in zip(made, row, strict=True))
        for row in answer
    ]
    compiler.execute_sql = lambda *_given, **_more: [values]
    told = rows._chain()  # type: ignore[attr-defined]
    told._query = told.query.chain()
    told._query.get_compiler = lambda *_given, **_more: compiler
    return list(told)
