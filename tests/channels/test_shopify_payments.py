from typing import Any

import pytest

from channels.adapters import read_order
from channels.errors import PayloadError
from orders.enums import ChannelKind, PaymentStatus
from orders.neutral import NeutralPayment
from tests.channels import shopify_bodies as bodies

pytestmark = pytest.mark.once

FIRST = {"id": "gid://shopify/OrderTransaction/1"}
SECOND = {"id": "gid://shopify/OrderTransaction/2"}


def payments_of(**fields: Any) -> tuple[NeutralPayment, ...]:
    return read_order(ChannelKind.SHOPIFY, bodies.graphql_order(**fields)).payments


def figures(payment: NeutralPayment) -> tuple[PaymentStatus, str, str, str]:
    amounts = (payment.authorised_amount, payment.captured_amount, payment.refunded_amount)
    return payment.status, str(amounts[0]), str(amounts[1]), str(amounts[2])


def test_read_authorisation_captured_in_parts_and_refunded() -> None:
    (payment,) = payments_of(
        transactions=[
            bodies.transaction(3, "REFUND", "4.00", parentTransaction=SECOND),
            bodies.transaction(1, "AUTHORIZATION", "39.04"),
            bodies.transaction(2, "CAPTURE", "20.00", parentTransaction=FIRST),
            bodies.transaction(4, "CAPTURE", "10.00", parentTransaction=FIRST),
            bodies.transaction(5, "CAPTURE", "9.04", parentTransaction=FIRST, status="FAILURE"),
            bodies.transaction(6, "SUGGESTED_REFUND", "1.00", parentTransaction=FIRST),
        ]
    )

    assert payment.external_id == FIRST["id"]
    assert figures(payment) == (PaymentStatus.CAPTURED, "39.04", "30.00", "4.00")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("AUTHORIZATION", "SUCCESS")], (PaymentStatus.AUTHORISED, "39.04", "0", "0")),
        (
            [("AUTHORIZATION", "SUCCESS"), ("VOID", "SUCCESS")],
            (PaymentStatus.VOIDED, "39.04", "0", "0"),
        ),
        ([("SALE", "PENDING")], (PaymentStatus.PENDING, "0", "0", "0")),
        ([("SALE", "FAILURE")], (PaymentStatus.FAILED, "0", "0", "0")),
        ([("AUTHORIZATION", "ERROR")], (PaymentStatus.FAILED, "0", "0", "0")),
        ([("SALE", "NEW_WORD")], (PaymentStatus.PENDING, "0", "0", "0")),
    ],
)
def test_read_transactions_give_payment_status(
    rows: list[tuple[str, str]], expected: tuple[PaymentStatus, str, str, str]
) -> None:
    transactions = [
        bodies.transaction(number, kind, "39.04", status=status)
        for number, (kind, status) in enumerate(rows, start=1)
    ]

    (payment,) = payments_of(transactions=transactions)

    assert figures(payment) == expected


def test_read_failed_try_and_second_card_are_two_payments() -> None:
    transactions = [
        bodies.transaction(1, "SALE", "39.04", status="FAILURE"),
        bodies.transaction(2, "SALE", "30.00"),
        bodies.transaction(3, "SALE", "9.04", gateway="gift_card"),
        bodies.transaction(4, "REFUND", "9.04", gateway="gift_card"),
    ]

    assert [figures(payment) for payment in payments_of(transactions=transactions)] == [
        (PaymentStatus.FAILED, "0", "0", "0"),
        (PaymentStatus.CAPTURED, "30.00", "30.00", "0"),
        (PaymentStatus.CAPTURED, "9.04", "9.04", "9.04"),
    ]


def test_read_expired_authorisation() -> None:
    (payment,) = payments_of(
        transactions=[bodies.transaction(1, "AUTHORIZATION", "39.04")], displayFinancialStatus="EXPIRED"
    )

    assert payment.status is PaymentStatus.EXPIRED


def test_read_without_transactions_takes_the_sums_beside_the_status() -> None:
    (payment,) = payments_of(
        transactions=None,
        displayFinancialStatus="PARTIALLY_REFUNDED",
        paymentGatewayNames=["manual"],
        totalReceivedSet=bodies.bag("39.04"),
        totalRefundedSet=bodies.bag("5.00"),
    )

    assert (payment.provider, payment.external_id) == ("manual", "gid://shopify/Order/9")
    assert figures(payment) == (PaymentStatus.CAPTURED, "39.04", "39.04", "5.00")


def test_read_without_transactions_and_status_has_no_payment() -> None:
    assert payments_of(transactions=None, displayFinancialStatus=None) == ()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"financial_status": "paid"}, (PaymentStatus.CAPTURED, "39.04", "39.04", "0")),
        ({"financial_status": "authorized"}, (PaymentStatus.AUTHORISED, "39.04", "0", "0")),
        ({"financial_status": "pending"}, (PaymentStatus.PENDING, "0", "0", "0")),
        ({"financial_status": "voided"}, (PaymentStatus.VOIDED, "39.04", "0", "0")),
        ({"financial_status": "expired"}, (PaymentStatus.EXPIRED, "39.04", "0", "0")),
        ({"financial_status": "refunded"}, (PaymentStatus.CAPTURED, "39.04", "39.04", "39.04")),
        ({"financial_status": "new_word"}, (PaymentStatus.PENDING, "0", "0", "0")),
        (
            {"financial_status": "partially_paid", "total_outstanding": "9.04"},
            (PaymentStatus.CAPTURED, "30.00", "30.00", "0"),
        ),
    ],
)
def test_read_webhook_financial_status_gives_payment(
    fields: dict[str, Any], expected: tuple[PaymentStatus, str, str, str]
) -> None:
    (payment,) = read_order(ChannelKind.SHOPIFY, bodies.rest_order(**fields)).payments

    assert figures(payment) == expected


def test_read_webhook_partly_refunded_without_refunds_refused() -> None:
    with pytest.raises(PayloadError) as refused:
        read_order(ChannelKind.SHOPIFY, bodies.rest_order(financial_status="partially_refunded"))

    assert refused.value.facts["field"] == "refunds"
