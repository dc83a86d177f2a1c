"""The writer of every file that leaves: no cell comes alive, numbers stay numbers, what is read back is the same."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from config.kernel.sheets import csv_lines, inert, unguarded, write_workbook

# Source: OWASP, "CSV Injection"; the beginnings that reliability.md names.
PAYLOADS = [
    "=1+1", "==1+1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://127.0.0.1/?"&A1,"x")', "+1+1", "+39 011 555", "-2+3",
    "-x", "@SUM(1+1)", "\t=1+1", "\r=1+1", " =1+1", "＝1+1", "＠SUM(1)",
]  # fmt: skip
HARMLESS = [
    "",
    "a=b",
    "MUG-1",
    "-5",
    "-5,50",
    "-1.234,50",
    "O'Neill",
    "'s-Hertogenbosch",
    "0045",
    "two\nlines",
    "–5",
]


@pytest.mark.parametrize(
    "value", [*PAYLOADS, "\0=1+1", "＋1", "－1", "\u00a0=1", "\n=1", " \t=1", "'=1", "'5", "''-x"]
)
def test_text_that_would_come_alive_stands_behind_a_quote_that_reading_takes_off(value: str) -> None:
    assert inert(value) == f"'{value}"
    assert unguarded(inert(value)) == value


@pytest.mark.parametrize("value", HARMLESS)
def test_other_text_and_plain_numbers_stay_as_they_are(value: str) -> None:
    assert inert(value) == value
    assert unguarded(value) == value


@given(st.text(max_size=12))
def test_any_text_comes_back_as_it_was_and_never_begins_alive(value: str) -> None:
    written = inert(value)

    assert unguarded(written) == value
    assert written.lstrip()[:1] not in set("=+@＝＋－＠\0")


def test_csv_lines_type_numbers_and_begin_with_the_mark_once() -> None:
    rows = [["a", "b", "c", "d"], ["=1", 'x"y', -5, Decimal("-1E+1")], ["-x", "", None, Decimal("1.50")]]

    assert list(csv_lines(rows, ";")) == [
        "\ufeffa;b;c;d\r\n", "'=1;\"x\"\"y\";-5;-10\r\n", "'-x;;;1.50\r\n",
    ]  # fmt: skip
    assert list(csv_lines(rows[:1], mark="")) == ["a,b,c,d\r\n"]


def test_workbook_holds_texts_and_typed_numbers_and_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    rows = [["text", "n", "d"], *([value, -5, Decimal("-1.50")] for value in [*PAYLOADS, "#N/A", "a\x07b"])]

    write_workbook(path, iter(rows), title="Orders: a/b", author="rosa")

    sheet = load_workbook(path).worksheets[0]
    body = list(sheet.iter_rows(min_row=2))
    assert {cell.data_type for row in body for cell in row} == {"s", "n"}
    assert [row[0].value for row in body] == [
        *(inert(value).replace("\r", "\n") for value in PAYLOADS),
        "#N/A",
        "a\ufffdb",
    ]
    assert {(row[1].value, row[2].value) for row in body} == {(-5, -1.5)}
    assert sheet.title == "Orders  a b"
