"""Many rows in few statements: COPY and array joins on PostgreSQL, their portable twin on any other database.

The one place that knows which database it is. Both sides write the same rows under the same constraints, and the
same tests run on both. No signals are sent and no `save` runs; a broken constraint raises `IntegrityError`
and leaves the caller's transaction broken, as any statement does.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Any, Self, TypeVar

from django.core.exceptions import EmptyResultSet, FieldDoesNotExist
from django.db import connection, models
from django.db.models.base import ModelState

M = TypeVar("M", bound=models.Model)
Values = tuple[Any, ...]

# A statement of this many rows stays below every parameter limit of SQLite.
MOST_ROWS = 1000
# psycopg's names of the types that its COPY dumpers are chosen by; anything else is written as its text.
_DUMPED = {
    "bigint": "int8", "integer": "int8", "smallint": "int8", "boolean": "bool", "date": "date",
    "timestamp with time zone": "timestamptz",
}  # fmt: skip
# Looked up once a statement, not once a row.
_SEQUENCE = "SELECT pg_get_serial_sequence('%s', 'id')::regclass"
_WHOLE = frozenset({"bigint", "integer", "smallint"})
_EMPTY = {dict: "{}", list: "[]", type(None): None}
_as_json = json.JSONEncoder().encode


def is_fast() -> bool:
    """Whether the fast statements are spoken here."""
    return connection.vendor == "postgresql"


def commit_with_the_next() -> None:
    """Let the running transaction commit without waiting for the disk (PostgreSQL); call it before it writes.

    Only for a transaction that means nothing until a later one uses what it did: that one's commit stands behind
    it in the log, so both are on disk or neither is.
    """
    if is_fast():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")


@cache
def _blank(model: type[models.Model]) -> dict[str, Any]:
    """What a new row's columns hold unless told otherwise; callables only where each row needs its own value."""
    return {field.attname: field.get_default() for field in model._meta.concrete_fields}


@cache
def _fresh(model: type[models.Model]) -> tuple[str, ...]:
    """Columns whose default must not be shared between rows."""
    return tuple(name for name, value in _blank(model).items() if isinstance(value, dict | list))


def new_row(model: type[M], **values: Any) -> M:
    """An unsaved row from column values (`order_id=`, not `order=`), many times faster than calling the model.

    Raises `FieldDoesNotExist` for a name that is no column.
    """
    blank = _blank(model)
    row = model.__new__(model)
    row.__dict__ = columns = {**blank, **values}
    if len(columns) != len(blank):
        raise FieldDoesNotExist(sorted(set(columns) - set(blank)))
    for name in _fresh(model):
        if name not in values:
            columns[name] = type(columns[name])()
    row._state = ModelState()
    return row


class QuickRead(models.Model):
    """Mixin of models that are read by the hundred: rows from the database without the constructor's work."""

    # As the base class's own, at a fifth of the cost: these rows are asked for their key all the time.
    pk = property(attrgetter("id"), models.Model._set_pk_val)  # type: ignore[attr-defined]

    class Meta:
        abstract = True

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **extra: Any
    ) -> Self:
        row = cls.__new__(cls)
        row.__dict__ = dict(zip(field_names, values, strict=True))  # a column that is left out stays deferred
        state = row._state = ModelState()
        state.adding, state.db = False, db
        return row


class Given(models.Expression):
    """The place of a value that a compiled read is called with; of a list of values where `kind` names their type."""

    def __init__(self, place: int, kind: str = "") -> None:
        super().__init__()
        self.place, self.kind = place, kind

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return "%s", [self]


class Among(models.Func):
    """Condition that a column is one of many values, which travel as one array: `filter(Among("sku_id", ids))`."""

    conditional = True
    output_field = models.BooleanField()

    def __init__(self, column: str, values: Iterable[Any] | Given) -> None:
        super().__init__(models.F(column))
        self.given = values if isinstance(values, Given) else None
        self.values_listed = [] if isinstance(values, Given) else list(values)

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        column, params = self._column(compiler)
        if self.given is not None:
            given = Given(self.given.place, "json")
            return f"{column} IN (SELECT value FROM json_each(%s))", [*params, given]  # noqa: S608
        listed = ", ".join(["%s"] * len(self.values_listed))
        return f"{column} IN ({listed})", [*params, *self.values_listed]

    def _column(self, compiler: Any) -> tuple[str, list[Any]]:
        if not self.values_listed and self.given is None:
            raise EmptyResultSet
        sql, params = compiler.compile(self.source_expressions[0])
        return sql, list(params)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        column, params = self._column(compiler)
        kind = _among_kind(self.source_expressions[0].output_field)
        values = array_of(self.values_listed, kind) if self.given is None else Given(self.given.place, kind)
        return f"{column} = ANY(%s::{kind}[])", [*params, values]


