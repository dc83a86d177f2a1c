"""Numbers and dates as a file writes them: which way is told by the whole file, then each value is read strictly."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from config.kernel.quantities import MOST_UNITS

MOST_EVIDENCE = 3
AMOUNT_LIMIT = Decimal(10) ** 13
S = TypeVar("S", bound=StrEnum)


class NumberStyle(StrEnum):
    POINT = "point"
    COMMA = "comma"


class DateStyle(StrEnum):
    """How a day of three numbers is read where the year does not come first."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


EXAMPLES: dict[str, str] = {
    NumberStyle.POINT: "1,234.50",
    NumberStyle.COMMA: "1.234,50",
    DateStyle.DAY_FIRST: "31/12/2026",
    DateStyle.MONTH_FIRST: "12/31/2026",
}
_PLAIN = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_POINT = re.compile(r"-?(?:\d{1,3}(?:[,' ]\d{3}){1,9}|\d{1,30})?(?:\.\d{1,30})?")
_COMMA = re.compile(r"-?(?:\d{1,3}(?:[.' ]\d{3}){1,9}|\d{1,30})?(?:,\d{1,30})?")
_EITHER = re.compile(r"-?\d{1,3}[.,]\d{3}")
_SIGNS = "€$£¥"
_BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2212": "-"})
_ISO = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_THREE = re.compile(
    r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})"
    r"(?:,?[T ]+(\d{1,2})[:.](\d{2})(?::(\d{2}))?\s*([AaPp]\.?[Mm]\.?)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_NAMED = re.compile(
    r"(?:([A-Za-z]{3,9})\.?[-/ ](\d{1,2})|(\d{1,2})[-/ ]([A-Za-z]{3,9})\.?),?[-/ ]+(\d{4}|\d{2})"
    r"(?:,?[T ]+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp]\.?[Mm]\.?)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_MONTHS = {
    name: place
    for place, names in enumerate(
        (
            "jan gen", "feb", "mar", "apr", "may mag", "jun giu", "jul lug", "aug ago", "sep set", "oct ott",
            "nov", "dec dic",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip


@dataclass(slots=True)
class Evidence:
    """What the values of a file say about its ways, with a few values for each."""

    seen: dict[str, list[str]] = field(default_factory=dict)

    def note(self, way: str, value: str) -> None:
        values = self.seen.setdefault(way, [])
        if len(values) < MOST_EVIDENCE and value not in values:
            values.append(value[:40])

    def number(self, value: str) -> None:
        text = bare_number(value)
        if "," not in text and "." not in text:
            return
        if _EITHER.fullmatch(text):
            self.note("number_either", value)
        elif _POINT.fullmatch(text):
            self.note(NumberStyle.POINT, value)
        elif _COMMA.fullmatch(text):
            self.note(NumberStyle.COMMA, value)

    def date(self, value: str) -> None:
        found = _THREE.fullmatch(value.strip())
        if found is None:
            return
        first, second = int(found[1]), int(found[3])
        if first > 12 >= second:
            self.note(DateStyle.DAY_FIRST, value)
        elif second > 12 >= first:
            self.note(DateStyle.MONTH_FIRST, value)
        elif first != second:
            self.note("date_either", value)

    def number_style(self) -> NumberStyle | None:
        """The file's one way; None where a person has to say it."""
        return self._one(NumberStyle.POINT, NumberStyle.COMMA, "number_either")

    def date_style(self) -> DateStyle | None:
        return self._one(DateStyle.DAY_FIRST, DateStyle.MONTH_FIRST, "date_either")

    def _one(self, first: S, second: S, either: str) -> S | None:
        if (first in self.seen) != (second in self.seen):
            return first if first in self.seen else second
        return None if first in self.seen or either in self.seen else first

    def examples(self, *ways: str) -> list[str]:
        return [value for way in ways for value in self.seen.get(way, ())]


def bare_number(value: str) -> str:
    """A number without blanks around it and without one currency sign or code beside it."""
    text = value.translate(_BLANKS).strip()
    sign, text = ("-", text[1:].lstrip()) if text.startswith("-") else ("", text)
    if text[:1] in _SIGNS or text[-1:] in _SIGNS:
        text = text.strip(_SIGNS).strip()
    elif text[:3].isalpha() and text[:3].isupper() and text[:3].isascii():
        text = text[3:].strip()
    elif text[-3:].isalpha() and text[-3:].isupper() and text[-3:].isascii():
        text = text[:-3].strip()
    return f"{sign}{text}" if not (sign and text.startswith("-")) else ""


@lru_cache(maxsize=20_000)
def read_number(value: str, style: NumberStyle) -> Decimal | None:
    """The number, or None for what is none in this way of writing."""
    if _PLAIN.fullmatch(value) and (style == NumberStyle.POINT or "." not in value):
        return Decimal(value)
    text = bare_number(value)
    if not any(one.isdigit() for one in text) or not text.isascii():
        return None
    if style == NumberStyle.POINT:
        if not _POINT.fullmatch(text):
            return None
        return Decimal(text.replace(",", "").replace("'", "").replace(" ", ""))
    if not _COMMA.fullmatch(text):
        return None
    return Decimal(text.replace(".", "").replace("'", "").replace(" ", "").replace(",", "."))


@lru_cache(maxsize=20_000)
def read_coins(value: str, style: NumberStyle, places: int) -> Decimal | str:
    """An amount of at most so many decimals, or the code of what is wrong with it: `number`, `decimals`."""
    number = read_number(value, style)
    if number is None or abs(number) >= AMOUNT_LIMIT:
        return "number"
    coins = round(number, places)
    return coins if coins == number else "decimals"


@lru_cache(maxsize=20_000)
def read_units(value: str, style: NumberStyle, sign: int) -> int | str:
    """Whole units from 1, or the code of what is wrong: `number`, `quantity`. `sign` -1 wants them below zero."""
    number = read_number(value, style)
    if number is None:
        return "number"
    number *= sign
    if number != number.to_integral_value() or not 0 < number <= MOST_UNITS:
        return "quantity"
    return int(number)


@lru_cache(maxsize=20_000)
def read_time(value: str, style: DateStyle, zone: ZoneInfo) -> datetime | None:
    """The moment, in UTC; a day alone is its beginning. `zone` counts where the value names none."""
    text = value.strip()
    if found := _ISO.fullmatch(text):
        day = (found[1], found[2], found[3])
        rest = (*found.groups()[3:6], None, found[7])
    elif found := _THREE.fullmatch(text):
        first, second = (3, 1) if style == DateStyle.DAY_FIRST else (1, 3)
        day = (_year(found[4]), found[first], found[second])
        rest = found.groups()[4:]
    elif (found := _NAMED.fullmatch(text)) and (month := _month(found[1] or found[4])):
        day = (_year(found[5]), str(month), found[2] or found[3])
        rest = found.groups()[5:]
    else:
        return None
    return _moment(day, rest, zone)


def _moment(day: tuple[str, ...], rest: Iterable[str | None], zone: ZoneInfo) -> datetime | None:
    hour, minute, second, half, offset = rest
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half[0] in "pP" else 0)
    try:
        year, month, date = map(int, day)
        where = _zone(offset) if offset else zone
        return datetime(
            year, month, date, hours, int(minute or 0), int(second or 0), tzinfo=where
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(offset: str) -> timezone:
    if offset[0] not in "+-":
        return UTC
    digits = offset[1:].replace(":", "")
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-span if offset[0] == "-" else span)


def _year(text: str) -> str:
    return text if len(text) == 4 else f"20{text}"


def _month(name: str) -> int:
    return _MONTHS.get(name[:3].lower(), 0)


# Letters that look like Latin ones; a code that mixes them with Latin letters is a forgery or a slip.
_SCRIPTS = (("\u0370", "\u03ff"), ("\u0400", "\u052f"), ("\u0530", "\u058f"))


def text_problem(value: str, *, is_code: bool) -> str:
    """The problem code of a text: control or direction characters; in a code also several alphabets."""
    if value.isascii():
        return "" if value.isprintable() else _unseen(value)
    if problem := _unseen(value):
        return problem
    if is_code and any("a" <= one.lower() <= "z" for one in value):
        if any(low <= one <= high for one in value for low, high in _SCRIPTS):
            return "mixed_scripts"
        if any("\uff01" <= one <= "\uff5e" for one in value):
            return "mixed_scripts"
    return ""


def _unseen(value: str) -> str:
    for one in value:
        if one in "\n\r\t" or one.isprintable() or one in "\u00a0\u202f\u3000\u2009":
            continue
        return "characters"
    return "characters" if "\u2400" in value else ""
