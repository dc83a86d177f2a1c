"""Many processes want the same last units: nothing is sold twice, nobody is sent away from a free unit."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import OperationalError, connection
from django.db.models import Sum

from config.kernel import batches, outbox
from config.kernel.actors import Actor
from config.prove.crew import Crew
from config.prove.database import deadlocks
from config.prove.figures import Figures, milliseconds, percentile
from config.prove.shop import Shop, Wanted
from inventory.enums import LIVE_RESERVATION, ReservationState
from inventory.models import Reservation, StockLevel
from inventory.services import levels as level_services
from orders.services import allocating

RIVAL = Actor.rule("rival")
# The control's time between reading what is free and taking it, so that rivals meet.
PAUSE = 0.005
CHECK = "stock_level_promises_held"


@dataclass(frozen=True, slots=True)
class Size:
    processes: int = 16
    attempts: int = 1_600
    units: int = 500
    rounds: int = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """Orders that wait to be allocated, and the units there are by SKU id."""

    order_ids: list[int]
    stock: dict[int, int]
    asked: dict[int, int]


@dataclass(slots=True)
class Tally:
    """All rounds of one variant put together."""

    allocated: int = 0
    exact: int = 0
    oversold: int = 0
    falsely_refused: int = 0
    waiting: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    retries: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)


Variant = Callable[[Shop, Size, random.Random], Stage]


def single_line(shop: Shop, size: Size, dice: random.Random) -> Stage:
    """One unit an order, all of one SKU."""
    ((code, sku),) = shop.new_skus(1).items()
    shop.receive({sku: size.units})
    orders = shop.place_orders([[(code, 1)]] * size.attempts)
    return Stage(orders, {sku: size.units}, {sku: size.attempts})


def four_lines(shop: Shop, size: Size, dice: random.Random) -> Stage:
    """Four of twenty SKUs an order, in random line order."""
    skus = shop.new_skus(20)
    each = max(1, size.units * 4 // len(skus))
    shop.receive(dict.fromkeys(skus.values(), each))
    wishes = [[(code, 1) for code in dice.sample(sorted(skus), 4)] for _n in range(size.attempts)]
    asked = Counter(skus[code] for wish in wishes for code, _one in wish)
    return Stage(shop.place_orders(wishes), dict.fromkeys(skus.values(), each), dict(asked))


def shared_kit_part(shop: Shop, size: Size, dice: random.Random) -> Stage:
    """A kit of two mugs and a lid, and a mug by itself: both lines want the same part."""
    (mug_code, mug), (_lid_code, lid) = shop.new_skus(2).items()
    kit_code = shop.new_kit({mug: 2, lid: 1})
    stock = {mug: size.units * 3, lid: size.attempts}
    shop.receive(stock)
    pair: list[tuple[str, int]] = [(kit_code, 1), (mug_code, 1)]
    wishes: list[Wanted] = [pair if dice.random() < 0.5 else pair[::-1] for _n in range(size.attempts)]
    asked = {mug: size.attempts * 3, lid: size.attempts}
    return Stage(shop.place_orders(wishes), stock, asked)


VARIANTS: dict[str, Variant] = {
    "single line": single_line,
    "four lines in random order": four_lines,
    "two lines share a kit part": shared_kit_part,
}


def prove(shop: Shop, size: Size, seed: int, *, is_control: bool = False) -> Iterator[Figures]:
    """Run all variants; with `is_control` only the first, unprotected."""
    names = list(VARIANTS)[:1] if is_control else list(VARIANTS)
    act = attempt_unprotected if is_control else attempt
    with Crew(size.processes) as crew:
        for name in names:
            tally, dice, before = Tally(), random.Random(f"{seed} {name}"), deadlocks()
            for _round in range(size.rounds):
                stage = VARIANTS[name](shop, size, dice)
                shares = [stage.order_ids[number :: size.processes] for number in range(size.processes)]
                _take_answers(tally, crew.run(act, shares))
                _judge(stage, tally)
            outbox.deliver_due("work", rounds=100_000)
            yield _figures(name, size, tally, deadlocks() - before)


def attempt(order_ids: Sequence[int]) -> dict[str, Any]:
    """In a rival process: allocate these orders one after the other; what came of it, and how long each took."""
    retries: Counter[str] = Counter()
    is_transient = batches.is_transient

    def count(error: Any) -> bool:
        retries[getattr(error.__cause__, "sqlstate", None) or "other"] += 1
        return is_transient(error)

    batches.is_transient = count
    refusals: Counter[str] = Counter()
    latencies = []
    began = time.perf_counter()
    for order_id in order_ids:
        asked = time.perf_counter()
        try:
            results = allocating.allocate_orders([order_id], actor=RIVAL)
            refusals.update(type(error).__name__ for error in results.refusals.values())
        except OperationalError as error:
            refusals[str(error).splitlines()[0]] += 1
        latencies.append(time.perf_counter() - asked)
    seconds = time.perf_counter() - began
    batches.is_transient = is_transient
    return {"refusals": refusals, "retries": retries, "latencies": latencies, "seconds": seconds}


def attempt_unprotected(order_ids: Sequence[int]) -> dict[str, Any]:
    """The same without row locks and without the condition in the statement that writes."""

    def read_levels(sku_ids: Iterable[int]) -> list[StockLevel]:
        found = list(StockLevel.objects.filter(sku_id__in=set(sku_ids)).order_by("pk"))
        time.sleep(PAUSE)
        return found

    setattr(level_services, "_locked", read_levels)  # noqa: B010  (not its name to export)
    level_services.ENOUGH_FREE = "1 = 1"
    return attempt(order_ids)


def drop_check_constraint() -> None:
    """Take the database's own last line of defence away, in the proof's database only."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {StockLevel._meta.db_table} DROP CONSTRAINT {CHECK}")


