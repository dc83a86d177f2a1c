"""`merge_customers`: two become one, their e-mails go on finding the kept one, nothing is lost."""

import pytest

from config.kernel import outbox
from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import InvalidInput, NotAllowed, NotFound
from config.kernel.models import Event
from orders.models import Address, Customer, Order
from orders.neutral import NeutralBuyer
from orders.selectors.customers import find_customers, likely_duplicates
from orders.services.merging import merge_customers
from orders.tasks import sweep_merged_customers
from tests.factories.orders import make_order, neutral_address
from tests.fulfillment.watching import nothing_written, statements

pytestmark = pytest.mark.django_db

STAFF = Actor(ActorKind.USER, 1, "rosa", frozenset({"orders.merge_customer", "orders.view_personal"}))


def order_by(email: str, name: str = "Rosa Neri", phone: str = "", **fields: object) -> Order:
    return make_order(buyer=NeutralBuyer(name=name, email=email, phone=phone), **fields)


def merge(keep: Customer, *others: Customer, actor: Actor = STAFF):
    return merge_customers([one.pk for one in others], keep_id=keep.pk, actor=actor)


def assert_clean() -> None:
    outbox.deliver_due("work")
    assert [found for finding in run_audit() for found in finding.violations] == []


def test_merge_moves_orders_and_addresses_and_fills_what_was_missing() -> None:
    first, second = order_by("rosa@example.com", name=""), order_by("r.neri@example.com", phone="011 1")
    keep, other = first.customer, second.customer

    assert merge(keep, other).done_ids == [other.pk]

    assert set(Order.objects.values_list("customer_id", flat=True)) == {keep.pk}
    assert set(Address.objects.values_list("customer_id", flat=True)) == {keep.pk}
    keep.refresh_from_db()
    assert (keep.name, keep.phone, keep.email) == ("Rosa Neri", "011 1", "rosa@example.com")
    assert Order.objects.get(pk=second.pk).version == second.version + 1
    assert Event.objects.get(kind="merged").facts == {"customers": [other.pk]}
    assert Event.objects.get(kind="merged_away").thread_id == other.pk
    assert_clean()


def test_later_orders_under_either_mail_find_the_kept_one_also_through_two_merges() -> None:
    a, b, c = (order_by(f"{name}@example.com").customer for name in "abc")
    merge(b, a).raise_refusals()
    merge(c, b).raise_refusals()

    later = order_by("a@example.com")

    assert later.customer == c
    assert (later.email, later.ship_to.customer_id) == ("a@example.com", c.pk)
    assert set(Customer.objects.filter(merged_into=c).values_list("pk", flat=True)) == {a.pk, b.pk}
    assert_clean()


def test_merge_twice_is_unchanged_and_wrong_ones_are_refused() -> None:
    a, b, c = (order_by(f"{name}@example.com").customer for name in "abc")
    merge(a, b).raise_refusals()

    with nothing_written():
        assert merge(a, b).unchanged_ids == [b.pk]
        assert isinstance(merge(a, a).refusals[a.pk], InvalidInput)
        assert isinstance(merge(c, b).refusals[b.pk], InvalidInput)
        assert isinstance(merge_customers([404], keep_id=a.pk, actor=STAFF).refusals[404], NotFound)
        with pytest.raises(InvalidInput):
            merge(b, c)
        with pytest.raises(NotFound):
            merge_customers([a.pk], keep_id=404, actor=STAFF)
        with pytest.raises(NotAllowed):
            merge(a, c, actor=Actor(ActorKind.USER, 1, "guest", frozenset()))


def test_merge_refuses_whom_the_actor_does_not_see() -> None:
    a, b = (order_by(f"{name}@example.com").customer for name in "ab")
    elsewhere = Actor(ActorKind.USER, 1, "rosa", STAFF.permissions, frozenset({1}))

    with nothing_written(), pytest.raises(NotFound):
        merge(a, b, actor=elsewhere)

    assert merge(a, b).done_ids == [b.pk]


def test_sweep_moves_what_came_in_under_way_and_twice_changes_nothing() -> None:
    a, b = (order_by(f"{name}@example.com").customer for name in "ab")
    merge(a, b).raise_refusals()
    late = Order.objects.order_by("pk").last()
    Order.objects.filter(pk=late.pk).update(customer=b)

    sweep_merged_customers()

    late.refresh_from_db()
    assert late.customer_id == a.pk
    with nothing_written():
        sweep_merged_customers()
    assert_clean()


def test_duplicates_are_suggested_by_phone_or_by_name_and_post_code() -> None:
    rosa = order_by("rosa@example.com", phone="011 1").customer
    order_by("phone@example.com", name="Ugo", phone="011 1")
    order_by("same@example.com", name="rosa neri")
    order_by("away@example.com", name="Rosa Neri", ship_to=neutral_address(postal_code="20100"))
    order_by("other@example.com", name="Ada")

    found = [
        (likely.customer.email, likely.same) for likely in likely_duplicates(rosa, Customer.objects.all())
    ]

    assert found == [("phone@example.com", ("phone",)), ("same@example.com", ("address",))]


def found(text: str) -> list[str]:
    return [customer.email for customer in find_customers(text, Customer.objects.all())]


@pytest.mark.parametrize(
    ("text", "emails"),
    [
        ("ROSA@example.com", ["rosa@example.com"]),
        ("old@example.com", ["rosa@example.com"]),
        ("neri rosa", []),
        ("nèr", ["rosa@example.com", "nerina@example.com"]),
        ("rosa nÈri", ["rosa@example.com"]),
        ("+39 011 555-0199", ["rosa@example.com"]),
        ("0115550199", ["rosa@example.com"]),
        ("Hugo", []),
        ("ab", []),
        ("Al", ["al@example.com"]),
        (" \x00 ", []),
    ],
)
def test_customers_are_found_by_mail_name_or_phone(text: str, emails: list[str]) -> None:
    rosa = order_by("rosa@example.com", name="Rosa Nèri", phone="+39 011 555 0199").customer
    order_by("nerina@example.com", name="Nèrina Ugolini", ship_to=neutral_address(name="Hugo"))
    order_by("al@example.com", name="Al")
    merge(rosa, order_by("old@example.com", name="R").customer).raise_refusals()

    assert found(text) == emails


def test_customers_are_found_without_any_order_by_the_whole_of_it() -> None:
    order = order_by("rosa@example.com", phone="011 1")
    Order.objects.update(customer=None)

    assert [found(text) for text in ("rosa neri", "011 1", "rosa@example.com")] == [[order.email]] * 3


@pytest.mark.postgres
def test_merge_takes_as_many_statements_for_ten_as_for_two() -> None:
    keep, *others = (order_by(f"c{number}@example.com").customer for number in range(13))

    few = statements(lambda: merge(keep, *others[:2]).raise_refusals())

    assert statements(lambda: merge(keep, *others[2:]).raise_refusals()) == few
