"""What is kept for an order is promised for the day on which the order leaves, however it came to be confirmed."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel import clock, outbox
from config.kernel.audit import run_audit
from inventory.models import Reservation
from inventory.services.correcting import Adjustment, adjust_stock
from orders.models import LinePart, Order
from orders.services.allocating import allocate_orders
from orders.services.confirming import confirm_orders
from tests.factories.inventory import make_location, make_sku, receive
from tests.factories.orders import SYSTEM, make_channel, make_entity, make_order, neutral_line

pytestmark = pytest.mark.django_db
ROME_TUESDAY = datetime(2026, 3, 3, 22, 59, 59, 999999, tzinfo=UTC)
ROME_WEDNESDAY = datetime(2026, 3, 4, 22, 59, 59, 999999, tzinfo=UTC)
TOKYO_TUESDAY = datetime(2026, 3, 3, 14, 59, 59, 999999, tzinfo=UTC)


def place(units: int = 1, **channel: Any) -> Order:
    return make_order(channel=make_channel(**channel), lines=(neutral_line("MUG", units),))


def promises(order: Order) -> set[tuple[str, datetime | None]]:
    parts = LinePart.objects.filter(line__order=order).values("pk")
    return set(Reservation.objects.filter(reference_id__in=parts).values_list("state", "promised_at"))


def held(order: Order) -> int:
    return LinePart.objects.get(line__order=order).allocated


def broken() -> list[str]:
    (found,) = run_audit(["orders.promises"])
    return [str(one) for one in found.violations]


def test_usual_flow_promises_what_is_reserved_and_what_waits(frozen_clock: datetime) -> None:
    receive(make_sku("MUG"), make_location(), 2)
    order = place(3, auto_confirm=True)

    outbox.deliver_due("work")

    order.refresh_from_db()
    assert order.status == "confirmed"
    assert promises(order) == {("open", ROME_WEDNESDAY), ("waiting", ROME_WEDNESDAY)}
    assert broken() == []


def test_confirm_orders_promises_each_orders_stock_for_its_own_day(frozen_clock: datetime) -> None:
    make_location()
    japan = make_entity(code="JP", country_code="JP", time_zone="Asia/Tokyo")
    usual, soon = place(), place(code="soon", dispatch_days=1)
    abroad = place(code="jp", legal_entity=japan, dispatch_days=1)
    untouched = place(code="other")
    orders = [usual.pk, soon.pk, abroad.pk]
    allocate_orders([*orders, untouched.pk], actor=SYSTEM).raise_refusals()
    versions = dict(Reservation.objects.values_list("pk", "version"))

    confirm_orders(orders, actor=SYSTEM).raise_refusals()

    assert promises(usual) == {("waiting", ROME_WEDNESDAY)}
    assert promises(soon) == {("waiting", ROME_TUESDAY)}
    assert promises(abroad) == {("waiting", TOKYO_TUESDAY)}
    assert promises(untouched) == {("waiting", None)}
    moved = {
        pk for pk, version in Reservation.objects.values_list("pk", "version") if version != versions[pk]
    }
    assert len(moved) == 3
    assert broken() == []


def test_loss_takes_from_the_latest_promised_order_first() -> None:
    mug, near = make_sku("MUG"), make_location()
    receive(mug, near, 2)
    soon, late = place(code="soon", dispatch_days=1), place(code="late", dispatch_days=30)
    allocate_orders([soon.pk], actor=SYSTEM).raise_refusals()
    confirm_orders([soon.pk, late.pk], actor=SYSTEM).raise_refusals()
    allocate_orders([late.pk], actor=SYSTEM).raise_refusals()

    adjust_stock([Adjustment("broken", mug.pk, near.pk, -1)], reason="Broken", actor=SYSTEM).raise_refusals()

    assert (held(soon), held(late)) == (1, 0)


@pytest.mark.postgres
def test_promising_costs_one_statement_and_nothing_where_no_stock_was_decided() -> None:
    make_location()
    counts = {}
    for count, is_decided in ((2, False), (2, True), (40, True)):
        orders = [
            place(code=f"c{number}", dispatch_days=number).pk for number in (1, 2) for _ in range(count // 2)
        ]
        if is_decided:
            allocate_orders(orders, actor=SYSTEM).raise_refusals()
        counts[count, is_decided] = statements(lambda orders=orders: confirm_orders(orders, actor=SYSTEM))

    before = counts[2, False]
    assert counts == {(2, False): before, (2, True): before + 1, (40, True): before + 1}


def statements(call: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        call().raise_refusals()
    return len(captured)


def test_migration_promises_what_was_reserved_before_its_order_was_confirmed() -> None:
    make_location()
    with clock.frozen(datetime(2026, 3, 2, 9, tzinfo=UTC)):
        orders = [place(), place(code="soon", dispatch_days=1), place(code="open")]
        allocate_orders([order.pk for order in orders], actor=SYSTEM).raise_refusals()
        confirm_orders([order.pk for order in orders[:2]], actor=SYSTEM).raise_refusals()
    Reservation.objects.update(promised_at=None)

    import_module("orders.migrations.0026_promises_of_reservations").promise(apps, None)

    assert [promises(order) for order in orders] == [
        {("waiting", ROME_WEDNESDAY)},
        {("waiting", ROME_TUESDAY)},
        {("waiting", None)},
    ]
    assert broken() == []
