"""Other systems' layouts: totals to the penny, or the reason why a file is not taken."""

import gzip
from decimal import Decimal
from typing import Any

import pytest

from orders.enums import ImportMode, ImportPlan, OrderStatus
from orders.models import Hold, Order
from orders.services.importing.mapping import missing_fields
from orders.sheets.one_cell import goods_in
from orders.sheets.problems import UnreadableFile
from tests.factories.imports import apply, check, problems_of, upload

pytestmark = pytest.mark.django_db
D = Decimal

EBAY = (
    "Sales Record Number,Order Number,Buyer Name,Buyer Email,Item Title,Custom Label,Quantity,Sold For,"
    "Shipping And Handling,Seller Collected Tax,Total Price,Payment Method,Sale Date,Ship To Name,Ship To Address 1,"
    "Ship To City,Ship To Zip,Ship To Country\n"
)


def test_ebay_combined_order_is_read_from_its_total_row_and_its_item_rows() -> None:
    content = (
        "\n"
        + EBAY
        + '101,11-1,Rosa Neri,r@example.com,,,3,"$30.00",$5.00,$2.10,$37.10,PayPal,Jul-25-26,Rosa Neri,Via Po 3,Torino,'
        "10124,Italy\n"
        ",11-1,,,A mug,MUG,2,$10.00,,,,,Jul-25-26,,,,,\n"
        ",11-1,,,A cup,CUP,1,$10.00,,,,,Jul-25-26,,,,,\n"
        '102,11-2,Ugo Blu,u@example.com,A mug,MUG,1,"$1,110.03",$0.00,,"$1,110.03",PayPal,Jul-26-26,Ugo Blu,Via Po 4,'
        "Torino,10124,Italy\n"
        "\n2,record(s) downloaded\nSeller ID : me\n"
    )

    run = check(content)

    assert problems_of(run) == []
    assert dict(run.staged.values_list("key", "total_amount")) == {"11-1": D("37.10"), "11-2": D("1110.03")}
    apply(run)
    order = Order.objects.get(external_id="11-1")
    assert [(line.sku_code, line.quantity, line.total_amount) for line in order.lines.order_by("position")] == [
        ("MUG", 2, D(20)), ("CUP", 1, D(10)),
    ]  # fmt: skip
    assert (order.total_computed_amount, order.total_difference_amount, order.tax_amount) == (
        D("37.10"),
        0,
        D("2.10"),
    )


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("2× Mug, large, 1× Cup", [("Mug, large", "2"), ("Cup", "1")]),
        ("Mug x 2, Cup, blue x 1", [("Mug", "2"), ("Cup, blue", "1")]),
        ("Box 3 x 4 cm x 2", [("Box 3 x 4 cm", "2")]),
        ("1 x Mug", [("Mug", "1")]),
        ("Mug", []),
        ("", []),
        ("Mug x 2, Cup", []),
    ],
)
def test_goods_of_one_cell_are_taken_apart_or_not_at_all(cell: str, found: list[tuple[str, str]]) -> None:
    assert goods_in(cell) == found


def test_woocommerce_analytics_brings_goods_without_prices_that_wait_for_them() -> None:
    content = (
        "Date,Order #,Status,Customer,Customer type,Product(s),Items sold,Coupon(s),N. Revenue,Attribution\n"
        '2026-03-01 10:00:00,501,processing,Rosa Neri,new,"2× Mug, large, 1× Cup",3,SPRING,30.00,Direct\n'
        "2026-03-01 10:00:00,502,processing,Ugo Blu,new,Mug and Cup,2,,20.00,Direct\n"
    )

    run = check(content)

    assert [(line, code, column) for line, code, column, _value in problems_of(run)] == [
        (3, "missing", "Product(s)"),
    ]
    staged = run.staged.get(key="501")
    assert (staged.plan, staged.units, staged.total_amount) == (ImportPlan.CREATE, 3, None)


def test_goods_of_one_cell_that_are_not_as_many_as_were_sold_are_complained_of() -> None:
    content = (
        "Date,Order #,Status,Customer,Customer type,Product(s),Items sold,Coupon(s),N. Revenue,Attribution\n"
        '2026-03-01 10:00:00,501,processing,Rosa Neri,new,"1× Towel, 50 x 70 cm",1,,30.00,Direct\n'
    )

    assert [(code, column) for _line, code, column, _value in problems_of(check(content))] == [
        ("missing", "Product(s)"),
    ]


AMAZON = (
    "amazon-order-id\tpurchase-date\torder-status\tproduct-name\tsku\tquantity\tcurrency\titem-price\tship-city\t"
    "ship-country\n"
)
AMAZON_ROWS = "".join(
    f"40{number}\t2026-03-01T10:00:00+00:00\t{status}\tA mug\tMUG\t{units}\tEUR\t10.00\tTorino\tIT\n"
    for number, status, units in [
        (1, "Unshipped", 1), (2, "Shipped", 1), (3, "Shipped - Delivered to Buyer", 1), (4, "Cancelled", 0),
        (5, "Pending", 1), (6, "Partially Shipped", 2), (7, "Unshipped", 1), (7, "Shipped", 1), (8, "Shipped", 1),
        (8, "Cancelled", 0),
    ]
)  # fmt: skip


