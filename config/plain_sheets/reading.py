"""A small table from an uploaded file: read by the import desk's reader, which refuses what hurts before it parses."""

import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.utils.translation import gettext_lazy as _

from config.kernel.sheets import unguarded
from orders.sheets.budget import is_workbook
from orders.sheets.problems import Problem, UnreadableFile, shown
from orders.sheets.rows import read_rows
from orders.sheets.sniffing import name_key, sniff_sheet, sniff_text
from orders.sheets.unpacking import ERROR, FORMULA
from orders.sheets.values import text_problem
from orders.sheets.workbook import unpack_workbook

MOST_BYTES, MOST_ROWS = 2**20, 5_000


@dataclass(slots=True)
class Table:
    """`rows` are file lines with their cells, as many as the heading has; `problems` rows that cannot be trusted."""

    header: list[str]
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {"header": self.header, "rows": self.rows}

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> "Table":
        return cls(given["header"], [(int(line), list(cells)) for line, cells in given["rows"]])


def read_table(file: Any, known: Collection[str]) -> Table:
    """The rows of a CSV file or of a workbook's first sheet; `known` are headings by which the heading is found.

    Refuses: `UnreadableFile`; also for more than 1 MiB or 5,000 rows.
    """
    if file.size > MOST_BYTES:
        raise UnreadableFile(_("it has more than %(limit)s MiB; split it"), limit=MOST_BYTES // 2**20)
    data = cast(BinaryIO, file)
    data.seek(0)
    start = data.read(8)
    data.seek(0)
    keys = {name_key(name) for name in known}
    if not is_workbook(start):
        return _read(data, sniff_text(data, keys))
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "sheet.xlsx"), Path(folder, "rows")
        source.write_bytes(data.read())
        with source.open("rb") as kept:
            unpack_workbook(kept, source, target)
        with target.open("rb") as rows:
            return _read(rows, sniff_sheet(rows, keys))


def _read(file: BinaryIO, reading: Any) -> Table:
    table = Table(list(reading.header))
    for row in read_rows(file, reading):
        if row.is_footer or row.fault is not None:
            text = shown(" ".join(row.cells))
            table.problems.append(row.fault or Problem("cells", row.line, "", text, str(len(table.header))))
            continue
        cells = []
        for heading, cell in zip(table.header, row.cells, strict=True):
            value = unguarded(cell.strip()).strip()
            if code := _unfit(value):
                table.problems.append(Problem(code, row.line, heading, shown(value.lstrip(FORMULA + ERROR))))
                value = ""
            cells.append(value)
        table.rows.append((row.line, cells))
        if len(table.rows) > MOST_ROWS:
            raise UnreadableFile(_("it has more than %(limit)s rows; split it"), limit=MOST_ROWS)
    return table


def _unfit(value: str) -> str:
    if value[:1] in (FORMULA, ERROR) and value:
        return "formula" if value[0] == FORMULA else "error_cell"
    return text_problem(value, is_code=False) if value else ""
