"""Buyers are found again by e-mail, and each order keeps its own snapshot."""

from typing import Any

import pytest

from orders.models import Address, Customer, Order
from orders.neutral import NeutralBuyer
from orders.services.accepting import Incoming, accept_orders
from tests.factories.orders import SYSTEM, make_channel, make_order, neutral_address, neutral_order

pytestmark = pytest.mark.django_db


def test_accept_orders_finds_a_customer_whatever_the_case() -> None:
    first = make_order(
        buyer=NeutralBuyer(name="Rosa", email=" Rosa@Example.COM ", phone="1", language="it-IT")
    )

    second = make_order(buyer=NeutralBuyer(name="R. Neri", email="rosa@example.com", language="en"))

    customer = Customer.objects.get()
    assert first.customer == second.customer == customer
    assert (customer.email, customer.name, customer.phone, customer.language) == (
        "rosa@example.com",
        "Rosa",
        "1",
        "it",
    )
    assert (first.language, second.language) == ("it", "en")


def test_accept_orders_makes_each_customer_of_a_batch_once() -> None:
    buyers = ["a@example.com", "A@example.com", "b@example.com", ""]
    orders = [
        neutral_order(f"A-{number}", buyer=NeutralBuyer(email=email)) for number, email in enumerate(buyers)
    ]

    accept_orders([Incoming(order) for order in orders], sales_channel_id=make_channel().pk, actor=SYSTEM)

    assert list(Order.objects.order_by("pk").values_list("customer__email", flat=True)) == [
        "a@example.com",
        "a@example.com",
        "b@example.com",
        None,
    ]


@pytest.mark.parametrize(
    ("fields", "email"),
    [
        ({"buyer": NeutralBuyer(), "bill_to": neutral_address(email="Bill@example.com")}, "bill@example.com"),
        ({"buyer": NeutralBuyer(), "ship_to": neutral_address(email="ship@example.com")}, "ship@example.com"),
        ({"buyer": NeutralBuyer(email="x" * 250 + "@example.com")}, ""),
    ],
)
def test_accept_orders_email_is_the_first_that_is_stated(fields: dict[str, Any], email: str) -> None:
    assert make_order(**fields).email == email


@pytest.mark.parametrize(("stated", "language"), [("", "fr"), ("pt_BR", "pt"), ("123", "fr"), ("DE", "de")])
def test_accept_orders_language_is_the_buyers_else_the_channels(stated: str, language: str) -> None:
    channel = make_channel(language="fr")

    assert make_order(channel=channel, buyer=NeutralBuyer(language=stated)).language == language


def test_accept_orders_same_address_twice_is_one_snapshot() -> None:
    same = make_order(bill_to=neutral_address())
    other = make_order(bill_to=neutral_address(city="Asti"))

    assert same.ship_to == same.bill_to
    assert (other.ship_to.city, other.bill_to.city) == ("Torino", "Asti")
    assert Address.objects.count() == 3
    assert other.bill_to.customer == other.customer
