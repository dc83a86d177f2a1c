"""Rivals at the same rows at the same moment, on PostgreSQL; each race answers with what looks wrong afterwards."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

from django.db import OperationalError, connections, transaction

from config.kernel import clock
from inventory.errors import NotEnoughStock
from inventory.models import Sku, StockLevel
from inventory.services.levels import lock_levels
from inventory.services.reservations import Claim, place_reservations, placing
from tests.factories.inventory import make_level, make_location, make_sku
from tests.planted.deeds import told

RIVALS, UNITS = 6, 3


def at_once(acts: Sequence[Callable[[], str]]) -> Counter[str]:
    """What each answered, all begun together."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], str]) -> str:
        start.wait(timeout=30)
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as rivals:
        return Counter(rivals.map(run, acts))


def look_again(*_given: object) -> None:
    """Time between reading what is free and taking it, so that rivals meet."""
    time.sleep(0.05)


def buy(sku: Sku, number: int) -> str:
    try:
        with transaction.atomic():
            levels = lock_levels([sku.pk])
            if not levels:
                return "falsely refused"
            claim = Claim(sku.pk, levels[0].pk, 1, number, 0, clock.now())
            place_reservations("test", [claim], levels=levels)
    except NotEnoughStock:
        return "sold out"
    return "reserved"


def buy_the_last_units() -> list[str]:
    """Six want one of three; three more are kept back, so that the constraint on the row does not save the day."""
    sku = make_sku()
    make_level(sku, make_location(), on_hand=2 * UNITS, buffer=UNITS)
    with mock.patch.object(placing, "refuse_overtaking", look_again):
        answers = at_once([lambda number=number: buy(sku, number) for number in range(1, RIVALS + 1)])
    expected = {"reserved": UNITS, "sold out": RIVALS - UNITS}
    return told(free=(StockLevel.objects.get().free, 0), answers=(answers, expected))


def lock_two(skus: Sequence[Sku]) -> str:
    try:
        with transaction.atomic():
            lock_levels([sku.pk for sku in skus])
    except OperationalError as error:
        return type(error.__cause__).__name__
    return "locked"


def lock_in_opposite_order() -> list[str]:
    """One order names its two SKUs forwards, the other backwards."""
    skus = [make_sku(), make_sku()]
    for sku in skus:
        make_level(sku, make_location(), on_hand=1)
    answers = at_once([lambda: lock_two(skus), lambda: lock_two(skus[::-1])])
    return told(answers=(answers, {"locked": 2}))
