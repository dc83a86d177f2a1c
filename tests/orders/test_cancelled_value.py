"""What cancelled units were worth is owed no more, as a change of their quantity would say."""

from dataclasses import replace
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps

from config.kernel.audit import run_audit
from config.kernel.errors import InvalidInput
from inventory.enums import ReservationState
from inventory.models import Reservation
from orders.admin.page import _money
from orders.changes import GiveDiscount, SetPrice, SetQuantity
from orders.enums import ChargeKind, NeutralState, PaymentStatus
from orders.models import LinePart, Order
from orders.neutral import NeutralCharge, NeutralDiscount, NeutralTax
from orders.services.allocating import allocate_orders
from orders.services.cancelling import cancel_orders
from orders.services.cancelling_lines import CancelUnits, cancel_units
from orders.services.filling import Details, fill_details
from orders.services.payments import PaymentReport, report_payments
from orders.services.proposals.confirming import confirm_proposals
from orders.services.proposals.previewing import preview_proposal
from tests.factories.fulfillment import stock
from tests.factories.orders import (
    SYSTEM,
    make_channel,
    make_kit,
    make_order,
    neutral_line,
    neutral_order,
    neutral_payment,
)
from tests.factories.proposals import change, propose

pytestmark = pytest.mark.django_db

D = Decimal
TAX = NeutralTax(title="VAT", rate=D(19), amount=D("5.51"))
# 3 at 10.00 less 1.00, 19 % on top: 29.00 and 5.51.
NET = neutral_line("MUG", 3, discounts=(NeutralDiscount(D(1)),), taxes=(TAX,))


def cancel(order: Order, **units: int) -> Order:
    lines = {line.sku_code: line.pk for line in order.lines.all()}
    wanted = {lines[code]: quantity for code, quantity in units.items()}
    cancel_units([CancelUnits(order.pk, wanted)], reason="buyer asked", actor=SYSTEM).raise_refusals()
    return again(order)


def again(order: Order) -> Order:
    order.refresh_from_db()
    return order


def assert_clean() -> None:
    codes = ["orders.axes", "orders.totals", "orders.changes", "orders.cancelled_value"]
    assert [found for finding in run_audit(codes) for found in finding.violations] == []


def test_cancel_units_takes_their_worth_off_so_that_the_rest_captured_is_paid() -> None:
    authorised = neutral_payment("20.00", status=PaymentStatus.AUTHORISED, captured_amount=D(0))
    order = make_order(lines=(neutral_line("MUG", 1), neutral_line("CUP", 1)), payments=(authorised,))

    order = cancel(order, CUP=1)

    assert (order.owed_amount, order.cancelled_amount, order.agreed_amount) == (D(10), D(10), D(20))
    assert order.payment_status == "authorised"
    captured = replace(authorised, status=PaymentStatus.CAPTURED, captured_amount=D(10))
    report_payments([PaymentReport(order.pk, (captured,))], actor=SYSTEM).raise_refusals()
    assert again(order).payment_status == "paid"
    assert_clean()


def test_cancel_units_of_a_paid_order_leave_it_overpaid() -> None:
    order = cancel(make_order(), MUG=1)

    assert (order.owed_amount, order.payment_status) == (D(10), "overpaid")
    assert ("Cancelled since", "−€10.00") in [row[:2] for row in _money(order)]
    assert_clean()


def test_cancel_units_is_worth_what_a_change_of_the_quantity_is() -> None:
    fields = {
        "lines": (NET,),
        "prices_include_tax": False,
        "total_amount": D("39.51"),
        "charges": (NeutralCharge(kind=ChargeKind.SHIPPING, external_id="s", title="Post", amount=D(5)),),
        "payments": (),
    }
    cut, changed = make_order(external_id="1", **fields), make_order(external_id="2", **fields)

    cancel(cut, MUG=1)
    change(changed, SetQuantity(changed.lines.get().pk, 2))

    # 20.00 less 0.67, 19 % on top are 3.67, shipping 5.00.
    assert again(cut).owed_amount == again(changed).owed_amount == D("28.00")
    assert_clean()


def test_cancel_units_one_by_one_comes_to_what_all_at_once_does() -> None:
    fields = {"lines": (neutral_line("MUG", 3, "3.33", subtotal_amount=D("10.00")), neutral_line("CUP", 1))}
    order = make_order(**fields)

    assert [cancel(order, MUG=1).cancelled_amount for _time in range(3)] == [D("3.33"), D("6.67"), D(10)]
    assert_clean()


def test_change_of_a_line_with_cancelled_units_counts_them_once() -> None:
    order = cancel(make_order(lines=(neutral_line("MUG", 3), neutral_line("CUP", 1))), MUG=1)

    change(order, SetQuantity(order.lines.get(sku_code="MUG").pk, 2))

    assert (again(order).changed_amount, order.cancelled_amount, order.owed_amount) == (D(-10), D(10), D(20))
    assert_clean()


def test_cancel_units_of_all_that_cost_something_asks_for_no_money_any_more() -> None:
    stock({"MUG": 1, "GIFT": 1})
    make_channel(unpaid_hold_hours=24)
    order = make_order(lines=(neutral_line("MUG", 1), neutral_line("GIFT", 1, "0")), payments=())
    allocate_orders([order.pk], actor=SYSTEM).raise_refusals()

    order = cancel(order, MUG=1)

    assert (order.owed_amount, order.payment_status, order.status) == (0, "paid", "placed")
    assert not order.holds.filter(lifted_at=None).exists()
    (kept,) = Reservation.objects.filter(state=ReservationState.OPEN)
    assert (kept.sku.code, kept.expires_at) == ("GIFT", None)
    assert [found for finding in run_audit() for found in finding.violations] == []


