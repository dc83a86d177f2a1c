"""Plain sheets: read strictly, shown before they are written, and written by verbs: all of it or nothing."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile

from config.kernel.audit import run_audit
from config.kernel.models import Event
from config.plain_sheets.sheets import SHEETS
from inventory.models import (
    Barcode,
    Bin,
    Sku,
    StaffLocation,
    StockCount,
    StockCountLine,
    StockLevel,
    StockMovement,
    StockReceipt,
)
from tests.exports.files import make_export, text_in
from tests.factories.inventory import make_kit, make_level, make_location, make_sku
from tests.imports import bombs
from tests.kernel.visitor import Visitor, hidden, messages_of, text_of, visitor

pytestmark = pytest.mark.django_db


def url(code: str) -> str:
    sheet = SHEETS.get(code)
    return f"/{sheet.model.replace('.', '/') if sheet else 'inventory/sku'}/sheet/{code}/"


def look(client: Visitor, code: str, content: str | bytes, name: str = "a.csv") -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post(url(code), {"file": SimpleUploadedFile(name, data)})


def write(client: Visitor, code: str, content: str | bytes, name: str = "a.csv") -> Any:
    """Look, then press; the page's token is all that comes back."""
    page = look(client, code, content, name)
    assert "table" in hidden(page), text_of(page)[-900:]
    return client.post(url(code), {"table": hidden(page)["table"]}, follow=True)


def complaints(client: Visitor, code: str, content: str | bytes) -> list[tuple[int, str, str, str]]:
    page = look(client, code, content)
    assert "table" not in hidden(page)
    shown = page.context["outcome"]["complaints"]
    return [(one.line, one.column, one.value, one.words) for one in shown]


def assert_clean() -> None:
    assert [found for found in run_audit() if found.violations] == []


@pytest.fixture
def manager() -> Visitor:
    return visitor("Manager")


def test_skus_are_made_and_changed_after_a_preview_and_tell_their_timelines(manager: Visitor) -> None:
    make_sku("MUG", "A mug", ["111"])
    content = (
        "SKU;Titolo;EAN;peso;colour\n"
        "MUG;A large mug;111 112;350;red\n"
        "CUP;A cup;;;\n"
    )  # fmt: skip
    page = look(manager, "skus", content)

    words = text_of(page)
    assert "title: A mug → A large mug weight_grams: – → 350 barcodes: 111 → 111 112" in words
    assert "Columns that are not used: colour" in words
    assert (Sku.objects.count(), Barcode.objects.count()) == (1, 1), "looking writes nothing"

    answer = write(manager, "skus", content)

    assert messages_of(answer) == ["2 rows were written."]
    mug = Sku.objects.get(code="MUG")
    assert (mug.title, mug.weight_grams, mug.version) == ("A large mug", 350, 2)
    assert sorted(mug.barcodes.values_list("code", flat=True)) == ["111", "112"]
    assert Sku.objects.get(code="CUP").is_active
    told = Event.objects.get(subject_type="sku", subject_id=mug.pk)
    assert (told.kind, told.actor_kind, told.facts) == (
        "edited", "user", {"fields": ["title", "weight (g)", "barcodes"]},
    )  # fmt: skip
    kept = mug.history.order_by("history_id").values_list("history_type", "title")
    assert list(kept) == [("+", "A mug"), ("~", "A large mug")]
    assert Barcode.history.filter(code="112").get().history_user_id == told.actor_id
    again = look(manager, "skus", content)
    assert "Everything in the file is so already" in text_of(again)
    assert "table" not in hidden(again)


@pytest.mark.parametrize("kind", ["skus", "bins", "stock_levels"])
def test_what_was_exported_changes_nothing_when_it_comes_back(manager: Visitor, kind: str) -> None:
    mug = make_sku("MUG", "=1+1", ["111", "222"])
    make_kit({mug: 2}, "SET")
    place = make_location("TO")
    Bin.objects.create(location=place, code="A-1", kind="shelf")
    make_level(mug, place, on_hand=4, buffer=2)
    before = [list(model.objects.order_by("pk").values()) for model in (Sku, Barcode, Bin, StockLevel)]

    page = look(manager, {"stock_levels": "levels"}.get(kind, kind), text_in(make_export(kind)))

    assert "Everything in the file is so already" in text_of(page)
    assert [
        list(model.objects.order_by("pk").values()) for model in (Sku, Barcode, Bin, StockLevel)
    ] == before


