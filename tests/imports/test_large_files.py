"""A million rows are the limit: read within flat memory, and one more is refused before any row is kept."""

import io
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orders.models import ImportProblem, ImportRow
from orders.services.importing.mapping import start_check
from orders.sheets.profiles import HEADINGS
from orders.sheets.rows import MOST_ROWS, has_too_many_rows
from orders.sheets.sniffing import sniff_text
from orders.sheets.workbook import ROOT
from tests.factories.imports import upload, work
from tests.factories.orders import SYSTEM

HEADING = b"order,date,sku,quantity,price\n"
ROW = b"W-1,2026-03-01,MUG,1,2.00\n"
MEASURE = """
import sys
from django.conf import settings
settings.configure()
from orders.sheets.rows import has_too_many_rows, read_rows
from orders.sheets.sniffing import sniff_text
with open(sys.argv[1], "rb") as file:
    reading = sniff_text(file, ())
    rows = 0 if has_too_many_rows(file, reading) else sum(1 for _row in read_rows(file, reading))
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(rows, peak.split()[1])
"""


def of_rows(count: int) -> bytes:
    return HEADING + ROW * count


@pytest.mark.once
def test_million_rows_are_read_within_flat_memory(tmp_path: Path) -> None:
    peaks = []
    for rows in (10_000, MOST_ROWS):
        path = tmp_path / "rows.csv"
        path.write_bytes(of_rows(rows))
        child = subprocess.run(
            [sys.executable, "-c", MEASURE, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
        )
        read, kilobytes = map(int, child.stdout.split())
        assert read == rows
        peaks.append(kilobytes)

    assert peaks[1] <= peaks[0] + 4 * 1024
    assert peaks[1] <= 100 * 1024


@pytest.mark.once
def test_one_line_of_100_mib_is_read_within_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with path.open("wb") as file:
        file.write(HEADING + ROW + b"W-2,2026-03-01,")
        for _block in range(100):
            file.write(b"MUG,1," * (2**20 // 6))
        file.write(b"\n" + ROW)

    child = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )

    read, kilobytes = map(int, child.stdout.split())
    assert read == 3
    assert kilobytes <= 100 * 1024


@pytest.mark.once
@pytest.mark.parametrize(
    ("text", "count", "is_refused"),
    [
        (ROW, MOST_ROWS, False),
        (ROW, MOST_ROWS + 1, True),
        (ROW.replace(b"\n", b"\r"), MOST_ROWS + 1, True),
        (b"\n", MOST_ROWS + 9, False),
        (b'"W\n1",2026-03-01,MUG,1,2.00\n', MOST_ROWS // 2 + 9, False),
    ],
)
def test_rows_are_counted_not_line_ends(text: bytes, count: int, is_refused: bool) -> None:
    file = io.BytesIO(HEADING + ROW + text * (count - 1))

    assert has_too_many_rows(file, sniff_text(file, HEADINGS)) is is_refused


@pytest.mark.django_db
def test_one_row_more_is_refused_before_any_is_kept() -> None:
    run = upload(of_rows(MOST_ROWS + 1))
    started = time.process_time()

    work(start_check(run.pk, actor=SYSTEM))

    run.refresh_from_db()
    assert "more than 1000000 rows" in run.error
    assert not ImportRow.objects.exists()
    assert not ImportProblem.objects.exists()
    assert time.process_time() - started < 30
