"""The whole-file dry run: every problem of every row, and nothing written outside the run."""

from decimal import Decimal

import pytest

from config.kernel.models import Event, Fact
from inventory.models import Reservation
from orders.enums import ImportMode, ImportPlan, ImportStatus
from orders.errors import ColumnsMissing, ImportStopped
from orders.models import Address, Customer, ImportRun, Order
from orders.services.importing.mapping import Columns, cancel_runs, map_columns, start_check
from orders.sheets.problems import UnreadableFile
from tests.factories.imports import HEADER, check, counted, make_skus, problems_of, row, text_of, upload, work
from tests.factories.orders import SYSTEM, make_order
from tests.imports import bombs

pytestmark = pytest.mark.django_db

BUSINESS = (Order, Customer, Address, Reservation, Fact)
CASES = [
    ("quantity", {"quantity": "1.5"}, "quantity", "1.5"),
    ("quantity", {"quantity": "0"}, "quantity", "0"),
    ("quantity", {"quantity": "-2"}, "quantity", "-2"),
    ("quantity", {"quantity": "1" + "0" * 29}, "quantity", "1" + "0" * 29),
    ("number", {"quantity": "NaN"}, "quantity", "NaN"),
    ("number", {"price": "1e3"}, "unit_amount", "1e3"),
    ("missing", {"quantity": ""}, "quantity", ""),
    ("missing", {"price": ""}, "unit_amount", ""),
    ("decimals", {"price": "1.999"}, "unit_amount", "1.999"),
    ("negative", {"price": "-1.00"}, "unit_amount", "-2.00"),
    ("date", {"placed_at": "30 Feb 2026"}, "placed_at", "30 Feb 2026"),
    ("date", {"placed_at": "46083.5"}, "placed_at", "46083.5"),
    ("missing", {"placed_at": ""}, "placed_at", ""),
    ("email", {"email": "not-an-email"}, "email", "not-an-email"),
    ("country", {"ship_country": "Atlantis"}, "ship_country", "Atlantis"),
    ("paid", {"payment_status": "zzz"}, "payment_status", "zzz"),
    ("characters", {"sku": "MUG\u202e1"}, "sku", "MUG\\u202e1"),
    ("mixed_scripts", {"sku": "M\u0410G"}, "sku", "M\u0410G"),
    ("too_long", {"sku": "M" * 121}, "sku", "M" * 59 + "…"),
    ("missing", {"sku": ""}, "sku", ""),
]  # fmt: skip


@pytest.mark.parametrize(("code", "change", "column", "value"), CASES)
def test_check_names_line_column_value_and_spoils_no_other_order(
    code: str, change: dict[str, str], column: str, value: str
) -> None:
    make_skus("MUG")
    before = counted(BUSINESS)

    run = check(text_of(row("W-1"), row("W-2", **change), row("W-3", price="12.50")))

    assert problems_of(run) == [(3, code, column, value)]
    assert run.status == ImportStatus.CHECKED
    assert list(run.staged.order_by("first_line").values_list("key", "plan")) == [
        ("W-1", ImportPlan.CREATE),
        ("W-2", ImportPlan.REFUSE),
        ("W-3", ImportPlan.CREATE),
    ]
    assert run.summary["bad"] == 1
    assert counted(BUSINESS) == before


def test_check_lists_every_problem_of_a_file() -> None:
    rows = [
        row("W-1", quantity="x"), row("W-1", sku="CUP", price="1e3"), row("W-2", email="a@b", ship_country="??"),
        row("", sku="A"), "W-4,2026-03-01",
    ]  # fmt: skip
    run = check(text_of(*rows, row("W-5")))

    assert problems_of(run) == [
        (2, "number", "quantity", "x"),
        (3, "number", "unit_amount", "1e3"),
        (4, "email", "email", "a@b"),
        (4, "country", "ship_country", "??"),
        (5, "missing", "order", ""),
        (6, "cells", "", "W-4,2026-03-01"),
    ]
    assert run.summary["bad"] == 4
    assert run.summary["loose_rows"] == 1