def test_barcode_that_is_another_skus_code_is_refused_in_the_file_and_with_the_rest(manager: Visitor) -> None:
    make_sku("MUG", barcodes=["111"])
    make_sku("CUP", barcodes=["222"])
    lines = ["111,One,", "A,Two,MUG", "B,Three,C", "C,Four,", "222,Five,", "CUP,,333", "D,Six,111"]

    found = complaints(manager, "skus", "\n".join(["sku,title,barcodes", *lines, ""]))

    words = "“%s” cannot be the code of one SKU and a barcode of another, %s: a scan would mean both."
    assert found == [
        (2, "sku", "111", words % ("111", "MUG")),
        (3, "barcodes", "MUG", words % ("MUG", "A")),
        (4, "barcodes", "C", words % ("C", "B")),
        (8, "barcodes", "111", "it is a barcode of MUG; accepted is one that no other SKU has"),
    ]


def test_barcode_that_its_sku_keeps_is_refused_as_the_code_of_a_new_one(manager: Visitor) -> None:
    make_sku("MUG", barcodes=["111"])
    make_sku("222")
    Barcode.objects.create(sku=make_sku("CUP"), code="222")
    lines = ["MUG,,111 112", "CUP,A cup,222", "111,One,"]

    found = complaints(manager, "skus", "\n".join(["sku,title,barcodes", *lines, ""]))

    words = "“111” cannot be the code of one SKU and a barcode of another, MUG: a scan would mean both."
    assert found == [(2, "barcodes", "111", words)], "CUP's barcode meant two before the file"


def test_wrong_cells_name_line_column_value_and_what_is_accepted(manager: Visitor) -> None:
    make_sku("MUG", barcodes=["111"])
    content = (
        "sku,title,barcodes,weight_grams,active\n"
        "NEW,,,,\n"
        "A,One,111,,\n"
        "B,Two,5 5,1.5,maybe\n"
        "C,=1+1,,1e3,\n"
        "\n"
        "C,Three,,,\n"
        f"D,{'x' * 201},,,\n"
        "\u0430B,Four,,,\n"
        ",Five,,,\n"
    )

    found = complaints(manager, "skus", content)

    assert found == [
        (2, "title", "", "it is empty, and a new SKU needs a title"),
        (3, "barcodes", "111", "it is a barcode of MUG; accepted is one that no other SKU has"),
        (4, "barcodes", "5 5", "one stands twice; accepted is each once"),
        (4, "weight_grams", "1.5", "accepted are whole units from 0 to 1000000"),
        (4, "active", "maybe", "accepted are yes and no"),
        (5, "weight_grams", "1e3", "accepted are whole units from 0 to 1000000"),
        (8, "title", f"{'x' * 59}…", "it is too long; accepted are up to 200 characters"),
        (9, "sku", "\u0430B", "it mixes alphabets that look alike; accepted are letters of one alphabet"),
        (10, "sku", "", "it is empty; a value is needed"),
    ]
    assert Sku.objects.count() == 1


def test_numbers_that_are_read_in_two_ways_and_codes_that_a_spreadsheet_cut_are_refused(
    manager: Visitor,
) -> None:
    make_location("TO")
    make_sku("MUG")

    assert complaints(manager, "counts", "location,sku,counted\nTO,MUG,1.000\n") == [
        (2, "counted", "1.000", "accepted are whole units from 0 to 1000000"),
    ]
    cut = "a spreadsheet shortened it; accepted is the whole code, in a column of text"
    assert complaints(manager, "skus", "sku;title;barcodes\nA;One;8,00123E+12\n8.00123E+12;Two;\n") == [
        (2, "barcodes", "8,00123E+12", cut),
        (3, "sku", "8.00123E+12", cut),
    ]


def test_columns_own_name_goes_before_another_heading_for_it(manager: Visitor) -> None:
    make_location("TO")
    make_sku("MUG")

    write(manager, "counts", "location,sku,quantity,counted\nTO,MUG,7,5\n")

    assert StockCountLine.objects.get().counted == 5


def test_one_wrong_row_keeps_all_of_them_out(manager: Visitor) -> None:
    assert [line for line, *_rest in complaints(manager, "skus", "sku,title\nA,One\nB,\n")] == [3]
    assert Sku.objects.count() == 0


