"""Eight processes reserve the last fifty units, on real PostgreSQL; the controls show what protects them."""

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any
from unittest import mock

import pytest
from django.db import connection, connections, transaction

from config.kernel import clock
from config.kernel.errors import Conflict
from inventory.errors import NotEnoughStock
from inventory.models import Reservation, StockLevel
from inventory.services import levels as level_services
from inventory.services.levels import lock_levels
from inventory.services.reservations import Claim, place_reservations, placing
from tests.factories.inventory import make_level, make_location, make_sku

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

PROCESSES, ATTEMPTS, UNITS = 8, 20, 50
# Units kept back: without any protection the database's own constraint would stop the sale only after these.
BUFFER = 40


def no_lock(sku_ids: Iterable[int]) -> list[StockLevel]:
    return list(StockLevel.objects.filter(sku_id__in=sku_ids).order_by("pk"))


def look_again(*_arguments: Any) -> None:
    """Time between reading what is free and taking it, so that rivals meet."""
    time.sleep(0.005)


def buy(sku_id: int, number: int, start: Barrier, answers: "Queue[str]") -> None:
    start.wait(timeout=30)
    for attempt in range(ATTEMPTS):
        answers.put(one_unit(sku_id, number * ATTEMPTS + attempt))
    connections.close_all()


def one_unit(sku_id: int, reference_id: int) -> str:
    try:
        with transaction.atomic():
            (level,) = lock_levels([sku_id])
            claim = Claim(sku_id, level.pk, 1, reference_id, 0, clock.now())
            place_reservations("test", [claim], levels=[level])
    except NotEnoughStock as refusal:
        return "sold out" if refusal.facts["free"] == 0 else "falsely refused"
    except Conflict:
        return "refused by the statement"
    return "reserved"


def race() -> tuple[Counter[str], StockLevel]:
    """The answers of all attempts together, and the level afterwards."""
    sku, place = make_sku(), make_location()
    level = make_level(sku, place, on_hand=UNITS + BUFFER, buffer=BUFFER)
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    start, answers = fork.Barrier(PROCESSES), fork.Queue()
    with mock.patch.object(placing, "refuse_overtaking", look_again):
        buyers = [
            fork.Process(target=buy, args=(sku.pk, number, start, answers)) for number in range(PROCESSES)
        ]
        for buyer in buyers:
            buyer.start()
    told = Counter(answers.get(timeout=60) for _answer in range(PROCESSES * ATTEMPTS))
    for buyer in buyers:
        buyer.join(timeout=30)
        assert buyer.exitcode == 0
    connection.ensure_connection()
    level.refresh_from_db()
    return told, level


def reserved_units() -> int:
    return sum(Reservation.objects.filter(state="open").values_list("quantity", flat=True))


def test_place_reservations_eight_processes_take_exactly_the_last_units() -> None:
    told, level = race()

    assert told == {"reserved": UNITS, "sold out": PROCESSES * ATTEMPTS - UNITS}
    assert (level.reserved, reserved_units(), level.free) == (UNITS, UNITS, 0)


def test_place_reservations_without_lock_the_statement_still_refuses() -> None:
    with mock.patch.object(level_services, "_locked", no_lock):
        told, level = race()

    assert told["reserved"] == UNITS
    assert (level.reserved, reserved_units(), level.free) == (UNITS, UNITS, 0)
    assert told["refused by the statement"] > 0


def test_place_reservations_without_lock_and_condition_oversells() -> None:
    """The control: were the test blind, it would pass without any protection too."""
    with (
        mock.patch.object(level_services, "_locked", no_lock),
        mock.patch.object(level_services, "ENOUGH_FREE", "1 = 1"),
    ):
        told, level = race()

    assert told["reserved"] > UNITS
    assert level.free < 0
