"""How long orders stay in each stage, by the middle one and the slow ones."""

from datetime import UTC, datetime, timedelta

import pytest

from config.kernel import clock
from fulfillment.enums import Stage
from fulfillment.models import FulfillmentOrder, StageTime
from fulfillment.services.releasing import release_orders
from fulfillment.services.reports import refresh_stage_times
from fulfillment.services.shipping import ship_by_hand
from inventory.models import Sku
from orders.models import Order
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.services.confirming import confirm_orders
from tests.factories.fulfillment import ACTOR, hand, stock
from tests.factories.inventory import make_location, receive
from tests.factories.orders import make_order

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def measured() -> dict[str, tuple[int, int | None, int | None]]:
    return {row.stage: (row.orders, row.median_seconds, row.slow_seconds) for row in StageTime.objects.all()}


def walk(confirm_after: timedelta, ship_after: timedelta) -> Order:
    """An order accepted at START, confirmed, released an hour later, and shipped so long after."""
    with clock.frozen(START):
        order = make_order()
    with clock.frozen(START + confirm_after):
        confirm_orders([order.pk], actor=ACTOR).only()
        allocate_orders([order.pk], actor=ACTOR).only()
    released = START + confirm_after + timedelta(hours=1)
    with clock.frozen(released):
        (work,) = release_orders([order.pk], actor=ACTOR).only()
    with clock.frozen(released + ship_after):
        ship_by_hand([hand(FulfillmentOrder.objects.get(pk=work))], actor=ACTOR).only()
    return order


def test_refresh_stage_times_measures_each_stage() -> None:
    stock({"MUG": 20})
    for hours in (1, 2, 9):
        walk(timedelta(minutes=10 * hours), timedelta(hours=hours))

    with clock.frozen(START + timedelta(days=1)):
        refresh_stage_times()
        refresh_stage_times()

    assert measured() == {
        Stage.CONFIRM: (3, 1200, 5400),
        Stage.RESERVE: (3, 0, 0),
        Stage.RELEASE: (3, 3600, 3600),
        Stage.SHIP: (3, 7200, 32400),
        Stage.DELIVER: (0, None, None),
    }


def test_waiting_for_stock_is_not_waiting_for_a_person() -> None:
    place = make_location()
    sku = Sku.objects.create(code="MUG", title="A mug", created_at=START)
    with clock.frozen(START):
        order = make_order()
        confirm_orders([order.pk], actor=ACTOR).only()
        allocate_orders([order.pk], actor=ACTOR).only()
    with clock.frozen(START + timedelta(hours=5)):
        receive(sku, place, 9)
        fill_backorders([sku.pk], actor=ACTOR).raise_refusals()
    with clock.frozen(START + timedelta(hours=7)):
        release_orders([order.pk], actor=ACTOR).only()

        refresh_stage_times()

    assert measured()[Stage.RESERVE] == (1, 5 * 3600, 5 * 3600)
    assert measured()[Stage.RELEASE] == (1, 2 * 3600, 2 * 3600)


def test_refresh_stage_times_forgets_what_passed_long_ago() -> None:
    stock({"MUG": 20})
    walk(timedelta(minutes=10), timedelta(hours=1))

    with clock.frozen(START + timedelta(days=30)):
        refresh_stage_times()

    assert set(measured().values()) == {(0, None, None)}
