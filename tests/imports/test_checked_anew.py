"""A file whose columns are said anew is read anew, whatever another check of it is doing."""

from typing import Any

import pytest

from orders.enums import ImportStatus
from orders.errors import ImportStopped
from orders.models import ImportRow, ImportRun, OrderLine
from orders.services.importing import staging
from orders.services.importing.checking import check_run
from orders.services.importing.mapping import Columns, map_columns, start_check
from orders.services.importing.work import Alone
from tests.factories.imports import HEADER, apply, check, make_skus, row, text_of, upload, work
from tests.factories.orders import SYSTEM

pytestmark = pytest.mark.django_db
WIDER = f"{HEADER},other"


def anew(run: ImportRun, **columns: str) -> ImportRun:
    map_columns(run.pk, Columns({**run.columns, **columns}), actor=SYSTEM)
    work(start_check(run.pk, actor=SYSTEM))
    run.refresh_from_db()
    return run


def test_checked_file_with_another_column_of_order_numbers_is_split_anew() -> None:
    run = check(text_of(f"{row('W-1')},Z-9", f"{row('W-2')},Z-9", header=WIDER))

    anew(run, order="other")

    assert list(run.staged.values_list("key", flat=True)) == ["Z-9"]


def test_checked_file_with_another_column_shows_what_is_wrong_there() -> None:
    run = check(text_of(f"{row('W-1')},many", f"{row('W-2')},3", header=WIDER))
    assert run.summary["bad"] == 0

    anew(run, quantity="other")

    assert (run.status, run.summary["bad"]) == (ImportStatus.CHECKED, 1)
    assert list(run.problems.values_list("line", "column")) == [(2, "other")]


def test_two_checks_side_by_side_leave_every_row_once(monkeypatch: Any) -> None:
    make_skus("MUG")
    run = upload(text_of(row("W-1"), row("W-2")))
    clear = staging._clear

    def then_a_rival(mine: ImportRun) -> None:
        clear(mine)
        monkeypatch.setattr(staging, "_clear", clear)
        staging.stage_rows(ImportRun.objects.get(pk=mine.pk), Alone())

    monkeypatch.setattr(staging, "_clear", then_a_rival)
    with pytest.raises(ImportStopped):
        check_run(run.pk, Alone(), actor=SYSTEM)
    check_run(run.pk, Alone(), actor=SYSTEM)
    run.refresh_from_db()
    apply(run)

    assert ImportRow.objects.count() == 2
    assert list(OrderLine.objects.values_list("sku_code", "quantity")) == [("MUG", 2), ("MUG", 2)]


def test_check_stops_once_the_columns_are_said_anew() -> None:
    run = upload(text_of(row("W-1"), row("W-2")))

    class Interrupted(Alone):
        def progress(self, done: int, total: int) -> None:
            if ImportRun.objects.get(pk=run.pk).columns == run.columns:
                map_columns(run.pk, Columns({**run.columns, "title": "ship_city"}), actor=SYSTEM)

    with pytest.raises(ImportStopped):
        check_run(run.pk, Interrupted(), actor=SYSTEM)

    run.refresh_from_db()
    assert (run.status, run.summary) == (ImportStatus.UPLOADED, {})
