"""A run whose original is removed says so, and keeps nothing of what its file or its updates said of buyers."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from config.kernel import clock
from config.kernel.languages import readers_words
from config.kernel.models import Job
from orders.enums import ImportPolicy, ImportStatus
from orders.errors import ImportStopped
from orders.models import ImportOrder, ImportRun, Order
from orders.services.importing import applying, expiring
from orders.services.importing.applying import apply_runs
from orders.services.importing.expiring import expire_originals
from orders.services.importing.finishing import finish_runs
from orders.services.importing.mapping import Columns, map_columns, start_check
from tests.factories.imports import apply, check, make_skus, row, text_of, work
from tests.factories.orders import SYSTEM, make_channel

pytestmark = pytest.mark.django_db


def a_month_later() -> Any:
    return clock.frozen(clock.now() + timedelta(days=31))


def test_run_without_its_original_is_neither_applied_nor_mapped_nor_checked() -> None:
    run = check(text_of(row("W-1")))
    with a_month_later():
        expire_originals()

    refused = apply_runs([run.pk], policy=ImportPolicy.GOOD_ONES, actor=SYSTEM).refusals[run.pk]
    with pytest.raises(ImportStopped):
        map_columns(run.pk, Columns(run.columns), actor=SYSTEM)
    ImportRun.objects.update(status=ImportStatus.UPLOADED)
    with pytest.raises(ImportStopped):
        start_check(run.pk, actor=SYSTEM)

    assert isinstance(refused, ImportStopped)
    assert str(refused).endswith("it is “its original is removed”.")
    assert not Order.objects.exists()


def test_what_an_update_took_away_is_forgotten_with_the_original() -> None:
    make_skus("MUG")
    channel = make_channel()
    first = apply(check(text_of(row("W-1")), channel=channel))
    work(finish_runs([first.pk], actor=SYSTEM).only())
    second = apply(check(text_of(row("W-1", email="new@example.com")), channel=channel))
    kept = ImportOrder.objects.get(run=second).before
    work(finish_runs([second.pk], actor=SYSTEM).only())

    with a_month_later():
        assert expire_originals() == 2

    assert kept["email"] == "w-1@example.com"
    assert ImportOrder.objects.get(run=second).before == {}


def test_original_stays_while_an_apply_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    make_skus("MUG")
    run = check(text_of(*(row(f"W-{n}") for n in range(4))))
    monkeypatch.setattr(applying, "MOST_ORDERS", 1)
    gone = []

    class Interrupted:
        def keep(self, result: Mapping[str, Any]) -> None:
            return

        def progress(self, done: int, total: int) -> None:
            gone.append(expire_originals())

    with a_month_later():
        job_id = apply_runs([run.pk], policy=ImportPolicy.GOOD_ONES, actor=SYSTEM).only()
        applying.apply_run(run.pk, Interrupted(), actor=SYSTEM)
        work(job_id)
        assert expire_originals() == 1

    assert gone == [0, 0, 0, 0]
    assert set(ImportOrder.objects.values_list("result", flat=True)) == {"created"}


def test_apply_pressed_just_before_the_lock_keeps_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    make_skus("MUG")
    run = check(text_of(row("W-1")))

    def pressed_first(run_ids: list[int]) -> Any:
        apply_runs([run.pk], policy=ImportPolicy.GOOD_ONES, actor=SYSTEM)
        return lock(run_ids)

    lock = expiring.lock_runs
    monkeypatch.setattr(expiring, "lock_runs", pressed_first)
    with a_month_later():
        expire_originals()

    run.refresh_from_db()
    assert (run.expired_at, run.rows.count(), run.stored_name != "") == (None, 1, True)


def test_apply_that_failed_loses_its_original_and_then_says_so() -> None:
    make_skus("MUG")
    run = check(text_of(row("W-1")))
    job_id = apply_runs([run.pk], policy=ImportPolicy.GOOD_ONES, actor=SYSTEM).only()
    Job.objects.update(state="failed")
    with a_month_later():
        assert (expire_originals(), expire_originals()) == (1, 0)
    Job.objects.update(state="queued")

    job = work(job_id)

    assert readers_words(job.lines.get().text).endswith("it is “its original is removed”.")
    assert not Order.objects.exists()


def test_crash_before_the_file_is_gone_leaves_it_to_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    run = check(text_of(row("W-1")))
    stored = expiring.remove_files
    monkeypatch.setattr(expiring, "remove_files", lambda name: 1 / 0)
    with a_month_later():
        with pytest.raises(ZeroDivisionError):
            expire_originals()
        monkeypatch.setattr(expiring, "remove_files", stored)
        assert (expire_originals(), expire_originals()) == (1, 0)

    run.refresh_from_db()
    assert (run.stored_name, run.expired_at is not None) == ("", True)
