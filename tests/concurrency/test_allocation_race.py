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

PROCESSES = 8
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


def run_race(order_ids: Sequence[int], *, batch: int = 1, mode: str = "locked") -> Race:
    """Deal the orders to the processes, let them start together, and wait for all."""
    hands = [order_ids[number::PROCESSES] for number in range(PROCESSES)]
    running = [start("allocation_process", mode, str(batch), *map(str, hand)) for hand in hands]
    race = Race()
    try:
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in running:
            answer = json.loads(process.communicate(timeout=120)[0])
            race.outcomes.update(answer["outcomes"])
            race.refusals += answer["refusals"]
            race.repeats.update(answer["repeats"])
            race.seconds = max(race.seconds, answer["seconds"])
    finally:
        for process in running:
            process.kill()
            process.communicate()
    print(
        f"{len(order_ids)} orders in {race.seconds:.2f} s: {dict(race.outcomes)}, repeats {dict(race.repeats)}"
    )
    return race


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
    return mug, place_orders([[("MUG", 1)]] * 120)


def test_allocate_last_fifty_units_go_to_exactly_fifty_orders() -> None:
    mug, order_ids = last_fifty_units()

    race = run_race(order_ids)

    assert race.refusals == []
    assert race.outcomes == {"whole": 50, "backordered": 70}
    assert race.repeats["40P01"] == 0
    assert_served_to_the_last_unit(mug, 50)
    assert sorted(level.free for level in StockLevel.objects.all()) == [0, 0]
    assert violations() == []


def test_allocate_many_lines_in_random_order_never_deadlock() -> None:
    dice = random.Random(SEED)
    places = [make_location("NEAR", preference=1), make_location("FAR", preference=2)]
    skus = [make_sku(f"S{number}") for number in range(8)]
    for sku in skus:
        for place in places:
            make_level(sku, place, 12)
    wishes = [
        [(sku.code, dice.randint(1, 2)) for sku in dice.sample(skus, dice.choice((3, 4)))]
        for _n in range(120)
    ]
    order_ids = place_orders(wishes)

    race = run_race(order_ids, batch=3)

    assert race.refusals == []
    assert race.repeats["40P01"] == 0
    for sku in skus:
        assert_served_to_the_last_unit(sku, 24)
    assert violations() == []


def test_allocate_two_lines_share_a_kit_part_is_exact() -> None:
    place = make_location("NEAR")
    mug, lid = make_sku("MUG"), make_sku("LID")
    make_kit({mug: 2, lid: 1}, code="SET")
    make_level(mug, place, 50)
    make_level(lid, place, 100)
    order_ids = place_orders([[("SET", 1), ("MUG", 1)], [("MUG", 1), ("SET", 1)]] * 16)

    race = run_race(order_ids)

    assert race.refusals == []
    assert race.repeats["40P01"] == 0
    assert_served_to_the_last_unit(mug, 50)
    assert_served_to_the_last_unit(lid, 100)
    assert violations() == []


def test_control_without_the_lock_the_database_catches_it() -> None:
    """The last line of defence: the check constraint refuses what the lock would have ordered."""
    mug, order_ids = last_fifty_units()

    race = run_race(order_ids, mode="unlocked")

    assert race.refusals != [] or race.outcomes != {"whole": 50, "backordered": 70}
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


def test_control_without_lock_and_constraint_oversells() -> None:
    with no_check_constraint():
        mug, order_ids = last_fifty_units()

        run_race(order_ids, mode="unlocked")

        assert units(mug, ReservationState.OPEN) > 50
        assert violations() != []