def test_formulas_are_read_as_text_and_those_of_a_workbook_are_refused(manager: Visitor) -> None:
    write(manager, "skus", "sku,title\nA,'=1+1\n")
    assert Sku.objects.get().title == "=1+1"
    assert "'=1+1" in text_in(make_export("skus"))

    book = bombs.workbook(
        '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>sku</t></is></c><c r="B1" t="inlineStr"><is><t>title'
        '</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>B</t></is></c><c r="B2"><f>1+1</f><v>2</v></c>'
        "</row></sheetData>"
    )
    ((line, column, _value, words),) = complaints(manager, "skus", book)
    assert (line, column) == (2, "title")
    assert words == "is a formula; accepted are values: save the sheet with its values"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "The submitted file is empty."),
        (bombs.last_cell(), "goes down to row 1048576"),
        (b"title\nx\n", "it has no column sku"),
        (b"sku,title\n", "it has no row below its heading"),
        (b"sku,title\n" + b"A,One\n" * 5_001, "it has more than 5000 rows; split it"),
        (b"sku,title\n" + b"A," + b"x" * 2**20, "it has more than 1 MiB; split it"),
        (b"sku,sku\nA,B\n", "stands twice"),
    ],
)
def test_file_that_is_no_small_sheet_is_refused_with_the_reason(
    manager: Visitor, content: bytes, why: str
) -> None:
    page = look(manager, "skus", content)

    assert page.status_code == 200
    assert why in text_of(page)
    assert Sku.objects.count() == 0


def test_page_that_others_overtook_is_shown_anew_and_writes_nothing(manager: Visitor) -> None:
    make_sku("MUG", "A mug")
    token = hidden(look(manager, "skus", "sku,title\nMUG,Large\n"))["table"]
    Sku.objects.update(title="Small", version=2)

    page = manager.post(url("skus"), {"table": token})

    assert "It changed while you were looking; nothing was written." in text_of(page)
    assert "title: Small → Large" in text_of(page)
    assert Sku.objects.get().title == "Small"


def test_press_counts_once_and_a_token_is_its_persons_own(manager: Visitor) -> None:
    place = make_location("TO")
    make_sku("MUG")
    token = hidden(look(manager, "receipts", "location,sku,quantity\nTO,MUG,5\n"))["table"]

    other = visitor("Manager")
    assert (
        "too old or not complete"
        in messages_of(other.post(url("receipts"), {"table": token}, follow=True))[0]
    )
    assert "too old" in messages_of(manager.post(url("receipts"), {"table": f"{token}x"}, follow=True))[0]
    for _press in range(2):
        manager.post(url("receipts"), {"table": token})

    assert StockReceipt.objects.count() == 1
    assert StockLevel.objects.get(location=place).on_hand == 5


def test_counts_are_recorded_for_approval_and_levels_stay(manager: Visitor) -> None:
    first, second = make_location("TO"), make_location("MI")
    mug, cup = make_sku("MUG", barcodes=["999"]), make_sku("CUP")
    level = make_level(mug, first, on_hand=10)
    make_level(cup, second, on_hand=1)

    write(manager, "counts", "location,sku,counted\nTO,999,7\nTO,CUP,5.0\nMI,CUP,1\n")

    counts = list(StockCount.objects.order_by("pk"))
    assert [(one.location.code, one.status, one.counter_kind) for one in counts] == [
        ("TO", "counted", "user"), ("MI", "counted", "user"),
    ]  # fmt: skip
    lines = counts[0].lines.order_by("sku__code").values_list("sku__code", "expected", "counted")
    assert list(lines) == [("CUP", 0, 5), ("MUG", 10, 7)]
    level.refresh_from_db()
    assert level.on_hand == 10, "nothing is corrected before somebody approves"
    assert StockMovement.objects.filter(kind="correction").count() == 0
    assert_clean()


def test_more_than_200_skus_of_a_location_become_several_counts_and_receipts(manager: Visitor) -> None:
    make_location("TO")
    rows = "".join(f"S-{n},Goods\n" for n in range(205))
    write(manager, "skus", f"sku,title\n{rows}")

    write(
        manager,
        "receipts",
        "location,sku,quantity,note\n" + "".join(f"TO,S-{n},1,Opening\n" for n in range(205)),
    )
    write(manager, "counts", "location,sku,counted\n" + "".join(f"TO,S-{n},1\n" for n in range(205)))

    assert StockLevel.objects.filter(on_hand=1).count() == 205
    assert list(StockReceipt.objects.order_by("pk").values_list("note", flat=True)) == ["Opening", "Opening"]
    assert sorted(count.lines.count() for count in StockCount.objects.all()) == [5, 200]
    assert_clean()