def _take_answers(tally: Tally, answers: Sequence[dict[str, Any]]) -> None:
    for answer in answers:
        tally.refusals.update(answer["refusals"])
        tally.retries.update(answer["retries"])
        tally.latencies += answer["latencies"]
    tally.seconds += max(answer["seconds"] for answer in answers)


def _judge(stage: Stage, tally: Tally) -> None:
    """Compare, SKU by SKU, what was promised with what there was."""
    exact = True
    for sku, units in stage.stock.items():
        promised, waiting = (
            _units(sku, state) for state in (ReservationState.OPEN, ReservationState.WAITING)
        )
        tally.allocated += promised
        tally.waiting += waiting
        tally.oversold += max(0, promised - units)
        tally.falsely_refused += min(waiting, max(0, units - promised))
        wanted = min(units, stage.asked.get(sku, 0))
        exact = exact and promised == wanted and promised + waiting == stage.asked.get(sku, 0)
    tally.exact += exact


def _units(sku: int, state: str) -> int:
    rows = Reservation.objects.filter(sku=sku, state=state, state__in=LIVE_RESERVATION)
    return rows.aggregate(units=Sum("quantity"))["units"] or 0


def _figures(name: str, size: Size, tally: Tally, deadlocked: int) -> Figures:
    figures = Figures(f"oversell, {name}")
    figures.show("processes", size.processes)
    figures.show("attempts", f"{len(tally.latencies)} in {size.rounds} rounds")
    figures.must_be("rounds allocated exactly", tally.exact, size.rounds)
    figures.show("units promised", tally.allocated)
    figures.show("units waiting", tally.waiting)
    figures.must_be("oversold", tally.oversold, 0)
    figures.must_be("false sold out", tally.falsely_refused, 0)
    figures.must_be("deadlocks", max(deadlocked, tally.retries["40P01"]), 0)
    figures.must_be("refused", dict(tally.refusals), {})
    figures.show("retries", dict(tally.retries))
    figures.show("rate", f"{len(tally.latencies) / max(tally.seconds, 1e-9):.0f} attempts/s")
    figures.show("p50", milliseconds(percentile(tally.latencies, 0.5)))
    figures.show("p99", milliseconds(percentile(tally.latencies, 0.99)))
    return figures
