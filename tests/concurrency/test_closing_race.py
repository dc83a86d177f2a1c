"""A location is closed while stock and work are on their way to it, on real PostgreSQL.

Closing takes no lock that those verbs take. It needs none: whoever looked before it was closed leaves what they would
have left had it been closed after them, and that is told on its page.
"""

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from config.kernel.outbox import deliver_due
from fulfillment.admin.work import work_at
from fulfillment.models import FulfillmentOrder
from fulfillment.services import releasing
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from inventory.admin.closing import _promised
from inventory.models import Location, Reservation, Sku, StockLevel, Transfer
from inventory.selectors.alerts import mistold_levels
from inventory.services.levels import record_crossed
from inventory.services.transfers import (
    TransferReceipt,
    TransferUnits,
    arriving,
    book_transfer,
    receive_transfers,
    send_transfers,
)
from inventory.services.transfers.booking import TransferPlan
from orders.services import allocating, backorders
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from tests.concurrency.rivals import together, violations
from tests.factories.fulfillment import ACTOR, hand, make_confirmed, stock
from tests.factories.inventory import make_location
from tests.factories.orders import make_order

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

Verb = Callable[[], Any]


def close(place: Location) -> None:
    """As its page does."""
    place.is_active = False
    place.save()
    record_crossed(mistold_levels(StockLevel.objects.filter(location=place)))


def releasing_work(place: Location) -> Verb:
    stock({"MUG": 2}, place)
    order = make_confirmed()
    return lambda: release_orders([order.pk], actor=ACTOR).raise_refusals()


def giving_stock(place: Location) -> Verb:
    stock({"MUG": 2}, place)
    order = make_order(skus=False)
    return lambda: allocate_orders([order.pk], actor=ACTOR).raise_refusals()


def serving_the_line(place: Location) -> Verb:
    make_confirmed()
    stock({"MUG": 2}, place)
    return lambda: fill_backorders([Sku.objects.get(code="MUG").pk], actor=ACTOR).raise_refusals()


def unloading(place: Location) -> Verb:
    origin = stock({"MUG": 2}, make_location(can_ship=False))
    plan = TransferPlan(origin.pk, place.pk, (TransferUnits(Sku.objects.get(code="MUG").pk, 2),))
    pk = book_transfer(plan, nonce="n", actor=ACTOR)
    send_transfers([pk], actor=ACTOR).raise_refusals()
    return lambda: receive_transfers([TransferReceipt(pk)], actor=ACTOR).raise_refusals()


def left(place: Location) -> dict[str, list[Any]]:
    """What lies, is promised, is at work and was brought there."""
    levels = StockLevel.objects.filter(location=place).order_by("pk")
    promises = Reservation.objects.filter(level__location=place).order_by("pk")
    return {
        "levels": list(levels.values_list("on_hand", "reserved", "unsellable")),
        "promises": list(promises.values_list("state", "quantity")),
        "waiting": list(Reservation.objects.filter(state="waiting").values_list("quantity", flat=True)),
        "work": list(FulfillmentOrder.objects.filter(location=place).values_list("status", flat=True)),
        "brought": list(Transfer.objects.filter(destination=place).values_list("status", flat=True)),
    }


CASES = {
    "release": (releasing_work, releasing, "_create"),
    "allocate": (giving_stock, allocating, "_write"),
    "fill": (serving_the_line, backorders, "_write"),
    "receive": (unloading, arriving, "_put_down"),
}


@pytest.mark.parametrize("case", CASES)
def test_location_closed_beside_a_verb_leaves_what_it_leaves_closed_after_it(case: str) -> None:
    prepare, module, step = CASES[case]
    place = make_location("MI")
    verb, write = prepare(place), getattr(module, step)
    closed: list[int] = []

    def close_first(*given: Any, **named: Any) -> Any:
        if not closed:
            together([lambda: close(Location.objects.get(pk=place.pk))])
            closed.append(Location.objects.filter(pk=place.pk, is_active=False).count())
        return write(*given, **named)

    with mock.patch.object(module, step, close_first):
        verb()

    assert closed == [1], "closed in the midst of it"
    assert left(place) == LEFT[case]
    deliver_due("work")
    assert violations() == []


@pytest.mark.parametrize("case", CASES)
def test_location_closed_after_a_verb_leaves_this(case: str) -> None:
    place = make_location("MI")
    verb = CASES[case][0](place)

    verb()
    close(place)

    assert left(place) == LEFT[case]


NOTHING: dict[str, list[Any]] = {"levels": [], "promises": [], "waiting": [], "work": [], "brought": []}
PROMISED = NOTHING | {"levels": [(2, 2, 0)], "promises": [("open", 2)]}
LEFT = {
    "release": PROMISED | {"work": ["released"]},
    "allocate": PROMISED,
    "fill": PROMISED,
    "receive": NOTHING | {"levels": [(2, 0, 0)], "brought": ["received"]},
}


def test_work_that_was_released_beside_the_closing_is_told_and_can_be_shipped() -> None:
    place = make_location("MI")
    verb = releasing_work(place)
    write = releasing._create

    def close_first(*given: Any, **named: Any) -> Any:
        together([lambda: close(Location.objects.get(pk=place.pk))])
        return write(*given, **named)

    with mock.patch.object(releasing, "_create", close_first):
        verb()
    work = FulfillmentOrder.objects.get()
    told = [notice.text for notice in (_promised(place), work_at(place)) if notice is not None]
    shipped = ship_by_hand([hand(work)], actor=ACTOR)

    assert [text.split(".")[0] for text in told] == [
        "2 units are reserved here", "1 fulfillment order is at work here",
    ]  # fmt: skip
    assert shipped.is_done(work.pk)
    deliver_due("work")
    deliver_due("mail")
    assert violations() == []
