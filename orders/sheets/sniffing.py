"""What a text file is: its encoding, its separator, where its heading stands. Detected, shown, never guessed."""

import codecs
import csv
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, BinaryIO

from django.utils.translation import gettext_lazy as _

from config.kernel.texts import storable
from orders.sheets.problems import UnreadableFile, shown

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_BYTES = 256 * 1024
SAMPLE_ROWS = 60
HEADING_WITHIN = 20
MOST_COLUMNS = 200
MOST_BYTES = 200 * 1024 * 1024
_CHUNK = 1 << 20
_LINE_END = re.compile(r"\r\n|\r|\n")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read. `header_line` counts the file's own lines from 1; `skipped` stood before the heading."""

    kind: str
    encoding: str
    separator: str
    header_line: int
    header: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> "Reading":
        return cls(**{**given, "header": tuple(given["header"]), "skipped": tuple(given["skipped"])})


def name_key(name: str) -> str:
    """A heading without what people type differently: case, blanks and marks."""
    return "".join(one for one in name.casefold() if one.isalnum() or one in "#°?")


def sniff_text(file: BinaryIO, known: Collection[str]) -> Reading:
    """Read a text file's ways from its bytes; `known` are headings as `name_key` writes them.

    Refuses: `UnreadableFile` for an empty file, bytes of no known encoding, no heading, a heading twice.
    """
    encoding = _encoding(file)
    file.seek(0)
    sample = file.read(SAMPLE_BYTES)
    is_whole = len(sample) < SAMPLE_BYTES
    text = codecs.getincrementaldecoder(encoding)("ignore").decode(sample, is_whole)
    if not text.strip("\r\n\t ;,|\ufeff"):
        raise UnreadableFile(_("it is empty"))
    # As the rows are read: a line ends nowhere else, whatever a word processor left within a cell.
    lines = _LINE_END.split(text)
    lines = lines[:-1] if not lines[-1] or (not is_whole and len(lines) > 1) else lines
    stated = _stated_separator(lines[0])
    separator = stated or _separator(lines)
    skip = 1 if stated else 0
    rows = list(_sample_rows(lines[skip:], separator))
    place, heading = _heading([cells for _line, cells in rows], known)
    line = rows[place][0] + skip
    skipped = tuple(shown(one) for one in lines[: line - 1] if one.strip())
    return Reading("csv", encoding, separator, line, checked_header(heading), skipped)


def sniff_sheet(file: BinaryIO, known: Collection[str]) -> Reading:
    """The same for the rows of a workbook, as its child process wrote them."""
    file.seek(0)
    rows = [json.loads(line) for line in islice(file, SAMPLE_ROWS)]
    place, heading = _heading([cells for _number, cells in rows], known)
    skipped = tuple(shown(" ".join(cells)) for _number, cells in rows[:place])
    return Reading("xlsx", "", "", rows[place][0], checked_header(heading), skipped)


def _encoding(file: BinaryIO) -> str:
    """By mark, by the NULs of UTF-16, else UTF-8 where every byte of the file is, else Windows-1252."""
    file.seek(0)
    start = file.read(4096)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return _decodable(file, name)
    if len(start) > 3 and start.count(b"\x00") > len(start) // 4:
        return _decodable(file, "utf-16-le" if start[1] == 0 else "utf-16-be")
    if _decodes(file, "utf-8"):
        return "utf-8"
    return _decodable(file, "cp1252")


def _decodable(file: BinaryIO, encoding: str) -> str:
    if not _decodes(file, encoding):
        raise UnreadableFile(_("its characters are in no encoding that we know; save it as UTF-8"))
    return encoding


def _decodes(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    file.seek(0)
    size = 0
    try:
        while chunk := file.read(_CHUNK):
            size += len(chunk)
            if size > MOST_BYTES:
                raise UnreadableFile(_("it has more than %(limit)s MiB; split it"), limit=MOST_BYTES // 2**20)
            decoder.decode(chunk)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _stated_separator(line: str) -> str:
    """What a first line `sep=;` says."""
    text = line.strip("\ufeff\"' ")
    return text[4] if text[:4].lower() == "sep=" and len(text) == 5 else ("\t" if text == "sep=" else "")


def _sample_rows(lines: Sequence[str], separator: str) -> Iterable[tuple[int, list[str]]]:
    """Rows with the line that each begins on, blank ones left out, as far as a bad quote."""
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=separator)
    begins = 1
    try:
        for count, cells in enumerate(reader):
            if any(cell.strip() for cell in cells):
                yield begins, cells
            begins = reader.line_num + 1
            if count > SAMPLE_ROWS:
                return
    except csv.Error:
        return


def _separator(lines: Sequence[str]) -> str:
    """The one that gives most rows the same number of cells, more cells where that is equal."""
    best, best_score = ",", (0, 0)
    for separator in SEPARATORS:
        widths = Counter(len(cells) for _line, cells in _sample_rows(lines, separator))
        width, count = max(
            ((width, count) for width, count in widths.items() if width > 1),
            key=lambda one: (one[1], one[0]),
            default=(0, 0),
        )
        if (count, width) > best_score:
            best, best_score = separator, (count, width)
    return best


def _heading(rows: Sequence[Sequence[str]], known: Collection[str]) -> tuple[int, Sequence[str]]:
    """The row with most names that we know, else the first of the widest rows."""
    if not rows:
        raise UnreadableFile(_("no heading was found"))
    first = rows[:HEADING_WITHIN]
    scores = [sum(name_key(cell) in known for cell in row) for row in first]
    if max(scores) > 0:
        place = scores.index(max(scores))
    else:
        widths = [sum(bool(cell.strip()) for cell in row) for row in first]
        place = widths.index(max(widths))
    return place, first[place]


def checked_header(cells: Sequence[str]) -> tuple[str, ...]:
    """The heading's names. Refuses one that stands twice, and more columns than anybody maps."""
    header = [" ".join(storable(cell).split()) for cell in cells]
    while header and not header[-1]:
        header.pop()
    if len(header) > MOST_COLUMNS:
        raise UnreadableFile(
            _("it has %(count)s columns; the limit is %(limit)s"), count=len(header), limit=MOST_COLUMNS
        )
    seen: dict[str, int] = {}
    for place, name in enumerate(header, start=1):
        if name and seen.setdefault(name.casefold(), place) != place:
            raise UnreadableFile(
                _("the heading “%(name)s” stands twice, in columns %(first)s and %(second)s"),
                name=name[:60], first=seen[name.casefold()], second=place,
            )  # fmt: skip
    return tuple(header)
