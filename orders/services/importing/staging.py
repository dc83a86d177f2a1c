"""The check's first pass: every row of the file into the database as it stands, and what its values look like."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.kernel.fastpath import insert_values, refresh_statistics
from config.kernel.languages import kept_words
from config.kernel.sheets import unguarded
from orders.enums import ImportStatus
from orders.models import ImportOrder, ImportProblem, ImportRow, ImportRun
from orders.services.importing.runs import READ_BY, hold_check, hold_runs
from orders.services.importing.storing import open_rows
from orders.services.importing.work import Work
from orders.sheets.fields import BY_NAME, DATES, NUMBERS, ORDER
from orders.sheets.packing import pack_cells
from orders.sheets.problems import Problem, UnreadableFile, shown
from orders.sheets.rows import MOST_ROWS, Row, has_too_many_rows, read_rows
from orders.sheets.sniffing import Reading
from orders.sheets.values import DateStyle, Evidence, NumberStyle, text_problem

# Rows, and characters of theirs, that are held and written at once.
CHUNK, CHUNK_SIZE = 4000, 8 * 2**20
MOST_SEEN = 20_000
ROW = ("run_id", "key", "line", "cells")
PROBLEM = ("run_id", "key", "line", "code", "column", "value", "more")
KEY_LENGTH = 120
MOST_WORDS = 200


@dataclass(slots=True)
class _Staging:
    """What one pass over the file gathers."""

    run: ImportRun
    columns: dict[str, int]
    evidence: Evidence = field(default_factory=Evidence)
    rows: int = 0
    footers: list[str] = field(default_factory=list)
    last_key: str = ""
    seen: set[str] = field(default_factory=set)


def stage_rows(run: ImportRun, work: Work) -> bool:
    """Stage the file's rows; False where a person has to say something first (`question` on the run).

    Whatever an earlier pass left is removed first; one that still goes on stops at its next chunk. Commits a chunk at
    a time.
    """
    _clear(run)
    reading = Reading.from_json(run.reading)
    places = {name: reading.header.index(heading) for name, heading in run.columns.items()}
    staging = _Staging(run, places)
    size = max(run.file_size, 1)
    with open_rows(run) as file:
        if has_too_many_rows(file, reading):
            raise UnreadableFile(_("it has more than %(limit)s rows; split it"), limit=MOST_ROWS)
        for chunk in _chunks(read_rows(file, reading)):
            _write(staging, chunk)
            work.progress(min(file.tell(), size) // 2, size)
    if staging.rows > CHUNK:
        refresh_statistics(ImportRow)
    return _conclude(staging)


def _clear(run: ImportRun) -> None:
    run.summary = {READ_BY: uuid4().hex}
    with transaction.atomic():
        hold_runs([run.pk], status=ImportStatus.UPLOADED)
        for model in (ImportRow, ImportOrder, ImportProblem):
            model._default_manager.filter(run=run).delete()
        ImportRun.objects.filter(pk=run.pk).update(summary=run.summary, question={}, error="")


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += row.size
        if len(chunk) == CHUNK or size >= CHUNK_SIZE:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _write(staging: _Staging, chunk: Sequence[Row]) -> None:
    run_id = staging.run.pk
    values: list[tuple[Any, ...]] = []
    problems: list[tuple[Any, ...]] = []
    for row in chunk:
        if row.is_footer:
            staging.footers.append(shown(" ".join(row.cells)))
            continue
        key, fault = _key_of(staging, row)
        values.append((run_id, key, row.line, pack_cells(row.cells)))
        problems += [problem_row(run_id, key, one) for one in (row.fault, fault) if one is not None]
    _look(staging, chunk)
    staging.rows += len(values)
    with transaction.atomic():
        hold_check(staging.run)
        insert_values(ImportRow, ROW, values)
        insert_values(ImportProblem, PROBLEM, problems)


def problem_row(run_id: int, key: str, problem: Problem) -> tuple[Any, ...]:
    return (
        run_id, key, problem.line, problem.code, problem.column[:80], problem.value[:400],
        kept_words(problem.more, MOST_WORDS),
    )  # fmt: skip


def _key_of(staging: _Staging, row: Row) -> tuple[str, Problem | None]:
    """The order that a row belongs to. One without number, date and currency goes on with the order above."""
    place = staging.columns["order"]
    key = row.cells[place].strip() if place < len(row.cells) else ""
    key = unguarded(key).strip()
    heading = staging.run.columns["order"]
    if not key:
        if row.fault is not None or (staging.last_key and _continues(staging, row)):
            return ("" if row.fault else staging.last_key), None
        return "", Problem("missing", row.line, heading)
    code = text_problem(key, is_code=True) if not key.isascii() or not key.isprintable() else ""
    if code or len(key) > KEY_LENGTH:
        more = "" if code else str(KEY_LENGTH)
        return "", Problem(code or "too_long", row.line, heading, shown(key), more)
    staging.last_key = key
    return key, None


def _continues(staging: _Staging, row: Row) -> bool:
    ties = (name for name in staging.columns if BY_NAME[name].place == ORDER and name != "order")
    return not any(row.cells[staging.columns[name]].strip() for name in ties)


def _look(staging: _Staging, chunk: Sequence[Row]) -> None:
    """Note how numbers and days are written, each value once."""
    run, seen = staging.run, staging.seen
    wanted = [
        (place, "number")
        for name, place in staging.columns.items()
        if name in NUMBERS and not run.number_style
    ]
    wanted += [
        (place, "date") for name, place in staging.columns.items() if name in DATES and not run.date_style
    ]
    if len(seen) > MOST_SEEN:
        seen.clear()
    for place, what in wanted:
        note = staging.evidence.number if what == "number" else staging.evidence.date
        for value in {row.cells[place] for row in chunk if place < len(row.cells)} - seen:
            if value and len(value) <= 60:
                note(value)
            seen.add(value)


def _conclude(staging: _Staging) -> bool:
    """Say the file's ways, or ask for them once."""
    run, evidence = staging.run, staging.evidence
    question: dict[str, Any] = {}
    numbers = run.number_style or evidence.number_style()
    dates = run.date_style or evidence.date_style()
    if numbers is None:
        question["number"] = evidence.examples("number_either", NumberStyle.POINT, NumberStyle.COMMA)
    if dates is None:
        question["date"] = evidence.examples("date_either", DateStyle.DAY_FIRST, DateStyle.MONTH_FIRST)
    summary = {**run.summary, "rows": staging.rows, "footers": staging.footers[:20]}
    columns: dict[str, Any] = {"question": question, "summary": summary}
    if not question:
        columns |= {"number_style": numbers, "date_style": dates}
        run.number_style, run.date_style = str(numbers), str(dates)
    with transaction.atomic():
        hold_check(run)
        ImportRun.objects.filter(pk=run.pk).update(**columns)
    run.summary, run.question = summary, question
    return not question
