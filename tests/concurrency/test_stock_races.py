"""Rivals at the same stock at the same moment, on real PostgreSQL: each thing happens once, nobody deadlocks."""

import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connections, transaction

from config.kernel.errors import BancaleError
from config.kernel.results import Results
from inventory.errors import NotEnoughReserved
from inventory.models import KitPart, Location, Reservation, Sku, StockLevel, StockMovement, StockReceipt
from inventory.services import catalogue
from inventory.services.catalogue import PartOfKit, save_kits
from inventory.services.levels import ensure_levels, lock_levels, lock_skus
from inventory.services.receipts import ReceivedLine, book_receipt
from inventory.services.receiving import Receipt, receive_stock
from inventory.services.reservations import Take, consume_reservations
from tests.concurrency.rivals import together
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, reserve
from tests.inventory.conftest import stock_breaches

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

PROCESSES = 8


def at_once(*acts: Callable[[], str]) -> Counter[str]:
    """Run each act in a process of its own, all let go together; what they answer, or the error's name."""
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    start, answers = fork.Barrier(len(acts)), fork.Queue()

    def run(act: Callable[[], str]) -> None:
        start.wait(timeout=30)
        try:
            answers.put(act())
        except (BancaleError, OperationalError) as error:
            answers.put(type(error).__name__)
        connections.close_all()

    rivals = [fork.Process(target=run, args=(act,)) for act in acts]
    for rival in rivals:
        rival.start()
    told = Counter(answers.get(timeout=60) for _rival in rivals)
    for rival in rivals:
        rival.join(timeout=30)
    return told


def word(results: Results[str]) -> str:
    (key,) = results.keys
    return "refused" if key in results.refusals else "done" if results.is_done(key) else "unchanged"


def test_receive_stock_same_key_eight_times_at_once_posts_once() -> None:
    sku, place = make_sku(), make_location()

    def act() -> str:
        receipt = Receipt("truck:1", sku.pk, place.pk, 5)
        return word(receive_stock([receipt], reference=("test", 1), actor=ACTOR))

    told = at_once(*[act] * PROCESSES)

    assert told == {"done": 1, "unchanged": PROCESSES - 1}
    assert StockLevel.objects.get().on_hand == 5
    assert stock_breaches() == {}


def test_book_receipt_same_nonce_at_once_is_one_receipt() -> None:
    sku, place = make_sku(), make_location()

    def act() -> str:
        lines = [ReceivedLine(sku.pk, 5)]
        return str(book_receipt(lines, location_id=place.pk, note="", nonce="n", actor=ACTOR))

    told = at_once(*[act] * PROCESSES)

    assert told == {str(StockReceipt.objects.get().pk): PROCESSES}
    assert StockLevel.objects.get().on_hand == 5


def test_consume_reservations_at_once_ships_once() -> None:
    sku, place = make_sku(), make_location()
    make_level(sku, place, on_hand=20)
    reserve(sku, place, 5, reference_id=1)

    def act() -> str:
        with transaction.atomic():
            levels = lock_levels([sku.pk])
            takes = [Take(1, place.pk, 5)]
            consume_reservations("test", takes, movement_reference=("s", 1), levels=levels, actor=ACTOR)
        return "shipped"

    told = at_once(*[act] * PROCESSES)

    assert told == {"shipped": 1, NotEnoughReserved.__name__: PROCESSES - 1}
    assert StockMovement.objects.filter(kind="ship").count() == 1
    assert stock_breaches() == {}


def test_receive_stock_in_opposite_order_never_deadlocks() -> None:
    """Without the verb's retries, which would hide it: many rounds inside the caller's transaction."""
    skus, place = [make_sku() for _n in range(6)], make_location()

    def act_with(order: list[Sku], name: str) -> Callable[[], str]:
        def act() -> str:
            for turn in range(15):
                with transaction.atomic():
                    receipts = [Receipt(f"{name}:{turn}:{sku.pk}", sku.pk, place.pk, 1) for sku in order]
                    receive_stock(receipts, reference=("test", 1), actor=ACTOR).raise_refusals()
            return "done"

        return act

    told = at_once(
        *[act_with(skus, f"up{n}") for n in range(4)], *[act_with(skus[::-1], f"down{n}") for n in range(4)]
    )

    assert told == {"done": PROCESSES}
    assert set(StockLevel.objects.values_list("on_hand", flat=True)) == {15 * PROCESSES}
    assert stock_breaches() == {}


@pytest.mark.parametrize("has_level", [True, False])
def test_sku_never_becomes_a_kit_and_gets_stock_at_once(has_level: bool) -> None:
    for _round in range(6):
        part, both, place = make_sku(), make_sku(), make_location()
        if has_level:
            ensure_levels([(both.pk, place.pk)])

        told = at_once(kit_maker(both, part), receiver(both, place))

        assert (told["kit done"], told["receipt done"]) in {(1, 0), (0, 1)}
        assert stock_breaches() == {}
    assert KitPart.objects.count() + StockMovement.objects.count() == 6
    assert not Reservation.objects.exists()


def kit_maker(kit: Sku, part: Sku) -> Callable[[], str]:
    def act() -> str:
        results = save_kits([kit.pk], parts={kit.pk: [PartOfKit(part.pk)]}, actor=ACTOR)
        return "kit done" if results.is_done(kit.pk) else "kit refused"

    return act


def receiver(sku: Sku, place: Location) -> Callable[[], str]:
    def act() -> str:
        receipt = Receipt(f"k:{sku.pk}", sku.pk, place.pk, 5)
        return f"receipt {word(receive_stock([receipt], reference=('test', 1), actor=ACTOR))}"

    return act


def rival_kits(meeting: Callable[[], None]) -> tuple[list[str], set[tuple[int, int]]]:
    """One makes a kit of a SKU that another makes a kit at the same moment: the answers, and kits that are parts."""
    first, second, third = make_sku(), make_sku(), make_sku()
    write = catalogue._write_kits

    def act(kit: Sku, part: Sku) -> Results[int]:
        return save_kits([kit.pk], parts={kit.pk: [PartOfKit(part.pk)]}, actor=ACTOR)

    def late(*given: Any) -> None:
        meeting()
        write(*given)

    with mock.patch.object(catalogue, "_write_kits", late):
        told = together([partial(act, first, second), partial(act, second, third)])
    nested = KitPart.objects.filter(part__is_kit=True).values_list("kit_id", "part_id")
    return sorted("refused" if one.refusals else "done" for one in told), set(nested)


def met_or_alone(most_seconds: float = 1) -> Callable[[], None]:
    """Waits until both have decided, so long at most: under the locks the other cannot come so far."""
    both = threading.Barrier(2)

    def meet() -> None:
        with suppress(threading.BrokenBarrierError):
            both.wait(most_seconds)

    return meet


def test_save_kits_at_once_make_no_kit_of_kits() -> None:
    told, nested = rival_kits(met_or_alone())

    assert (told, nested) == (["done", "refused"], set())
    assert stock_breaches() == {}


def test_without_the_parts_locked_a_kit_of_kits_is_made() -> None:
    def alone(sku_ids: Iterable[int]) -> list[Sku]:
        return lock_skus([min(sku_ids)])

    with mock.patch.object(catalogue, "lock_skus", alone):
        told, nested = rival_kits(met_or_alone(30))

    assert told == ["done", "done"]
    assert len(nested) == 1
