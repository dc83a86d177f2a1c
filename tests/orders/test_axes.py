"""The two derived axes: each value, the precedence, and the one writer."""

from decimal import Decimal

import pytest
from django.db import transaction

from orders.axes import PartState, PaymentState, derive_fulfillment, derive_payment
from orders.enums import FulfillmentStatus, PaymentAxis
from orders.models import LinePart, Order, Payment
from orders.services.axes import refresh_axes
from orders.services.locking import lock_orders
from tests.factories.orders import make_order

F, P = FulfillmentStatus, PaymentAxis


@pytest.mark.once
@pytest.mark.parametrize(
    ("parts", "axis"),
    [
        ([], F.NOTHING_TO_SHIP),
        ([PartState(2, cancelled=2)], F.NOTHING_TO_SHIP),
        ([PartState(2)], F.UNALLOCATED),
        ([PartState(2, allocated=1)], F.PARTLY_ALLOCATED),
        ([PartState(2, allocated=2), PartState(1)], F.PARTLY_ALLOCATED),
        ([PartState(2, allocated=2), PartState(1, cancelled=1)], F.ALLOCATED),
        ([PartState(3, cancelled=1, allocated=2)], F.ALLOCATED),
        ([PartState(2, allocated=1, waiting=1)], F.BACKORDERED),
        ([PartState(2, allocated=1, shipped=1)], F.PARTLY_SHIPPED),
        ([PartState(2, shipped=2), PartState(1, waiting=1)], F.BACKORDERED),
        ([PartState(2, shipped=2), PartState(1, allocated=1)], F.PARTLY_SHIPPED),
        ([PartState(2, shipped=2, delivered=1)], F.SHIPPED),
        ([PartState(2, cancelled=1, shipped=1)], F.SHIPPED),
        ([PartState(2, shipped=2, delivered=2), PartState(1, shipped=1)], F.SHIPPED),
        ([PartState(2, shipped=2, delivered=2)], F.DELIVERED),
    ],
)
def test_derive_fulfillment(parts: list[PartState], axis: FulfillmentStatus) -> None:
    assert derive_fulfillment(parts) == axis


@pytest.mark.once
@pytest.mark.parametrize(
    ("part", "units"),
    [
        (PartState(9), 9),
        (PartState(9, cancelled=1, allocated=2, waiting=1), 5),
        (PartState(9, shipped=3, delivered=3, allocated=2), 4),
        (PartState(9, cancelled=9), 0),
        (PartState(9, cancelled=3, shipped=9, delivered=9), 0),
    ],
)
def test_undecided_are_the_owed_units_that_neither_left_nor_are_held_nor_wait(
    part: PartState, units: int
) -> None:
    assert part.undecided == units


def money(
    captured: str, *, authorised: str = "0", refunded: str = "0", status: str = "captured"
) -> PaymentState:
    return PaymentState(status, Decimal(authorised), Decimal(captured), Decimal(refunded))


@pytest.mark.once
@pytest.mark.parametrize(
    ("total", "payments", "axis"),
    [
        ("10.00", [], P.UNPAID),
        (None, [], P.UNPAID),
        ("-2.00", [], P.PAID),
        ("-2.00", [money("1.00")], P.OVERPAID),
        ("0", [], P.PAID),
        ("10.00", [money("0", authorised="10", status="authorised")], P.AUTHORISED),
        ("10.00", [money("0", authorised="10", status="voided")], P.UNPAID),
        ("10.00", [money("0", authorised="10", status="expired")], P.UNPAID),
        ("10.00", [money("0", authorised="0.50", status="authorised")], P.AUTHORISED),
        ("10.00", [money("0", status="captured")], P.UNPAID),
        ("10.00", [money("0.50")], P.PARTLY_PAID),
        ("10.00", [money("4")], P.PARTLY_PAID),
        (None, [money("4")], P.PARTLY_PAID),
        ("10.00", [money("4"), money("6")], P.PAID),
        ("10.00", [money("4"), money("6.01")], P.OVERPAID),
        ("10.00", [money("10", refunded="0.01")], P.PARTLY_REFUNDED),
        ("10.00", [money("12", refunded="2")], P.PARTLY_REFUNDED),
        ("10.00", [money("10", refunded="10")], P.REFUNDED),
    ],
)
def test_derive_payment(total: str | None, payments: list[PaymentState], axis: PaymentAxis) -> None:
    assert derive_payment(None if total is None else Decimal(total), payments) == axis


@pytest.fixture
def orders(db: None) -> list[Order]:
    return [make_order(), make_order(), make_order()]


def refresh(orders: list[Order]) -> list[Order]:
    with transaction.atomic():
        locked = lock_orders([order.pk for order in orders])
        refresh_axes(locked)
    return locked


def test_refresh_axes_writes_the_changed_rows_in_one_statement(
    orders: list[Order], django_assert_num_queries
) -> None:
    LinePart.objects.filter(line__order=orders[0]).update(shipped=2)
    Payment.objects.filter(order=orders[1]).update(captured_amount=5)

    with transaction.atomic():
        locked = lock_orders([order.pk for order in orders])
        with django_assert_num_queries(4):
            refresh_axes(locked)

    stored = list(Order.objects.order_by("pk"))
    assert [order.fulfillment_status for order in stored] == [F.SHIPPED, F.UNALLOCATED, F.UNALLOCATED]
    assert [order.payment_status for order in stored] == [P.PAID, P.PARTLY_PAID, P.PAID]
    assert [order.version - old.version for order, old in zip(stored, orders, strict=True)] == [1, 1, 0]
    assert [(o.fulfillment_status, o.payment_status, o.version) for o in locked] == [
        (o.fulfillment_status, o.payment_status, o.version) for o in stored
    ]


def test_refresh_axes_twice_writes_nothing(orders: list[Order], django_assert_num_queries) -> None:
    refresh(orders)

    with transaction.atomic():
        locked = lock_orders([order.pk for order in orders])
        with django_assert_num_queries(3):
            refresh_axes(locked)


def test_refresh_axes_of_nobody_reads_nothing(db: None, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        refresh_axes([])