def test_check_counts_totals_by_plan_and_currency() -> None:
    make_skus("MUG", "CUP")
    run = check(
        text_of(row("W-1"), row("W-1", sku="CUP", price="5.00", quantity="5.0"), row("W-2", price="0.10"))
    )

    assert run.summary["plans"] == {"create": {"orders": 2, "rows": 3}}
    assert run.summary["totals"] == [
        {"plan": "create", "currency": "EUR", "orders": 2, "units": 9, "total": "45.2000"}
    ]
    assert run.summary["unknown"] == []
    first = run.staged.get(key="W-1")
    assert (first.first_line, first.row_count, first.units, first.total_amount) == (2, 2, 7, Decimal(45))


def test_check_names_unknown_skus_of_live_orders() -> None:
    assert check(text_of(row("W-1", sku="0012"), row("W-2", sku="B"))).summary["unknown"] == ["0012", "B"]


@pytest.mark.parametrize(
    ("rows", "question"),
    [
        ([row("1", price="1.234")], {"number": ["1.234"]}),
        ([row("1", placed_at="02/03/2026")], {"date": ["02/03/2026"]}),
    ],
)
def test_check_asks_once_what_can_be_read_in_two_ways(
    rows: list[str], question: dict[str, list[str]]
) -> None:
    run = check(text_of(*rows))
    assert (run.status, run.question) == (ImportStatus.UPLOADED, question)

    map_columns(run.pk, Columns(run.columns, number_style="comma", date_style="month_first"), actor=SYSTEM)
    work(start_check(run.pk, actor=SYSTEM))
    run.refresh_from_db()

    assert (run.status, run.question, run.summary["bad"]) == (
        ImportStatus.CHECKED,
        {},
        0 if "1.234" in rows[0] else 1,
    )
    again = check(text_of(*rows).replace("Rosa", "Anna"))
    assert again.number_style == "comma", "it is remembered for this heading"
    assert again.status == ImportStatus.CHECKED


def test_check_reads_decimal_commas_of_a_whole_file() -> None:
    content = text_of(row("W-1", price="1.234,50", quantity="5,0")).replace(",", ";")
    content = content.replace("1.234;50", "1.234,50").replace("5;0", "5,0")

    run = check(content)

    assert (run.number_style, run.reading["separator"]) == ("comma", ";")
    assert run.staged.get().total_amount == Decimal("6172.50")


def test_check_joins_continuation_rows_as_shopify_writes_them() -> None:
    header = (
        "Name,Email,Financial Status,Currency,Total,Shipping,Created at,Lineitem quantity,Lineitem name,"
        "Lineitem price,Lineitem sku,Id"
    )
    content = text_of(
        "#1001,a@example.com,paid,EUR,25.00,5.00,2026-03-01 10:00:00 +0100,1,Mug,10.00,MUG,77",
        "#1001,,,,,,,2,Cup,5.00,CUP,",
        ",,,,,,,1,More,0.00,MORE,",
        header=header,
    )

    run = check(content)

    assert problems_of(run) == []
    staged = run.staged.get()
    assert (staged.key, staged.external_id, staged.row_count) == ("#1001", "gid://shopify/Order/77", 3)
    assert staged.total_amount == Decimal(25)


def test_check_refuses_rows_of_one_order_that_disagree() -> None:
    run = check(text_of(row("W-1"), row("W-1", sku="CUP", ship_city="Milano")))

    assert problems_of(run) == [(3, "disagrees", "ship_city", "Milano")]


def test_check_of_the_same_rows_plans_to_leave_alone_what_another_door_brought() -> None:
    make_skus("MUG")
    make_order(external_id="W-1")

    run = check(text_of(row("W-1"), row("W-2")))

    assert dict(run.staged.values_list("key", "plan")) == {"W-1": "keep", "W-2": "create"}


def test_check_plans_updates_field_by_field() -> None:
    make_order(external_id="W-1")

    run = check(text_of(row("W-1", ship_city="Milano", ship_line1="Via Dante 1")))

    staged = run.staged.get()
    assert staged.plan == ImportPlan.UPDATE
    assert staged.changes == [
        {"field": "ship_to.line1", "before": "Via Po 3", "after": "Via Dante 1"},
        {"field": "ship_to.city", "before": "Torino", "after": "Milano"},
    ]


