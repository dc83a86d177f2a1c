"""Races for what nobody has stocked yet, on PostgreSQL; each answers with what looks wrong afterwards."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connections, transaction

from inventory.services.catalogue import PartOfKit, save_kits
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from tests.concurrency.rivals import comes_to_wait
from tests.factories.inventory import ACTOR, make_location, make_sku, receive
from tests.factories.orders import make_order, neutral_line
from tests.planted.deeds import breaches, told

MOST_SECONDS = 30


@contextmanager
def still_open(act: Callable[[], object]) -> Iterator[None]:
    """A rival has acted, and commits when the block ends."""
    done, may_end = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with transaction.atomic():
                act()
                done.set()
                may_end.wait(MOST_SECONDS)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as rival:
        acting = rival.submit(run)
        try:
            done.wait(MOST_SECONDS)
            yield
        finally:
            may_end.set()
        acting.result()


def beside(act: Callable[[], object], other: Callable[[], object]) -> None:
    """While what one did is not committed, another one begins; where no lock stops it, it ends first."""

    def run() -> None:
        try:
            other()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as rivals:
        with still_open(act):
            acting = rivals.submit(run)
            comes_to_wait(acting.done)
        acting.result()


def wait_for_a_first_unit() -> list[str]:
    """One waits for a SKU that has no level; its first units come, and another one orders them."""
    mug, place = make_sku("MUG"), make_location()
    first, second = (make_order(lines=(neutral_line("MUG", 2),)) for _number in range(2))

    def take_all() -> None:
        receive(mug, place, 2)
        allocate_orders([second.pk], actor=ACTOR).raise_refusals()

    beside(lambda: allocate_orders([first.pk], actor=ACTOR).raise_refusals(), take_all)
    fill_backorders([mug.pk], actor=ACTOR)
    held = [sum(order.lines.values_list("parts__allocated", flat=True)) for order in (first, second)]
    return told(held=(held, [2, 0])) + breaches()


def wait_for_what_becomes_a_kit() -> list[str]:
    """One begins to wait for a SKU that has no level, while somebody makes it a kit."""
    mug, tin = make_sku("MUG"), make_sku("TIN")
    order = make_order(lines=(neutral_line("MUG", 2),))
    parts = {mug.pk: [PartOfKit(tin.pk)]}
    beside(
        lambda: allocate_orders([order.pk], actor=ACTOR).raise_refusals(),
        lambda: save_kits([mug.pk], parts=parts, actor=ACTOR),
    )
    return breaches()
