"""Workbooks: checked by budget, then unpacked to plain rows in a child process with limits of its own."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from orders.sheets.budget import check_workbook
from orders.sheets.problems import UnreadableFile

SECONDS = 120
ROOT = Path(__file__).resolve().parent.parent.parent


def unpack_workbook(file: BinaryIO, source: Path, target: Path) -> None:
    """Write the first sheet of `source`, which `file` reads, to `target` as JSON rows (`orders.sheets.unpacking`).

    Refuses: `UnreadableFile`, before parsing wherever the archive's directory tells; then there is no `target`.
    """
    check_workbook(file)
    command = [sys.executable, "-m", "orders.sheets.unpacking", str(source), str(target)]
    try:
        _unpack(command)
    except UnreadableFile:
        target.unlink(missing_ok=True)
        raise


def _unpack(command: Sequence[str]) -> None:
    try:
        child = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnreadableFile(_("reading it takes too long; save it as CSV")) from error
    if child.returncode == 0:
        return
    said = child.stdout.decode(errors="replace").strip().splitlines()
    known = {
        "rows": _("it has more than 200,000 rows"),
        "empty": _("its first sheet is empty"),
        "size": _("its cells hold more than 200 MiB; split it"),
    }
    word = said[-1] if said else ""
    raise UnreadableFile(known.get(word, _("it is damaged, or too large to be read; save it as CSV")))
