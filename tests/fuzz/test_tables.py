"""The coverage-guided fuzzer for as long as the suite allows: it ends by itself and finds no crash."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.lasting import SECONDS

pytest.importorskip("atheris", reason="atheris has no build for this Python or machine")
pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parent.parent.parent


def fuzz(code: str, tmp_path: Path, seconds: int) -> subprocess.CompletedProcess[str]:
    """Run a program's fuzzer in a folder of its own, where it would leave what crashed it."""
    return subprocess.run(
        [
            sys.executable, "-c", code, f"-max_total_time={seconds}", f"-artifact_prefix={tmp_path}/",
            "-report_slow_units=1000",
        ],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=seconds + 300,
    )  # fmt: skip


def test_no_table_crashes_the_reader(tmp_path: Path) -> None:
    ended = fuzz("from tests.fuzz.fuzz_tables import main; main()", tmp_path, SECONDS)

    assert ended.returncode == 0, ended.stderr[-3000:]
    runs = re.search(r"Done (\d+) runs in", ended.stderr)
    assert runs is not None
    assert int(runs[1]) > 10 * SECONDS
    assert list(tmp_path.iterdir()) == []


def test_fuzzer_finds_a_planted_crash(tmp_path: Path) -> None:
    planted = (
        "from tests.fuzz import fuzz_tables\n"
        "one = fuzz_tables.one\n"
        "def bad(content):\n"
        "    if content[:2] == b'PK':\n"
        "        raise AssertionError('planted')\n"
        "    one(content)\n"
        "fuzz_tables.one = bad\n"
        "fuzz_tables.main()\n"
    )

    ended = fuzz(planted, tmp_path, 20)

    assert ended.returncode != 0
    assert "planted" in ended.stderr + ended.stdout
