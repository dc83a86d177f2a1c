"""Two people save the details of one order at the same moment: one after the other, each on what stands by then."""

import threading
from functools import partial
from typing import Any

import pytest

from config.kernel.admin import admin_url
from orders.admin import details
from orders.admin.orders import OrderAdmin
from orders.models import Order, OrderEdit
from orders.selectors.notes import tag_names
from tests.concurrency.rivals import together
from tests.factories.orders import make_order
from tests.kernel.visitor import Visitor, visitor

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ROUNDS = 5


def opened(order: Order) -> tuple[Visitor, dict[str, Any]]:
    """Somebody with the form before them."""
    person = visitor("Support")
    form = person.get(admin_url(Order, "edit", order.pk)).context["form"]
    return person, {name: form[name].value() or "" for name in form.fields}


def save_at_once(order: Order, *changes: dict[str, str]) -> list[int]:
    """Each change by its own person, all opened before any is saved; the answers' statuses."""
    people = [(*opened(order), change) for change in changes]
    url = admin_url(Order, "edit", order.pk)
    posts = [partial(person.post, url, {**shown, **change}) for person, shown, change in people]
    return sorted(answer.status_code for answer in together(posts))


def test_saves_of_different_fields_at_once_both_stand() -> None:
    for _round in range(ROUNDS):
        order = make_order()

        answers = save_at_once(order, {"email": "a@example.org"}, {"note": "b", "tags": "x"}, {"tags": "y"})

        order.refresh_from_db()
        assert answers == [302, 302, 302]
        assert (order.email, order.note, sorted(tag_names(order))) == ("a@example.org", "b", ["x", "y"])


def test_of_two_saves_of_one_field_at_once_one_stands_and_the_other_is_refused() -> None:
    for _round in range(ROUNDS):
        order = make_order()

        answers = save_at_once(order, {"email": "a@example.org"}, {"email": "b@example.org"})

        assert answers == [200, 302]
        assert order.edits.count() == 1


def test_without_the_lock_the_second_would_overwrite_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: both are judged on the order as it was before either."""
    judged, edit = threading.Barrier(2), details.edit_orders

    def edit_once_both_are_judged(*arguments: Any, **more: Any) -> Any:
        judged.wait(timeout=30)
        return edit(*arguments, **more)

    monkeypatch.setattr(OrderAdmin, "locked", lambda _self, pk: Order.objects.get(pk=pk))
    monkeypatch.setattr(details, "edit_orders", edit_once_both_are_judged)

    answers = save_at_once(make_order(), {"email": "a@example.org"}, {"email": "b@example.org"})

    assert answers == [302, 302]
    assert OrderEdit.objects.count() == 2
