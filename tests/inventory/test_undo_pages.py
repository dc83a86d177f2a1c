"""Undo on the pages: what it would do is shown, the button is there for whoever may, a movement leads to it."""

from typing import Any

import pytest

from inventory.enums import AdjustmentKind
from inventory.models import (
    Location,
    Sku,
    StockAdjustment,
    StockCount,
    StockLevel,
    StockMovement,
    StockReceipt,
)
from tests.factories.inventory import make_level, make_location, make_sku, reserve
from tests.inventory.test_transfer_pages import press
from tests.inventory.test_undoing import adjusted, counted, receipt
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Location:
    return make_location(name="Milano")


@pytest.fixture
def cup(place: Location) -> Sku:
    sku = make_sku("CUP")
    make_level(sku, place, 10)
    return sku


def buttons(client: Visitor, url: str) -> dict[str, Any]:
    return {str(row["label"]): row for row in client.get(url).context["page"]["actions"]}


def test_receipt_is_undone_after_a_look_at_what_it_takes(place: Location, cup: Sku) -> None:
    pk = receipt(cup, place, 4)
    StockLevel.objects.update(reorder_point=11)
    picker, base = visitor("Picker"), f"/inventory/stockreceipt/{pk}/"
    assert buttons(picker, f"{base}change/")["Undo…"]["url"] == f"{base}undo/"

    shown = text_of(picker.get(f"{base}undo/"))
    assert "14 → 10" in shown
    assert "Low-stock alert: CUP in Milano falls to 10, its reorder point is 11." in shown
    assert StockLevel.objects.get().on_hand == 14

    press(picker, f"{base}undo/", reason="Typed twice")
    assert StockLevel.objects.get().on_hand == 10
    page = picker.get(f"{base}change/")
    assert "Undo…" not in [row["label"] for row in page.context["page"]["actions"]]
    assert "Undone" in text_of(page)
    assert "Typed twice" in text_of(page)
    again = picker.post(f"{base}undo/", {"reason": "x", "version": "-", "nonce": "z", "foreseen": ""})
    assert "does not apply any more" in text_of(picker.get(again.headers["Location"]))
    assert StockLevel.objects.get().on_hand == 10


def test_undo_that_is_not_possible_is_off_with_its_reason(place: Location, cup: Sku) -> None:
    pk = receipt(cup, place, 4)
    reserve(cup, place, 12)
    reader, picker, url = visitor("Reader"), visitor("Picker"), f"/inventory/stockreceipt/{pk}/change/"

    off = buttons(picker, url)["Undo…"]
    assert off["url"] == ""
    assert "only 2 are still there and promised to nobody" in off["reason"]
    assert buttons(reader, url) == {}
    assert reader.get(f"/inventory/stockreceipt/{pk}/undo/").status_code == 403


def test_stock_that_moved_since_the_look_is_shown_again(place: Location, cup: Sku) -> None:
    pk = receipt(cup, place, 4)
    picker, url = visitor("Picker"), f"/inventory/stockreceipt/{pk}/undo/"
    seen = dict(picker.get(url).context["hidden"])
    reserve(cup, place, 5)

    answer = picker.post(url, {**seen, "reason": "x"})

    assert answer.context["unforeseen"]
    assert StockReceipt.objects.get().undone_at is None
    again = picker.post(url, {**dict(answer.context["hidden"]), "reason": "x"})
    assert again.status_code == 302
    repeated = picker.post(url, {**dict(answer.context["hidden"]), "reason": "x"})
    assert repeated.headers["Location"] == again.headers["Location"]
    assert StockLevel.objects.get().on_hand == 10


def test_adjustment_is_undone_by_whoever_may_book_its_kind(place: Location, cup: Sku) -> None:
    pk = adjusted(cup, place, AdjustmentKind.CORRECTION, -3)
    aside = adjusted(cup, place, AdjustmentKind.SET_ASIDE, 2)
    picker, manager = visitor("Picker"), visitor("Manager")
    base = "/inventory/stockadjustment"

    assert buttons(picker, f"{base}/{pk}/change/") == {}
    press(picker, f"{base}/{aside}/undo/", reason="Not broken")
    press(manager, f"{base}/{pk}/undo/", reason="Found them")
    assert (StockLevel.objects.get().on_hand, StockLevel.objects.get().unsellable) == (10, 0)
    assert "Undone" in text_of(manager.get(f"{base}/"))


