"""What a text file is: encodings, separators, headings, rows; and what is refused with its reason."""

import io

import pytest

from orders.sheets.problems import UnreadableFile, sentence
from orders.sheets.profiles import HEADINGS, columns_for, recognise
from orders.sheets.rows import read_rows
from orders.sheets.sniffing import Reading, sniff_text

pytestmark = pytest.mark.once

TABLE = "ordine;data;sku;quantità;prezzo\n1;31/12/2026;0012;5,0;1.234,50\n"
SHOPIFY = "Name,Email,Financial Status,Lineitem quantity,Lineitem name,Lineitem price,Created at,Id\n"


def sniff(content: bytes) -> Reading:
    return sniff_text(io.BytesIO(content), HEADINGS)


def rows_of(content: bytes) -> list[tuple[int, list[str], str, bool]]:
    file = io.BytesIO(content)
    reading = sniff_text(file, HEADINGS)
    return [
        (row.line, row.cells, row.fault.code if row.fault else "", row.is_footer)
        for row in read_rows(file, reading)
    ]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"), ("cp1252", "cp1252"),
    ],
)  # fmt: skip
def test_sniff_finds_the_encoding_and_keeps_the_words(encoding: str, found: str) -> None:
    content = TABLE.encode(encoding)

    assert sniff(content).encoding == found
    assert sniff(content).header == ("ordine", "data", "sku", "quantità", "prezzo")
    assert rows_of(content) == [(2, ["1", "31/12/2026", "0012", "5,0", "1.234,50"], "", False)]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_sniff_finds_the_separator(separator: str) -> None:
    content = "order,date,sku,quantity\n1,2026-01-01,A,2\n2,2026-01-01,B,3\n".replace(",", separator)

    assert sniff(content.encode()).separator == separator


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_rows_carry_their_own_line_whatever_ends_a_line(ending: str) -> None:
    content = 'order,date,sku,quantity\n1,2026-01-01,"A\nB",2\n\n2,2026-01-01,C,3\n'.replace("\n", ending)

    assert [line for line, *_rest in rows_of(content.encode())] == [2, 5]


def test_sniff_reads_a_stated_separator_and_passes_over_a_title() -> None:
    content = b"sep=;\n\nMy shop\norder;date;sku;quantity\n1;2026-01-01;A;2\n"

    reading = sniff(content)

    assert (reading.separator, reading.header_line) == (";", 4)
    assert reading.skipped == ("sep=;", "My shop")
    assert [line for line, *_rest in rows_of(content)] == [5]


def test_rows_tell_footers_from_rows_that_are_cut_short() -> None:
    content = b"order,date,sku,quantity\n1,2026-01-01\n2,2026-01-01,A,3\n\n83 record(s) downloaded\nSeller ID : me\n"

    assert rows_of(content) == [
        (2, ["1", "2026-01-01"], "cells", False),
        (3, ["2", "2026-01-01", "A", "3"], "", False),
        (5, ["83 record(s) downloaded"], "", True),
        (6, ["Seller ID : me"], "", True),
    ]


def test_rows_with_more_cells_are_faults_unless_the_rest_is_empty() -> None:
    content = b"order,date,sku,quantity\n1,2026-01-01,A,2,,\n2,2026-01-01,A,2,x\n3,2026-01-01,A,2\n"

    assert [(line, fault) for line, _cells, fault, _footer in rows_of(content)] == [
        (2, ""),
        (3, "cells"),
        (4, ""),
    ]


def test_row_with_a_wrong_quote_hides_no_other() -> None:
    content = b'order,date,sku,quantity\n1,2026-01-01,"A"x,2\n2,2026-01-01,B,3\n'

    assert [(line, fault) for line, _cells, fault, _footer in rows_of(content)] == [(2, "quotes"), (3, "")]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (b"1,2026-01-01," + b"A" * 140_000 + b",2\n", "too_long"),
        (b"1,2026-01-01" + b",A" * 70_000 + b"\n", "too_long"),
        (b"1,2026-01-01," + b"A" * 500_000 + b",2\r\n", "too_long"),
        (b'1,2026-01-01,"A,2\n' + b"2,2026-01-01,B,3\n" * 9_000, "quotes"),
    ],
)
def test_row_of_more_than_128_kib_is_a_fault_alone(row: bytes, code: str) -> None:
    content = b"order,date,sku,quantity\n" + row + b"2,2026-01-01,B,3\n"

    found = rows_of(content)

    assert (found[0][0], found[0][2]) == (2, code)
    assert found[-1] == (2 + row.count(b"\n"), ["2", "2026-01-01", "B", "3"], "", False)
    assert {fault for _line, _cells, fault, _footer in found[1:]} == {""}


