"""Orders are found by what their customer is called here, whichever way they came to the customer."""

from dataclasses import replace

import pytest

from config.kernel import outbox
from orders.models import Customer, Order
from orders.neutral import NeutralBuyer
from orders.services.accepting import Incoming, accept_orders
from orders.services.filling import Details, fill_details
from orders.services.merging import merge_customers
from orders.services.naming import name_orders
from orders.tasks import sweep_merged_customers
from tests.factories.orders import SYSTEM, make_channel, make_order, neutral_order
from tests.fulfillment.watching import statements
from tests.orders.test_search import found

pytestmark = pytest.mark.django_db

ROSA = NeutralBuyer(name="R. N.", email="rosa@example.com", phone="06 111 2222")


@pytest.fixture
def rosa() -> Customer:
    """Called otherwise here than her channels go on calling her."""
    customer = make_order(external_id="first", buyer=ROSA).customer
    assert customer is not None
    Customer.objects.filter(pk=customer.pk).update(name="Rosalinda Neri", phone="+39 011 765 432")
    assert name_orders([customer.pk]) == 1
    return customer


def assert_found(*keys: str) -> None:
    """By name and telephone, and nothing is left for whoever puts names among what orders are found by."""
    assert found("rosalinda neri") == found("011 765432") == {"first", *keys}
    assert name_orders(Order.objects.exclude(customer=None).values_list("customer_id", flat=True)) == 0


def test_accepted_order_is_found_by_the_name_and_telephone_of_the_customer(rosa: Customer) -> None:
    make_order(external_id="new", buyer=ROSA)

    assert_found("new")
    assert found("06 1112222") == {"first", "new"}


def test_history_is_found_by_the_name_and_telephone_of_the_customer(rosa: Customer) -> None:
    make_order(external_id="old", buyer=ROSA, is_history=True)

    assert_found("old")


@pytest.mark.parametrize("stated", [ROSA, NeutralBuyer(email="rosa@example.com")])
def test_order_whose_buyer_is_told_later_is_found_by_the_customer(
    rosa: Customer, stated: NeutralBuyer
) -> None:
    order = make_order(external_id="late", buyer=NeutralBuyer())
    assert_found()

    fill_details([Details(order.pk, replace(neutral_order("late"), buyer=stated))], actor=SYSTEM)

    order.refresh_from_db()
    assert order.customer == rosa
    assert_found("late")


def test_order_of_a_merged_customer_is_found_by_the_kept_one_whenever_it_came(rosa: Customer) -> None:
    other = NeutralBuyer(name="Somebody", email="other@example.com")
    gone = make_order(external_id="before", buyer=other).customer
    merge_customers([gone.pk], keep_id=rosa.pk, actor=SYSTEM).raise_refusals()
    outbox.deliver_due("work")

    make_order(external_id="after", buyer=other)
    underway = make_order(external_id="underway", buyer=NeutralBuyer(name="Nobody", email="x@example.com"))
    Order.objects.filter(pk=underway.pk).update(customer=gone)
    sweep_merged_customers()
    outbox.deliver_due("work")

    assert_found("before", "after", "underway")


@pytest.mark.postgres
def test_intake_and_filling_take_as_many_statements_for_renamed_customers(rosa: Customer) -> None:
    channel, unknown = make_channel(), NeutralBuyer(name="R.", email="new@example.com", phone="06 111 3333")

    def accept(key: str, buyer: NeutralBuyer) -> int:
        order = neutral_order(key, buyer=buyer)
        return statements(
            lambda: accept_orders(
                [Incoming(order)], sales_channel_id=channel.pk, actor=SYSTEM
            ).raise_refusals()
        )

    make_order(external_id="warm", buyer=unknown)
    assert accept("one", unknown) == accept("two", ROSA)

    def fill(buyer: NeutralBuyer) -> int:
        order = make_order(buyer=NeutralBuyer())
        told = [Details(order.pk, replace(neutral_order(order.external_id), buyer=buyer))]
        return statements(lambda: fill_details(told, actor=SYSTEM).raise_refusals())

    assert fill(unknown) == fill(ROSA)
