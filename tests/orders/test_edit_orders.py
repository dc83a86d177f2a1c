"""`edit_orders`: an order's own details, what was before, who may, and what a second call does."""

from dataclasses import replace
from datetime import date

import pytest
from django.core import mail

from config.kernel.actors import Actor, ActorKind
from config.kernel.admin.timeline import timeline
from config.kernel.errors import NotAllowed, NotFound
from config.kernel.events import Thread
from config.kernel.models import Event
from config.kernel.outbox import deliver_due
from orders.models import Customer, Notification, Order, OrderEdit
from orders.neutral import NeutralBuyer
from orders.selectors.search import search_orders
from orders.services.confirming import confirm_orders
from orders.services.editing import Details, Edit, edit_orders
from tests.factories.inventory import make_location
from tests.factories.orders import SYSTEM, make_order
from tests.fulfillment.watching import nothing_written, statements

pytestmark = pytest.mark.django_db

STAFF = Actor(ActorKind.USER, 1, "rosa", frozenset({"orders.edit_order", "orders.view_personal"}))
BUYER = NeutralBuyer(name="Ada Verdi", email="ada@example.con", language="it")


@pytest.fixture
def order() -> Order:
    return make_order(buyer=BUYER, note="Ring twice")


def told(order: Order) -> list[tuple[str, str]]:
    return [(row.title, row.detail) for row in timeline(Thread("order", order.pk), kinds=("edited",))]


def test_edit_sets_what_is_named_and_tells_each_field_with_before_and_after(order: Order) -> None:
    details: Details = {
        "email": " Ada@Example.com ", "language": "en", "note": "Ring once", "required_on": date(2026, 3, 9),
    }  # fmt: skip

    results = edit_orders([Edit(order.pk, details)], actor=STAFF)

    fresh = Order.objects.get()
    assert results.done_ids == [order.pk]
    assert (fresh.email, fresh.language, fresh.note) == ("ada@example.com", "en", "Ring once")
    assert (fresh.required_on, fresh.version) == (date(2026, 3, 9), order.version + 1)
    assert told(order) == [
        ("Wanted day changed", "– → 9 Mar 2026"),
        ("Buyer’s note changed", "Ring twice → Ring once"),
        ("Language of mails changed", "Italian → English"),
        ("E-mail address changed", "ada@example.con → ada@example.com"),
    ]
    assert Customer.objects.get().email == "ada@example.con"


def test_events_name_row_and_field_only_and_what_was_said_can_be_erased(order: Order) -> None:
    edit_orders([Edit(order.pk, {"email": "ada@example.com"})], actor=STAFF).raise_refusals()

    row = OrderEdit.objects.get()
    assert Event.objects.get(kind="edited").facts == {"field": "email", "edit": row.pk}
    row.delete()
    assert told(order) == [("E-mail address changed", "(erased)")]


def test_order_is_found_by_its_new_address_and_by_the_former_no_more(order: Order) -> None:
    edit_orders([Edit(order.pk, {"email": "verdi@example.org"})], actor=STAFF).raise_refusals()

    every = Order.objects.all()
    assert [list(search_orders(every, text)) for text in ("verdi@exam", "example.con", "Ada Verdi")] == [
        [order], [], [order],
    ]  # fmt: skip


def test_mail_that_is_due_goes_to_the_new_address_in_the_new_language(order: Order) -> None:
    confirm_orders([order.pk], actor=SYSTEM).raise_refusals()
    details: Details = {"email": "ada@example.com", "language": "en"}

    edit_orders([Edit(order.pk, details)], actor=STAFF).raise_refusals()
    deliver_due("mail")

    (sent,) = mail.outbox
    assert (sent.to, Notification.objects.get().language) == (["ada@example.com"], "en")


def test_second_call_and_details_that_stand_already_change_nothing(order: Order) -> None:
    edit = Edit(order.pk, {"email": "ada@example.com", "note": "Ring twice"})
    edit_orders([edit], actor=STAFF).raise_refusals()

    with nothing_written():
        assert edit_orders([edit], actor=STAFF).unchanged_ids == [order.pk]


def test_closed_and_historic_orders_are_edited_and_unknown_ones_refused() -> None:
    history = make_order(is_history=True)

    results = edit_orders([Edit(history.pk, {"note": "x"}), Edit(404, {"note": "x"})], actor=STAFF)

    assert (results.done_ids, type(results.refusals[404])) == ([history.pk], NotFound)


@pytest.mark.parametrize(
    "details",
    [{"email": "not an address"}, {"email": f"{'x' * 250}@a.it"}, {"language": "xx"}, {"note": "x" * 2001}],
)
def test_value_that_cannot_be_is_refused_alone(details: Details) -> None:
    order, other = make_order(), make_order()

    with nothing_written():
        refused = edit_orders([Edit(order.pk, details)], actor=STAFF)
    mixed = edit_orders([Edit(order.pk, details), Edit(other.pk, {"note": "x"})], actor=STAFF)

    assert refused.refusals[order.pk].code == mixed.refusals[order.pk].code == "invalid_input"
    assert mixed.done_ids == [other.pk]


def test_value_that_stands_there_already_is_not_judged(order: Order) -> None:
    Order.objects.update(language="de", note="x" * 3000)

    details: Details = {"language": "de", "note": "x" * 3000, "email": ""}
    assert edit_orders([Edit(order.pk, details)], actor=STAFF).done_ids == [order.pk]
    assert Order.objects.get().email == ""


@pytest.mark.parametrize("right", ["orders.edit_order", "orders.view_personal"])
def test_without_either_right_nothing_is_written(order: Order, right: str) -> None:
    lacking = Actor(
        ActorKind.USER, 2, "piet", frozenset({"orders.edit_order", "orders.view_personal"} - {right})
    )

    with nothing_written(), pytest.raises(NotAllowed):
        edit_orders([Edit(order.pk, {"note": "x"})], actor=lacking)


def test_order_elsewhere_answers_not_found(order: Order) -> None:
    elsewhere = replace(STAFF, locations=frozenset({make_location().pk}))

    with nothing_written():
        results = edit_orders([Edit(order.pk, {"note": "x"})], actor=elsewhere)

    assert isinstance(results.refusals[order.pk], NotFound)


@pytest.mark.postgres
def test_edit_takes_as_many_statements_for_thirty_as_for_three() -> None:
    edits = [Edit(make_order().pk, {"email": "a@example.com", "note": "x"}) for _number in range(33)]

    few = statements(lambda: edit_orders(edits[:3], actor=STAFF))

    assert statements(lambda: edit_orders(edits[3:], actor=STAFF)) == few
    assert few <= 8
