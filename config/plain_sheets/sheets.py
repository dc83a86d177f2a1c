"""What a plain sheet is: its columns, what its rows would change, and who writes that."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import tablib
from django.utils.functional import Promise
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource

from config.kernel.actors import Actor
from config.plain_sheets.columns import Column
from config.plain_sheets.reading import Table
from orders.sheets.problems import Problem, sentence, shown
from orders.sheets.sniffing import name_key


class Row(SimpleNamespace):
    """One row's values by column, with its line in the file; a column that the file does not have is not there."""

    line: int

    def get(self, name: str) -> Any:
        return getattr(self, name, None)


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something wrong in one cell. `words` say what, and what is accepted."""

    line: int
    column: str
    value: str
    words: str


@dataclass(slots=True)
class Step:
    """What one row would do: `what` is "new", "change" or "same"; `changes` are (field, before, after)."""

    row: Row
    name: str
    what: str = "new"
    changes: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """A sheet as it was read and worked out. With complaints nothing of it is written."""

    rows: list[Row]
    steps: list[Step] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def complain(self, row: Row, column: str, value: object, words: str) -> None:
        self.complaints.append(Complaint(row.line, column, shown(str(value)), words))

    @property
    def work(self) -> list[Step]:
        return [step for step in self.steps if step.what != "same"]

    def count(self, what: str) -> int:
        return sum(step.what == what for step in self.steps)

    def mark(self) -> list[list[Any]]:
        """What a person is shown; compared when they press, so that nothing else is written."""
        return [[step.row.line, step.what, step.changes] for step in self.steps]


class SheetResource(Resource):
    """django-import-export reads the cells, row by row; what becomes of them is worked out for all rows at once."""

    class Meta:
        skip_diff = skip_html_diff = True
        store_instance = True
        use_transactions = False
        instance_loader_class = BaseInstanceLoader

    def get_or_init_instance(self, instance_loader: Any, row: Any) -> tuple[Row, bool]:
        return Row(), True

    def save_instance(self, instance: Any, is_create: bool, row: Any, **kwargs: Any) -> None:
        """Rows are no objects of the database: verbs write, once all of them are known to be good."""

    def save_m2m(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """As above."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One kind of plain sheet. `plan` works the rows out with a fixed number of statements; `write` calls the verbs,
    all or nothing and once a nonce, and returns where to go on, or "". `permissions` are all needed."""

    code: str
    model: str
    label: str | Promise
    says: str | Promise
    permissions: tuple[str, ...]
    columns: tuple[Column, ...]
    plan: Callable[[Outcome, Actor], None]
    write: Callable[[Outcome, str, Actor], str]

    @property
    def headings(self) -> dict[str, Column]:
        return {
            name_key(name): column for column in self.columns for name in (column.column_name, *column.also)
        }

    def resource(self) -> SheetResource:
        made = type(f"{self.code}_sheet", (SheetResource,), {one.column_name: one for one in self.columns})
        resource: SheetResource = made()
        return resource


SHEETS: dict[str, Sheet] = {}


def register_sheet(sheet: Sheet) -> None:
    SHEETS[sheet.code] = sheet


def work_out(sheet: Sheet, table: Table, *, actor: Actor) -> Outcome:
    """Read a table's cells and say what they would change. Nothing is written."""
    mapped = _mapped(sheet, table)
    outcome = Outcome([], ignored=[name for name in table.header if name and name not in mapped])
    outcome.complaints = [_complaint(problem) for problem in table.problems]
    header = [mapped[name].column_name for name in table.header if name in mapped]
    places = [place for place, name in enumerate(table.header) if name in mapped]
    data = tablib.Dataset(headers=header)
    for _line, cells in table.rows:
        data.append([cells[place] for place in places])
    heading_of = {column.column_name: name for name, column in mapped.items()}
    result = sheet.resource().import_data(data)
    for (line, cells), read in zip(table.rows, result.rows, strict=True):
        by_name = {name: cells[place] for name, place in zip(header, places, strict=True)}
        if read.validation_error is not None:
            for name, words in read.validation_error.message_dict.items():
                value = shown(by_name.get(name, ""))
                outcome.complaints.append(Complaint(line, name, value, " ".join(words)))
            continue
        for error in read.errors:
            raise error.error
        read.instance.line = line
        outcome.rows.append(read.instance)
    sheet.plan(outcome, actor)
    _settle(outcome, heading_of)
    return outcome


def _settle(outcome: Outcome, heading_of: Mapping[str, str]) -> None:
    """In the file's sequence and under its own headings; of a cell that could not be read only that is said."""
    first: dict[tuple[int, str], Complaint] = {}
    for one in outcome.complaints:
        said = replace(one, column=heading_of.get(one.column, one.column))
        first.setdefault((said.line, said.column), said)
    outcome.complaints = sorted(first.values(), key=lambda one: one.line)


def _mapped(sheet: Sheet, table: Table) -> Mapping[str, Column]:
    """Column by heading of the file; its own name goes before another for it, then the first heading wins."""
    own = {name_key(str(column.column_name)): column for column in sheet.columns}
    found: dict[str, Column] = {}
    for headings in (own, sheet.headings):
        for name in table.header:
            column = headings.get(name_key(name))
            if column is not None and name not in found and column not in found.values():
                found[name] = column
    return found


def missing_columns(sheet: Sheet, table: Table) -> list[str]:
    present = set(_mapped(sheet, table).values())
    return [str(one.column_name) for one in sheet.columns if one.is_needed and one not in present]


def _complaint(problem: Problem) -> Complaint:
    words = sentence(Problem(problem.code, problem.line, "", "", problem.more))
    return Complaint(problem.line, problem.column, problem.value, words)


def twice(outcome: Outcome, key: Callable[[Row], Any], column: str, words: str) -> list[Row]:
    """The rows whose key no row above has; the others are complained of."""
    seen: dict[Any, int] = {}
    kept = []
    for row in outcome.rows:
        first = seen.setdefault(key(row), row.line)
        if first == row.line:
            kept.append(row)
        else:
            outcome.complain(row, column, row.get(column), words % {"line": first})
    return kept


def chunks(steps: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [steps[start : start + size] for start in range(0, len(steps), size)]


def by_place(steps: Sequence[Step], key: Callable[[Row], Any]) -> dict[Any, list[Step]]:
    found: dict[Any, list[Step]] = defaultdict(list)
    for step in steps:
        found[key(step.row)].append(step)
    return found
