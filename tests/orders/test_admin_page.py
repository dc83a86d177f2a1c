"""The order page: what it says, and that it costs the same however long the order is."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext

from config.kernel import clock
from config.kernel.admin import ExtraVerb, admin_url
from config.kernel.fastpath import is_fast
from inventory.models import Location, Reservation
from orders.admin import panels
from orders.admin.panels import PanelContext, register_order_panel
from orders.models import Notification, Order, Payment
from orders.neutral import NeutralTax
from orders.services.allocating import allocate_orders
from orders.services.cancelling import cancel_orders
from orders.services.completing import complete_orders
from tests.factories.fulfillment import make_confirmed, make_shipped, stock
from tests.factories.inventory import make_kit, make_location, make_sku
from tests.factories.orders import PLACED_AT, SYSTEM, make_channel, make_order, neutral_line
from tests.kernel.visitor import Visitor, hidden, messages_of, text_of, visitor
from tests.people.test_visibility import bound

pytestmark = pytest.mark.django_db


@pytest.fixture
def support() -> Visitor:
    return visitor("Support")


def torino() -> Location:
    return make_location("TO", name="Torino")


def page_of(client: Visitor, order: Order) -> Any:
    page = client.get(admin_url(Order, "change", order.pk))
    assert page.status_code == 200
    return page


def test_head_names_channel_dates_and_the_three_axes(support: Visitor) -> None:
    stock({"MUG": 2}, torino())
    order = make_confirmed()

    page = page_of(support, order).context["page"]

    assert page["title"] == f"Order {order.number}"
    assert [label for label, _tone in page["badges"]] == ["Confirmed", "Allocated", "Paid"]
    assert page["sub"][0] == f"Bottega {order.external_id}"
    assert page["steps"] == [
        ("Placed", "done"), ("Confirmed", "done"), ("Allocated", "done"), ("Ship", "now"), ("Deliver", ""),
    ]  # fmt: skip


def test_late_order_says_by_when_it_was_promised_and_how_late_it_is() -> None:
    order = make_confirmed()
    day = order.dispatch_by_on
    assert day is not None

    for later, badge, said in (
        (0, "", "leaves by"),
        (1, "1 day late", "promised to leave by"),
        (9, "9 days late", "promised to leave by"),
    ):
        with clock.frozen(datetime.combine(day, time(12), tzinfo=UTC) + timedelta(days=later)):
            page = page_of(visitor("Support"), order).context["page"]
        late = [label for label, tone in page["badges"] if "late" in label and tone == "stop"]
        assert late == ([badge] if badge else [])
        assert page["sub"][2].startswith(said)


@pytest.mark.parametrize("make", [lambda: make_shipped().order, lambda: make_order(is_history=True)])
def test_order_whose_goods_have_left_is_not_late(make: Callable[[], Order]) -> None:
    order = make()

    with clock.frozen(clock.now() + timedelta(days=90)):
        said = text_of(page_of(visitor("Support"), order))

    assert "days late" not in said
    assert "promised to leave" not in said


def test_cancelled_order_tells_how_far_it_came_and_promises_nothing(support: Visitor) -> None:
    stock({"MUG": 2}, torino())
    order = make_confirmed({"MUG": 2})
    cancel_orders([order.pk], reason="Ordered twice", actor=SYSTEM).raise_refusals()

    page = page_of(support, order)

    assert page.context["page"]["steps"] == [
        ("Placed", "done"), ("Confirmed", "done"), ("Cancelled", "stop"),
    ]  # fmt: skip
    assert len(page.context["page"]["sub"]) == 2
    assert "Why Torino?" not in text_of(page)
    assert "A mug MUG 2 2 cancelled 0 0 €10.00 –" in text_of(page)


def test_order_that_was_ended_before_anybody_said_that_it_arrived_is_not_called_delivered(
    support: Visitor,
) -> None:
    order = make_shipped().order
    complete_orders([order.pk], actor=SYSTEM).raise_refusals()

    page = page_of(support, order).context["page"]

    assert page["steps"][3:] == [("Shipped", "done"), ("Completed", "done")]
    assert [label for label, _tone in page["badges"]] == ["Completed", "Shipped", "Paid"]


def test_lines_show_counters_and_place_in_line(support: Visitor) -> None:
    stock({"MUG": 3}, torino())
    make_confirmed({"JUG": 4})
    order = make_confirmed({"MUG": 2, "JUG": 1})

    said = text_of(page_of(support, order))

    assert "A mug MUG 2 2 0 €10.00 Torino 2" in said
    assert "A jug JUG 1 0 1 waiting place 2 in line 0 €10.00 –" in said


def test_place_in_line_leads_to_the_line_for_who_sees_who_waits(support: Visitor) -> None:
    place = stock({"MUG": 3}, torino())
    order = make_confirmed({"MUG": 2, "JUG": 1})
    line = admin_url(Reservation, "change", Reservation.objects.get(state="waiting").pk)

    assert f'<a href="{line}">place 1 in line</a>' in page_of(support, order).content.decode()
    assert "Place in line" in text_of(support.get(line))

    of_one = page_of(bound("Support", place), order)
    assert line not in of_one.content.decode()
    assert "place 1 in line" in text_of(of_one)


def test_allocation_explains_itself(support: Visitor) -> None:
    stock({"MUG": 1}, torino())
    stock({"CUP": 9}, make_location("MI", name="Milano"))
    order = make_confirmed({"MUG": 2})

    said = text_of(page_of(support, order))

    assert "Why Torino? Torino has 1 of 2 asked for and gives 1." in said
    assert "1 × MUG wait: nothing free anywhere." in said
    assert "Milano: nothing of it." in said


def test_kit_shows_its_parts(support: Visitor) -> None:
    cup, jug = make_sku("CUP-1"), make_sku("JUG-1")
    make_kit({cup: 2, jug: 1}, code="SET")
    stock({"CUP-1": 4, "JUG-1": 1}, torino())
    order = make_order(lines=(neutral_line("SET", 2),))
    allocate_orders([order.pk], actor=SYSTEM).only()

    said = text_of(page_of(support, order))

    assert "A set SET 2 1 1 waiting place 1 in line 0 €10.00 Kit, see its parts" in said
    assert "part CUP-1 2 per kit 4 4 0" in said
    assert "part JUG-1 1 per kit 2 1 1 waiting place 1 in line 0" in said


def test_holds_say_what_was_found_and_what_they_refuse(support: Visitor) -> None:
    order = make_order(total_amount=Decimal("20.40"), payments=())

    page = page_of(support, order)

    totals, unpaid = sorted(
        page.context["page"]["notices"], key=lambda notice: str(notice["title"]), reverse=True
    )
    assert totals["title"] == "Totals differ by €0.40."
    assert "The channel sent €20.40; lines, charges and taxes add up to €20.00." in totals["text"]
    assert "Refused meanwhile: confirm, release, label, ship." in totals["text"]
    assert totals["url"].endswith("/release_hold/?kind=totals")
    assert unpaid["title"] == "Nothing has been paid yet."


def test_hold_is_lifted_from_its_notice(support: Visitor) -> None:
    order = make_order(payments=())
    (notice,) = page_of(support, order).context["page"]["notices"]

    response = support.press(notice["url"], kind="unpaid")

    assert response.status_code == 302
    assert page_of(support, order).context["page"]["notices"] == []


def test_lift_and_confirm_does_both_or_nothing(support: Visitor) -> None:
    order = make_order(total_amount=Decimal("20.40"), payments=())
    url = admin_url(Order, "lift_and_confirm", order.pk)

    said = text_of(support.get(url))
    assert "Hold lifted: Totals differ by €0.40." in said
    assert "Stays held: Nothing has been paid yet." in said
    assert support.press(url).status_code == 302

    assert Order.objects.get(pk=order.pk).status == "confirmed"
    assert list(order.holds.filter(lifted_at=None).values_list("kind", flat=True)) == ["unpaid"]


def test_money_shows_taxes_by_rate_and_the_difference(support: Visitor) -> None:
    tax = (NeutralTax("VAT", Decimal("3.61"), Decimal(22)),)
    order = make_order(lines=(neutral_line(taxes=tax),), total_amount=Decimal("20.40"))

    said = text_of(page_of(support, order))

    assert "Lines €20.00 VAT 22 % in it €3.61" in said
    assert "Total, computed €20.00 Total, sent by the channel €20.40 Difference €0.40" in said
    assert "Captured Stripe pi_1 €20.00" in said


def test_amounts_that_nobody_stated_are_unknown_not_zero(support: Visitor) -> None:
    order = make_order(lines=(neutral_line(unit=None),), total_amount=None, payments=())

    rows = dict(row[:2] for row in page_of(support, order).context["page"]["money"])

    assert (rows["Lines"], rows["Total, computed"]) == ("–", "–")


def test_cancelled_order_stops_and_has_no_buttons(support: Visitor) -> None:
    order = make_order()
    cancel_orders([order.pk], reason="twice", actor=SYSTEM).only()

    page = page_of(support, order).context["page"]

    assert page["steps"] == [("Placed", "done"), ("Cancelled", "stop")]
    assert page["actions"] == []
    assert (page["timeline"][0].title, page["timeline"][0].detail) == ("Cancelled", "twice")


def test_whole_order_that_has_left_is_not_offered_to_be_cancelled(support: Visitor) -> None:
    order = make_shipped({"MUG": 2}).order

    page = page_of(support, order)
    refused = support.get(admin_url(Order, "cancel", order.pk))

    why = f"Goods of order {order.number} have left already (units: 2); use a return."
    off = {str(button["label"]): button["reason"] for button in page.context["page"]["actions"]}
    assert off["Cancel order"] == why
    assert refused.url == admin_url(Order, "change", order.pk)
    assert messages_of(refused) == [why]


def test_cancelling_a_part_shipped_order_speaks_of_what_has_not_left(support: Visitor) -> None:
    order = make_shipped({"MUG": 3}, goods={"MUG": 2}).order
    address = admin_url(Order, "cancel", order.pk)

    page = support.get(address)
    done = support.post(address, {**hidden(page), "reason": "No more mugs"})

    assert "Cancel what has not left" in text_of(page)
    assert messages_of(done) == ["What had not left is cancelled; its stock is free again."]


def test_payment_is_called_by_its_provider_and_reference() -> None:
    boss, order = visitor(superuser=True), make_order()
    payment = order.payments.create(
        provider="stripe", external_id="pi_7", status="captured", captured_amount=Decimal(1), currency="EUR",
        reported_at=clock.now(),
    )  # fmt: skip

    page = boss.get(admin_url(Payment, "change", payment.pk))

    assert "<title>Stripe pi_7 · Bancale</title>" in page.content.decode()


def test_mails_say_what_is_due_sent_or_unknown(support: Visitor) -> None:
    order = make_order()
    assert "Order confirmation waits for confirm" in text_of(page_of(support, order))

    shipped = make_shipped().order
    Notification.objects.create(
        order=shipped, kind="confirmation", recipient="a@example.com", language="en", subject="Hello",
        body_text="", body_html="", message_id="1", sending_at=shipped.placed_at,
    )  # fmt: skip
    assert "Order confirmation outcome unknown" in text_of(page_of(support, shipped))


def test_page_costs_the_same_for_one_and_for_thirty_lines(support: Visitor) -> None:
    stock({"MUG": 2} | {f"SKU-{number}": 2 for number in range(30)}, torino())
    orders = [make_confirmed({"MUG": 2}), make_confirmed({f"SKU-{number}": 2 for number in range(30)})]
    page_of(support, orders[0])

    counts = []
    for order in orders:
        with CaptureQueriesContext(connection) as captured:
            page_of(support, order)
        counts.append(len(captured))

    assert counts == [11 if is_fast() else counts[0]] * 2, (
        "five of them are the session, the person and their rights"
    )


def test_upper_rooms_add_cards_and_buttons(support: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "_panels", [])
    monkeypatch.setattr(panels, "_buttons", {})

    @register_order_panel
    def one(order: Order, request: HttpRequest) -> PanelContext | None:
        return PanelContext("Parcels", "kernel/_facts.html", {"rows": [("Carrier", order.number, "")]})

    register_order_panel(lambda order, request: None)
    panels.register_order_button(
        ExtraVerb(
            name="confirm",
            label="Send it by pigeon",
            permission="orders.confirm_order",
            verb=allocate_orders,
            success="",
            blocked=lambda order: "No pigeon is free.",
        )
    )
    order = make_order()

    page = page_of(support, order)

    assert "Parcels" in text_of(page)
    (button,) = [row for row in page.context["page"]["actions"] if row["label"] == "Send it by pigeon"]
    assert (button["url"], button["reason"]) == ("", "No pigeon is free.")


def unknown_mail() -> Notification:
    order = make_shipped().order
    return Notification.objects.create(
        order=order, kind="confirmation", recipient="a@example.com", language="en", subject="Hello",
        body_text="Dear", body_html="", message_id="1", sending_at=clock.now() - timedelta(hours=1),
    )  # fmt: skip


def test_mail_of_unknown_outcome_waits_in_its_queue_for_a_persons_word() -> None:
    manager, mail = visitor("Manager"), unknown_mail()
    listed = manager.get("/orders/notification/?queue=unknown")
    assert [row.pk for row in listed.context["cl"].result_list] == [mail.pk]

    response = manager.press(admin_url(Notification, "mark_sent", mail.pk), reason="the buyer answered it")

    assert response.status_code == 302
    mail.refresh_from_db()
    assert mail.sent_at is not None
    page = manager.get(admin_url(Notification, "change", mail.pk))
    assert [str(one["label"]) for one in page.context["page"]["actions"]] == ["Send once more"]


def test_mail_that_never_left_is_made_due_again() -> None:
    manager, mail = visitor("Manager"), unknown_mail()

    response = manager.press(admin_url(Notification, "send_again", mail.pk))

    assert response.url == admin_url(Order, "change", mail.order_id)
    assert not Notification.objects.exists()
    assert manager.get(response.url).status_code == 200


def test_unpaid_order_says_until_when_its_stock_is_held(support: Visitor) -> None:
    stock({"MUG": 2}, torino())
    order = make_order(channel=make_channel(unpaid_hold_hours=48), payments=())
    with clock.frozen(PLACED_AT):
        allocate_orders([order.pk], actor=SYSTEM).raise_refusals()
        (notice,) = page_of(support, order).context["page"]["notices"]

    assert notice["text"].endswith(" The order’s stock is held until 3 Mar, 11:00, then it goes back.")
