"""A long sheet is written beside other work with the same SKUs, on real PostgreSQL.

All of it is one transaction of several batches. Whoever has to wait for a later batch must not find that an earlier
one holds what they come to next.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from django.db import connections, transaction
from django.db.models import Model

from config.kernel import clock
from config.kernel.batches import MAX_BATCH
from config.plain_sheets import catalogue, stock
from inventory.models import Sku, StockLevel
from tests.concurrency.rivals import is_free, is_somebody_waiting, lock_row
from tests.factories.inventory import make_level, make_location, make_sku
from tests.kernel.visitor import hidden, visitor
from tests.plain_sheets.test_sheets import look, url

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROWS = MAX_BATCH + 1
T = TypeVar("T")


def skus() -> list[Sku]:
    """One more than a batch takes."""
    at = clock.now()
    return Sku.objects.bulk_create(
        Sku(code=f"S-{number:03}", title="Goods", created_at=at) for number in range(ROWS)
    )


def of_levels() -> tuple[str, str, Any, Any]:
    """The last SKU of the sheet was the first that lay here."""
    rows, place = skus(), make_location("MI")
    levels = StockLevel.objects.bulk_create(StockLevel(sku=sku, location=place) for sku in reversed(rows))
    content = "".join(f"MI,{sku.code},1\n" for sku in rows)
    return "levels", f"location,sku,buffer\n{content}", levels[0], levels[-1]


def of_skus() -> tuple[str, str, Any, Any]:
    """The last row's SKU is the oldest."""
    rows = skus()
    content = "".join(f"{sku.code},New words\n" for sku in reversed(rows))
    return "skus", f"sku,title\n{content}", rows[0], rows[-1]


def written_beside(code: str, content: str, held: Model, meanwhile: Callable[[], T]) -> tuple[T, int]:
    """What somebody did beside the sheet while they held a row that it waits for; the sheet's answer."""
    client = visitor(superuser=True)
    token = hidden(look(client, code, content))["table"]
    answers: list[Any] = []

    def press() -> None:
        try:
            answers.append(client.post(url(code), {"table": token}))
        finally:
            connections.close_all()

    rival = threading.Thread(target=press)
    with transaction.atomic():
        lock_row(held)
        rival.start()
        assert is_somebody_waiting(), "the sheet waits for the row"
        found = meanwhile()
    rival.join(timeout=60)
    return found, answers[0].status_code


@pytest.mark.parametrize("prepare", [of_levels, of_skus])
def test_long_sheet_holds_nothing_that_whoever_it_waits_for_comes_to(prepare: Any) -> None:
    code, content, older, younger = prepare()

    assert written_beside(code, content, older, lambda: is_free(younger)) == (True, 302)


@pytest.mark.parametrize(
    ("prepare", "module", "locks"),
    [(of_levels, stock, ["lock_skus", "lock_levels"]), (of_skus, catalogue, ["lock_skus"])],
)
def test_control_each_batch_alone_locks_in_a_circle(
    prepare: Any, module: Any, locks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, content, older, younger = prepare()
    for name in locks:
        monkeypatch.setattr(module, name, lambda _ids: [])

    assert written_beside(code, content, older, lambda: is_free(younger)) == (False, 302)


def reorder_point_after(level: StockLevel) -> int:
    """Somebody sets it to 7 while a sheet that says nothing of it waits for the level."""

    def set_it() -> int:
        return StockLevel.objects.filter(pk=level.pk).update(reorder_point=7)

    content = f"location,sku,buffer\n{level.location.code},{level.sku.code},1\n"
    assert written_beside("levels", content, level, set_it) == (1, 302)
    level.refresh_from_db()
    assert level.buffer == 1
    return level.reorder_point


def test_empty_cell_leaves_what_somebody_set_while_the_sheet_waited() -> None:
    assert reorder_point_after(make_level(make_sku(), make_location())) == 7


def test_control_without_the_lock_the_sheet_overwrites_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "lock_levels", lambda _ids: [])

    assert reorder_point_after(make_level(make_sku(), make_location())) == 0
