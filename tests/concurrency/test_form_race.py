"""A SKU's form is saved while somebody else holds its stock, or another SKU of the form, on real PostgreSQL.

Whoever holds a level goes on to write a reservation that names the SKU; whoever receives goods of two SKUs locks both,
the older one first. A save that stood in their way would wait for them, and they for it.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from config.kernel.admin import ComparedMixin
from inventory.admin.skus import SkuAdmin
from inventory.models import KitPart, Sku
from tests.concurrency.rivals import is_free, is_somebody_waiting, lock_row
from tests.factories.inventory import make_level, make_location, make_sku
from tests.inventory.test_rows_two_at_once import more, opened, save
from tests.kernel.visitor import visitor

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def saved_beside(kit: Sku, part: Sku, held: Any, reaches: Callable[[], bool]) -> tuple[bool, int]:
    """Make a SKU a kit by its form while `held` is locked by somebody, who then goes on.

    Whether they come through beside the save, and the save's status.
    """
    client = visitor("Manager")
    typed = more(opened(client, kit), "kit_parts", part=part.pk, per_unit=2, value_weight=1)
    answers: list[Any] = []

    def post() -> None:
        try:
            answers.append(save(client, kit, typed))
        finally:
            connections.close_all()

    rival = threading.Thread(target=post)
    with transaction.atomic():
        lock_row(held)
        rival.start()
        assert is_somebody_waiting(), "the save waits for what is held"
        is_reached = reaches()
    rival.join(timeout=30)
    return is_reached, answers[0].status_code


def may_be_named(sku: Sku) -> bool:
    """Whether a row that names the SKU could be written at once."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM inventory_sku WHERE id = %s FOR KEY SHARE NOWAIT", [sku.pk])
    except OperationalError:
        return False
    return True


def test_save_lets_who_holds_the_stock_name_the_sku() -> None:
    part, kit = make_sku("CUP"), make_sku("SET")
    level = make_level(kit, make_location())

    assert saved_beside(kit, part, level, lambda: may_be_named(kit)) == (True, 302)
    assert KitPart.objects.get().part == part


def test_save_that_waits_for_a_part_holds_no_younger_sku() -> None:
    part, kit = make_sku("CUP"), make_sku("SET")

    assert saved_beside(kit, part, part, lambda: is_free(kit)) == (True, 302)
    assert KitPart.objects.get().part == part


def test_control_save_that_locks_its_own_sku_first_waits_in_a_circle(monkeypatch: pytest.MonkeyPatch) -> None:
    part, kit = make_sku("CUP"), make_sku("SET")
    monkeypatch.setattr(SkuAdmin, "lock", ComparedMixin.lock)

    assert saved_beside(kit, part, part, lambda: is_free(kit))[0] is False
