"""Writing cells that no spreadsheet takes for a formula."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

_NUMBER = re.compile(r"[-+]?[0-9][0-9.,]*")
_LIVE = "=+-@\t\r\0＝＋－＠"


def inert(value: str) -> str:
    """A cell's text behind a quote where it would come alive; numbers stay what they are."""
    text = value.lstrip(" \n\u00a0")
    if text and (text[0] in _LIVE or value[0] in _LIVE):
        return value if _NUMBER.fullmatch(value) else f"'{value}"
    return value


class _Line:
    """What `csv.writer` writes to: the last line."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def csv_lines(rows: Iterable[Sequence[str]], separator: str = ",") -> Iterator[str]:
    """The rows as lines of a CSV file with a mark by which spreadsheets know that it is UTF-8."""
    line = _Line()
    writer = csv.writer(line, delimiter=separator or ",", lineterminator="\r\n")
    mark = "\ufeff"
    for row in rows:
        writer.writerow([inert(cell) for cell in row])
        yield mark + line.text
        mark = ""