class AmongFew(Among):
    """The same for rows that are to be read by these keys, not by a walk through all in the order that is asked for.

    PostgreSQL sees the list only when it runs, and takes it for short.
    """

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        column, params = self._column(compiler)
        kind = _among_kind(self.source_expressions[0].output_field)
        return f"{column} = ANY((SELECT %s::{kind}[])::{kind}[])", [
            *params,
            array_of(self.values_listed, kind),
        ]


def _among_kind(field: Any) -> str:
    if isinstance(field, models.CharField):
        return "text"
    return "numeric" if isinstance(field, models.DecimalField) else "bigint"


@cache
def _columns(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields)


def attach(rows: Iterable[models.Model], name: str, found: Mapping[int, models.Model]) -> None:
    """Give rows the objects that their foreign key `name` points at, one object shared by all rows.

    For what many rows have in common (a channel, a location), where a join would build it again for each. Rows
    whose key is not among `found` stay as they are.
    """
    column = f"{name}_id"
    for row in rows:
        shared = found.get(vars(row)[column])
        if shared is not None:
            row._state.fields_cache[name] = shared


def take_ids(counts: Mapping[type[models.Model], int]) -> dict[type[models.Model], list[int]]:
    """Primary keys for rows to come, ascending, by model: one statement. Those not used leave a gap."""
    wanted = {model: count for model, count in counts.items() if count > 0}
    taken: dict[type[models.Model], list[int]] = {model: [] for model in counts}
    if not wanted:
        return taken
    if not is_fast():
        return taken | {model: _take_portably(model, count) for model, count in wanted.items()}
    shown = ", ".join(
        f"(SELECT array_agg(nextval(({_SEQUENCE % model._meta.db_table})))"  # noqa: S608  (our own table names)
        f" FROM generate_series(1, {count:d}))"
        for model, count in wanted.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {shown}")
        return taken | dict(zip(wanted, cursor.fetchone(), strict=True))


def _take_portably(model: type[models.Model], count: int) -> list[int]:
    """SQLite's own memory of the highest key ever given, moved on; the write transaction is the lock."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s RETURNING seq", [count, table]
        )
        if (moved := cursor.fetchone()) is None:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, count])
    last = int(moved[0]) if moved else count
    return list(range(last - count + 1, last + 1))


def insert_rows(model: type[M], rows: Sequence[M], *, with_ids: bool = True) -> None:
    """Insert unsaved rows, all with a primary key or all without, in one statement.

    Foreign keys must stand in the rows as ids. The database names rows without a key and their keys are told
    back; with `with_ids=False` it keeps them, which is cheaper.
    """
    if not rows:
        return
    if with_ids and rows[0].__dict__["id"] is None and is_fast():
        for row, pk in zip(rows, _insert_arrays(model, rows, "RETURNING id"), strict=True):
            row.pk = pk
    else:
        if with_ids and rows[0].__dict__["id"] is None:
            for row, pk in zip(rows, _take_portably(model, len(rows)), strict=True):
                row.pk = pk
        names = _columns(model) if with_ids else _columns_without_id(model)
        _write(model, names, map(itemgetter(*names), map(_dict_of, rows)))
    alias = connection.alias
    for row in rows:
        state = row._state
        state.adding, state.db = False, alias


def insert_values(model: type[models.Model], names: tuple[str, ...], values: Sequence[Values]) -> None:
    """Insert rows given as tuples in the sequence of `names`; other columns get the model's defaults."""
    if not values:
        return
    rest = {name: value for name, value in _blank(model).items() if name not in names and name != "id"}
    always = tuple(rest.values())
    _write(model, (*names, *rest), (one + always for one in values) if always else values)


def insert_missing(model: type[M], rows: Sequence[M]) -> bool:
    """Insert unsaved rows but those that a unique constraint refuses. Returns whether the rows in memory have
    their keys now, which they have not where one was refused, and never on SQLite."""
    if not rows:
        return True
    if not is_fast():
        model._default_manager.bulk_create(rows, ignore_conflicts=True)
        return False
    ids = _insert_arrays(model, rows, "ON CONFLICT DO NOTHING RETURNING id")
    if len(ids) < len(rows):
        return False
    for row, pk in zip(rows, ids, strict=True):
        row.pk = pk
    return True


def _insert_arrays(model: type[M], rows: Sequence[M], ending: str) -> list[int]:
    """One INSERT of rows that the database names; the keys that it tells, in the rows' sequence."""
    names = _columns_without_id(model)
    columns = ", ".join(connection.ops.quote_name(name) for name in names)
    kinds = [_array_kind(model, name) for name in names]
    shown = ", ".join(f"unnest(%s::{kind}[])" for kind in kinds)
    arrays = zip(*map(itemgetter(*names), map(_dict_of, rows)), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({columns}) SELECT {shown} {ending}",
            [array_of(array, kind) for array, kind in zip(arrays, kinds, strict=True)],
        )
        return [pk for (pk,) in cursor.fetchall()]


_dict_of: Callable[[Any], dict[str, Any]] = vars


@cache
def _columns_without_id(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(name for name in _columns(model) if name != "id")


def _write(model: type[models.Model], names: tuple[str, ...], rows: Iterable[Values]) -> None:
    write = _copy if is_fast() else _insert_portably
    with connection.wrap_database_errors:
        write(model, names, rows)


@dataclass(frozen=True, slots=True)
class _Copy:
    statement: str
    types: list[str]
    json_at: tuple[int, ...]


def _fields(model: type[models.Model], names: tuple[str, ...]) -> list[Any]:
    meta = model._meta
    fields = [next(field for field in meta.concrete_fields if field.attname == name) for name in names]
    for field in fields:
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            raise TypeError(f"{meta.label}.{field.name} is computed on save")
    return fields


def _listed(fields: Iterable[Any]) -> str:
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)


@cache
def _copy_of(model: type[models.Model], names: tuple[str, ...]) -> _Copy:
    meta, fields = model._meta, _fields(model, names)
    columns = _listed(fields)
    types = []
    for field in fields:
        db_type = str(field.db_type(connection)).partition("(")[0]
        types.append("numeric" if db_type == "numeric" else _DUMPED.get(db_type, "text"))
    json_at = tuple(at for at, field in enumerate(fields) if isinstance(field, models.JSONField))
    return _Copy(f"COPY {connection.ops.quote_name(meta.db_table)} ({columns}) FROM STDIN", types, json_at)


def _copy(model: type[models.Model], names: tuple[str, ...], rows: Iterable[Values]) -> None:
    plan = _copy_of(model, names)
    if plan.json_at:
        rows = (_with_json(row, plan.json_at) for row in rows)
    with connection.cursor() as cursor, cursor.copy(plan.statement) as copy:
        copy.set_types(plan.types)
        write = copy.write_row
        for row in rows:
            write(row)


def _with_json(row: Values, places: Iterable[int]) -> Values:
    written = list(row)
    for place in places:
        value = written[place]
        written[place] = _as_json(value) if value or type(value) not in _EMPTY else _EMPTY[type(value)]
    return tuple(written)


@dataclass(frozen=True, slots=True)
class _Insert:
    """One row's statement, and what makes a value of some columns fit for the driver."""

    statement: str
    fitting: tuple[tuple[int, Callable[..., Any]], ...]


@cache
def _insert_of(model: type[models.Model], names: tuple[str, ...]) -> _Insert:
    fields = _fields(model, names)
    places = ", ".join(["%s"] * len(fields))
    table = connection.ops.quote_name(model._meta.db_table)
    statement = f"INSERT INTO {table} ({_listed(fields)}) VALUES ({places})"  # noqa: S608  (our own names)
    fitting = [(at, _fit(field)) for at, field in enumerate(fields) if not _is_plain(field)]
    return _Insert(statement, tuple(fitting))


def _fit(field: Any) -> Callable[..., Any]:
    """Times are in every row, and take the field three times as long."""
    if type(field) is models.DateTimeField:
        return lambda value, connection: connection.ops.adapt_datetimefield_value(value)
    return field.get_db_prep_save  # type: ignore[no-any-return]


def _is_plain(field: Any) -> bool:
    kinds = (models.CharField, models.TextField, models.IntegerField, models.BooleanField, models.ForeignKey)
    return isinstance(field, kinds)


def _insert_portably(model: type[models.Model], names: tuple[str, ...], rows: Iterable[Values]) -> None:
    plan = _insert_of(model, names)
    with connection.cursor() as cursor:
        cursor.executemany(plan.statement, [_fitted(row, plan.fitting) for row in rows])


def _fitted(row: Values, fitting: Iterable[tuple[int, Callable[..., Any]]]) -> list[Any]:
    values = list(row)
    for at, fit in fitting:
        values[at] = fit(values[at], connection)
    return values


def refresh_statistics(*models_written: type[models.Model]) -> None:
    """Tell the planner of tables that were just filled, as autovacuum would a minute later.

    Until then it takes rows of a new foreign key for next to none, and walks all of them for each few.
    """
    if is_fast():
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(model._meta.db_table for model in models_written)}")


