"""Reads of the verbs that bear the load: the ORM writes their SQL once a process, not once a call.

For one order at a time, building the same few queries again and again is a third of what a verb costs.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connection, models
from django.db.models.query import ModelIterable, ValuesListIterable, get_related_populators

from config.kernel.fastpath import Given, Values, array_of, value_of

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Plan:
    """One statement, where the values of a call belong in it, and how its rows become what the query yields.

    `params` holds a `Given` in the place of each value of the call.
    """

    sql: str
    params: Values
    converters: tuple[tuple[int, tuple[Sequence[Callable[..., Any]], Any]], ...]
    build: Callable[[Values], Any]

    def filled(self, values: Sequence[Any]) -> list[Any] | None:
        """The statement's parameters; None where a list of the call is empty, which nothing can match."""
        params = list(self.params)
        for at, param in enumerate(params):
            if isinstance(param, Given):
                value = values[param.place]
                if not param.kind:
                    params[at] = value_of(value)
                else:
                    listed = list(value)
                    if not listed:
                        return None
                    params[at] = array_of(listed, param.kind)
        return params


class CompiledRead(Generic[R]):
    """A query of model rows or of `values_list` tuples, called with the values that it depends on.

    `query` is asked once, with places in the stead of values: lists may stand in `Among`, single values on the
    right of a condition, and nowhere else. Where a list is empty nothing is asked of the database.
    """

    def __init__(self, query: Callable[..., models.QuerySet[Any, R]]) -> None:
        self.query = query
        self._plan: _Plan | None = None

    def __call__(self, *values: Any) -> list[R]:
        if self._plan is None:
            self._plan = _compile(self.query(*map(Given, range(len(values)))))
        plan = self._plan
        params = plan.filled(values)
        if params is None:
            return []
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, params)
            rows: Iterable[Values] = cursor.fetchall()
        if plan.converters:
            rows = _converted(rows, plan)
        return list(map(plan.build, rows))


def _compile(rows: "models.QuerySet[Any, Any]") -> _Plan:
    compiler = rows.query.get_compiler(connection.alias)
    sql, params = compiler.as_sql()
    converters = compiler.get_converters([column for column, _sql, _alias in compiler.select])
    return _Plan(sql, tuple(params), tuple(converters.items()), _builder(rows, compiler))


def _builder(rows: "models.QuerySet[Any, Any]", compiler: Any) -> Callable[[Values], Any]:
    if rows._iterable_class is ValuesListIterable:
        return tuple
    if rows._iterable_class is not ModelIterable or rows.query.annotation_select:
        raise TypeError("a compiled read yields model rows or values_list tuples")
    described, alias = compiler.klass_info, connection.alias
    at = described["select_fields"]
    first, end = at[0], at[-1] + 1
    names = [column.target.attname for column, _sql, _alias in compiler.select[first:end]]
    related = get_related_populators(described, compiler.select, alias)  # type: ignore[call-arg]  # stubs of 6.1
    from_db = described["model"].from_db

    def build(values: Values) -> Any:
        row = from_db(alias, names, values[first:end])
        for populator in related:
            populator.populate(values, row)
        return row

    return build


def _converted(rows: Iterable[Values], plan: _Plan) -> Iterator[Values]:
    for row in rows:
        values = list(row)
        for at, (converters, expression) in plan.converters:
            for convert in converters:
                values[at] = convert(values[at], expression, connection)
        yield tuple(values)
