"""The child process that reads a workbook: `python -m orders.sheets.unpacking SOURCE TARGET`.

Limits its own memory and time first. Writes one JSON list `[row number, cells]` a line, cells as text: dates as
ISO, whole numbers without a point, formulas and errors behind a mark that no cell of a file begins with.
"""

import json
import resource
import sys
from datetime import date, datetime, time
from itertools import chain
from typing import Any

MEMORY, SECONDS = 1 << 30, 100
MOST_COLUMNS, MOST_ROWS = 200, 200_000
# A workbook keeps a text once for all cells that hold it: little of it may mean more than a disk has.
MOST_CHARACTERS = 200 * 2**20
FORMULA, ERROR = "\ue000", "\ue001"


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    source, target = sys.argv[1:]
    try:
        problem = unpack(source, target)
    except (MemoryError, Exception) as error:
        problem = type(error).__name__
    if problem:
        sys.stdout.write(f"{problem}\n")
        sys.exit(1)


def unpack(source: str, target: str) -> str:
    """Write the first sheet's rows; a word where it may not be read, "" where it was."""
    from openpyxl import load_workbook

    book = load_workbook(source, read_only=True, data_only=False, keep_links=False)
    sheet = book.worksheets[0]
    sheet.reset_dimensions()
    rows = sheet.iter_rows(max_col=MOST_COLUMNS, max_row=MOST_ROWS + 2)
    first = next((row for row in rows if any(cell.value is not None for cell in row)), None)
    if first is None:
        return "empty"
    size = 0
    with open(target, "w", encoding="utf-8") as out:
        for count, row in enumerate(chain([first], rows)):
            if count > MOST_ROWS:
                return "rows"
            cells = [text_of(cell) for cell in row]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                number = next(cell.row for cell in row if cell.value is not None)
                size += out.write(json.dumps([number, cells], ensure_ascii=False) + "\n")
                if size > MOST_CHARACTERS:
                    return "size"
    return ""


def text_of(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return f"{FORMULA}{value}"
    if cell.data_type == "e":
        return f"{ERROR}{value}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


if __name__ == "__main__":
    main()
