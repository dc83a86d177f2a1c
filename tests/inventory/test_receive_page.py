"""The guided page that books goods in."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import InvalidInput, KeyReused, NotAllowed, NotFound
from inventory.errors import LineRefused
from inventory.models import Location, Sku, StockLevel, StockMovement, StockReceipt
from inventory.services.receipts import ReceivedLine, book_receipt
from tests.factories.inventory import ACTOR, make_kit, make_location, make_sku

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(client: Client) -> Client:
    user = get_user_model().objects.create_user("clerk", password="x", is_staff=True)
    wanted = ["receive_stock", "view_stockreceipt", "view_sku"]
    user.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    client.force_login(user)
    return client


@pytest.fixture
def place() -> Location:
    return make_location(name="Milano")


def typed(place: Location, *rows: tuple[str, str], nonce: str = "n1", **more: Any) -> dict[str, Any]:
    form: dict[str, Any] = {"location": place.pk, "note": "DDT 31", "nonce": nonce}
    form |= {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows)}
    for number, (sku, quantity) in enumerate(rows):
        form |= {f"form-{number}-sku": sku, f"form-{number}-quantity": quantity}
    return form | more


URL = "/inventory/stockreceipt/add/"


def book_in(client: Client, form: dict[str, Any]) -> Any:
    """See what will be, then press the button of that page."""
    shown = client.post(URL, {**form, "look": "1"})
    assert shown.status_code == 200
    return client.post(URL, {**form, "book": "1", "seen": shown.context["foreseen"].mark})


def test_receive_page_books_codes_and_barcodes_in(clerk: Client, place: Location) -> None:
    cup, box = make_sku("CUP", barcodes=["800123"]), make_sku("BOX")

    response = book_in(clerk, typed(place, ("800123", "12"), ("box", " 3 "), ("", "")))

    receipt = StockReceipt.objects.get()
    assert response.headers["Location"] == reverse("admin:inventory_stockreceipt_change", args=[receipt.pk])
    figures = StockLevel.objects.order_by("sku__code").values_list("sku", "on_hand")
    assert list(figures) == [(box.pk, 3), (cup.pk, 12)]
    entry = StockMovement.objects.get(level__sku=cup)
    assert (entry.reference_kind, entry.reference_id, entry.reason) == ("stock_receipt", receipt.pk, "DDT 31")
    shown = clerk.get(response.headers["Location"]).content.decode()
    assert f"{receipt.number}: 15 units received into Milano." in shown
    assert "clerk" in shown


def test_receive_page_double_click_books_once(clerk: Client, place: Location) -> None:
    make_sku("CUP")

    form = typed(place, ("CUP", "12"))
    seen = clerk.post(URL, form).context["foreseen"].mark

    first = clerk.post(URL, form | {"book": "1", "seen": seen})
    second = clerk.post(URL, form | {"book": "1", "seen": seen})

    assert second.headers["Location"] == first.headers["Location"]
    assert StockLevel.objects.get().on_hand == 12
    assert StockReceipt.objects.count() == 1


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("CPU", "3"), "Row 2, SKU or barcode: “CPU” is not accepted; a known SKU or barcode is needed."),
        (("KIT", "3"), "Row 2, SKU or barcode: “KIT” is not accepted; a kit holds no stock, its parts do."),
        (("CUP", "0"), "Row 2, Units: “0” is not accepted; whole units from 1 to 1000000."),
        (("CUP", "-2"), "Row 2, Units: “-2” is not accepted; whole units from 1 to 1000000."),
        (("CUP", "1.5"), "Row 2, Units: “1.5” is not accepted; whole units from 1 to 1000000."),
        (("CUP", "٣"), "Row 2, Units: “٣” is not accepted; whole units from 1 to 1000000."),
        (("CUP", ""), "Row 2, Units: “” is not accepted; whole units from 1 to 1000000."),
        (("", "5"), "Row 2, SKU or barcode: “” is not accepted; a SKU or a barcode is needed."),
    ],
)
def test_receive_page_bad_row_is_named_and_nothing_booked(
    clerk: Client, place: Location, row: tuple[str, str], words: str
) -> None:
    make_kit({make_sku("CUP"): 1}, "KIT")

    response = clerk.post(URL, typed(place, ("CUP", "4"), row))

    assert response.status_code == 200
    assert words in response.content.decode()
    assert not StockReceipt.objects.exists()
    assert not StockMovement.objects.exists()


def test_receive_page_without_rows_or_with_closed_location_is_refused(clerk: Client, place: Location) -> None:
    make_sku("CUP")
    closed = make_location(is_active=False)

    assert "Fill in at least one row." in clerk.post(URL, typed(place, ("", ""))).content.decode()
    assert clerk.post(URL, typed(closed, ("CUP", "1"))).status_code == 200
    assert not StockReceipt.objects.exists()


def test_receive_page_starts_with_the_sku_of_the_page_and_grows(clerk: Client, place: Location) -> None:
    sku = make_sku("CUP")

    shown = clerk.get(URL, {"sku": sku.pk}).content.decode()

    assert 'value="CUP"' in shown
    assert shown.count('-quantity"') >= 6
    longer = clerk.post(URL, typed(place, ("CUP", "x"), more_lines="1")).content.decode()
    assert 'value="x"' in longer
    assert "is not accepted" not in longer
    assert not StockReceipt.objects.exists()
    assert clerk.get(URL, {"sku": "９x"}).status_code == 200


def test_receive_page_without_permission_is_refused(client: Client, place: Location) -> None:
    user = get_user_model().objects.create_user("reader", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_stockreceipt"))
    client.force_login(user)
    make_sku("CUP")

    assert client.get(URL).status_code == 403
    assert client.post(URL, typed(place, ("CUP", "1"))).status_code == 403
    assert not StockReceipt.objects.exists()


def book(sku: Sku, place_id: int, *, nonce: str = "n", quantity: int = 2, actor: Actor = ACTOR) -> int:
    lines = [ReceivedLine(sku.pk, 1), ReceivedLine(sku.pk, quantity)]
    return book_receipt(lines, location_id=place_id, note="", nonce=nonce, actor=actor)


def test_book_receipt_refusals_leave_nothing(place: Location) -> None:
    sku = make_sku()

    with pytest.raises(LineRefused) as refusal:
        book(sku, place.pk, quantity=0)
    assert str(refusal.value).startswith("Line 2: ")
    with pytest.raises(NotFound):
        book(sku, 0)
    with pytest.raises(InvalidInput):
        book_receipt([], location_id=place.pk, note="", nonce="n", actor=ACTOR)
    with pytest.raises(NotAllowed):
        book(sku, place.pk, actor=Actor(ActorKind.USER, 1, "x", frozenset()))

    assert not StockReceipt.objects.exists()
    assert not StockMovement.objects.exists()

    first = book(sku, place.pk)
    assert book(sku, place.pk) == first
    with pytest.raises(KeyReused):
        book(sku, place.pk, quantity=5)
    assert StockLevel.objects.get().on_hand == 3
