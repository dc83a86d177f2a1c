"""Files dropped on a page or chosen by the keyboard, and the pages that follow, at both widths and in both schemes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from inventory.models import Sku
from orders.models import ImportRun
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.pages import Person
from tests.browser.test_import_desk import work
from tests.factories.imports import row, text_of
from tests.factories.inventory import make_level, make_location, make_sku
from tests.factories.orders import make_channel, make_order, neutral_line

SHEET = "sku,title,barcodes,weight_grams,colour\nMUG,A large mug,111 222,350,red\nCUP,A cup,333,,\n"
BAD_SHEET = "sku,title,weight_grams\nMUG,A mug,1.5\nNEW,,10\n"
WIDTHS = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])


def drop(person: Person, name: str, content: str) -> None:
    """Let go of a file anywhere on the page."""
    given = """([name, text]) => {
        const given = new DataTransfer();
        given.items.add(new File([text], name, { type: "text/csv" }));
        return given;
    }"""
    carried: Any = person.page.evaluate_handle(given, [name, content])
    for kind in ("dragover", "drop"):
        person.page.dispatch_event("#content", kind, {"dataTransfer": carried})
    expect(person.page.locator(".drop-said")).to_have_text(name)


@pytest.fixture
def shop(manager: User) -> User:
    make_channel()
    make_level(make_sku("MUG", "A mug", ["111"]), make_location("TO"), on_hand=9)
    make_sku("CUP")
    make_order(external_id="W-1", lines=(neutral_line("MUG", 1),))
    return manager


@WIDTHS
@pytest.mark.django_db(transaction=True)
def test_dropped_orders_are_looked_at_from_upload_to_roll_back(
    shop: User, visit: Callable[..., Visit], beside: None, size: tuple[int, int]
) -> None:
    marta = Person(visit(size, user=shop))
    at = "desk" if size == DESK else "phone"
    marta.go("/orders/importrun/add/")
    expect(marta.page.locator(".drop-said")).to_have_text("Drop the file here, or choose it")
    marta.look(f"import upload {at}")
    rows = [row("W-1", quantity="3", price="9.50"), row("W-2"), row("W-3", quantity="x", email="nobody")]
    drop(marta, "orders of march.csv", text_of(*rows))
    marta.look(f"import upload, a file dropped {at}")
    marta.submit("Upload")
    marta.look(f"import columns {at}")
    marta.submit("Check the file")
    work()
    marta.sees_badges("Checked")
    marta.page.reload()
    marta.look(f"import checked {at}")
    assert "Quantity of MUG: 1 → 3" in marta.reads("#orders")

    marta.open_button("Apply")
    marta.look(f"import apply {at}")
    marta.submit("Apply")
    work()
    marta.sees_badges("Applied")
    marta.page.reload()
    marta.look(f"import applied {at}")
    marta.press("Roll back")
    work()
    marta.sees_badges("Rolled back")
    marta.page.reload()
    marta.look(f"import rolled back {at}")
    assert ImportRun.objects.get().staged.get(key="W-1").result == "taken_back"


@WIDTHS
@pytest.mark.django_db(transaction=True)
def test_dropped_sheet_is_shown_and_written(
    shop: User, visit: Callable[..., Visit], beside: None, size: tuple[int, int]
) -> None:
    marta = Person(visit(size, user=shop))
    at = "desk" if size == DESK else "phone"
    marta.go("/inventory/sku/")
    marta.look(f"skus {at}")
    marta.follow("Import…")
    marta.look(f"sheet upload {at}")
    drop(marta, "bad.csv", BAD_SHEET)
    marta.submit("Look at what it would do")
    marta.look(f"sheet refused {at}")
    drop(marta, "good.csv", SHEET)
    marta.submit("Look at what it would do")
    marta.look(f"sheet preview {at}")
    marta.submit("Write 2 rows")

    marta.sees_message("2 rows were written.")
    assert Sku.objects.get(code="MUG").title == "A large mug"


@pytest.mark.django_db(transaction=True)
def test_file_is_chosen_by_the_keyboard_and_without_a_script(
    shop: User, visit: Callable[..., Visit], tmp_path: Any
) -> None:
    path = tmp_path / "chosen.csv"
    path.write_text(text_of(row("W-9")), encoding="utf-8")
    marta = Person(visit(DESK, user=shop))
    marta.go("/orders/importrun/add/")
    field = marta.page.get_by_label("File")
    with marta.page.expect_file_chooser() as chooser:
        field.press("Enter")
    chooser.value.set_files(path)
    expect(marta.page.locator(".drop-said")).to_have_text("chosen.csv")

    bare = marta.page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    bare.add_cookies(marta.page.context.cookies())  # type: ignore[arg-type]
    page = bare.new_page()
    page.goto(marta.page.url)
    page.get_by_label("File").set_input_files(path)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Columns of chosen.csv")