def set_in_rows(
    model: type[models.Model], names: Sequence[str], values: Mapping[int, Values], *, also: str = ""
) -> int:
    """Write columns of the rows with these pks, each row its own values; returns how many rows it did.

    `also` is one further assignment in SQL, ours, never input.
    """
    sets = [f"{name} = change.{name}" for name in names] + ([also] if also else [])
    return _update(model, names, values, sets, "TRUE")


def add_to_rows(
    model: type[models.Model],
    names: Sequence[str],
    numbers: Mapping[int, Sequence[int]],
    *,
    condition: str,
    also: str = "",
) -> int:
    """Add to columns of the rows with these pks where `condition` holds; returns how many rows it did.

    `numbers` has one number a column, and a further one that the condition may read as `change.extra`. Names,
    `condition` and `also` are ours, never input.
    """
    table = model._meta.db_table
    sets = [f"{name} = {table}.{name} + change.{name}" for name in names] + ([also] if also else [])
    is_longer = bool(numbers) and len(next(iter(numbers.values()))) > len(names)
    return _update(model, [*names, *(["extra"] if is_longer else [])], numbers, sets, condition)


def _update(
    model: type[models.Model],
    names: Sequence[str],
    values: Mapping[int, Sequence[Any]],
    sets: Sequence[str],
    condition: str,
) -> int:
    """One UPDATE joined with its values, by ascending pk; on SQLite one a thousand rows."""
    ids = iter(sorted(values))
    written = 0
    size = max(len(values), 1) if is_fast() else MOST_ROWS
    while part := list(islice(ids, size)):
        table = model._meta.db_table
        change, params = _joined(model, names, [(pk, *values[pk]) for pk in part])
        statement = (
            f"UPDATE {table} SET {', '.join(sets)} FROM ({change}) AS change "  # noqa: S608
            f"WHERE {table}.id = change.id AND {condition}"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, params)
            written += int(cursor.rowcount)
    return written


