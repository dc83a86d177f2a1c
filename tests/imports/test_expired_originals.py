"""A run whose original is removed says so, and keeps nothing of what its file or its updates said of buyers."""

from datetime import timedelta
from typing import Any

import pytest

from config.kernel import clock
from orders.enums import ImportPolicy, ImportStatus
from orders.errors import ImportStopped
from orders.models import ImportOrder, ImportRun, Order
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