def test_bins_are_made_and_the_locations_own_stay(manager: Visitor) -> None:
    place = make_location("TO")
    content = "location,bin,kind\nTO,A-1,\nTO,CART,Tote\n"
    write(manager, "bins", content)

    assert dict(Bin.objects.filter(location=place).values_list("code", "kind")) == {
        "DEFAULT": "default", "QUARANTINE": "quarantine", "A-1": "shelf", "CART": "tote",
    }  # fmt: skip
    assert complaints(manager, "bins", "location,bin,kind\nTO,DEFAULT,tote\nTO,B,quarantine\nXX,C,\n") == [
        (2, "kind", "tote", "accepted are shelf and tote; default and quarantine come with the location"),
        (
            3,
            "kind",
            "quarantine",
            "accepted are shelf and tote; default and quarantine come with the location",
        ),
        (4, "location", "XX", "accepted is the code of a location where you work"),
    ]
    assert Bin.history.filter(code="CART").get().history_type == "+"
    assert Event.objects.get(kind="bins_saved").facts == {"bins": ["A-1", "CART"], "count": 2}


def test_buffers_and_reorder_points_are_set_where_a_cell_says_so(manager: Visitor) -> None:
    level = make_level(make_sku("MUG"), make_location("TO"), on_hand=9, buffer=2)

    write(manager, "levels", "location,sku,buffer,reorder point,target\nTO,MUG,,4,20\n")

    level.refresh_from_db()
    assert (level.buffer, level.reorder_point, level.target, level.on_hand) == (2, 4, 20, 9)


def test_kits_and_unknown_skus_hold_no_stock(manager: Visitor) -> None:
    make_location("TO")
    make_kit({make_sku("MUG"): 1}, "SET")

    for code, column in (("counts", "counted"), ("receipts", "quantity")):
        assert complaints(manager, code, f"location,sku,{column}\nTO,SET,1\nTO,NO,1\n") == [
            (2, "sku", "SET", "a kit holds no stock, its parts do"),
            (3, "sku", "NO", "accepted is the code or a barcode of a SKU that we have"),
        ]


def test_each_sheet_needs_its_rights_and_sees_own_locations_only() -> None:
    make_location("TO")
    elsewhere = make_location("MI")
    make_sku("MUG")
    picker = visitor("Picker")
    StaffLocation.objects.create(user=get_user_model().objects.get(username="picker-0"), location=elsewhere)
    allowed = {code for code in SHEETS if picker.get(url(code)).status_code == 200}

    assert allowed == {"counts", "receipts"}
    assert complaints(picker, "counts", "location,sku,counted\nTO,MUG,1\n") == [
        (2, "location", "TO", "accepted is the code of a location where you work"),
    ]
    write(picker, "counts", "location,sku,counted\nMI,MUG,1\n")
    assert StockCount.objects.get().location == elsewhere
    assert visitor("Reader").get(url("counts")).status_code == 403
    assert picker.post(url("skus"), {"table": "x"}).status_code == 403
    assert picker.get(url("none")).status_code == 404
    assert picker.get("/inventory/sku/sheet/counts/").status_code == 404, "a sheet stands under its own list"


def test_lists_offer_the_sheets_that_a_person_may_bring_in(manager: Visitor) -> None:
    for sheet in SHEETS.values():
        app, model = sheet.model.split(".")
        address = f"/{app}/{model}/"
        assert f'href="{url(sheet.code)}"' in manager.get(address).content.decode()
        assert url(sheet.code) not in visitor("Reader").get(address).content.decode()
        empty = manager.get(url(sheet.code), {"template": ""})
        assert empty.content.decode("utf-8-sig").strip().split(",") == [
            one.column_name for one in sheet.columns
        ]


def test_large_sheet_needs_a_fixed_number_of_statements(
    manager: Visitor, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counted = []
    for size in (2, 150):
        content = "sku,title\n" + "".join(f"S{size}-{n},Goods\n" for n in range(size))
        token = hidden(look(manager, "skus", content))["table"]
        with CaptureQueriesContext(connection) as found:
            manager.post(url("skus"), {"table": token})
        counted.append(len(found))
    if connection.vendor == "postgresql":
        assert counted[0] == counted[1]
