"""Buttons and confirm pages, pressed on orders."""

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError

from config.kernel.admin import TransitionAdmin, admin_url
from config.kernel.batches import RETRIES
from config.kernel.models import Event, IdempotencyKey
from orders.models import Order
from orders.services.confirming import confirm_orders
from orders.services.holds import place_hold
from tests.factories.fulfillment import make_confirmed, make_shipped
from tests.factories.orders import SYSTEM, make_order
from tests.kernel.visitor import Visitor, hidden, messages_of, text_of, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def support() -> Visitor:
    return visitor("Support")


def url(order: Order, name: str) -> str:
    return admin_url(Order, name, order.pk)


def state(order: Order) -> tuple[str, int]:
    fresh = Order.objects.get(pk=order.pk)
    return fresh.status, fresh.version


def test_confirm_page_shows_consequences_and_changes_nothing(support: Visitor) -> None:
    order = make_order()
    before, events = state(order), Event.objects.count()

    page = support.get(url(order, "confirm"))

    said = text_of(page)
    assert page.status_code == 200
    assert f"The mail “Order confirmation” goes to {order.email}." in said
    assert "Taking it back:" in said
    assert "Confirm and send the mail" in said
    assert (state(order), Event.objects.count()) == (before, events)


def test_press_acts_once_says_so_and_names_the_person(support: Visitor) -> None:
    order = make_order()

    response = support.press(url(order, "confirm"))

    assert response.status_code == 302
    assert response.url == url(order, "change")
    assert messages_of(support.get(response.url)) == ["Confirmed; the confirmation mail is on its way."]
    assert state(order)[0] == "confirmed"
    event = Event.objects.get(kind="confirm", subject_id=order.pk)
    assert (event.actor_kind, event.actor_id) == ("user", get_user_model().objects.get().pk)


def test_double_click_gets_the_same_answer_and_one_effect(support: Visitor) -> None:
    order = make_order()
    posted = hidden(support.get(url(order, "confirm")))

    first = support.post(url(order, "confirm"), posted)
    second = support.post(url(order, "confirm"), posted)

    assert (first.status_code, first.url) == (second.status_code, second.url) == (302, url(order, "change"))
    assert Event.objects.filter(kind="confirm").count() == 1
    assert IdempotencyKey.objects.count() == 1


def test_press_on_a_stale_page_is_refused_with_what_changed(support: Visitor) -> None:
    order = make_order()
    posted = hidden(support.get(url(order, "cancel")))
    confirm_orders([order.pk], actor=SYSTEM).only()
    before = state(order)

    page = support.post(url(order, "cancel"), {**posted, "reason": "twice"})

    said = text_of(page)
    assert page.status_code == 200
    assert "It changed while you were looking. Nothing was done." in said
    assert "Confirmed · " in said
    assert "tests" in said
    assert state(order) == before
    assert IdempotencyKey.objects.count() == 0

    again = support.post(url(order, "cancel"), {**hidden(page), "reason": "twice"})
    assert again.status_code == 302
    assert state(order)[0] == "cancelled"


def test_press_that_no_longer_stands_goes_back_to_the_page(support: Visitor) -> None:
    order = make_order()
    posted = hidden(support.get(url(order, "confirm")))
    confirm_orders([order.pk], actor=SYSTEM).only()

    response = support.post(url(order, "confirm"), posted)

    assert response.status_code == 302
    (said,) = messages_of(support.get(response.url))
    assert said.startswith("It changed while you were looking. Nothing was done. Confirmed")


def test_opening_an_edge_that_does_not_leave_goes_back_with_a_sentence(support: Visitor) -> None:
    order = make_order()
    confirm_orders([order.pk], actor=SYSTEM).only()

    response = support.get(url(order, "confirm"))

    assert response.status_code == 302
    assert messages_of(support.get(response.url)) == ["“Confirm order” is not possible from “Confirmed”."]


