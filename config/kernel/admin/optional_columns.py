"""Columns that a list has for whoever chooses them: hidden until then, and until then they cost nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.utils.functional import Promise

_READ = "_read_for_columns"


@dataclass(frozen=True, slots=True)
class OptionalColumn:
    """`cell` says what stands in it of a row; with `reads`, of what that found for the row, or of None.

    `reads` takes the keys of a page's rows and asks one statement, whatever their number. `related` are the foreign
    keys that the cell follows, `needs` is the permission without which nobody is offered the column. `sorts_by` is a
    column of the list's own table that an index reads in order; without it the list is not sorted by what stands here.
    """

    name: str
    label: str | Promise
    cell: Callable[[Any], Any]
    needs: str = ""
    reads: Callable[[Sequence[int]], Mapping[int, Any]] | None = None
    related: tuple[str, ...] = ()
    sorts_by: str = ""


def offer_columns(owner: Any, *columns: OptionalColumn) -> None:
    """Let people add columns to the list of an admin class; called once each, where admins are declared."""
    for column in columns:
        setattr(owner, column.name, _method(column))
    owner.optional_columns = (*owner.optional_columns, *columns)
    if owner.sortable_by is not None:
        sorted_by = [column.name for column in columns if column.sorts_by]
        owner.sortable_by = (*owner.sortable_by, *sorted_by)
    owner.needs = {**owner.needs, **{column.name: column.needs for column in columns if column.needs}}


def shown_of(columns: Iterable[OptionalColumn], names: Sequence[str]) -> list[OptionalColumn]:
    return [column for column in columns if column.name in names]


def read_for(rows: Iterable[Any], columns: Iterable[OptionalColumn]) -> None:
    """Put on each row what its columns show: one statement a column that reads, none for no rows."""
    reading = [(column.name, column.reads) for column in columns if column.reads is not None]
    listed = list(rows) if reading else []
    if not listed:
        return
    found = {name: reads([row.pk for row in listed]) for name, reads in reading}
    for row in listed:
        vars(row)[_READ] = {name: by_row.get(row.pk) for name, by_row in found.items()}


def _method(column: OptionalColumn) -> Any:
    @admin.display(description=column.label, ordering=column.sorts_by or None)  # type: ignore[arg-type]
    def cell(_owner: Any, row: Any) -> Any:
        of = row if column.reads is None else vars(row).get(_READ, {}).get(column.name)
        return "–" if of is None else column.cell(of) or "–"

    cell.__name__ = column.name
    return cell
