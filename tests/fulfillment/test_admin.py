"""The warehouse's pages: what they show, which buttons stand there, and for whom."""

from typing import Any

import pytest

from config.kernel.admin import admin_url
from fulfillment.admin.work import work_at
from fulfillment.enums import FulfillmentOrderStatus, ParcelStatus
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services.cancelling import cancel_fulfillment_orders
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from fulfillment.services.tracking import record_tracking
from fulfillment.states import HAND_OVER, PARCEL
from inventory.models import Location
from inventory.references import resolve
from orders.enums import HoldKind
from orders.models import Order
from orders.services.cancelling import cancel_orders
from orders.services.holds import place_hold
from tests.factories.fulfillment import (
    ACTOR,
    hand,
    make_confirmed,
    make_delivered,
    make_released,
    make_shipped,
    stock,
    told,
)
from tests.factories.inventory import make_kit, make_location, make_sku
from tests.fulfillment.watching import nothing_written, statements
from tests.inventory.pressing import save_location, typed
from tests.kernel.visitor import Visitor, hidden, messages_of, text_of, visitor
from tests.people.test_visibility import bound

pytestmark = pytest.mark.django_db

WORK_LIST = "/fulfillment/fulfillmentorder/"
PARCEL_LIST = "/fulfillment/parcel/"


@pytest.fixture
def picker() -> Visitor:
    return visitor("Picker")


@pytest.fixture
def manager() -> Visitor:
    return visitor("Manager")


def page_of(person: Visitor, row: Any) -> Any:
    return person.get(admin_url(row, "change", row.pk))


def buttons(page: Any) -> dict[str, str]:
    """Labels of the head's buttons, and why they are off."""
    return {str(button["label"]): button["reason"] for button in page.context["page"]["actions"]}


def found(person: Visitor, address: str, **query: str) -> list[int]:
    return [row.pk for row in person.get(address, query).context["cl"].result_list]


def ship_address(work: FulfillmentOrder) -> str:
    return admin_url(FulfillmentOrder, "ship_by_hand", work.pk)


def test_work_page_shows_lines_bins_address_and_its_buttons(manager: Visitor) -> None:
    work = make_released({"MUG": 2, "BOOK": 1})

    page = page_of(manager, work)

    words = text_of(page)
    assert f"Work {work.number}" in words
    assert f"Order {work.order.number}" in words
    assert "DEFAULT" in words
    assert "Via Po 3" in words
    assert "Country Italy" in words
    assert buttons(page) == {"Ship by hand": "", "Cancel work": ""}


def test_work_page_names_the_parts_of_a_kit(manager: Visitor) -> None:
    make_kit({make_sku("LEAF", "Tea leaves"): 1, make_sku("POT", "Tea pot"): 1}, "TEA")
    work = make_released({"TEA": 1}, goods={"LEAF": 1, "POT": 1})

    words = text_of(page_of(manager, work))

    assert "Tea leaves LEAF for A tea" in words
    assert "Tea pot POT for A tea" in words


def test_release_stands_off_while_its_location_is_closed(manager: Visitor) -> None:
    place = stock({"MUG": 2})
    order = make_confirmed()
    Location.objects.filter(pk=place.pk).update(is_active=False)

    refusal = release_orders([order.pk], actor=ACTOR).refusals[order.pk]

    assert buttons(page_of(manager, order))["Release to warehouse"] == str(refusal)
    Location.objects.update(is_active=True)
    assert buttons(page_of(manager, order))["Release to warehouse"] == ""


def test_order_page_links_the_work_that_a_person_sees() -> None:
    here, there = stock({"MUG": 2}), stock({"BOOK": 1})
    order = make_confirmed({"MUG": 2, "BOOK": 1})
    release_orders([order.pk], actor=ACTOR).raise_refusals()
    mine, other = (FulfillmentOrder.objects.get(location=place) for place in (here, there))
    parcels = [
        Parcel.objects.get(pk=pk)
        for pk in ship_by_hand([hand(mine), hand(other)], actor=ACTOR).values.values()
    ]

    bound_page, page = (
        page_of(person, order).content.decode() for person in (bound("Picker", here), visitor("Picker"))
    )

    urls = [admin_url(row, "change", row.pk) for row in (mine, other, *parcels)]
    assert [url in page for url in urls] == [True] * 4
    assert [url in bound_page for url in urls] == [True, False, True, False]


