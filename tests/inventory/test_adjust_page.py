"""The guided page that changes stock by hand, with its preview."""

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from config.kernel.errors import InvalidInput, KeyReused, NotAllowed, NotFound
from inventory.enums import AdjustmentKind, BinKind
from inventory.errors import LineRefused
from inventory.models import (
    Bin,
    Location,
    Reservation,
    Sku,
    StaffLocation,
    StockAdjustment,
    StockLevel,
    StockMovement,
)
from inventory.services.adjustment_booking import AdjustedLine, AdjustmentPlan, book_adjustment
from tests.factories.inventory import ACTOR, make_kit, make_level, make_location, make_sku, receive, reserve
from tests.inventory.test_correcting import NOBODY

pytestmark = pytest.mark.django_db
URL = "/inventory/stockadjustment/add/"
RIGHTS = ["adjust_stock", "set_aside_stock", "move_stock", "view_stockadjustment"]


def login(client: Client, *rights: str) -> Client:
    user = get_user_model().objects.create_user("clerk", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(user)
    return client


@pytest.fixture
def clerk(client: Client) -> Client:
    return login(client, *RIGHTS)


@pytest.fixture
def place() -> Location:
    return make_location(name="Milano")


@pytest.fixture
def cup(place: Location) -> Sku:
    sku = make_sku("CUP")
    make_level(sku, place, 10)
    return sku


def typed(place: Location, kind: str, *rows: dict[str, str], **more: Any) -> dict[str, Any]:
    form: dict[str, Any] = {"location": place.pk, "kind": kind, "reason": "Counted", "nonce": "n1"}
    form |= {"aside": "damaged", "form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows)}
    for number, row in enumerate(rows):
        form |= {f"form-{number}-{name}": value for name, value in row.items()}
    return form | more


def rows_of(shown: Any) -> list[list[str]]:
    """The cells of what will be, as words."""
    rows = shown.context["foreseen"].lines["rows"]
    return [[re.sub("<[^>]+>", "", str(cell)) for cell in row] for row in rows]


def book(client: Client, form: dict[str, Any]) -> Any:
    """See what will be, then press the button of that page."""
    shown = client.post(URL, {**form, "preview": "1"})
    assert shown.status_code == 200
    return client.post(URL, {**form, "book": "1", "seen": shown.context["foreseen"].mark})


def test_page_shows_what_will_be_and_then_books_it(clerk: Client, place: Location, cup: Sku) -> None:
    form = typed(place, "correction", {"sku": "cup", "quantity": "-4"}, {"sku": "", "quantity": ""})

    shown = clerk.post(URL, {**form, "preview": "1"})
    assert rows_of(shown) == [["CUP · Goods CUP", "Milano", "10 → 6", "0", "10 → 6"]]
    assert not StockAdjustment.objects.exists()

    response = book(clerk, form)
    document = StockAdjustment.objects.get()
    page = reverse("admin:inventory_stockadjustment_change", args=[document.pk])
    assert response.headers["Location"] == page
    assert StockLevel.objects.get().on_hand == 6
    text = clerk.get(page).content.decode()
    assert f"{document.number} is booked." in text
    assert "−4" in text
    assert clerk.get("/inventory/stockadjustment/").status_code == 200

    again = clerk.post(URL, {**form, "book": "1", "seen": shown.context["foreseen"].mark})
    assert again.headers["Location"] == page  # the same press once more has the same answer
    assert StockAdjustment.objects.count() == 1


def test_page_names_who_loses_stock(clerk: Client, place: Location, cup: Sku) -> None:
    reserve(cup, place, 9, reference_id=7)
    form = typed(place, "correction", {"sku": "CUP", "quantity": "−3"})

    shown = clerk.post(URL, {**form, "preview": "1"})

    lost = {"text": "Waits for stock again: test 7: 2 units", "tone": "stop", "url": ""}
    assert shown.context["foreseen"].consequences == [lost]
    assert rows_of(shown) == [["CUP · Goods CUP", "Milano", "10 → 7", "9 → 7", "1 → 0"]]
    book(clerk, form)
    assert Reservation.objects.get(state="waiting").quantity == 2


def test_who_loses_units_and_gets_others_of_them_is_named_once(
    clerk: Client, place: Location, cup: Sku
) -> None:
    reserve(cup, place, 9, reference_id=7)
    make_level(cup, make_location("ELSE"), on_hand=1)
    form = typed(place, "correction", {"sku": "CUP", "quantity": "−4"})

    said = clerk.post(URL, {**form, "preview": "1"}).context["foreseen"].consequences

    assert [(one["text"], one["tone"]) for one in said] == [
        ("Waits for stock again: test 7: 2 units", "stop"),
        ("Gets its units from elsewhere: test 7: 1 unit", "wait"),
        ("CUP: 2 units still wait.", "wait"),
    ]


def test_page_that_is_stale_books_nothing(clerk: Client, place: Location, cup: Sku) -> None:
    form = typed(place, "correction", {"sku": "CUP", "quantity": "-1"})
    shown = clerk.post(URL, {**form, "preview": "1"})
    receive(cup, place, 5)

    response = clerk.post(URL, {**form, "book": "1", "seen": shown.context["foreseen"].mark})

    assert "Nothing was booked; this is what it would be now." in response.content.decode()
    assert not StockAdjustment.objects.exists()


def test_page_books_every_kind(clerk: Client, place: Location, cup: Sku) -> None:
    Bin.objects.create(location=place, code="S1", kind=BinKind.SHELF)
    row = {"sku": "CUP", "quantity": "3"}

    book(clerk, typed(place, "set_aside", row, nonce="a"))
    assert StockLevel.objects.get().unsellable == 3
    other = {"aside": "damaged", "becomes": "quarantine"}
    book(clerk, typed(place, "other_reason", row | {"quantity": "2"}, nonce="o", **other))
    assert dict(StockLevel.objects.get().unsellable_rows.values_list("reason", "quantity")) == {
        "damaged": 1,
        "quarantine": 2,
    }
    back = {"aside": "quarantine", "becomes": "damaged"}
    book(clerk, typed(place, "other_reason", row | {"quantity": "2"}, nonce="p", **back))
    book(clerk, typed(place, "put_back", row | {"quantity": "1"}, nonce="b"))
    book(clerk, typed(place, "scrap", row | {"quantity": "2"}, nonce="c"))
    move = row | {"bin": "default", "to_bin": "s1"}
    book(clerk, typed(place, "move", move, nonce="d", reason=""))

    level = StockLevel.objects.get()
    assert (level.on_hand, level.unsellable) == (8, 0)
    assert level.bin_stocks.get(bin__code="S1").quantity == 3
    kinds = list(StockAdjustment.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["set_aside", "other_reason", "other_reason", "put_back", "scrap", "move"]


@pytest.mark.parametrize(
    ("kind", "seen", "pressed"),
    [
        ("move", {"quantity": "1"}, {"quantity": "2"}),
        ("move", {"to_bin": "s1"}, {"to_bin": "s2"}),
        ("set_aside", {"aside": "damaged"}, {"aside": "quarantine"}),
        ("other_reason", {"quantity": "1"}, {"quantity": "2"}),
        ("other_reason", {"becomes": "quarantine"}, {"becomes": "to_put_back"}),
    ],
)
def test_page_that_shows_something_else_than_was_entered_books_nothing(
    clerk: Client, place: Location, cup: Sku, kind: str, seen: dict[str, str], pressed: dict[str, str]
) -> None:
    """Though no figure of the level tells the two apart."""
    for code in ("S1", "S2"):
        Bin.objects.create(location=place, code=code, kind=BinKind.SHELF)
    if kind == "other_reason":
        book(clerk, typed(place, "set_aside", {"sku": "CUP", "quantity": "4"}, nonce="n0"))
    row = {"sku": "CUP", "quantity": "1", "to_bin": "s1"} | ({"bin": "default"} if kind == "move" else {})

    def form(values: dict[str, str]) -> dict[str, Any]:
        more = {"becomes": "quarantine", **{name: some for name, some in values.items() if name not in row}}
        return typed(place, kind, row | {name: values[name] for name in row if name in values}, **more)

    shown = clerk.post(URL, {**form(seen), "preview": "1"})
    mark = shown.context["foreseen"].mark
    moved = StockMovement.objects.count()
    response = clerk.post(URL, {**form(pressed), "book": "1", "seen": mark})

    assert "Nothing was booked; this is what it would be now." in response.content.decode()
    assert StockMovement.objects.count() == moved
    clerk.post(URL, {**form(seen), "book": "1", "seen": mark})
    assert StockMovement.objects.count() > moved


def test_page_of_another_reason_shows_what_stands_under_each(
    clerk: Client, place: Location, cup: Sku
) -> None:
    book(clerk, typed(place, "set_aside", {"sku": "CUP", "quantity": "4"}, nonce="n0", aside="to_put_back"))
    level = StockLevel.objects.get()
    begun = clerk.get(URL, {"kind": "other_reason", "sku": cup.pk, "location": place.pk})
    start = begun.context["form"].initial
    assert (start["aside"], start["becomes"]) == ("to_put_back", "quarantine")
    assert f"?location={place.pk}&amp;sku={cup.pk}&amp;kind=put_back" in begun.content.decode()

    form = typed(
        place, "other_reason", {"sku": "CUP", "quantity": "3"}, aside="to_put_back", becomes="damaged"
    )
    shown = clerk.post(URL, {**form, "preview": "1"})
    assert shown.context["foreseen"].lines["columns"] == ["SKU", "Location", "Damaged", "To put back"]
    assert rows_of(shown) == [["CUP · Goods CUP", "Milano", "0 → 3", "4 → 1"]]
    assert [one["text"] for one in shown.context["foreseen"].consequences] == [
        "What is for sale, what is promised and every alert stay as they are."
    ]

    page = book(clerk, form).headers["Location"]
    text = clerk.get(page).content.decode()
    assert "To put back −3" in text
    assert "Damaged +3" in text
    level.refresh_from_db()
    assert (level.on_hand, level.unsellable) == (10, 4)


def test_page_begins_with_nothing_that_lies_where_the_person_sees_none(
    clerk: Client, place: Location, cup: Sku
) -> None:
    book(clerk, typed(place, "set_aside", {"sku": "CUP", "quantity": "4"}, nonce="n0", aside="to_put_back"))
    asked = {"kind": "put_back", "sku": cup.pk, "location": place.pk}
    assert clerk.get(URL, asked).context["form"].initial["aside"] == "to_put_back"

    StaffLocation.objects.create(user=get_user_model().objects.get(), location=make_location())

    assert clerk.get(URL, asked).context["form"].initial["aside"] == "damaged"


def test_page_of_another_reason_asks_for_another_one(clerk: Client, place: Location, cup: Sku) -> None:
    form = typed(place, "other_reason", {"sku": "CUP", "quantity": "1"}, becomes="damaged", preview="1")

    response = clerk.post(URL, form)

    (said,) = response.context["form"].errors["becomes"]
    assert "Damaged" in said
    assert response.context["foreseen"] is None


def test_level_offers_what_can_be_done_with_units_set_aside(
    client: Client, place: Location, cup: Sku
) -> None:
    clerk = login(client, *RIGHTS, "view_stocklevel")
    page = f"/inventory/stocklevel/{StockLevel.objects.get().pk}/change/"
    assert "kind=other_reason" not in clerk.get(page).content.decode()

    book(clerk, typed(place, "set_aside", {"sku": "CUP", "quantity": "4"}))

    for kind in ("other_reason", "put_back", "scrap"):
        assert f"kind={kind}&amp;location={place.pk}&amp;sku={cup.pk}" in clerk.get(page).content.decode()


@pytest.mark.parametrize(
    ("kind", "row", "words"),
    [
        ("correction", {"sku": "CPU", "quantity": "1"}, "a known SKU or barcode is needed"),
        ("correction", {"sku": "KIT", "quantity": "1"}, "a kit holds no stock"),
        ("correction", {"sku": "CUP", "quantity": "0"}, "and not 0"),
        ("correction", {"sku": "CUP", "quantity": "--2"}, "and not 0"),
        ("correction", {"sku": "CUP", "quantity": "1", "bin": "X9"}, "a bin for sale of Milano is"),
        ("correction", {"sku": "CUP", "quantity": "1", "bin": "quarantine"}, "a bin for sale of Milano is"),
        ("set_aside", {"sku": "CUP", "quantity": "-1"}, "whole units from 1"),
        ("move", {"sku": "CUP", "quantity": "1", "bin": "default"}, "a bin for sale of Milano is"),
    ],
)
def test_page_bad_row_is_named_and_nothing_booked(
    clerk: Client, place: Location, cup: Sku, kind: str, row: dict[str, str], words: str
) -> None:
    make_kit({cup: 1}, "KIT")

    response = clerk.post(URL, typed(place, kind, row, preview="1"))

    text = response.content.decode()
    assert "Row 1, " in text
    assert words in text
    assert response.context["foreseen"] is None
    assert not StockAdjustment.objects.exists()


@pytest.mark.parametrize(
    ("kind", "rows", "words"),
    [
        ("correction", [("CUP", "-11")], "Row 1: Only 10 free of 11 asked."),
        ("correction", [("CUP", "-4"), ("CUP", "-7")], "Row 2: Only 6 free of 7 asked."),
        ("set_aside", [("CUP", "11")], "Row 1: Only 10 free of 11 asked."),
        ("scrap", [("CUP", "1")], "Row 1: Only 0 set aside of 1 asked."),
        ("other_reason", [("CUP", "1")], "Row 1: Only 0 set aside of 1 asked."),
    ],
)
def test_page_shows_no_result_that_would_be_refused(
    clerk: Client, place: Location, cup: Sku, kind: str, rows: list[tuple[str, str]], words: str
) -> None:
    typed_rows = [{"sku": code, "quantity": units} for code, units in rows]

    response = clerk.post(URL, typed(place, kind, *typed_rows, becomes="quarantine", preview="1"))

    text = response.content.decode()
    assert words in text
    assert response.context["foreseen"] is None
    assert 'name="book"' not in text
    assert not StockAdjustment.objects.exists()
    assert (StockLevel.objects.get().on_hand, StockMovement.objects.count()) == (10, 1)


def test_page_refusal_of_the_verb_is_shown(clerk: Client, place: Location, cup: Sku) -> None:
    form = typed(place, "correction", {"sku": "CUP", "quantity": "-8"})
    shown = clerk.post(URL, {**form, "preview": "1"})
    StockLevel.objects.get().bin_stocks.update(quantity=5)  # its level says nothing of it yet

    response = clerk.post(URL, {**form, "book": "1", "seen": shown.context["foreseen"].mark})

    assert "Line 1: Only 5 free of 8 asked." in response.content.decode()
    assert not StockAdjustment.objects.exists()
    assert StockLevel.objects.get().on_hand == 10


def test_page_starts_with_sku_and_place_and_grows(clerk: Client, place: Location, cup: Sku) -> None:
    shown = clerk.get(URL, {"kind": "move", "sku": cup.pk, "location": place.pk}).content.decode()
    assert 'value="CUP"' in shown
    assert "-to_bin" in shown

    form = typed(place, "correction", {"sku": "CUP", "quantity": "x"}, more_lines="1")
    longer = clerk.post(URL, form).content.decode()
    assert 'value="x"' in longer
    assert "is not accepted" not in longer


def test_page_needs_the_right_of_its_kind(client: Client, place: Location, cup: Sku) -> None:
    login(client, "move_stock", "view_stockadjustment")
    form = typed(place, "correction", {"sku": "CUP", "quantity": "1"}, book="1")

    assert client.get(URL, {"kind": "correction"}).status_code == 403
    assert client.post(URL, form).status_code == 403
    assert client.get(URL).context["title"] == "Move units between bins"
    assert not StockAdjustment.objects.exists()


def test_book_adjustment_refusals_leave_nothing(place: Location, cup: Sku) -> None:
    def plan(*units: int, **more: Any) -> AdjustmentPlan:
        lines = tuple(AdjustedLine(cup.pk, one) for one in units)
        given: dict[str, Any] = {"kind": AdjustmentKind.CORRECTION, "location_id": place.pk, "reason": "x"}
        return AdjustmentPlan(**given | more, lines=lines)

    moved = StockMovement.objects.count()
    with pytest.raises(LineRefused) as refusal:
        book_adjustment(plan(1, -12), nonce="n", actor=ACTOR)
    assert str(refusal.value).startswith("Line 2: ")
    with pytest.raises(NotFound):
        book_adjustment(plan(1, location_id=0), nonce="n", actor=ACTOR)
    with pytest.raises(InvalidInput):
        book_adjustment(plan(), nonce="n", actor=ACTOR)
    with pytest.raises(InvalidInput):
        book_adjustment(plan(1, reason=" "), nonce="n", actor=ACTOR)
    with pytest.raises(NotAllowed):
        book_adjustment(plan(1), nonce="n", actor=NOBODY)
    assert StockMovement.objects.count() == moved
    assert not StockAdjustment.objects.exists()

    first = book_adjustment(plan(1), nonce="n", actor=ACTOR)
    assert book_adjustment(plan(1), nonce="n", actor=ACTOR) == first
    with pytest.raises(KeyReused):
        book_adjustment(plan(2), nonce="n", actor=ACTOR)
    assert StockLevel.objects.get().on_hand == 11
