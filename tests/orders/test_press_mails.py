"""Confirm pages name the mail that a press makes due, or say why none goes, as the mail room decides it."""

from typing import Any

import pytest

from config.kernel.admin import admin_url
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from orders.enums import ChannelKind
from orders.models import Order
from tests.factories.fulfillment import hand, make_confirmed, make_shipped, stock
from tests.factories.orders import SYSTEM, make_channel, make_order, neutral_line
from tests.kernel.visitor import Visitor, messages_of, text_of, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def support() -> Visitor:
    return visitor("Support")


def page_of(client: Visitor, row: Any, name: str) -> str:
    return text_of(client.get(admin_url(row, name, row.pk)))


@pytest.mark.parametrize(
    ("press", "mail"),
    [("confirm", "Order confirmation"), ("cancel", "Cancellation")],
)
def test_press_names_the_mail_and_to_whom_it_goes(support: Visitor, press: str, mail: str) -> None:
    order = make_order()

    assert f"The mail “{mail}” goes to {order.email}." in page_of(support, order, press)


@pytest.mark.parametrize("press", ["confirm", "cancel", "cancel_lines", "hold", "allocate"])
def test_press_says_that_a_marketplace_tells_its_buyer_itself(support: Visitor, press: str) -> None:
    order = make_order(channel=make_channel(code="amz", kind=ChannelKind.AMAZON))

    said = page_of(support, order, press)

    assert "the sales channel sends no such mail." in said
    assert order.email not in said


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"mails_stopped": True}, "the mails of this order were stopped"),
        ({"email": ""}, "the order has no e-mail address"),
        ({"is_test": True}, "a test order"),
    ],
)
@pytest.mark.parametrize("press", ["confirm", "cancel", "hold"])
def test_press_says_why_no_mail_goes(support: Visitor, press: str, changed: Any, why: str) -> None:
    order = make_order()
    Order.objects.filter(pk=order.pk).update(**changed)

    assert f": {why}." in page_of(support, order, press)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, "waits for confirm"),
        ({"mails_stopped": True}, "the mails of this order were stopped"),
        ({"email": ""}, "the order has no e-mail address"),
        ({"email": "rosa@"}, "the e-mail address is not valid"),
        ({"is_test": True}, "a test order"),
    ],
)
def test_card_of_mails_says_of_the_confirmation_what_its_press_says(
    support: Visitor, changed: Any, why: str
) -> None:
    order = make_order()
    Order.objects.filter(pk=order.pk).update(**changed)

    card, press = page_of(support, order, "change"), page_of(support, order, "confirm")

    assert f"Order confirmation {why}" in card
    assert (f": {why}." in press) == bool(changed)


def test_card_of_mails_says_that_a_marketplace_tells_its_buyer_itself(support: Visitor) -> None:
    order = make_order(channel=make_channel(code="amz", kind=ChannelKind.AMAZON))

    assert "Order confirmation the sales channel sends no such mail" in page_of(support, order, "change")


def test_hold_says_which_kind_asks_the_buyer(support: Visitor) -> None:
    order = make_order()

    said = page_of(support, order, "hold")

    assert f"With “Address”: the mail “Question to the buyer” goes to {order.email}." in said


def test_cancel_names_work_only_where_the_warehouse_was_asked(support: Visitor) -> None:
    stock({"MUG": 9})
    idle, asked = make_confirmed({"MUG": 2}), make_confirmed({"MUG": 2})
    release_orders([asked.pk], actor=SYSTEM).only()
    work = asked.fulfillment_orders.get().number

    assert "called back" not in page_of(support, idle, "cancel")
    assert f"What the warehouse was asked for is called back: {work}." in page_of(support, asked, "cancel")


def test_cancel_lines_names_the_mail_for_a_part_and_for_the_whole(support: Visitor) -> None:
    order = make_order(lines=(neutral_line("MUG", 2), neutral_line("CUP", 1)))

    said = page_of(support, order, "cancel_lines")

    assert f"While something is left to ship: the mail “Cancellation in part” goes to {order.email}." in said
    assert f"When nothing is left to ship: the mail “Cancellation” goes to {order.email}." in said


def test_lifting_a_hold_names_the_confirmation_that_follows_by_rule(support: Visitor) -> None:
    order = make_order(channel=make_channel(code="auto", auto_confirm=True), payments=())

    said = page_of(support, order, "release_hold")

    assert f"the mail “Order confirmation” goes to {order.email}." in said
    plain = make_order(payments=())
    assert "Order confirmation" not in page_of(support, plain, "release_hold")


def test_shipping_by_hand_names_the_mail_and_hides_the_address(support: Visitor) -> None:
    stock({"MUG": 2})
    order = make_confirmed({"MUG": 2})
    release_orders([order.pk], actor=SYSTEM).only()
    work = order.fulfillment_orders.get()

    said = page_of(visitor("Picker"), work, "ship_by_hand")

    assert "The mail “Shipped” goes to the buyer." in said
    assert order.email not in said


def test_marking_a_parcel_delivered_names_the_mail() -> None:
    parcel = make_shipped()

    said = page_of(visitor("Picker"), parcel, "deliver")

    assert (
        "When no other parcel of the shipment is under way: the mail “Delivered” goes to the buyer." in said
    )


def test_cancelling_what_is_left_of_a_shipped_order_names_the_other_mail(support: Visitor) -> None:
    stock({"MUG": 2})
    order = make_confirmed({"MUG": 2, "CUP": 1})
    release_orders([order.pk], actor=SYSTEM).only()
    ship_by_hand([hand(order.fulfillment_orders.get())], actor=SYSTEM).raise_refusals()

    said = page_of(support, order, "cancel")

    assert f"The mail “Cancellation in part” goes to {order.email}." in said
    assert "called back" not in said


def test_confirm_promises_no_mail_where_none_goes(support: Visitor) -> None:
    amazon = make_order(channel=make_channel(code="amz", kind=ChannelKind.AMAZON))
    own = make_order()

    assert "Confirm and send the mail" not in page_of(support, amazon, "confirm")
    assert "Confirm and send the mail" in page_of(support, own, "confirm")

    said = [
        messages_of(support.get(support.press(admin_url(Order, "confirm", one.pk)).url))
        for one in (amazon, own)
    ]
    assert "Confirmed; no mail is sent." in said[0]
    assert said[1][-1] == "Confirmed; the confirmation mail is on its way."