def test_movement_leads_to_the_undo_of_its_document(place: Location, cup: Sku) -> None:
    pk = receipt(cup, place, 4)
    movement = StockMovement.objects.get(reference_kind="stock_receipt")
    first = StockMovement.objects.exclude(reference_kind="stock_receipt").get()
    picker, reader = visitor("Picker"), visitor("Reader")
    url = f"/inventory/stockmovement/{movement.pk}/change/"

    assert buttons(picker, url)[f"Undo R-{pk}…"]["url"] == f"/inventory/stockreceipt/{pk}/undo/"
    assert buttons(picker, f"/inventory/stockmovement/{first.pk}/change/") == {}
    assert buttons(reader, url) == {}


def test_approved_count_is_undone_on_its_page(place: Location, cup: Sku) -> None:
    pk = counted(cup, place, 6)
    manager, picker, base = visitor("Manager"), visitor("Picker"), f"/inventory/stockcount/{pk}/"

    assert "Undo…" in buttons(manager, f"{base}change/")
    assert "Undo…" not in buttons(picker, f"{base}change/")
    press(manager, f"{base}undo/", reason="Wrong shelf")

    assert StockLevel.objects.get().on_hand == 10
    assert StockCount.objects.get().status == "undone"
    assert "Wrong shelf" in text_of(manager.get(f"{base}change/"))


def test_many_receipts_are_undone_from_the_list(place: Location, cup: Sku) -> None:
    ids = [receipt(cup, place, 4), receipt(cup, place, 5)]
    manager = visitor("Manager")
    form = {"action": "bulk_inventory_stockreceipt_undo_receipts", "_selected_action": ids}

    shown = manager.post("/inventory/stockreceipt/", form)
    done = manager.post(
        "/inventory/stockreceipt/", {**form, **dict(shown.context["hidden"][:4]), "reason": "x"}, follow=True
    )

    assert done.context["done"] == 2
    assert StockLevel.objects.get().on_hand == 10


def test_receipt_page_says_who_gets_the_units(place: Location, cup: Sku) -> None:
    reserve(cup, place, 10)
    reserve(cup, None, 3, reference_id=7)
    form = {"location": place.pk, "note": "", "nonce": "n", "form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 0}
    form |= {"form-0-sku": "CUP", "form-0-quantity": "2"}

    shown = visitor("Picker").post("/inventory/stockreceipt/add/", form)

    said = [one["text"] for one in shown.context["foreseen"].consequences]
    assert said == ["Gets stock: test 7: 2 units", "CUP: 1 unit still waits."]
    assert not StockReceipt.objects.exists()
    assert not StockAdjustment.objects.exists()


def test_transfer_says_before_that_it_cannot_leave(place: Location, cup: Sku) -> None:
    shop = make_location(name="Torino")
    reserve(cup, place, 8)
    form = {"origin": place.pk, "destination": shop.pk, "note": "", "nonce": "n", "form-TOTAL_FORMS": 1}
    form |= {"form-INITIAL_FORMS": 0, "form-0-sku": "CUP", "form-0-quantity": "4"}

    shown = visitor("Manager").post("/inventory/transfer/add/", form)

    assert "this cannot be sent. Only 2 free of 4 asked." in text_of(shown)


def test_undo_of_another_reason_shows_what_stands_under_each(place: Location, cup: Sku) -> None:
    adjusted(cup, place, AdjustmentKind.SET_ASIDE, 4)
    pk = adjusted(cup, place, AdjustmentKind.OTHER_REASON, 3)
    picker, url = visitor("Picker"), f"/inventory/stockadjustment/{pk}/undo/"

    lines = picker.get(url).context["lines"]

    assert lines["columns"] == ["SKU", "Location", "Quarantine", "Damaged"]
    for said in ("Milano", "3 → 0", "1 → 4"):
        assert said in text_of(picker.get(url))
    press(picker, url, reason="Typed twice")
    rows = StockLevel.objects.get().unsellable_rows.values_list("reason", "quantity")
    assert dict(rows) == {"damaged": 4, "quarantine": 0}
