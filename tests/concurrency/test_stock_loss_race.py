"""Losses below what is reserved against each other, against allocation and against a release, on real PostgreSQL."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from config.kernel.audit import run_audit
from fulfillment.services.releasing import release_orders
from inventory.models import Location, Reservation, Sku, StockCountLine, StockLevel
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.counts import CountPlan, CountSheet, Judged, approve_counts, book_count, record_counts
from orders.models import LinePart, Order
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.services.confirming import confirm_orders
from tests.concurrency.test_stock_races import at_once, word
from tests.factories.inventory import ACTOR, make_location, make_sku, receive
from tests.factories.orders import make_order, neutral_line

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ROUNDS = 5


def ordered(sku: Sku, count: int, *, allocate: bool = True) -> list[Order]:
    """Confirmed orders of two units each, allocated one after the other."""
    orders = [make_order(lines=(neutral_line(sku.code, 2),)) for _order in range(count)]
    ids = [order.pk for order in orders]
    confirm_orders(ids, actor=ACTOR).raise_refusals()
    if allocate:
        allocate_orders(ids, actor=ACTOR).raise_refusals()
    return orders


def losing(sku: Sku, place: Location, units: int, key: str) -> Callable[[], str]:
    line = Adjustment(key, sku.pk, place.pk, -units)
    return lambda: word(adjust_stock([line], reason="Not there", actor=ACTOR))


def allocating(order: Order) -> Callable[[], str]:
    def act() -> str:
        allocate_orders([order.pk], actor=ACTOR).raise_refusals()
        return "allocated"

    return act


def releasing(order: Order) -> Callable[[], str]:
    def act() -> str:
        release_orders([order.pk], actor=ACTOR)
        return "released"

    return act


def stocked(units: int) -> tuple[Sku, Location]:
    sku, place = make_sku(), make_location()
    receive(sku, place, units)
    return sku, place


def breaches() -> list[Any]:
    findings = [finding for finding in run_audit() if finding.invariant.code != "outbox.age"]
    return [(finding.invariant.code, finding.violations) for finding in findings if finding.violations]


def race(*acts: Callable[[], str]) -> Counter[str]:
    told = at_once(*acts)
    assert breaches() == []
    return told


def parts(orders: Sequence[Order]) -> int:
    rows = LinePart.objects.filter(line__order__in=orders)
    return sum(rows.values_list("allocated", flat=True))


def test_two_losses_and_allocations_at_once_keep_every_promise_that_is_covered() -> None:
    for number in range(ROUNDS):
        sku, place = stocked(30)
        old, new = ordered(sku, 10), ordered(sku, 4, allocate=False)

        told = race(
            losing(sku, place, 12, f"{number}a"),
            losing(sku, place, 6, f"{number}b"),
            *(allocating(order) for order in new),
        )

        assert told == {"done": 2, "allocated": 4}
        fill_backorders([sku.pk], actor=ACTOR).raise_refusals()
        level = StockLevel.objects.get(sku=sku, location=place)
        assert (level.on_hand, level.reserved) == (12, 12)
        assert parts([*old, *new]) == 12
        waiting = Reservation.objects.filter(sku=sku, state="waiting")
        assert sum(waiting.values_list("quantity", flat=True)) == 2 * 14 - 12
        assert breaches() == []


def test_loss_and_release_at_once_never_ask_for_more_than_is_reserved() -> None:
    for number in range(ROUNDS):
        sku, place = stocked(12)
        orders = ordered(sku, 6)

        told = race(losing(sku, place, 8, f"{number}r"), *(releasing(order) for order in orders))

        assert told == {"done": 1, "released": 6}
        assert StockLevel.objects.get(sku=sku, location=place).reserved == 4
        assert parts(orders) == 4


def test_count_and_loss_at_once_take_units_off_once_each() -> None:
    sku, place = stocked(20)
    orders = ordered(sku, 9)
    pk = book_count(CountPlan(place.pk, (sku.pk,)), nonce="n", actor=ACTOR)
    line = StockCountLine.objects.get()
    record_counts([CountSheet(pk, {line.pk: 17})], actor=ACTOR).raise_refusals()

    def approve() -> str:
        return word(approve_counts([pk], actor=ACTOR))  # type: ignore[arg-type]

    told = race(approve, approve, losing(sku, place, 5, "x"), losing(sku, place, 5, "x"))

    if "refused" in told:
        # The loss came first, so whoever approves is asked whether it was for the same units.
        assert told == {"done": 1, "unchanged": 1, "refused": 2}
        apart = {line.pk: Judged(-5, is_same=False)}
        approve_counts([pk], judged=apart, actor=ACTOR).raise_refusals()
    else:
        assert told == {"done": 2, "unchanged": 2}
    level = StockLevel.objects.get()
    assert (level.on_hand, level.reserved) == (12, 12)
    assert parts(orders) == 12
