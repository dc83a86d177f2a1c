"""The one writer of CSV and Excel files: no cell that it writes is taken for a formula.

A text that could come alive stands behind a quote, which the import desk takes off again; numbers are written as
numbers. Source: OWASP ASVS 5.0, 1.2.10.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

Cell = str | int | Decimal | None
MARK = "\ufeff"
# What a cell of Excel takes.
MOST_CHARACTERS = 32_767
_LIVE = "=+-@\t\r\0＝＋－＠"
_NUMBER = re.compile(r"-?[0-9][0-9.,]*")
_GUARDED = re.compile(r"'+\s*[0-9=+\-@\t\r\0＝＋－＠]")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def inert(value: str) -> str:
    """A cell's text behind a quote where it would come alive, or would lose one to `unguarded`; a number in
    digits stays what it is."""
    text = value.lstrip()
    blanks = value[: len(value) - len(text)]
    is_live = text[:1] in _LIVE if text else False
    if is_live or "\t" in blanks or "\r" in blanks:
        return value if _NUMBER.fullmatch(value) else f"'{value}"
    return f"'{value}" if _GUARDED.match(value) else value


def unguarded(value: str) -> str:
    """A cell's text without the quote that `inert`, or a spreadsheet, put before it."""
    return value[1:] if value[:1] == "'" and _GUARDED.match(value) else value


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return inert(cell)
    return format(cell, "f") if isinstance(cell, Decimal) else str(cell)


class _Line:
    """What `csv.writer` writes to: the last line."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def csv_lines(rows: Iterable[Sequence[Cell]], separator: str = ",", *, mark: str = MARK) -> Iterator[str]:
    """The rows as lines of a CSV file, the first behind a mark by which spreadsheets know that it is UTF-8."""
    line = _Line()
    writer = csv.writer(line, delimiter=separator or ",", lineterminator="\r\n")
    for row in rows:
        writer.writerow([_text(cell) for cell in row])
        yield mark + line.text
        mark = ""


def write_workbook(path: Path, rows: Iterable[Sequence[Cell]], *, title: str, author: str = "") -> None:
    """Write the rows, a heading first, as an Excel file; row by row, so that memory stays flat."""
    book = Workbook(write_only=True)
    book.properties.title, book.properties.creator = title[:200], author[:200]
    sheet = book.create_sheet(_UNWRITABLE.sub("", re.sub(r"[\\/*?:\[\]]", " ", title))[:31])
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([_typed(sheet, cell) for cell in row])
    book.save(path)


def _typed(sheet: object, cell: Cell) -> object:
    if not isinstance(cell, str):
        return cell
    if not cell:
        return None
    text = WriteOnlyCell(sheet, _UNWRITABLE.sub("\ufffd", inert(cell))[:MOST_CHARACTERS])
    text.data_type = "s"
    return text
