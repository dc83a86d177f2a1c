"""Random text and bytes: a file is read or refused with a reason, and what is read means what stands there."""

import io
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.kernel.sheets import csv_lines, inert
from orders.sheets.orders import read_order
from orders.sheets.plan import Plan
from orders.sheets.problems import UnreadableFile, sentence
from orders.sheets.profiles import HEADINGS, OWN, columns_for, recognise
from orders.sheets.rows import read_rows
from orders.sheets.sniffing import sniff_text
from orders.sheets.values import DateStyle, NumberStyle, read_number, read_time
from tests.fuzz import fuzz_tables

pytestmark = pytest.mark.once

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)
HEADER = tuple(OWN.columns)
PLAN = Plan(
    {name: place for place, name in enumerate(HEADER)}, HEADER, NumberStyle.POINT, DateStyle.DAY_FIRST,
    ZoneInfo("Europe/Rome"), "EUR",
)  # fmt: skip
CELL = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "",
            "1",
            "5.0",
            "-2",
            "1,234.50",
            "2026-03-01",
            "30/02/2026",
            "IT",
            "=1+1",
            "\u202e",
            "a@b.it",
            "1e3",
        ]
    ),
)


@FEW
@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused_with_a_reason(content: bytes) -> None:
    file = io.BytesIO(content)
    try:
        reading = sniff_text(file, HEADINGS)
    except UnreadableFile as refusal:
        str(refusal)
        return
    columns_for(reading.header, recognise(reading.header))
    for row in read_rows(file, reading):
        assert row.line > reading.header_line
        assert "\x00" not in "".join(row.cells)


@FEW
@given(st.lists(st.lists(CELL, min_size=len(HEADER), max_size=len(HEADER)), min_size=1, max_size=4))
def test_any_cells_become_an_order_or_problems_that_say_what_is_accepted(cells: list[list[str]]) -> None:
    rows = [
        (place, [one.replace("\x00", "\u2400") for one in row]) for place, row in enumerate(cells, start=2)
    ]

    read = read_order("K-1", rows, PLAN)

    assert (read.order is None) == bool(read.problems)
    for problem in read.problems:
        assert sentence(problem)
        assert problem.line >= 2
    if read.order is not None:
        quantity, price = PLAN.columns["quantity"], PLAN.columns["unit_amount"]
        for line, (_number, row) in zip(read.order.lines, rows, strict=True):
            assert line.quantity == read_number(row[quantity].strip().lstrip("'"), NumberStyle.POINT)
            assert line.unit_amount == read_number(row[price].strip().lstrip("'"), NumberStyle.POINT)


@FEW
@given(st.text(max_size=30))
def test_any_text_is_a_number_or_a_moment_or_nothing(value: str) -> None:
    for numbers in NumberStyle:
        number = read_number(value, numbers)
        assert number is None or (isinstance(number, Decimal) and number.is_finite())
    for dates in DateStyle:
        read_time(value, dates, ZoneInfo("Europe/Rome"))


@FEW
@given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), max_size=5))
def test_any_cells_are_written_dead(cells: list[list[str]]) -> None:
    for row in cells:
        for value in row:
            written = inert(value)
            assert written == value or written == f"'{value}"
            assert not written.lstrip(" \n\u00a0").startswith(("=", "@"))
    "".join(csv_lines(cells))


@FEW
@given(st.binary(max_size=600))
def test_table_fuzzer_survives_its_own_seeds(content: bytes) -> None:
    fuzz_tables.one(content)
