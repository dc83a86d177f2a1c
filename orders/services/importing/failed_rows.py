"""The failed-rows file: the original rows of every refused order, with what is wrong with each."""

import json
from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from config.kernel.sheets import csv_lines
from orders.enums import ImportPlan, ImportResult
from orders.models import ImportOrder, ImportProblem, ImportRow, ImportRun
from orders.services.importing.uploading import PROBLEM_COLUMN
from orders.sheets.problems import Problem, sentence

CHUNK = 2000


def failed_rows(run: ImportRun) -> Iterator[str]:
    """Lines of a CSV file in the original's sequence and separator; an order with one bad line is there whole."""
    header = [name for name in run.reading["header"] if name.lower() != PROBLEM_COLUMN]
    return csv_lines(_rows(run, header), run.reading.get("separator") or ",")


def failed_count(run: ImportRun) -> int:
    return _failed(run).count()


def _failed(run: ImportRun) -> QuerySet[ImportRow]:
    orders = ImportOrder.objects.filter(run=run).filter(
        Q(plan=ImportPlan.REFUSE) | Q(result=ImportResult.REFUSED)
    )
    return ImportRow.objects.filter(Q(key="") | Q(key__in=orders.values("key")), run=run)


def _rows(run: ImportRun, header: list[str]) -> Iterator[list[str]]:
    yield [*header, PROBLEM_COLUMN]
    places = [place for place, name in enumerate(run.reading["header"]) if name.lower() != PROBLEM_COLUMN]
    line = 0
    while some := list(
        _failed(run).filter(line__gt=line).order_by("line").values_list("line", "cells")[:CHUNK]
    ):
        said = _sentences(run, some[0][0], some[-1][0])
        for line, text in some:
            cells = json.loads(text)
            row = [cells[place] if place < len(cells) else "" for place in places]
            row += cells[len(run.reading["header"]) :]
            yield [*row, said.get(line) or gettext("Another line of this order is refused.")]


def _sentences(run: ImportRun, first: int, last: int) -> dict[int, str]:
    found: dict[int, list[str]] = defaultdict(list)
    for one in ImportProblem.objects.filter(run=run, line__range=(first, last)).order_by("pk"):
        found[one.line].append(sentence(Problem(one.code, one.line, one.column, one.value, one.more)))
    return {line: " · ".join(dict.fromkeys(some)) for line, some in found.items()}
