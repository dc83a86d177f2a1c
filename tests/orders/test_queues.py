"""The work lists: which orders stand in each, and in which order."""

from datetime import UTC, date, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.audit import run_audit
from inventory.models import Location
from orders.enums import HoldKind
from orders.models import LegalEntity, Order
from orders.selectors import queues, work
from orders.services.allocating import allocate_orders
from orders.services.cancelling import cancel_orders
from orders.services.confirming import confirm_orders
from orders.services.holds import place_hold, release_holds
from tests.factories.inventory import make_level, make_location, make_sku
from tests.factories.orders import make_channel, make_entity, make_order, neutral_line

pytestmark = pytest.mark.django_db

RULE = Actor.rule("tests")


@pytest.fixture
def near() -> Location:
    place = make_location("NEAR")
    make_level(make_sku("MUG"), place, 3)
    return place


def test_to_confirm_lists_placed_orders_oldest_first() -> None:
    young = make_order()
    old = make_order(placed_at=young.placed_at - timedelta(days=1))
    done, gone = make_order(), make_order()
    confirm_orders([done.pk], actor=RULE).raise_refusals()
    cancel_orders([gone.pk], reason="test", actor=RULE).raise_refusals()

    assert list(queues.to_confirm()) == [old, young]


def test_on_hold_lists_orders_with_an_open_hold() -> None:
    held, lifted, _free = make_order(), make_order(), make_order()
    place_hold([held.pk, lifted.pk], kind=HoldKind.FRAUD, actor=RULE).raise_refusals()
    release_holds([lifted.pk], kind=HoldKind.FRAUD, actor=RULE).raise_refusals()

    assert list(queues.on_hold()) == [held]


def test_to_allocate_lists_orders_with_undecided_units(near: Location) -> None:
    new = make_order(lines=(neutral_line("MUG", 1),))
    reserved = make_order(lines=(neutral_line("MUG", 1),))
    waiting = make_order(lines=(neutral_line("MUG", 9),))
    make_order(lines=(neutral_line("ODD", 1),), skus=False)
    make_order(lines=(neutral_line("GIFTCARD", 1, requires_shipping=False),))
    make_order(is_history=True)
    allocate_orders([reserved.pk, waiting.pk], actor=RULE).raise_refusals()

    assert list(queues.to_allocate()) == [new]


def test_to_allocate_of_the_desk_lists_orders_too_of_which_some_units_left_or_wait(near: Location) -> None:
    left = make_order(lines=(neutral_line("MUG", 3, shipped_quantity=1),))
    waiting = make_order(lines=(neutral_line("MUG", 9), neutral_line("ODD", 2)), skus=False)
    new = make_order(lines=(neutral_line("MUG", 1),))
    make_order(lines=(neutral_line("GIFTCARD", 1, requires_shipping=False),))
    make_order(is_history=True)
    assert undecided() == {left: 2, waiting: 11, new: 1}

    allocate_orders([waiting.pk], actor=RULE).raise_refusals()

    assert undecided() == {left: 2, waiting: 2, new: 1}
    standing = {order.pk: order.fulfillment_status for order in Order.objects.all()}
    assert (standing[left.pk], standing[waiting.pk]) == ("partly_shipped", "backordered")
    allocate_orders([left.pk, new.pk], actor=RULE).raise_refusals()
    assert undecided() == {waiting: 2}


def undecided() -> dict[Order, int]:
    """What stands in the work queue, as counted and as the migration counts it; nothing contradicts the audit."""
    rows = work.to_allocate(Order.objects.order_by("pk"))
    counted = {order: order.undecided_quantity for order in rows}
    Order.objects.update(undecided_quantity=0)
    import_module("orders.migrations.0039_count_undecided").count(apps, None)
    assert {order: order.undecided_quantity for order in rows.all()} == counted
    assert [finding.violations for finding in run_audit(["orders.axes"])] == [()]
    return counted


def test_backordered_lists_orders_whose_units_wait(near: Location) -> None:
    reserved = make_order(lines=(neutral_line("MUG", 1),))
    waiting = make_order(lines=(neutral_line("MUG", 9),))
    allocate_orders([reserved.pk, waiting.pk], actor=RULE).raise_refusals()

    assert list(queues.backordered()) == [waiting]


def test_late_asks_the_day_of_each_legal_entity() -> None:
    rome = make_channel()
    tokyo = make_channel(
        code="jp",
        legal_entity=make_entity(code="JP", country_code="JP", time_zone="Asia/Tokyo"),
        currency="JPY",
    )
    here, there, gone = make_order(channel=rome), make_order(channel=tokyo), make_order(channel=rome)
    Order.objects.update(dispatch_by_on=date(2026, 3, 2))
    Order.objects.filter(pk=gone.pk).update(fulfillment_status="shipped")
    assert LegalEntity.objects.count() == 2

    # 18:00 UTC on the second is the third in Tokyo, and still the second in Rome.
    with clock.frozen(datetime(2026, 3, 2, 18, tzinfo=UTC)):
        assert list(queues.late()) == [there]
    with clock.frozen(datetime(2026, 3, 3, 18, tzinfo=UTC)):
        assert list(queues.late()) == [here, there]
