"""The whole import through the pages: 10,000 lines of which 137 are bad in 12 ways, repaired and uploaded again."""

import csv
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from config.kernel import jobs
from orders.models import ImportRun, Order
from tests.browser.conftest import DESK, Visit
from tests.browser.pages import Person
from tests.factories.imports import HEADER, row, text_of
from tests.factories.inventory import make_sku
from tests.factories.orders import make_channel

LINES, AN_ORDER, BAD = 10_000, 40, 137
KINDS = (
    {"quantity": "1.5"},
    {"quantity": "-2"},
    {"quantity": "two"},
    {"quantity": ""},
    {"price": "1e3"},
    {"price": "1.999"},
    {"price": "-1.00"},
    {"placed_at": "2026-02-30"},
    {"email": "nobody"},
    {"ship_country": "Atlantis"},
    {"payment_status": "zzz"},
    {"sku": "M\u202eUG"},
)


# What each kind is called where it is found: two of them are no quantity.
WRONG = (
    ("quantity", "quantity"),
    ("quantity", "quantity"),
    ("number", "quantity"),
    ("missing", "quantity"),
    ("number", "unit_amount"),
    ("decimals", "unit_amount"),
    ("negative", "unit_amount"),
    ("date", "placed_at"),
    ("email", "email"),
    ("country", "ship_country"),
    ("paid", "payment_status"),
    ("characters", "sku"),
)


def bad_rows() -> list[str]:
    return [row(f"B-{n}", **KINDS[n % len(KINDS)]) for n in range(BAD)]


def the_file() -> str:
    """Good orders of many lines, and between them bad ones of one line each."""
    good = [row(f"G-{n // AN_ORDER}", sku="MUG" if n % 2 else "CUP") for n in range(LINES - BAD)]
    bad, rows = bad_rows(), []
    for place in range(0, len(good), AN_ORDER):
        rows += good[place : place + AN_ORDER]
        rows += [bad.pop()] if bad else []
    return text_of(*rows, *bad)


def work() -> None:
    """Do the jobs that are due, as the worker would."""
    for _turn in range(50):
        due = jobs.due_job_ids()
        if not due:
            return
        for job_id in due:
            jobs.run_job(job_id)


def upload_and_check(marta: Person, path: Path) -> None:
    marta.go("/orders/importrun/add/")
    marta.page.get_by_label("File").set_input_files(path)
    marta.submit("Upload")
    marta.submit("Check the file")
    work()
    # The open page looks again by itself.
    marta.sees_badges("Checked")


@pytest.fixture
def shop(manager: User) -> User:
    make_channel()
    make_sku("MUG")
    make_sku("CUP")
    return manager


@pytest.mark.django_db(transaction=True)
def test_10000_lines_with_137_bad_ones_are_repaired_and_completed(
    shop: User, visit: Callable[..., Visit], beside: None, tmp_path: Path
) -> None:
    marta = Person(visit(DESK, user=shop))
    path = tmp_path / "orders.csv"
    path.write_text(the_file(), encoding="utf-8")
    upload_and_check(marta, path)
    assert ImportRun.objects.get().summary["bad"] == BAD

    with marta.page.expect_download() as download:
        marta.page.get_by_role("link", name="Download them").click()
    failed = Path(download.value.path()).read_text(encoding="utf-8-sig")
    lines = list(csv.reader(io.StringIO(failed)))
    # Exactly the bad rows, cell by cell and in the file's sequence, each with what is wrong.
    written = [cells for cells in csv.reader(io.StringIO(the_file())) if cells[0].startswith("B-")]
    assert [cells[:-1] for cells in lines[1:]] == written
    assert len(written) == BAD
    assert lines[0] == [*HEADER.split(","), "problem"]
    assert all(cells[-1] for cells in lines)
    run = ImportRun.objects.get()
    found = {(one["code"], one["column"]): one["count"] for one in run.summary["problems"]}
    assert found == Counter(WRONG[n % len(KINDS)] for n in range(BAD))

    marta.press("Apply", consequence=f"{BAD} orders or rows are left out.")
    work()
    marta.sees_badges("Applied")
    good = -(-(LINES - BAD) // AN_ORDER)
    assert Order.objects.count() == good

    repaired = [cells[:-1] for cells in lines[:1]] + [row(cells[0]).split(",") for cells in lines[1:]]
    out = io.StringIO()
    csv.writer(out).writerows(repaired)
    path.write_text(out.getvalue(), encoding="utf-8")
    upload_and_check(marta, path)
    marta.press("Apply")
    work()
    marta.sees_badges("Applied")
    marta.press("Finish")
    work()

    assert Order.objects.count() == good + BAD
    assert ImportRun.objects.order_by("-pk")[0].status == "finished"
