"""How many statements the verbs that give and take stock need: as many for forty orders as for two."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.results import Results
from inventory.models import Location, Reservation, Sku
from inventory.selectors.stock import waiting_quantity
from inventory.services.reservations import Requeue, expire_reservations, requeue_reservations
from orders.changes import SetQuantity
from orders.enums import HoldKind, PaymentStatus
from orders.models import LinePart, Order, OrderLine
from orders.neutral import NeutralPayment
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.services.cancelling import cancel_orders
from orders.services.cancelling_lines import CancelUnits, cancel_units
from orders.services.completing import complete_orders, reopen_orders
from orders.services.confirming import confirm_orders
from orders.services.holds import place_hold, release_holds
from orders.services.payments import PaymentReport, report_payments
from orders.services.proposals.confirming import confirm_proposals
from orders.services.proposals.wishes import NewLine
from orders.services.reallocating import reallocate_orders
from tests.factories.inventory import make_level, make_location, make_sku, receive
from tests.factories.orders import make_order, neutral_line
from tests.factories.proposals import propose

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

RULE = Actor.rule("tests")


@pytest.fixture
def near() -> Location:
    return make_location("NEAR")


@pytest.fixture
def skus(near: Location) -> list[Sku]:
    """Eight SKUs, every fourth of them out of stock."""
    skus = [make_sku() for _number in range(8)]
    for number, sku in enumerate(skus):
        make_level(sku, near, 500 if number % 4 else 0)
    return skus


def place(skus: Sequence[Sku], count: int) -> list[int]:
    orders = []
    for number in range(count):
        wanted = [skus[(number + step) % len(skus)].code for step in range(3)]
        orders.append(make_order(lines=tuple(neutral_line(code, 1 + number % 3) for code in wanted)))
    return [order.pk for order in orders]


def statements(call: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


def test_allocate_statements_do_not_grow(skus: list[Sku]) -> None:
    few, many = place(skus, 4), place(skus, 40)

    counts = [statements(lambda ids=ids: allocate_orders(ids, actor=RULE)) for ids in (few, many)]

    assert counts == [21, 21]


def test_cancel_statements_do_not_grow(skus: list[Sku]) -> None:
    few, many = place(skus, 4), place(skus, 40)
    allocate_orders(few + many, actor=RULE).raise_refusals()

    counts = [
        statements(lambda ids=ids: cancel_orders(ids, reason="test", actor=RULE)) for ids in (few, many)
    ]

    assert counts == [22, 22]


def test_fill_statements_do_not_grow(skus: list[Sku], near: Location) -> None:
    counts = []
    for number, ids in enumerate((place(skus, 4), place(skus, 40))):
        allocate_orders(ids, actor=RULE).raise_refusals()
        for sku in skus[::4]:
            receive(sku, near, waiting_quantity([sku.pk])[sku.pk], key=f"{number}:{sku.pk}")
        counts.append(statements(lambda: fill_backorders([sku.pk for sku in skus], actor=RULE)))

    assert counts == [28, 28]


def confirm(ids: list[int]) -> Results[int]:
    return confirm_orders(ids, actor=RULE)


def hold(ids: list[int]) -> Results[int]:
    return place_hold(ids, kind=HoldKind.FRAUD, actor=RULE)


def lift(ids: list[int]) -> Results[int]:
    return release_holds(ids, kind=HoldKind.FRAUD, actor=RULE)


def pay(ids: list[int]) -> Results[int]:
    paid = NeutralPayment("bank", "t1", PaymentStatus.CAPTURED, Decimal(1), Decimal(1))
    return report_payments([PaymentReport(pk, (paid,)) for pk in ids], actor=RULE)


def plan_anew(ids: list[int]) -> Results[int]:
    return reallocate_orders(ids, actor=RULE)


def cancel_one_of_each(ids: list[int]) -> Results[int]:
    lines = OrderLine.objects.filter(order__in=ids, quantity__gt=1)
    wanted: dict[int, dict[int, int]] = {}
    for order_id, line_id in lines.values_list("order_id", "pk"):
        wanted.setdefault(order_id, {})[line_id] = 1
    return cancel_units([CancelUnits(*one) for one in wanted.items()], reason="test", actor=RULE)


# Each of the verbs after the other on the same orders, with its savepoints.
VERBS = {confirm: 10, hold: 8, lift: 8, pay: 12, plan_anew: 10, cancel_one_of_each: 27}


def test_verbs_on_allocated_orders_take_a_fixed_number_of_statements(skus: list[Sku]) -> None:
    few, many = place(skus, 4), place(skus, 40)
    allocate_orders(few + many, actor=RULE).raise_refusals()

    for ids in (few, many):
        assert {verb: statements(partial(verb, ids)) for verb in VERBS} == VERBS


def test_allocate_of_what_nobody_stocked_asks_for_its_skus_once_more(near: Location) -> None:
    """They are locked themselves, and so known to be no kits."""
    skus = [make_sku() for _number in range(8)]
    few, many = place(skus, 4), place(skus, 40)

    counts = [statements(lambda ids=ids: allocate_orders(ids, actor=RULE)) for ids in (few, many)]

    assert counts == [18, 18]


def requeue(ids: list[int]) -> Results[int]:
    waiting = waiting_of(ids).values_list("pk", flat=True)
    return requeue_reservations([Requeue(pk, 3) for pk in waiting], reason="test", actor=RULE)


def expire(ids: list[int]) -> Results[int]:
    live = claims_of(ids)
    live.update(expires_at=clock.now() - timedelta(minutes=1))
    return expire_reservations(list(live.values_list("pk", flat=True)[:200]), actor=RULE)


def claims_of(ids: list[int]) -> QuerySet[Reservation]:
    parts = LinePart.objects.filter(line__order__in=ids).values("pk")
    return Reservation.objects.filter(reference_id__in=parts, state__in=["open", "waiting"]).order_by("pk")


def waiting_of(ids: list[int]) -> QuerySet[Reservation]:
    return claims_of(ids).filter(state="waiting")


# With the statement, or the two, by which each finds its rows.
SWEEPS = {requeue: 21, expire: 26}


def test_moving_in_line_and_expiry_do_not_grow(skus: list[Sku]) -> None:
    few, many = place(skus, 4), place(skus, 40)
    allocate_orders(few + many, actor=RULE).raise_refusals()
    assert waiting_of(few).count() < waiting_of(many).count()

    for ids in (few, many):
        assert {verb: statements(partial(verb, ids)) for verb in SWEEPS} == SWEEPS


def test_completing_does_not_grow() -> None:
    counts = []
    for count in (2, 40):
        card = neutral_line("GIFTCARD", 1, requires_shipping=False)
        ids = [make_order(lines=(card,)).pk for _number in range(count)]
        confirm_orders(ids, actor=RULE).raise_refusals()
        counts.append(statements(lambda ids=ids: complete_orders(ids, actor=RULE).raise_refusals()))
        counts.append(statements(lambda ids=ids: reopen_orders(ids, actor=RULE).raise_refusals()))

    assert counts == [9, 6, 9, 6]


def test_confirming_changes_does_not_grow(skus: list[Sku]) -> None:
    def proposals(count: int) -> list[int]:
        ids = place(skus, count)
        allocate_orders(ids, actor=RULE)
        return [
            propose(
                order,
                *(SetQuantity(line.pk, line.quantity + 1) for line in order.lines.all()),
                NewLine(skus[1].pk, 2, Decimal("3.00")),
            ).pk
            for order in Order.objects.filter(pk__in=ids)
        ]

    few, many = proposals(4), proposals(24)

    counts = [statements(lambda ids=ids: confirm_proposals(ids, actor=RULE)) for ids in (few, many)]

    assert counts == [52, 52]
