"""The rows of a file one by one, each with its own line number; a bad row hides none of the others."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from orders.sheets.problems import SHOWN, Problem, shown
from orders.sheets.sniffing import Reading

MOST_ROWS = 1_000_000
# Of one row, however many lines and cells it has. No cell that `csv` reads may be longer either.
MOST_CHARACTERS = 131_072
FOOTER_CELLS, MOST_FOOTERS = 2, 100
Cells = list[str]


@dataclass(slots=True)
class Row:
    """One row below the heading, of so many characters. `fault` where its cells cannot be trusted; a footer is no
    order's row."""

    line: int
    cells: Cells
    fault: Problem | None = None
    is_footer: bool = False
    size: int = 0


def read_rows(file: BinaryIO, reading: Reading) -> Iterator[Row]:
    """Rows in the file's sequence, blank ones left out, NUL characters made visible.

    A row with more or fewer cells than the heading is a fault, except short last ones of one or two cells:
    these are footers, up to 100. One of more than 131,072 characters is a fault and is never held whole.
    """
    file.seek(0)
    raw = _sheet_rows(file, reading) if reading.kind == "xlsx" else _text_rows(file, reading)
    width = len(reading.header)
    held: list[Row] = []
    for row in raw:
        if row.fault is None:
            cells = row.cells
            if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
                del cells[width:]
            if not "".join(cells).strip():
                continue
            if len(cells) != width:
                text = shown(reading.separator.join(cells))
                row.fault = Problem("cells", row.line, "", text, f"{width} ({len(cells)})")
                if sum(bool(cell.strip()) for cell in cells) <= FOOTER_CELLS:
                    held.append(row)
                    if len(held) > MOST_FOOTERS:
                        yield held.pop(0)
                    continue
        yield from held
        held.clear()
        yield row
    for row in held:
        row.is_footer, row.fault = True, None
        yield row


def has_too_many_rows(file: BinaryIO, reading: Reading) -> bool:
    """Whether a file goes past the limit, told before any row of it is kept.

    Only a file with that many line ends is read for it. A workbook was counted when it was unpacked.
    """
    if reading.kind == "xlsx" or _line_ends(file) <= MOST_ROWS:
        return False
    return any(True for _row in islice(read_rows(file, reading), MOST_ROWS, None))


def _line_ends(file: BinaryIO) -> int:
    file.seek(0)
    count = 0
    while block := file.read(1 << 20):
        count += block.count(b"\n") + block.count(b"\r")
    return count


class _TooLong(Exception):
    """One row goes past its characters; `start` is how the line begins on which it does."""

    def __init__(self, start: str) -> None:
        super().__init__()
        self.start = start


class _Lines:
    """The lines of a text for `csv`, none held beyond what one row may have. `count` are those that were read,
    `size` the characters since `begin`."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.readline = text.readline
        self.count = self.size = 0

    def __iter__(self) -> "_Lines":
        return self

    def begin(self) -> None:
        self.size = 0

    def __next__(self) -> str:
        line = self.readline(MOST_CHARACTERS + 1)
        if not line:
            raise StopIteration
        self.count += 1
        self.size += len(line)
        if self.size > MOST_CHARACTERS:
            piece = line
            while piece and piece[-1] not in "\r\n":
                piece = self.readline(MOST_CHARACTERS)
            raise _TooLong(line[:SHOWN])
        return line


def _text_rows(file: BinaryIO, reading: Reading) -> Iterator[Row]:
    lines = _Lines(io.TextIOWrapper(_Unclosed(file), encoding=reading.encoding, newline=""))
    reader = csv.reader(lines, delimiter=reading.separator, strict=True)
    while True:
        begins = lines.count + 1
        lines.begin()
        fault: Problem | None = None
        cells: Cells = []
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            fault = Problem("quotes", begins, "", shown(str(error)))
        except _TooLong as error:
            # What goes on over line ends was most likely opened by a quote that is closed nowhere.
            code = "too_long" if lines.count == begins else "quotes"
            fault = Problem(code, begins, "", shown(error.start), str(MOST_CHARACTERS))
        if begins > reading.header_line:
            if "\x00" in "".join(cells):
                cells = [_plain(cell) for cell in cells]
            yield Row(begins, cells, fault, size=lines.size)


def _sheet_rows(file: BinaryIO, reading: Reading) -> Iterator[Row]:
    """Rows as the child process wrote them: `[row number, cells]` a line; a sheet has no last cell to miss."""
    width = len(reading.header)
    for line in file:
        number, cells = json.loads(line)
        if number > reading.header_line:
            cells += [""] * (width - len(cells))
            cells = [_plain(cell) if "\x00" in cell else cell for cell in cells]
            yield Row(number, cells, size=len(line))


def _plain(cell: str) -> str:
    return cell.replace("\x00", "\u2400")


class _Unclosed(io.BufferedReader):
    """A view of somebody else's file that leaves it open."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(_Raw(file), 1 << 18)


class _Raw(io.RawIOBase):
    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self.file.read(len(view))
        view[: len(data)] = data
        return len(data)
