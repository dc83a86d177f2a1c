"""After every kind of acceptance, confirming and paying, the audit of orders and events finds nothing."""

from decimal import Decimal

import pytest

from config.kernel import outbox
from config.kernel.audit import INVARIANTS, run_audit
from orders.enums import ChargeKind, NeutralState, PaymentStatus
from orders.models import Order
from orders.neutral import NeutralBuyer, NeutralCharge, NeutralDiscount, NeutralTax
from orders.services.confirming import confirm_orders
from orders.services.payments import PaymentReport, report_payments
from tests.factories.orders import SYSTEM, make_kit, make_order, neutral_line, neutral_payment

pytestmark = pytest.mark.django_db

CODES = sorted(code for code in INVARIANTS if code.startswith(("orders.", "events.")))
VAT = NeutralTax("IVA", Decimal("3.61"), Decimal(22))


def accept_all_kinds() -> list[Order]:
    make_kit("GIFT", CUP=(2, 3), TIN=(1, 5))
    kit = neutral_line("GIFT", 3, "33.33", discounts=(NeutralDiscount(Decimal("9.99")),), taxes=(VAT,))
    courier = NeutralCharge(ChargeKind.SHIPPING, "s", "Courier", Decimal("4.90"), taxes=(VAT,))
    authorised = neutral_payment(status=PaymentStatus.AUTHORISED, captured_amount=Decimal(0))
    return [
        make_order(),
        make_order(lines=(kit,), charges=(courier,), total_amount=Decimal("94.90")),
        make_order(lines=(neutral_line(unit=None),), total_amount=None, payments=()),
        make_order(payments=(authorised,)),
        make_order(skus=False, lines=(neutral_line("WHAT"),)),
        make_order(lines=(neutral_line(requires_shipping=False),), ship_to=None),
        make_order(lines=(neutral_line(quantity=3, shipped_quantity=2),)),
        make_order(lines=(neutral_line(quantity=3, shipped_quantity=3),)),
        make_order(is_test=True),
        make_order(buyer=NeutralBuyer()),
        make_order(currency="JPY", lines=(neutral_line("MUG", 3, "500"),)),
        make_order(state=NeutralState.CANCELLED, payments=()),
        make_order(is_history=True),
        make_order(is_history=True, state=NeutralState.CANCELLED),
        make_order(is_history=True, skus=False, lines=(neutral_line("GONE"),)),
    ]


def test_audit_is_clean_after_acceptance_confirming_and_payment() -> None:
    orders = accept_all_kinds()
    confirm_orders([order.pk for order in orders], actor=SYSTEM)
    report_payments([PaymentReport(orders[3].pk, (neutral_payment(),))], actor=SYSTEM)
    outbox.deliver_due("mail")
    outbox.deliver_due("work")

    found = {finding.invariant.code: finding.violations for finding in run_audit(CODES)}

    assert found == dict.fromkeys(CODES, ())
    assert len(CODES) >= 10
