"""Two people import at once: the same orders come in once, and nobody waits for the other's file."""

import threading
import time
from collections import Counter
from functools import partial

import pytest
from django.db import connection, connections, transaction

from config.kernel import outbox
from config.kernel.results import Results
from orders.enums import ImportPolicy, ImportStatus
from orders.models import ImportOrder, ImportRun, LinePart, Order, OrderLine
from orders.services.importing import applying
from orders.services.importing.applying import apply_run, apply_runs
from orders.services.importing.runs import lock_runs
from orders.services.importing.work import Alone
from tests.concurrency.rivals import at_once, violations
from tests.factories.imports import check, row, text_of
from tests.factories.inventory import make_level, make_location, make_sku
from tests.factories.orders import SYSTEM, make_order

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ORDERS, CHUNK = 120, 20
ONCE = "order_external_once"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "MOST_ORDERS", CHUNK)


def rows_of(first: int, last: int, quantity: str = "2") -> list[str]:
    return [row(f"W-{n}", quantity=quantity) for n in range(first, last)]


def ready(*rows: str) -> ImportRun:
    """A checked run that somebody has pressed apply on."""
    run = check(text_of(*rows))
    apply_runs([run.pk], policy=ImportPolicy.GOOD_ONES, actor=SYSTEM).raise_refusals()
    return run


def applied(run: ImportRun) -> Results[int]:
    apply_run(run.pk, Alone(), actor=SYSTEM)
    results: Results[int] = Results([run.pk])
    results.done(run.pk)
    return results


def answers() -> Counter[str]:
    return Counter(ImportOrder.objects.values_list("result", flat=True))


def test_overlapping_files_applied_at_once_bring_each_order_once() -> None:
    make_level(make_sku("MUG"), make_location(), on_hand=1_000)
    known = make_order(external_id="W-0")
    # The second file holds the same orders the other way round, so that the two meet head on.
    runs = [ready(*rows_of(0, ORDERS, "3")), ready(*reversed(rows_of(0, ORDERS + 20, "3")))]

    assert at_once([partial(applied, run) for run in runs]) == ["done", "done"]
    for lane in outbox.LANES:
        outbox.deliver_due(lane)

    assert set(ImportRun.objects.values_list("status", flat=True)) == {ImportStatus.APPLIED}
    assert answers() == {"created": ORDERS + 19, "kept": ORDERS, "updated": 1}
    assert Order.objects.count() == Order.objects.values("external_id").distinct().count() == ORDERS + 20
    assert OrderLine.objects.count() == LinePart.objects.count() == ORDERS + 20
    assert known.lines.get().quantity == 3
    assert violations() == []


def test_without_its_unique_key_the_same_file_would_come_in_twice() -> None:
    """The negative control: what keeps the orders single is the key, not the order in which two threads ran."""
    make_sku("MUG")
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [ONCE])
        definition = cursor.fetchone()[0]
        cursor.execute(f"DROP INDEX {ONCE}")
    try:
        for attempt in range(5):
            runs = [ready(*rows_of(attempt * ORDERS, (attempt + 1) * ORDERS)) for _file in range(2)]
            at_once([partial(applied, run) for run in runs])
            if Order.objects.count() > Order.objects.values("external_id").distinct().count():
                break
        assert Order.objects.count() > Order.objects.values("external_id").distinct().count()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE orders_order SET status = 'void'")
            cursor.execute(definition)


def test_import_goes_on_while_another_one_stands_in_the_middle_of_its_chunk() -> None:
    make_sku("MUG")
    stuck, free = ready(*rows_of(0, 40)), ready(*rows_of(40, 80))
    held, over = threading.Event(), threading.Event()

    def stand_still() -> None:
        try:
            with transaction.atomic():
                lock_runs([stuck.pk])
                held.set()
                over.wait(timeout=60)
        finally:
            connections.close_all()

    waiter = threading.Thread(target=stand_still)
    waiter.start()
    assert held.wait(timeout=30)
    began = time.monotonic()
    try:
        assert at_once([partial(applied, free)]) == ["done"]
        seconds = time.monotonic() - began
    finally:
        over.set()
        waiter.join(timeout=30)

    assert seconds < 30, "it waited until the other one was let go"
    assert at_once([partial(applied, stuck)]) == ["done"]
    assert Order.objects.count() == 80
    assert violations() == []
