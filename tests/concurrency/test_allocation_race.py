"""Eight processes allocate at once: nothing is oversold, nobody is falsely refused, nothing deadlocks."""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from django.db import connection
from django.db.models import Sum
from pytest_django import DjangoDbBlocker

from config.kernel.actors import Actor
from config.kernel.audit import run_audit
from inventory.enums import ReservationState
from inventory.models import Reservation, Sku, StockLevel
from orders.models import LinePart
from orders.neutral import NeutralLine
from orders.services.accepting import Incoming, accept_orders
from tests.concurrency.processes import start
from tests.factories.inventory import make_kit, make_level, make_location, make_sku
from tests.factories.orders import make_channel, neutral_line, neutral_order

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

PROCESSES, ORDERS = 8, 80
SEED = 20260302
Wanted = Sequence[tuple[str, int]]


@dataclass
class Race:
    """What the processes answered, put together."""

    outcomes: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def place_orders(wishes: Sequence[Wanted]) -> list[int]:
    """Accept one order a wish, its lines in the order given."""
    channel = make_channel()
    incoming = [
        Incoming(neutral_order(f"R-{number}", lines=tuple(lines_of(wanted))))
        for number, wanted in enumerate(wishes)
    ]
    results = accept_orders(incoming, sales_channel_id=channel.pk, actor=Actor.system("race"))
    results.raise_refusals()
    return [results.values[one.key] for one in incoming]


def lines_of(wanted: Wanted) -> Iterator[NeutralLine]:
    for number, (code, quantity) in enumerate(wanted):
        yield neutral_line(code, quantity, external_id=f"line-{number}")


class Racers:
    """Processes that wait for orders to allocate; they live as long as this module's tests."""

    def __init__(self) -> None:
        self.running = [start("allocation_process") for _number in range(PROCESSES)]

    def wait_until_ready(self) -> None:
        for process in self.running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.communicate()

    def run(self, order_ids: Sequence[int], *, batch: int = 1, mode: str = "locked") -> Race:
        """Deal the orders to the processes, let all begin, and wait for the last."""
        for number, process in enumerate(self.running):
            assert process.stdin is not None
            task = {"mode": mode, "batch": batch, "ids": order_ids[number::PROCESSES]}
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
        race = Race()
        for process in self.running:
            assert process.stdout is not None
            answer = json.loads(process.stdout.readline())
            race.outcomes.update(answer["outcomes"])
            race.refusals += answer["refusals"]
            race.repeats.update(answer["repeats"])
            race.seconds = max(race.seconds, answer["seconds"])
        print(f"{len(order_ids)} orders in {race.seconds:.2f} s: {dict(race.outcomes)}, {dict(race.repeats)}")
        return race


@pytest.fixture(scope="module")
def racers(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Racers]:
    with django_db_blocker.unblock():
        racers = Racers()
    try:
        racers.wait_until_ready()
        yield racers
    finally:
        racers.stop()


def units(sku: Sku, state: str) -> int:
    rows = Reservation.objects.filter(sku=sku, state=state)
    return rows.aggregate(units=Sum("quantity"))["units"] or 0


def ordered(sku: Sku) -> int:
    return LinePart.objects.filter(sku=sku).aggregate(units=Sum("ordered"))["units"]


def violations() -> list[str]:
    return [f"{f.invariant.code}: {v}" for f in run_audit() for v in f.violations]


def assert_served_to_the_last_unit(sku: Sku, stock: int) -> None:
    assert units(sku, ReservationState.OPEN) == min(stock, ordered(sku))
    assert units(sku, ReservationState.WAITING) == max(0, ordered(sku) - stock)


def last_fifty_units() -> tuple[Sku, list[int]]:
    mug = make_sku("MUG")
    make_level(mug, make_location("NEAR", preference=1), 30)
    make_level(mug, make_location("FAR", preference=2), 20)
    return mug, place_orders([[("MUG", 1)]] * ORDERS)


def test_allocate_last_fifty_units_go_to_exactly_fifty_orders(racers: Racers) -> None:
    mug, order_ids = last_fifty_units()

    race = racers.run(order_ids)

    assert race.refusals == []
    assert race.outcomes == {"whole": 50, "backordered": ORDERS - 50}
    assert race.repeats["40P01"] == 0
    assert_served_to_the_last_unit(mug, 50)
    assert sorted(level.free for level in StockLevel.objects.all()) == [0, 0]
    assert violations() == []


def test_allocate_many_lines_in_random_order_never_deadlock(racers: Racers) -> None:
    dice = random.Random(SEED)
    places = [make_location("NEAR", preference=1), make_location("FAR", preference=2)]
    skus = [make_sku(f"S{number}") for number in range(8)]
    for sku in skus:
        for place in places:
            make_level(sku, place, 8)
    wishes = [
        [(sku.code, dice.randint(1, 2)) for sku in dice.sample(skus, dice.choice((3, 4)))]
        for _n in range(ORDERS)
    ]
    order_ids = place_orders(wishes)

    race = racers.run(order_ids, batch=3)

    assert race.refusals == []
    assert race.repeats["40P01"] == 0
    for sku in skus:
        assert_served_to_the_last_unit(sku, 16)
    assert violations() == []


def test_allocate_two_lines_share_a_kit_part_is_exact(racers: Racers) -> None:
    place = make_location("NEAR")
    mug, lid = make_sku("MUG"), make_sku("LID")
    make_kit({mug: 2, lid: 1}, code="SET")
    make_level(mug, place, 50)
    make_level(lid, place, 100)
    order_ids = place_orders([[("SET", 1), ("MUG", 1)], [("MUG", 1), ("SET", 1)]] * 16)

    race = racers.run(order_ids)

    assert race.refusals == []
    assert race.repeats["40P01"] == 0
    assert_served_to_the_last_unit(mug, 50)
    assert_served_to_the_last_unit(lid, 100)
    assert violations() == []


def test_control_without_the_lock_the_database_catches_it(racers: Racers) -> None:
    """The last line of defence: the check constraint refuses what the lock would have ordered."""
    mug, order_ids = last_fifty_units()

    race = racers.run(order_ids, mode="unlocked")

    assert race.refusals != [] or race.outcomes != {"whole": 50, "backordered": ORDERS - 50}
    assert units(mug, ReservationState.OPEN) <= 50


@contextmanager
def no_check_constraint() -> Iterator[None]:
    (check,) = [one for one in StockLevel._meta.constraints if one.name == "stock_level_promises_held"]
    with connection.schema_editor() as editor:
        editor.remove_constraint(StockLevel, check)
    try:
        yield
    finally:
        StockLevel.objects.update(reserved=0)
        with connection.schema_editor() as editor:
            editor.add_constraint(StockLevel, check)


def test_control_without_lock_and_constraint_oversells(racers: Racers) -> None:
    with no_check_constraint():
        mug, order_ids = last_fifty_units()

        racers.run(order_ids, mode="unlocked")

        assert units(mug, ReservationState.OPEN) > 50
        assert violations() != []