def test_pressing_ship_sends_the_parcel(picker: Visitor) -> None:
    work = make_released()

    done = picker.press(ship_address(work), carrier="GLS", tracking_number="tn 47-11")

    assert done.status_code == 302
    parcel = Parcel.objects.get()
    assert (parcel.carrier, parcel.tracking_number) == ("GLS", "TN 47-11")
    assert messages_of(done) == ["Shipped; the goods have left the stock."]


def test_scanned_tracking_number_falls_into_its_field(picker: Visitor) -> None:
    form = picker.get(ship_address(make_released())).context["form"]

    assert [field.name for field in form if "autofocus" in str(field)] == ["tracking_number"]


def test_pressing_ship_twice_sends_one_parcel(picker: Visitor) -> None:
    work = make_released()
    fields = {**hidden(picker.get(ship_address(work))), "carrier": "GLS", "tracking_number": "TN 47-11"}

    picker.post(ship_address(work), fields)
    again = picker.post(ship_address(work), fields)

    assert again.status_code == 302
    assert Parcel.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "typed"), [("tracking_number", "?!"), ("tracking_number", ""), ("carrier", " ")]
)
def test_what_is_typed_wrong_is_said_at_its_field(picker: Visitor, field: str, typed: str) -> None:
    work = make_released()

    with nothing_written():
        page = picker.press(
            ship_address(work), **{"carrier": "GLS", "tracking_number": "TN 47-11", field: typed}
        )

    assert list(page.context["form"].errors) == [field]


def test_number_of_another_parcel_is_refused_on_the_confirm_page(picker: Visitor) -> None:
    other = make_shipped(number="TN-1")
    work = make_released()

    page = picker.press(ship_address(work), carrier="GLS", tracking_number="TN-1")

    assert page.status_code == 200
    assert other.order.number in page.context["error"]
    assert Parcel.objects.count() == 1


def test_ship_form_offers_the_carrier_that_came_last(picker: Visitor) -> None:
    location = stock({"MUG": 9})
    parcel = make_shipped()
    work = make_released()
    assert parcel.shipment.fulfillment_order.location == work.location == location

    page = picker.get(ship_address(work))

    assert page.context["form"].initial == {"carrier": "GLS"}


def test_stopped_work_says_so_and_cannot_be_pressed(manager: Visitor) -> None:
    work = make_released()
    place_hold([work.order_id], kind=HoldKind.FRAUD, reason="look", actor=ACTOR).raise_refusals()

    page = page_of(manager, work)

    reason = f"Order {work.order.number} is on hold: Fraud check."
    assert buttons(page)["Ship by hand"] == reason
    assert page.context["page"]["notices"][0]["text"] == reason


def test_order_cancelled_while_the_ship_page_is_open_sends_nothing(picker: Visitor) -> None:
    work = make_released()
    fields = {**hidden(picker.get(ship_address(work))), "carrier": "GLS", "tracking_number": "TN 47-11"}
    cancel_orders([work.order_id], reason="no", actor=ACTOR).raise_refusals()

    page = picker.post(ship_address(work), fields)

    assert page.status_code == 200
    assert "Stop:" in page.context["error"]
    assert Parcel.objects.count() == 0


def test_work_called_back_while_the_ship_page_is_open_sends_nothing(picker: Visitor) -> None:
    work = make_released()
    fields = {**hidden(picker.get(ship_address(work))), "carrier": "GLS", "tracking_number": "TN 47-11"}
    cancel_fulfillment_orders([work.pk], actor=ACTOR).raise_refusals()

    page = picker.post(ship_address(work), fields)

    assert page.status_code == 302
    assert Parcel.objects.count() == 0


def test_pressing_call_back_ends_the_work(manager: Visitor) -> None:
    work = make_released()

    manager.press(admin_url(FulfillmentOrder, "cancel", work.pk))

    work.refresh_from_db()
    assert work.status == FulfillmentOrderStatus.CANCELLED