def test_discount_on_all_lines_leaves_out_those_that_are_cancelled() -> None:
    order = cancel(make_order(lines=(neutral_line("MUG", 1), neutral_line("CUP", 1))), CUP=1)

    order = change(order, GiveDiscount(amount=D(4)))

    given = dict(order.lines.values_list("sku_code", "discount_amount"))
    assert (given, order.owed_amount) == ({"MUG": D(4), "CUP": D(0)}, D(6))
    assert_clean()


@pytest.mark.parametrize("discount", [GiveDiscount(amount=D("10.01")), GiveDiscount(2, amount=D(1))])
def test_discount_on_more_than_is_left_is_refused(discount: GiveDiscount) -> None:
    order = cancel(make_order(lines=(neutral_line("MUG", 1), neutral_line("CUP", 1))), CUP=1)
    named = None if discount.line is None else order.lines.get(sku_code="CUP").pk

    with pytest.raises(InvalidInput):
        propose(order, replace(discount, line=named))


def test_cancel_units_before_amounts_are_stated_counts_once_they_are() -> None:
    lines = (neutral_line("MUG", 2, None),)
    order = make_order(lines=lines, total_amount=None, payments=())
    assert cancel(order, MUG=1).owed_amount is None

    stated = neutral_order(order.external_id, payments=())
    fill_details([Details(order.pk, stated)], actor=SYSTEM).raise_refusals()

    assert (again(order).cancelled_amount, order.owed_amount) == (D(10), D(10))
    assert_clean()


@pytest.mark.parametrize("total", [None, D(20)])
def test_price_that_is_said_after_units_were_cancelled_owes_what_its_preview_said(
    total: Decimal | None,
) -> None:
    order = make_order(lines=(neutral_line("MUG", 2, None),), total_amount=total, payments=())
    cancel(order, MUG=1)
    proposal = propose(again(order), SetPrice(order.lines.get().pk, D(10)))

    said = preview_proposal(proposal, again(order)).owed_after
    confirm_proposals([proposal.pk], actor=SYSTEM).raise_refusals()

    assert again(order).owed_amount == said == D(10)
    assert_clean()


def test_cancel_orders_whole_leaves_the_sum_that_was_agreed() -> None:
    order = make_order()

    cancel_orders([order.pk], reason="buyer asked", actor=SYSTEM).raise_refusals()

    assert (again(order).owed_amount, order.payment_status, order.cancelled_amount) == (D(20), "paid", 0)
    assert_clean()


def test_accept_cancelled_order_of_which_part_had_left_owes_that_part() -> None:
    order = make_order(
        state=NeutralState.CANCELLED,
        lines=(neutral_line("MUG", 2, shipped_quantity=1),),
        payments=(neutral_payment("10.00"),),
    )

    assert (order.status, order.owed_amount, order.payment_status) == ("completed", D(10), "paid")
    assert_clean()


def test_kit_part_that_is_cancelled_alone_counts_by_its_frozen_share() -> None:
    make_kit("GIFT", CUP=(1, 3), TIN=(1, 1))
    order = make_order(lines=(neutral_line("GIFT", 2),))
    LinePart.objects.filter(sku__code="CUP").update(shipped=1)

    cancel_orders([order.pk], reason="buyer asked", actor=SYSTEM).raise_refusals()

    # One cup of 7.50 has left; the other cup and both tins of 2.50 are owed no more.
    assert (again(order).cancelled_amount, order.owed_amount) == (D("12.50"), D("7.50"))
    assert_clean()


def test_audit_names_an_order_whose_cancelled_worth_is_another() -> None:
    order = cancel(make_order(), MUG=1)
    Order.objects.filter(pk=order.pk).update(cancelled_amount=D(9))

    (finding,) = run_audit(["orders.cancelled_value"])

    assert [found.subject for found in finding.violations] == [f"order:{order.pk}"]


def test_migration_takes_off_what_was_cancelled_before() -> None:
    make_kit("GIFT", CUP=(1, 3), TIN=(1, 1))
    cut = make_order(lines=(NET,), prices_include_tax=False, total_amount=D("34.51"), payments=())
    odd = make_order(
        lines=(neutral_line("MUG", 3, "3.33", subtotal_amount=D("10.00")), neutral_line("CUP", 1))
    )
    kit, whole = make_order(lines=(neutral_line("GIFT", 2),)), make_order()
    cancel(cut, MUG=1)
    cancel(odd, MUG=2)
    LinePart.objects.filter(sku__code="CUP", line__order=kit).update(shipped=1)
    cancel_orders([kit.pk, whole.pk], reason="buyer asked", actor=SYSTEM).raise_refusals()
    columns = ("pk", "cancelled_amount", "payment_status")
    wanted = list(Order.objects.order_by("pk").values_list(*columns))
    Order.objects.update(cancelled_amount=0, payment_status="unpaid")
    Order.objects.filter(pk=whole.pk).update(payment_status="paid")

    import_module("orders.migrations.0037_fill_cancelled").fill(apps, None)

    assert list(Order.objects.order_by("pk").values_list(*columns)) == wanted
    assert_clean()