def _joined(model: type[models.Model], names: Sequence[str], rows: Sequence[Values]) -> tuple[str, list[Any]]:
    """The values as a table `id, …names`: arrays side by side, or a list of VALUES."""
    columns = ("id", *names)
    if is_fast():
        kinds = [_array_kind(model, name) for name in columns]
        shown = [f"unnest(%s::{kind}[]) AS {name}" for kind, name in zip(kinds, columns, strict=True)]
        arrays = [array_of(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
        return f"SELECT {', '.join(shown)}", arrays
    # VALUES calls its columns column1, column2 …; SQLite counts rows only after a plain UPDATE.
    named = ", ".join(f"column{place} AS {name}" for place, name in enumerate(columns, start=1))
    row = f"({', '.join(['%s'] * len(columns))})"
    listed = ", ".join([row] * len(rows))
    return f"SELECT {named} FROM (VALUES {listed}) AS listed", [v for one in rows for v in one]  # noqa: S608


def array_of(column: Sequence[Any], kind: str) -> Any:
    """Whole numbers and words as the array's own text, which costs a tenth of a list; anything else as a list."""
    if kind == "json":
        return json.dumps(column, default=float)
    if kind == "jsonb":
        column, kind = [_as_json(value) for value in column], "text"
    if None in column:
        return list(column)
    if kind in _WHOLE:
        return "{" + ",".join(map(str, map(int, column))) + "}"
    if kind == "text":
        quoted = (str.__str__(text).replace("\\", "\\\\").replace('"', '\\"') for text in column)
        return '{"' + '","'.join(quoted) + '"}' if column else "{}"
    return list(column)


def value_of(value: Any) -> Any:
    """A single value as the driver takes it: SQLite keeps times in UTC without a zone, and decimals as numbers."""
    if is_fast():
        return value
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return float(value) if isinstance(value, Decimal) else value


@cache
def _array_kind(model: type[models.Model], column: str) -> str:
    """Plain types: a length's own error comes from the table, not from the cast."""
    for field in model._meta.concrete_fields:
        if field.column == column:
            kind = str(field.db_type(connection)).partition("(")[0]
            return "text" if kind == "varchar" else kind
    return "bigint"