def test_live_file_leaves_out_what_was_sent_or_is_over() -> None:
    run = check(AMAZON + AMAZON_ROWS)

    assert dict(run.staged.values_list("key", "plan")) == {
        "401": ImportPlan.CREATE, "402": ImportPlan.LIST, "403": ImportPlan.LIST, "404": ImportPlan.LIST,
        "405": ImportPlan.LIST, "406": ImportPlan.REFUSE, "407": ImportPlan.REFUSE, "408": ImportPlan.LIST,
    }  # fmt: skip
    assert dict(run.staged.filter(plan=ImportPlan.LIST).values_list("key", "note")) == {
        "402": "sent", "403": "sent", "404": "cancelled", "405": "pending", "408": "sent",
    }  # fmt: skip
    assert [(line, code, column, value) for line, code, column, value in problems_of(run)] == [
        (7, "partly_sent", "order-status", "Partially Shipped"),
        (8, "partly_sent", "order-status", "Unshipped"),
    ]


def test_history_brings_sent_orders_in_and_cancelled_ones_as_cancelled() -> None:
    rows = AMAZON_ROWS.splitlines(keepends=True)
    run = check(AMAZON + rows[1] + rows[3].replace("\t0\t", "\t1\t"), mode=ImportMode.HISTORY)
    apply(run)

    assert dict(Order.objects.values_list("external_id", "status")) == {
        "402": OrderStatus.COMPLETED, "404": OrderStatus.CANCELLED,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("statuses", "plan", "note"),
    [
        (["processing", "cancelled"], ImportPlan.REFUSE, ""),
        (["cancelled", "refunded"], ImportPlan.LIST, "closed"),
        (["cancelled", "cancelled"], ImportPlan.LIST, "cancelled"),
        (["processing", ""], ImportPlan.CREATE, ""),
        (["completed", "refunded"], ImportPlan.LIST, "sent"),
    ],
)
def test_lines_that_are_over_beside_others(statuses: list[str], plan: ImportPlan, note: str) -> None:
    rows = "".join(f"1,2026-03-01,MUG,1,10,{status}\n" for status in statuses)

    run = check(f"Order,Date,SKU,Quantity,Unit price,Status\n{rows}")

    staged = run.staged.get()
    assert (staged.plan, staged.note) == (plan, note)


def test_continuation_row_says_nothing_of_the_sending() -> None:
    rows = "1,2026-03-01,MUG,1,10,2026-03-02\n1,,CUP,1,10,\n"

    run = check(f"Order,Date,SKU,Quantity,Unit price,Date shipped\n{rows}")

    assert run.staged.get().note == "sent"


def test_ebay_totals_row_that_was_sent_keeps_the_order_out() -> None:
    heading = EBAY.replace("Sale Date,", "Sale Date,Shipped On Date,")
    run = check(
        heading
        + '101,11-1,Rosa Neri,r@example.com,,,2,"$20.00",$0.00,$0.00,$20.00,PayPal,Jul-25-26,Jul-26-26,Rosa Neri,'
        "Via Po 3,Torino,10124,Italy\n,11-1,,,A mug,MUG,1,$10.00,,,,,Jul-25-26,,,,,,\n"
        ",11-1,,,A cup,CUP,1,$10.00,,,,,Jul-25-26,,,,,,\n"
    )

    assert [(one.plan, one.note) for one in run.staged.all()] == [(ImportPlan.LIST, "sent")]


def test_date_of_sending_keeps_an_order_out_of_a_live_file() -> None:
    heading = "Order,Date,SKU,Quantity,Unit price,Date shipped,Status\n"
    rows = "1,2026-03-01,MUG,1,10,2026-03-02,\n2,2026-03-01,MUG,1,10,,Ours alone\n3,2026-03-01,MUG,1,10,2026-03-02,\n"

    run = check(heading + rows + "3,2026-03-01,CUP,1,10,,\n")

    assert dict(run.staged.values_list("key", "plan")) == {
        "1": ImportPlan.LIST, "2": ImportPlan.CREATE, "3": ImportPlan.REFUSE,
    }  # fmt: skip


@pytest.mark.real_data
def test_shopify_layout_of_271_real_invoices_comes_to_its_total(real_data: Any) -> None:
    path = real_data("data", "platform-exports", "derived", "shopify-layout-2011-03.csv.gz")

    run = check(gzip.decompress(path.read_bytes()), mode=ImportMode.HISTORY)

    assert problems_of(run) == []
    (total,) = run.summary["totals"]
    assert (total["orders"], D(total["total"]), total["currency"]) == (271, D("147557.84"), "GBP")


@pytest.mark.real_data
def test_every_other_sample_is_refused_with_what_it_holds_or_lacks(real_data: Any) -> None:
    folder = real_data("data", "platform-exports")
    said = {}
    for path in sorted(folder.rglob("*.csv")):
        try:
            run = upload(path.read_bytes(), name=path.name)
        except UnreadableFile as refusal:
            said[path.name] = str(refusal)
        else:
            lacking = missing_fields(run.columns)
            assert lacking, path.name
            said[path.name] = ", ".join(lacking)

    assert "products, not orders" in said["sample_products_subset.csv"]
    assert "stock figures, not orders" in said["stock_sources.csv"]
    assert "one table of a data loader" in said["order_line.csv"]
    assert "customers, not orders" in said["customers_import.csv"]
    assert len(said) == 36
    assert Order.objects.count() == Hold.objects.count() == 0