def test_who_sees_which_buttons(picker: Visitor) -> None:
    work = make_released()
    support = visitor("Support")

    assert set(buttons(page_of(picker, work))) == {"Ship by hand"}
    assert set(buttons(page_of(support, work))) == {"Cancel work"}
    assert support.get(ship_address(work)).status_code == 403


def test_queues_of_the_work_list(picker: Visitor) -> None:
    free, held = make_released(), make_released()
    place_hold([held.order_id], kind=HoldKind.MANUAL, reason="look", actor=ACTOR).raise_refusals()
    make_shipped()

    assert found(picker, WORK_LIST, queue="to_ship") == [free.pk]
    assert found(picker, WORK_LIST, queue="stopped") == [held.pk]
    assert len(found(picker, WORK_LIST)) == 3
    assert "Stopped" in text_of(picker.get(WORK_LIST, {"queue": "stopped"}))


@pytest.mark.parametrize("said", ["tn-77", " TN-77 ", "order", "work", "shipment"])
def test_work_and_parcel_are_found_by_their_numbers(picker: Visitor, said: str) -> None:
    parcel = make_shipped(number="TN-77")
    make_shipped(number="TN-78")
    work = parcel.shipment.fulfillment_order
    text = {"order": parcel.order.number, "work": work.number, "shipment": parcel.shipment.number}.get(
        said, said
    )

    assert found(picker, PARCEL_LIST, q=text) == [parcel.pk]
    assert found(picker, WORK_LIST, q=text) == ([work.pk] if said != "shipment" else [])
    assert found(picker, WORK_LIST, q="nothing such") == []


@pytest.mark.parametrize("status", ParcelStatus)
def test_parcel_has_exactly_the_buttons_of_its_edges(picker: Visitor, status: ParcelStatus) -> None:
    parcel = make_shipped()
    Parcel.objects.filter(pk=parcel.pk).update(status=status)

    offered = [edge for edge in PARCEL.edges_from(status) if edge is not HAND_OVER]
    assert set(buttons(page_of(picker, parcel))) == {str(edge.label) for edge in offered}


def test_pressing_delivered_completes_the_order(picker: Visitor) -> None:
    parcel = make_shipped()

    page = picker.get(admin_url(Parcel, "deliver", parcel.pk))
    picker.press(admin_url(Parcel, "deliver", parcel.pk))

    parcel.refresh_from_db()
    assert "2 units count as delivered." in text_of(page)
    assert parcel.status == ParcelStatus.DELIVERED
    assert Order.objects.get(pk=parcel.order_id).status == "completed"


def test_pressing_delivered_after_the_carrier_said_so_is_told(picker: Visitor) -> None:
    parcel = make_shipped()
    address = admin_url(Parcel, "deliver", parcel.pk)
    fields = hidden(picker.get(address))
    record_tracking([told(parcel, ParcelStatus.DELIVERED)], actor=ACTOR).raise_refusals()

    with nothing_written():
        answer = picker.post(address, fields)

    assert answer.status_code == 302
    assert "changed while you were looking" in messages_of(answer)[0]


def test_parcel_page_shows_what_was_said(picker: Visitor) -> None:
    parcel = make_shipped({"MUG": 2})
    record_tracking([told(parcel, ParcelStatus.IN_TRANSIT, code="HUB-3")], actor=ACTOR).raise_refusals()

    words = text_of(page_of(picker, parcel))

    assert "HUB-3" in words
    assert "In transit" in words
    assert "Parcel in transit" in words


def test_parcels_and_their_buttons_stand_on_the_work_page(picker: Visitor) -> None:
    parcel = make_shipped()

    (row,) = page_of(picker, parcel.shipment.fulfillment_order).context["page"]["parcels"]

    assert {str(button["label"]) for button in row["buttons"]} == {
        str(edge.label) for edge in PARCEL.edges_from(ParcelStatus.HANDED_OVER)
    }


def test_order_page_releases_and_then_shows_the_work(manager: Visitor) -> None:
    stock({"MUG": 2})
    order = make_confirmed()
    before = page_of(manager, order)

    manager.press(admin_url(Order, "release", order.pk))

    after = page_of(manager, order)
    work = FulfillmentOrder.objects.get(order=order)
    assert "Release to warehouse" in buttons(before)
    assert "Release to warehouse" not in buttons(after)
    assert work.number in text_of(after)


