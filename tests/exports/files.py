"""Exports asked for and made as people do it, and their files read back."""

import csv
import io
from typing import Any

from django.db import connection
from openpyxl import load_workbook

from config.kernel.actors import Actor
from config.kernel.enums import ExportFormat
from config.kernel.exports import Wanted, path_of, request_export
from config.kernel.models import Export
from tests.factories.imports import work
from tests.kernel.visitor import Visitor, visitor


def person_of(client: Visitor) -> Any:
    from django.contrib.auth import get_user_model

    return get_user_model().objects.get(pk=client.session["_auth_user_id"])


def make_export(
    kind: str, format: ExportFormat = ExportFormat.CSV, query: str = "", *, client: Visitor | None = None,
    personal: bool = False,
) -> Export:  # fmt: skip
    """Ask as a manager, or as the person given, and let the job make it."""
    actor = Actor.for_user(person_of(client or visitor("Manager")))
    pk = request_export(Wanted(kind, format, query, personal), actor=actor)
    work(Export.objects.get(pk=pk).job_id or 0)
    return Export.objects.get(pk=pk)


def text_in(export: Export) -> str:
    return path_of(export).read_bytes().decode("utf-8")


def table_in(export: Export) -> list[dict[str, str]]:
    """The rows of a file by heading, as text."""
    if export.format == ExportFormat.XLSX:
        rows = [["" if cell is None else str(cell) for cell in row] for row in _sheet(export).values]
    else:
        rows = list(csv.reader(io.StringIO(text_in(export).removeprefix("\ufeff"))))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def cells_in(export: Export) -> list[Any]:
    """Every cell of a workbook's only sheet."""
    return [cell for row in _sheet(export).iter_rows() for cell in row]


def _sheet(export: Export) -> Any:
    book = load_workbook(path_of(export))
    assert len(book.worksheets) == 1
    return book.worksheets[0]


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"