def test_check_refuses_changes_of_a_closed_order() -> None:
    make_order(external_id="W-1", is_history=True)
    make_order(external_id="W-2")

    run = check(text_of(row("W-1", ship_city="Milano"), row("W-2", quantity="3", price="10.00")))

    assert [code for _line, code, _column, _value in problems_of(run)] == ["closed"]
    assert dict(run.staged.values_list("key", "plan")) == {"W-1": "refuse", "W-2": "update"}


def test_check_of_history_lists_write_offs_and_turns_cancellations() -> None:
    content = (
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "536365,85123A,HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
        "536365,POST,POSTAGE,1,2010-12-01 08:26:00,18.00,17850.0,United Kingdom\n"
        "C536379,D,Discount,-1,2010-12-01 09:41:00,27.50,14527.0,EIRE\n"
        "536589,21777,,-10,2010-12-01 16:50:00,0.00,,United Kingdom\n"
        "A563186,B,Adjust bad debt,1,2011-08-12 14:51:00,-11062.06,,United Kingdom\n"
    )

    run = check(content, mode=ImportMode.HISTORY)

    assert problems_of(run) == []
    assert list(run.staged.order_by("first_line").values_list("key", "plan", "note", "total_amount")) == [
        ("536365", "create", "", Decimal("33.30")),
        ("C536379", "create", "", Decimal("27.50")),
        ("536589", "list", "written_off", None),
        ("A563186", "create", "", Decimal("-11062.06")),
    ]


def test_map_columns_refuses_a_file_without_needed_columns() -> None:
    run = upload("a,b,c\n1,2,3\n")

    with pytest.raises(ColumnsMissing, match="Order number, Date of the order, Quantity, SKU"):
        map_columns(run.pk, Columns({}), actor=SYSTEM)
    with pytest.raises(ColumnsMissing):
        start_check(run.pk, actor=SYSTEM)
    map_columns(run.pk, Columns({"order": "a", "placed_at": "b", "quantity": "c", "sku": "a"}), actor=SYSTEM)


def test_check_stops_when_the_run_is_cancelled_and_cancelling_again_changes_nothing() -> None:
    run = upload(text_of(row()))
    job_id = start_check(run.pk, actor=SYSTEM)
    assert cancel_runs([run.pk], actor=SYSTEM).done_ids == [run.pk]
    events = Event.objects.count()

    assert work(job_id).state == "cancelled"
    assert cancel_runs([run.pk], actor=SYSTEM).unchanged_ids == [run.pk]
    assert Event.objects.count() == events
    assert run.rows.count() == 0
    with pytest.raises(ImportStopped):
        start_check(run.pk, actor=SYSTEM)


def test_upload_of_an_unreadable_file_keeps_nothing() -> None:
    make_order()
    before = counted((ImportRun, Event))

    for content in (b"", bombs.last_cell(), b"PK\x03\x04x"):
        with pytest.raises(UnreadableFile):
            upload(content, name="../../etc/passwd.xlsx")

    assert counted((ImportRun, Event)) == before


def test_upload_stores_a_file_under_a_name_of_our_own() -> None:
    run = upload(text_of(row()), name="../../x\r\n.csv")

    assert run.stored_name.startswith("imports/")
    assert "x" not in run.stored_name.removesuffix(".csv").rpartition("/")[2].strip("0123456789abcdef")
    assert (run.file_size, len(run.file_hash)) == (len(text_of(row())), 64)


def test_check_reads_workbooks_and_refuses_formulas() -> None:
    make_skus("MUG")
    lines = [line.split(",") for line in text_of(row("0012"), row("2")).splitlines()]

    run = check(bombs.table(*map(tuple, lines)), name="a.xlsx")

    assert (run.reading["kind"], problems_of(run)) == ("xlsx", [])
    assert sorted(run.staged.values_list("key", flat=True)) == ["0012", "2"]


def test_header_of_our_template_is_recognised_as_such() -> None:
    assert upload(text_of(row())).profile == "own"
    assert HEADER.startswith("order,")


def test_order_whose_total_no_column_holds_is_refused_alone() -> None:
    make_skus("MUG")

    run = check(text_of(row("W-1", quantity="1000000", price="999999999.00"), row("W-2")))

    assert dict(run.staged.values_list("key", "plan")) == {"W-1": "refuse", "W-2": "create"}
    assert run.staged.get(key="W-1").total_amount is None
    assert [code for _line, code, _column, _value in problems_of(run)] == ["cannot"]
