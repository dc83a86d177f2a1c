"""The staged rows of a run: read again as they were, no more of them at once than memory should hold."""

import pytest
from django.db import connection

from orders.models import ImportRow
from orders.services.importing import checking, staging
from orders.services.importing.staged_rows import rows_by_order, rows_of_orders
from orders.sheets.packing import pack_cells, unpack_rows
from tests.factories.imports import check, row, text_of


@pytest.mark.parametrize(
    "cells",
    [
        [],
        [""],
        ["", ""],
        ["1", "Via Po 3", "12,50"],
        ['a "quoted" cup', "C:\\x", "line\nbreak", "tab\t", "\x1f", "\x7f", "\u2028", "però", "😀"],
        ['"'],
        ["\\"],
    ],
)
def test_packed_cells_come_back_as_they_were(cells: list[str]) -> None:
    assert unpack_rows([pack_cells(cells), pack_cells(["b"])]) == [cells, ["b"]]


@pytest.mark.django_db
def test_rows_come_some_orders_at_a_time_and_a_large_order_alone() -> None:
    content = text_of(*(row(f"W-{n}") for n in range(5) for _line in range(9 if n == 2 else 2)))
    run = check(content)

    by_rows = [list(rows) for rows in rows_by_order(run.pk, most=5)]
    by_keys = [list(rows) for rows in rows_by_order(run.pk, keys=3)]
    rest = [list(rows) for rows in rows_by_order(run.pk, after="W-3")]

    assert by_rows == [["W-0", "W-1"], ["W-2"], ["W-3", "W-4"]]
    assert by_keys == [["W-0", "W-1", "W-2"], ["W-3", "W-4"]]
    assert rest == [["W-4"]]


@pytest.mark.django_db
def test_rows_of_an_order_stand_in_the_files_sequence_wherever_they_are() -> None:
    run = check(text_of(row("W-1", sku="A"), row("W-2"), row("W-1", sku="B")))

    read = rows_of_orders(run.pk, ["W-1"])

    assert [(line, cells[8]) for line, cells in read["W-1"]] == [(2, "A"), (4, "B")]
    assert list(read) == ["W-1"]
    assert ImportRow.objects.filter(run=run).count() == 3


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize(("chunk", "is_known"), [(4, True), (5, False)])
def test_planner_knows_of_a_large_files_rows_at_once(
    monkeypatch: pytest.MonkeyPatch, chunk: int, is_known: bool
) -> None:
    monkeypatch.setattr(staging, "CHUNK", chunk)
    monkeypatch.setattr(checking, "CHUNK", chunk)
    with connection.cursor() as cursor:
        tables = "'orders_importrow'::regclass, 'orders_importorder'::regclass"
        cursor.execute(f"DELETE FROM pg_statistic WHERE starelid IN ({tables})")

    check(text_of(*(row(f"W-{n}") for n in range(5))))

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(DISTINCT starelid) FROM pg_statistic WHERE starelid IN ({tables})")
        assert cursor.fetchone() == (2 if is_known else 0,)