def test_release_button_of_a_held_order_is_off_with_the_reason(manager: Visitor) -> None:
    stock({"MUG": 2})
    order = make_confirmed()
    place_hold([order.pk], kind=HoldKind.MANUAL, reason="look", actor=ACTOR).raise_refusals()

    assert "Held by staff" in buttons(page_of(manager, order))["Release to warehouse"]


def test_orders_to_release_are_a_queue_of_their_list(manager: Visitor) -> None:
    stock({"MUG": 4})
    order, held = make_confirmed(), make_confirmed()
    place_hold([held.pk], kind=HoldKind.MANUAL, reason="look", actor=ACTOR).raise_refusals()
    make_released()
    make_delivered()

    assert found(manager, "/orders/order/", queue="to_release") == [order.pk]


def test_step_by_which_orders_leave_their_queue_stands_first() -> None:
    clerk = visitor("Support")
    make_shipped()

    first = [next(iter(bulk_buttons(clerk, queue))) for queue in ("", "not_closed")]

    assert first == ["Confirm order", "Complete order"]
    assert sorted(bulk_buttons(clerk, "")) == sorted(bulk_buttons(clerk, "not_closed"))


def bulk_buttons(person: Visitor, queue: str) -> list[str]:
    page = person.get("/orders/order/", {"queue": queue} if queue else {})
    return [str(label) for name, label in page.context["action_form"].fields["action"].choices if name]


def test_ledger_names_the_work_and_links_it() -> None:
    work = make_released()

    resolved = resolve([("fulfillment_order", work.pk)])["fulfillment_order", work.pk]

    assert (resolved.label, resolved.url) == (work.number, admin_url(work, "change", work.pk))


@pytest.mark.parametrize("address", [WORK_LIST, PARCEL_LIST])
def test_list_takes_as_many_statements_for_three_rows_as_for_one(picker: Visitor, address: str) -> None:
    make_shipped()
    picker.get(address)

    few = statements(lambda: picker.get(address))
    make_shipped()
    make_shipped()
    many = statements(lambda: picker.get(address))

    assert many == few
    assert few <= 12


def at_work(units: int) -> FulfillmentOrder:
    """Released work for units that are in stock."""
    (pk,) = release_orders([make_confirmed({"MUG": units}).pk], actor=ACTOR).only()
    return FulfillmentOrder.objects.get(pk=pk)


def test_what_hangs_on_a_location_is_told_when_somebody_closes_it_and_after() -> None:
    place = stock({"MUG": 5})
    at_work(2)
    make_confirmed({"MUG": 1})
    boss = visitor("Manager")
    url = admin_url(Location, "change", place.pk)

    before = text_of(boss.get(url))
    asked = text_of(boss.post(url, typed(boss, place, is_active="")))
    Location.objects.filter(pk=place.pk).update(is_active=False)
    after = text_of(boss.get(url))

    for said in ("3 units are reserved here", "1 fulfillment order is at work here"):
        assert [said in page for page in (before, asked, after)] == [False, True, True]
    assert "Closed, yet" in after


def test_who_closes_a_location_stays_on_its_page_while_something_hangs_on_it() -> None:
    place, empty = stock({"MUG": 5}), make_location("EMPTY")
    make_confirmed({"MUG": 1})
    boss = visitor("Manager")

    def close(location: Location) -> Any:
        return save_location(boss, location, is_active="")

    answer = close(place)

    assert answer["Location"] == admin_url(Location, "change", place.pk)
    assert "Closed, yet: 1 unit is reserved here." in text_of(boss.get(answer["Location"]))
    assert close(empty)["Location"] == admin_url(Location, "changelist")
    assert not Location.objects.filter(is_active=True).exists()


def test_link_of_a_location_lists_the_work_that_it_counts() -> None:
    place = stock({"MUG": 5})
    work = at_work(2)
    boss = visitor("Manager")
    url = work_at(place).url

    assert work.number in text_of(boss.get(url))
    cancel_fulfillment_orders([work.pk], actor=ACTOR).raise_refusals()
    assert work.number not in text_of(boss.get(url))
    assert work_at(place) is None