def test_press_on_a_row_that_stays_locked_asks_to_try_again(
    support: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = make_order()
    posted = hidden(support.get(url(order, "confirm")))
    before = state(order)
    asked: list[int] = []

    def stay_locked(self: TransitionAdmin, pk: int) -> None:
        asked.append(pk)
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(TransitionAdmin, "locked", stay_locked)
        page = support.post(url(order, "confirm"), posted)

    assert (page.status_code, asked) == (200, [order.pk] * RETRIES)
    assert "Please try again" in text_of(page)
    assert (state(order), IdempotencyKey.objects.count()) == (before, 0)
    assert support.post(url(order, "confirm"), posted).status_code == 302


def test_refusal_of_the_verb_is_said_and_writes_nothing(support: Visitor) -> None:
    order = make_order()
    posted = hidden(support.get(url(order, "hold")))
    before, events = state(order), Event.objects.count()

    page = support.post(url(order, "hold"), {**posted, "kind": "manual", "reason": "x" * 301})

    assert page.status_code == 200
    assert "at most 300 characters" in text_of(page)
    assert (state(order), Event.objects.count()) == (before, events)


def test_missing_reason_is_asked_for_with_the_same_nonce(support: Visitor) -> None:
    order = make_order()
    page = support.get(url(order, "cancel"))

    refused = support.post(url(order, "cancel"), hidden(page))

    assert "This field is required." in text_of(refused)
    assert hidden(refused) == hidden(page)
    assert state(order)[0] == "placed"


def test_person_without_the_edges_permission_is_refused() -> None:
    order = make_order()
    picker = visitor("Picker")

    assert picker.get(url(order, "confirm")).status_code == 403
    assert picker.post(url(order, "confirm"), {"version": order.version}).status_code == 403
    assert state(order)[0] == "placed"


def test_stranger_is_sent_to_the_login() -> None:
    order = make_order()

    response = Visitor().post(url(order, "confirm"), {"version": order.version})

    assert response.status_code == 302
    assert response.url.startswith("/login/")
    assert state(order)[0] == "placed"


def test_unknown_order_is_not_found(support: Visitor) -> None:
    assert support.get(admin_url(Order, "confirm", 99999)).status_code == 404


def test_page_has_exactly_the_legal_buttons(support: Visitor) -> None:
    order = make_order()
    always = {
        "Cancel order",
        "Cancel lines…",
        "Hold",
        "Hold for fraud check",
        "Allocate stock",
        "Change order…",
    }

    assert _buttons(support, order) == always | {"Confirm order"}

    place_hold([order.pk], kind="fraud", actor=SYSTEM).only()
    assert _buttons(support, order) == always - {"Hold for fraud check"} | {"Lift hold and confirm"}
    assert _buttons(visitor("Picker"), order) == set()


def test_order_that_has_left_may_be_ended_and_opened_again_by_who_may(support: Visitor) -> None:
    order = make_shipped().order
    sent = {
        "Complete order",
        "Cancel order",
        "Change order…",
        "Hold",
        "Hold for fraud check",
        "Request a return",
    }
    over = {"Reopen order", "Request a return"}

    assert _buttons(support, order) == _buttons(visitor("Manager"), order) == sent
    assert [_buttons(visitor(role), order) for role in ("Picker", "Reader")] == [set(), set()]
    for role in ("Picker", "Reader"):
        assert visitor(role).get(url(order, "complete")).status_code == 403
        assert visitor(role).post(url(order, "complete"), {"version": order.version}).status_code == 403

    page = support.get(url(order, "complete"))
    assert "2 units have left, and nobody has said that they arrived." in text_of(page)
    assert support.post(url(order, "complete"), hidden(page)).status_code == 302
    assert state(order)[0] == "completed"
    assert _buttons(support, order) == _buttons(visitor("Manager"), order) == over
    assert [_buttons(visitor(role), order) for role in ("Picker", "Reader")] == [set(), set()]
    assert visitor("Picker").post(url(order, "reopen"), {"version": order.version}).status_code == 403

    support.post(url(order, "reopen"), hidden(support.get(url(order, "reopen"))))
    assert state(order)[0] == "confirmed"


def test_order_that_waits_for_a_decision_says_so_on_the_button_that_ends_it(support: Visitor) -> None:
    order = make_shipped().order
    place_hold([order.pk], kind="fraud", actor=SYSTEM).only()

    page = support.get(url(order, "change")).context["page"]

    (button,) = [one for one in page["actions"] if one["name"] == "complete"]
    assert (button["reason"], button["url"]) == (
        f"Order {order.number} is held (Fraud check); lift that first.",
        "",
    )
    assert "Complete order" not in _buttons(support, make_confirmed())


def _buttons(client: Visitor, order: Order) -> set[str]:
    return {str(button["label"]) for button in client.get(url(order, "change")).context["page"]["actions"]}


def test_page_has_one_primary_button(support: Visitor) -> None:
    page = support.get(url(make_order(), "change"))

    tones = [button["tone"] for button in page.context["page"]["actions"]]
    assert tones.count("primary") == 1


def test_long_timeline_leads_to_all_its_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.kernel.admin.transitions.TimelineMixin.timeline_limit", 3)
    order = make_order()
    for reason in ("ask the buyer", "ask again"):
        place_hold([order.pk], kind="manual", reason=reason, actor=SYSTEM).only()
    manager = visitor("Manager")

    page = manager.get(url(order, "change")).context["page"]

    assert len(page["timeline"]) == 3
    listed = manager.get(page["timeline_more"]["url"])
    assert {event.thread_id for event in listed.context["cl"].result_list} == {order.pk}
    assert (
        listed.context["cl"].result_count
        == Event.objects.filter(thread_id=order.pk, thread_type="order").count()
    )
