"""The pages of returns: guided forms, buttons, and for whom."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from config.kernel import clock
from config.kernel.admin import admin_url
from config.queues import queue_tiles
from fulfillment.models import FulfillmentOrder
from inventory.models import Location, StockLevel
from inventory.references import resolve
from orders.models import Order
from returns.admin.rmas import returns_to
from returns.enums import ORDER_VOID, Disposition, Reception, RmaStatus
from returns.models import Rma
from returns.services.approving import approve_returns, cancel_returns
from returns.services.inspecting import inspect_returns
from returns.services.receiving import receive_returns
from returns.services.requesting import MOST_UNITS
from tests.factories.fulfillment import ACTOR, make_delivered, make_released
from tests.factories.inventory import make_kit, make_location, make_sku
from tests.factories.returns import (
    AS_NEW,
    first_part,
    inspection,
    make_approved,
    make_inspected,
    make_received,
    make_requested,
    place_of,
    receipt,
    units_of,
)
from tests.fulfillment.watching import nothing_written, statements
from tests.kernel.visitor import Visitor, hidden, messages_of, text_of, visitor
from tests.people.test_visibility import bound

pytestmark = pytest.mark.django_db

LIST = "/returns/rma/"


@pytest.fixture
def picker() -> Visitor:
    return visitor("Picker")


@pytest.fixture
def support() -> Visitor:
    return visitor("Support")


@pytest.fixture
def manager() -> Visitor:
    return visitor("Manager")


def page_of(person: Visitor, row: Any) -> Any:
    return person.get(admin_url(row, "change", row.pk))


def buttons(page: Any) -> set[str]:
    return {str(button["label"]) for button in page.context["page"]["actions"]}


def press(person: Visitor, rma: Rma, name: str, **values: Any) -> Any:
    return person.press(admin_url(Rma, name, rma.pk), **values)


def test_order_page_requests_a_return(support: Visitor) -> None:
    parcel = make_delivered({"MUG": 2, "BOOK": 1})
    part = first_part(parcel.order)
    address = admin_url(Order, "request_return", parcel.order_id)

    form = support.get(address).context["form"]
    done = support.press(
        address, reason="damaged", location_id=place_of(parcel).pk, **{f"part_{part.pk}": "2"}
    )

    rma = Rma.objects.get()
    assert form[f"part_{part.pk}"].field.max_value == 2
    assert form["location_id"].field.initial == place_of(parcel).pk
    assert done.url == admin_url(Rma, "change", rma.pk)
    assert (rma.reason, len(units_of(rma))) == ("damaged", 2)
    assert rma.number in text_of(page_of(support, parcel.order))


def test_request_offers_the_places_that_a_person_sees() -> None:
    parcel = make_delivered({"MUG": 1})
    elsewhere = make_location()
    address = admin_url(Order, "request_return", parcel.order_id)

    of_all, of_one = (
        person.get(address).context["form"]["location_id"].field.choices
        for person in (visitor("Support"), bound("Support", place_of(parcel)))
    )

    assert {pk for pk, _name in of_all} >= {place_of(parcel).pk, elsewhere.pk}
    assert [pk for pk, _name in of_one] == [place_of(parcel).pk]


def test_requesting_nothing_or_too_much_is_said_on_the_form(support: Visitor) -> None:
    parcel = make_delivered({"MUG": 2})
    name = f"part_{first_part(parcel.order).pk}"
    address = admin_url(Order, "request_return", parcel.order_id)
    rest = {"reason": "other", "location_id": place_of(parcel).pk}

    with nothing_written():
        nothing = support.press(address, **rest, **{name: "0"})
        too_much = support.press(address, **rest, **{name: "3"})

    assert nothing.context["form"].non_field_errors() == ["Say how many units come back."]
    assert list(too_much.context["form"].errors) == [name]


def test_request_says_of_which_kit_the_parts_are(support: Visitor) -> None:
    make_kit({make_sku("LEAF", "Tea leaves"): 3, make_sku("POT", "Tea pot"): 1}, "TEA")
    parcel = make_delivered({"TEA": 2, "MUG": 1}, goods={"LEAF": 6, "POT": 2, "MUG": 1})

    said = text_of(support.get(admin_url(Order, "request_return", parcel.order_id)))

    assert "Tea leaves (LEAF) 6 can come back. Each TEA holds 3 of it." in said
    assert "Tea pot (POT) 2 can come back. Each TEA holds 1 of it." in said
    assert "A mug (MUG) 1 can come back. Reason" in said


def test_order_page_links_the_returns_that_a_person_sees() -> None:
    rma = make_requested()
    work = FulfillmentOrder.objects.get(order=rma.order_id)
    Rma.objects.filter(pk=rma.pk).update(location=make_location())

    bound_page, page = (
        page_of(person, rma.order) for person in (bound("Picker", work.location), visitor("Picker"))
    )

    url = admin_url(Rma, "change", rma.pk)
    assert rma.number in text_of(bound_page)
    assert (url in bound_page.content.decode(), url in page.content.decode()) == (False, True)


def test_request_button_stands_only_where_something_can_come_back(support: Visitor) -> None:
    work = make_released()
    inspected = make_inspected()

    assert "Request a return" not in buttons(page_of(support, work.order))
    assert "Request a return" not in buttons(page_of(support, inspected.order))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (make_requested, {"Approve return", "Reject return", "Cancel return"}),
        (make_approved, {"On its way back", "Receive goods", "Cancel return", "Expire"}),
        (make_received, {"Inspect"}),
        (make_inspected, {"Close return"}),
    ],
)
def test_return_has_exactly_the_buttons_of_its_edges(make, expected: set[str], manager: Visitor) -> None:
    assert buttons(page_of(manager, make())) == expected


def test_who_sees_which_buttons(picker: Visitor, support: Visitor) -> None:
    requested, approved = make_requested(), make_approved()

    assert buttons(page_of(picker, requested)) == set()
    assert buttons(page_of(support, requested)) == {"Approve return", "Reject return", "Cancel return"}
    assert buttons(page_of(picker, approved)) == {"On its way back", "Receive goods"}
    assert picker.get(admin_url(Rma, "approve", requested.pk)).status_code == 403


def test_receive_form_takes_one_answer_a_unit(picker: Visitor) -> None:
    rma = make_approved(3, {"MUG": 3})
    here, other, missing = units_of(rma)

    page = picker.get(admin_url(Rma, "receive", rma.pk))
    press(
        picker,
        rma,
        "receive",
        **{f"unit_{here.pk}": "received", f"unit_{other.pk}": "wrong", f"unit_{missing.pk}": ""},
    )

    fields = page.context["form"].fields
    assert [field.label for field in fields.values()] == [f"A mug (MUG), unit {n} of 3" for n in (1, 2, 3)]
    assert [unit.reception for unit in units_of(rma)] == [
        Reception.RECEIVED,
        Reception.WRONG,
        Reception.EXPECTED,
    ]
    after = page_of(picker, rma)
    assert "1 unit is still expected." in text_of(after)
    assert buttons(after) == {"Inspect", "Receive the rest"}


def test_the_rest_is_received_or_given_up(picker: Visitor) -> None:
    rma = make_approved(2, {"MUG": 2})
    receive_returns([receipt(rma, 1)], actor=ACTOR).raise_refusals()
    missing = units_of(rma)[1]

    press(picker, rma, "receive_more", **{f"unit_{missing.pk}": "lost"})

    missing.refresh_from_db()
    assert missing.reception == Reception.LOST


def test_receiving_nothing_is_refused_on_the_confirm_page(picker: Visitor) -> None:
    rma = make_approved()

    with nothing_written():
        page = press(picker, rma, "receive", **{f"unit_{units_of(rma)[0].pk}": ""})

    assert page.status_code == 200
    assert "nothing arrived" in page.context["error"]


def test_inspect_form_sends_each_unit_its_way(picker: Visitor) -> None:
    rma = make_received(2, {"MUG": 2})
    good, bad = units_of(rma)

    done = press(
        picker,
        rma,
        "inspect",
        **{
            f"unit_{good.pk}_0": "as_new",
            f"unit_{good.pk}_1": "restock",
            f"unit_{bad.pk}_0": "damaged",
            f"unit_{bad.pk}_1": "scrap",
        },
    )

    level = StockLevel.objects.get(sku__code="MUG", location=rma.location)
    rma.refresh_from_db()
    assert messages_of(done) == ["2 units decided."]
    assert (level.on_hand, level.unsellable) == (1, 0)
    assert rma.status == RmaStatus.INSPECTED


def test_largest_return_is_inspected_in_one_press(picker: Visitor) -> None:
    rma = make_received(MOST_UNITS, {"MUG": MOST_UNITS})
    said = {
        f"unit_{unit.pk}_{place}": word
        for unit in units_of(rma)
        for place, word in enumerate(("as_new", "restock"))
    }

    done = press(picker, rma, "inspect", **said)

    assert messages_of(done) == [f"{MOST_UNITS} units decided."]


def test_unit_left_empty_is_decided_later(picker: Visitor) -> None:
    rma = make_received(2, {"MUG": 2})
    first, second = units_of(rma)

    press(picker, rma, "inspect", **{f"unit_{first.pk}_0": "as_new", f"unit_{first.pk}_1": "restock"})

    second.refresh_from_db()
    assert second.disposition == Disposition.QUARANTINE
    page = picker.get(admin_url(Rma, "inspect", rma.pk))
    assert list(page.context["form"].fields) == [f"unit_{second.pk}"]


def test_verdict_on_a_unit_that_somebody_else_decided_is_shown_again_and_not_dropped(picker: Visitor) -> None:
    rma = make_received(2, {"MUG": 2})
    first, second = units_of(rma)
    address = admin_url(Rma, "inspect", rma.pk)
    fields = hidden(picker.get(address))
    inspect_returns([inspection(rma, AS_NEW)], actor=ACTOR).raise_refusals()
    said = {
        f"unit_{first.pk}_0": "damaged",
        f"unit_{first.pk}_1": "scrap",
        f"unit_{second.pk}_0": "as_new",
        f"unit_{second.pk}_1": "restock",
    }

    with nothing_written():
        stale = picker.post(address, {**fields, **said})

    assert stale.context["stale"]
    assert list(stale.context["form"].fields) == [f"unit_{second.pk}"]
    picker.post(address, {**hidden(stale), **said})
    assert [unit.disposition for unit in units_of(rma)] == [Disposition.RESTOCK, Disposition.RESTOCK]


def test_receipt_of_the_rest_is_shown_again_when_some_of_it_came_meanwhile(picker: Visitor) -> None:
    rma = make_approved(3, {"MUG": 3})
    receive_returns([receipt(rma, 1)], actor=ACTOR).raise_refusals()
    _first, second, third = units_of(rma)
    address = admin_url(Rma, "receive_more", rma.pk)
    fields = hidden(picker.get(address))
    receive_returns([receipt(rma, 2)], actor=ACTOR).raise_refusals()

    with nothing_written():
        stale = picker.post(address, {**fields, f"unit_{second.pk}": "lost", f"unit_{third.pk}": "received"})

    assert stale.context["stale"]


def test_half_a_verdict_is_said_at_its_unit(picker: Visitor) -> None:
    rma = make_received()
    name = f"unit_{units_of(rma)[0].pk}"

    with nothing_written():
        page = press(picker, rma, "inspect", **{f"{name}_0": "as_new", f"{name}_1": ""})

    assert page.context["form"].errors == {name: ["Choose both the condition and where it goes."]}


def test_damaged_goods_for_sale_are_refused_on_the_confirm_page(picker: Visitor) -> None:
    rma = make_received()
    name = f"unit_{units_of(rma)[0].pk}"

    with nothing_written():
        page = press(picker, rma, "inspect", **{f"{name}_0": "damaged", f"{name}_1": "restock"})

    assert page.status_code == 200
    assert "cannot go back for sale" in page.context["error"]


def test_refurbished_unit_is_decided_again(picker: Visitor) -> None:
    rma = make_received()
    name = f"unit_{units_of(rma)[0].pk}"
    press(picker, rma, "inspect", **{f"{name}_0": "opened", f"{name}_1": "refurbish"})
    assert buttons(page_of(picker, rma)) == {"Close return", "Refurbished: decide again"}

    press(picker, rma, "refurbished", **{f"{name}_0": "as_new", f"{name}_1": "restock"})

    assert units_of(rma)[0].disposition == Disposition.RESTOCK


def test_rejecting_asks_why_and_keeps_it(support: Visitor) -> None:
    rma = make_requested()

    unanswered = press(support, rma, "reject")
    press(support, rma, "reject", reason="Worn for a year")

    rma.refresh_from_db()
    assert list(unanswered.context["form"].errors) == ["reason"]
    assert (rma.status, rma.closed_reason) == (RmaStatus.REJECTED, "Worn for a year")
    assert "Worn for a year" in text_of(page_of(support, rma))


def test_return_of_an_order_taken_away_says_so_in_the_readers_language(support: Visitor) -> None:
    rma = make_requested()
    cancel_returns([rma.pk], reason=ORDER_VOID, actor=ACTOR).raise_refusals()
    address = admin_url(rma, "change", rma.pk)

    # In this order: what a request spoke is spoken on, also by the next test.
    italian = support.get(address, headers={"accept-language": "it"})
    english = support.get(address)

    assert "its order was taken away" in text_of(english)
    assert "il suo ordine è stato tolto" in text_of(italian)
    assert ORDER_VOID not in text_of(english) + text_of(italian)


def test_pressing_approve_after_somebody_else_did_is_told(support: Visitor) -> None:
    rma = make_requested()
    address = admin_url(Rma, "approve", rma.pk)
    fields = hidden(support.get(address))
    approve_returns([rma.pk], actor=ACTOR).raise_refusals()

    with nothing_written():
        answer = support.post(address, fields)

    assert "changed while you were looking" in messages_of(answer)[0]


def test_closing_ends_the_return(manager: Visitor) -> None:
    rma = make_inspected()

    press(manager, rma, "resolve")

    page = page_of(manager, rma)
    assert buttons(page) == set()
    assert "Return closed" in text_of(page)


def test_queues_of_the_list(manager: Visitor) -> None:
    rows = {
        "to_approve": make_requested(),
        "to_receive": make_approved(),
        "to_inspect": make_received(),
        "to_close": make_inspected(),
    }

    for name, rma in rows.items():
        result = manager.get(LIST, {"queue": name}).context["cl"].result_list
        assert [row.pk for row in result] == [rma.pk]


def test_goods_wait_for_inspection_since_they_came_not_since_they_were_asked_for() -> None:
    with clock.frozen(clock.now() - timedelta(days=9)):
        asked = make_approved()
    boss = get_user_model().objects.create_user("boss", is_staff=True, is_superuser=True)
    with clock.frozen(clock.now()):
        receive_returns([receipt(asked)], actor=ACTOR).raise_refusals()
        (tile,) = [tile for tile in queue_tiles(boss) if tile.url == f"{LIST}?queue=to_inspect"]

    assert "9" not in tile.detail
    assert tile.detail.endswith(" s")


@pytest.mark.parametrize("by", ["number", "order", "email"])
def test_return_is_found_by_what_a_person_has_in_hand(manager: Visitor, by: str) -> None:
    rma = make_requested()
    make_requested()
    text = {"number": rma.number.lower(), "order": rma.order.number, "email": rma.order.email.upper()}[by]

    result = manager.get(LIST, {"q": text}).context["cl"].result_list

    assert [row.pk for row in result] == [rma.pk]


def test_ledger_names_the_return_and_links_it() -> None:
    rma = make_requested()

    resolved = resolve([("rma", rma.pk)])["rma", rma.pk]

    assert (resolved.label, resolved.url) == (rma.number, admin_url(rma, "change", rma.pk))


def test_list_takes_as_many_statements_for_three_rows_as_for_one(manager: Visitor) -> None:
    make_requested()
    manager.get(LIST)

    few = statements(lambda: manager.get(LIST))
    make_requested()
    make_requested()
    many = statements(lambda: manager.get(LIST))

    assert many == few
    assert few <= 12


def test_page_takes_as_many_statements_for_three_units_as_for_one(manager: Visitor) -> None:
    one, three = make_received(1), make_received(3, {"MUG": 3})
    page_of(manager, one)

    assert statements(lambda: page_of(manager, three)) == statements(lambda: page_of(manager, one))


def test_closed_place_is_told_before_the_press(picker: Visitor) -> None:
    coming, here = make_approved(), make_received(1, {"CUP": 1})

    def said() -> tuple[str, str]:
        return tuple(
            text_of(picker.get(admin_url(Rma, name, rma.pk)))
            for name, rma in (("receive", coming), ("inspect", here))
        )

    receive, inspect = said()
    assert "What arrived is counted in at" in receive
    assert "are free for the next in line at once" in inspect
    Location.objects.update(is_active=False)
    receive, inspect = said()
    assert f"{coming.location.name} is closed: what arrived cannot be counted in there" in receive
    assert f"{here.location.name} is closed: units back to stock wait there" in inspect
    assert "counted in at" not in receive
    assert "at once" not in inspect
    refused = press(picker, coming, "receive", **{f"unit_{units_of(coming)[0].pk}": "received"})
    assert f"{coming.location.name} is not active." in text_of(refused)


def test_location_says_which_returns_are_to_come_back_to_it() -> None:
    rma, done = make_approved(), make_received()
    boss = visitor(superuser=True)

    use = returns_to(rma.location)

    assert rma.number in text_of(boss.get(use.url))
    assert "1 return is to come back here." not in text_of(page_of(boss, rma.location))
    Location.objects.filter(pk=rma.location_id).update(is_active=False)
    assert "1 return is to come back here." in text_of(page_of(boss, rma.location))
    assert returns_to(done.location) is None
    cancel_returns([rma.pk], reason="closing", actor=ACTOR).raise_refusals()
    assert rma.number not in text_of(boss.get(use.url))
    assert returns_to(rma.location) is None
