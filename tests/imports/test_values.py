"""Numbers and dates: each way of writing, and nothing that could be read in two ways."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from orders.sheets.values import DateStyle, Evidence, NumberStyle, read_number, read_time, text_problem

pytestmark = pytest.mark.once

ROME = ZoneInfo("Europe/Rome")
POINT, COMMA = NumberStyle.POINT, NumberStyle.COMMA
DAY, MONTH = DateStyle.DAY_FIRST, DateStyle.MONTH_FIRST


@pytest.mark.parametrize(
    ("value", "style", "number"),
    [
        ("1,234.50", POINT, "1234.50"), ("1.234,50", COMMA, "1234.50"), ("5.0", POINT, "5.0"), ("-5", POINT, "-5"),
        ("$1,110.03", POINT, "1110.03"), ("€ 3,20", COMMA, "3.20"), ("3,20 EUR", COMMA, "3.20"), (".5", POINT, ".5"),
        ("1\u00a0234,50", COMMA, "1234.50"), ("1.234", COMMA, "1234"), ("1.234", POINT, "1.234"),
        ("1.234,50", POINT, None), ("1,234.50", COMMA, None), ("1e3", POINT, None), ("NaN", POINT, None),
        ("Infinity", POINT, None), ("--5", POINT, None), ("1,23,4", COMMA, None), ("", POINT, None), ("-", POINT, None),
        ("１２", POINT, None), ("5.0", COMMA, None), ("0x10", POINT, None), ("1_000", POINT, None),
    ],
)  # fmt: skip
def test_number_is_read_in_one_way_or_not_at_all(value: str, style: NumberStyle, number: str | None) -> None:
    assert read_number(value, style) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("value", "style", "expected"),
    [
        ("2026-03-02", DAY, datetime(2026, 3, 1, 23, tzinfo=UTC)),
        ("2024-05-01 09:58:12 -0400", DAY, datetime(2024, 5, 1, 13, 58, 12, tzinfo=UTC)),
        ("2026-03-02T10:00:00+01:00", DAY, datetime(2026, 3, 2, 9, tzinfo=UTC)),
        ("2026-03-02T10:00:00Z", DAY, datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("11/8/2019", MONTH, datetime(2019, 11, 7, 23, tzinfo=UTC)),
        ("11/8/2019", DAY, datetime(2019, 8, 10, 22, tzinfo=UTC)),
        ("04-30-22", MONTH, datetime(2022, 4, 29, 22, tzinfo=UTC)),
        ("04-30-22", DAY, None),
        ("Jul-25-26", DAY, datetime(2026, 7, 24, 22, tzinfo=UTC)),
        ("02/03/2026 3:04 PM", DAY, datetime(2026, 3, 2, 14, 4, tzinfo=UTC)),
        ("30 Feb 2026", DAY, None), ("2026-02-30", DAY, None), ("45000.5", DAY, None), ("2026", DAY, None),
        ("", DAY, None), ("02/03/2026 13:04 PM", DAY, None),
    ],
)  # fmt: skip
def test_time_is_read_in_one_way_or_not_at_all(
    value: str, style: DateStyle, expected: datetime | None
) -> None:
    assert read_time(value, style, ROME) == expected


@pytest.mark.parametrize(
    ("values", "style"),
    [
        (["1,50", "2"], COMMA), (["1.50", "1.234"], POINT), (["1.234,50", "1.234"], COMMA), (["5", "7"], POINT),
        (["1.234"], None), (["1,234"], None), (["1,50", "1.50"], None),
    ],
)  # fmt: skip
def test_evidence_tells_the_number_style_or_asks(values: list[str], style: NumberStyle | None) -> None:
    evidence = Evidence()
    for value in values:
        evidence.number(value)

    assert evidence.number_style() == style


@pytest.mark.parametrize(
    ("values", "style"),
    [
        (["02/03/2026", "31/12/2026"], DAY), (["04-30-22"], MONTH), (["2026-03-02"], DAY), (["05/05/2026"], DAY),
        (["02/03/2026"], None), (["31/12/2026", "12/31/2026"], None),
    ],
)  # fmt: skip
def test_evidence_tells_the_date_style_or_asks(values: list[str], style: DateStyle | None) -> None:
    evidence = Evidence()
    for value in values:
        evidence.date(value)

    assert evidence.date_style() == style


@pytest.mark.parametrize(
    ("value", "is_code", "problem"),
    [
        ("MUG-1", True, ""), ("Città", True, ""), ("MUG\u202e1", True, "characters"),
        ("\u0410BC", True, "mixed_scripts"),
        ("\u0410BC", False, ""), ("A\u2400B", False, "characters"), ("A\u200bB", True, "characters"), ("ЧАЙ", True, ""),
        ("two\nlines", False, ""), ("A\x07", True, "characters"),
    ],
)  # fmt: skip
def test_text_problem_sees_what_eyes_do_not(value: str, is_code: bool, problem: str) -> None:
    assert text_problem(value, is_code=is_code) == problem