def test_row_that_is_too_long_is_named_with_the_limit() -> None:
    file = io.BytesIO(b"order,date,sku,quantity\n1,2026-01-01," + b"A" * 140_000 + b",2\n")

    faults = [row.fault for row in read_rows(file, sniff_text(file, HEADINGS))]

    said = f"“1,2026-01-01,{'A' * 47}” is too long; accepted are up to 131072 characters"
    assert [sentence(fault) for fault in faults if fault] == [said]


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1e"])
def test_no_row_is_lost_where_a_title_holds_what_ends_lines_elsewhere(mark: str) -> None:
    content = f"Report{mark}of today\norder,date,sku,quantity\n1,2026-01-01,A,2\n2,2026-01-01,B,3\n"

    assert [(line, cells[0]) for line, cells, *_rest in rows_of(content.encode())] == [(3, "1"), (4, "2")]


def test_only_the_last_hundred_short_rows_are_footers() -> None:
    found = rows_of(b"order,date,sku,quantity\n" + b"x\n" * 150)

    assert [line for line, _cells, _fault, is_footer in found if is_footer] == list(range(52, 152))
    assert [line for line, _cells, fault, _footer in found if fault] == list(range(2, 52))


def test_nul_characters_above_the_heading_are_made_visible() -> None:
    reading = sniff(b"\x00Report\norder,date,sku,quantity,price\n1,2026-03-01,MUG,1,2\n")

    assert reading.skipped == ("\\u0000Report",)


def test_nul_characters_are_made_visible() -> None:
    assert rows_of(b"order,date,sku,quantity\n1,2026-01-01,A\x00B,2\n")[0][1][2] == "A\u2400B"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\xef\xbb\xbf\r\n;;\n", "it is empty"),
        (b"order,SKU,sku\n1,2,3\n", "stands twice, in columns 2 and 3"),
        (b"order,\x81\x8d\x8f\n", "in no encoding that we know"),
        (",".join(f"c{n}" for n in range(201)).encode(), "201 columns; the limit is 200"),
    ],
)
def test_sniff_refuses_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        sniff(content)


def test_layouts_are_recognised_by_their_headings() -> None:
    header = sniff(SHOPIFY.encode()).header
    profile = recognise(header)

    assert profile is not None
    assert profile.code == "shopify"
    columns = columns_for(header, profile)
    assert (columns["order"], columns["unit_amount"]) == ("Name", "Lineitem price")
    assert recognise(("a", "b")) is None
    assert columns_for(("Order No", "SKU", "Qty"), None) == {
        "order": "Order No",
        "sku": "SKU",
        "quantity": "Qty",
    }


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("order,placed_at,sku,quantity,unit_amount", "own"),
        ("amazon-order-id,purchase-date,sku,quantity,item-price,currency", "amazon"),
        ("order-id,order-item-id,purchase-date,sku,quantity-purchased", "amazon_new"),
        ("Sales Record Number,Order Number,Custom Label,Quantity,Sold For,Sale Date", "ebay"),
        ("Sale Date,Item Name,Quantity,Price,Transaction ID,Order ID,SKU", "etsy"),
        ("Order Number,Order Date,SKU,Item Name,Quantity (- Refund),Item Cost", "woocommerce"),
        ("reference,date_add,product_reference,product_quantity,unit_price_tax_incl", "prestashop"),
        ("increment_id,created_at,sku,qty_ordered,price", "magento"),
        ("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice", "invoice_lines"),
    ],
)
def test_each_ready_map_finds_its_needed_columns(header: str, code: str) -> None:
    names = header.split(",")
    profile = recognise(names)

    assert profile is not None
    assert profile.code == code
    assert {"order", "placed_at", "sku", "quantity"} <= set(columns_for(names, profile))
