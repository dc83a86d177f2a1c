"""Workbooks: hostile ones refused before any parser sees them, plain ones read cell by cell."""

import io
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orders.sheets.budget import check_workbook
from orders.sheets.problems import UnreadableFile
from orders.sheets.profiles import HEADINGS
from orders.sheets.rows import read_rows
from orders.sheets.sniffing import sniff_sheet
from orders.sheets.workbook import ROOT, unpack_workbook
from tests.imports import bombs

pytestmark = pytest.mark.once

MEASURE = """
import sys, time
from orders.sheets.budget import check_workbook
from orders.sheets.problems import UnreadableFile
before = time.process_time()
try:
    with open(sys.argv[1], "rb") as file:
        check_workbook(file)
except UnreadableFile:
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(time.process_time() - before, peak.split()[1])
"""


def refusal_of(content: bytes) -> str:
    with pytest.raises(UnreadableFile) as refused:
        check_workbook(io.BytesIO(content))
    return str(refused.value)


@pytest.mark.parametrize("name", bombs.BOMBS)
def test_bomb_is_refused_before_it_is_parsed(name: str, tmp_path: Path) -> None:
    make, reason = bombs.BOMBS[name]
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(make())

    assert reason in refusal_of(path.read_bytes())
    child = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    seconds, kilobytes = map(float, child.stdout.split())
    assert seconds <= 5
    assert kilobytes <= 100 * 1024


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 600, "old Excel file"),
        (bytes.fromhex("D0CF11E0A1B11AE1") + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (b"PK\x03\x04rubbish", "damaged workbook"),
        (bombs.workbook("", more={"xl/vbaProject.bin": b"x"}), "macros"),
        (bombs.workbook("", more={"xl/externalLinks/externalLink1.xml": b"<a/>"}), "other files"),
        (bombs.workbook("", doctype='<!DOCTYPE a [<!ENTITY b "c">]>'), "declares entities"),
    ],
)
def test_what_is_no_plain_workbook_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    assert reason in refusal_of(content)


def unpacked(content: bytes, tmp_path: Path) -> Path:
    source, target = tmp_path / "a.xlsx", tmp_path / "a.rows"
    source.write_bytes(content)
    with source.open("rb") as file:
        unpack_workbook(file, source, target)
    return target


def test_workbook_is_unpacked_to_rows_with_their_numbers(tmp_path: Path) -> None:
    from datetime import datetime

    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.append(["Orders of March"])
    sheet.append([])
    sheet.append(["order", "date", "sku", "quantity", "price", "sum", "paid"])
    sheet.append(["0012", datetime.fromisoformat("2026-03-02 10:30"), "007", 5.0, 12.5, "=E4*D4", True])
    sheet.append(["2", 46083.5, "A", 1, "1,5", "#REF!", None])
    sheet["F5"].data_type = "e"
    book.save(tmp_path / "made.xlsx")
    target = unpacked((tmp_path / "made.xlsx").read_bytes(), tmp_path)

    with target.open("rb") as file:
        reading = sniff_sheet(file, HEADINGS)
        rows = [(row.line, row.cells) for row in read_rows(file, reading)]

    assert (reading.header_line, reading.skipped) == (3, ("Orders of March",))
    assert rows == [
        (4, ["0012", "2026-03-02 10:30:00", "007", "5", "12.5", "\ue000=E4*D4", "true"]),
        (5, ["2", "46083.5", "A", "1", "1,5", "\ue001#REF!", ""]),
    ]


def test_merged_cells_above_and_in_the_heading_shift_no_column(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.append(["Order", None, "Goods", None, None])
    sheet.append(["order", "placed_at", "sku", "quantity", "unit_amount", "Our notes"])
    sheet.append(["1", "2026-03-01", "MUG", 2, 10, "fragile", "second note"])
    for area in ("A1:B1", "C1:E1", "F2:G2"):
        sheet.merge_cells(area)
    book.save(tmp_path / "made.xlsx")
    target = unpacked((tmp_path / "made.xlsx").read_bytes(), tmp_path)

    with target.open("rb") as file:
        reading = sniff_sheet(file, HEADINGS)
        rows = [(row.line, row.cells, row.fault and row.fault.code) for row in read_rows(file, reading)]

    assert reading.skipped == ("Order  Goods",)
    assert reading.header == ("order", "placed_at", "sku", "quantity", "unit_amount", "Our notes")
    # What stands below the second half of a merged heading has no name: it is told, not read as something else.
    assert rows == [(3, ["1", "2026-03-01", "MUG", "2", "10", "fragile", "second note"], "cells")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bombs.workbook("<sheetData/>"), "first sheet is empty"),
        (
            bombs.workbook(f'<sheetData><row r="1">{bombs.cell("A1")}{bombs.cell("XFD1")}</row></sheetData>'),
            "more than 200 columns",
        ),
        (bombs.workbook("<sheetData><row r='1'><c r='A1'><v>x"), "damaged"),
    ],
)
def test_workbook_that_cannot_be_read_is_refused_by_the_child(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        unpacked(content, tmp_path)


def test_text_that_stands_in_many_cells_does_not_fill_the_disk(tmp_path: Path) -> None:
    content = bombs.repeated("x" * 30_000, rows=1_000, columns=10)
    source, target = tmp_path / "a.xlsx", tmp_path / "a.xlsx.rows"
    source.write_bytes(content)
    assert len(content) < 100 * 1024

    with source.open("rb") as file, pytest.raises(UnreadableFile) as refused:
        unpack_workbook(file, source, target)

    assert "its cells hold more than 200 MiB; split it" in str(refused.value)
    assert not target.exists()


def test_child_limits_its_own_memory(tmp_path: Path) -> None:
    code = (
        "import orders.sheets.unpacking as child; child.MEMORY = 200 << 20; "
        "child.unpack = lambda a, b: bytearray(1 << 30); import sys; sys.argv = ['', 'a', 'b']; child.main()"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout.strip()) == (1, "MemoryError")
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


def test_rows_of_a_sheet_are_json_a_line(tmp_path: Path) -> None:
    started = time.monotonic()
    target = unpacked(
        bombs.table(("order", "date", "sku", "quantity"), ("1", "2026-01-01", "A", "2")), tmp_path
    )

    assert [json.loads(line) for line in target.read_text().splitlines()] == [
        [1, ["order", "date", "sku", "quantity"]],
        [2, ["1", "2026-01-01", "A", "2"]],
    ]
    assert time.monotonic() - started < 60
