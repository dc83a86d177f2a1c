"""Random files through the pages, for as long as the suite allows: every answer is a page, none is an error of ours."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from config.kernel import jobs
from config.plain_sheets.sheets import SHEETS
from orders.models import ImportRun
from tests.factories.imports import row, text_of
from tests.factories.inventory import make_location, make_sku
from tests.factories.orders import make_channel
from tests.fuzz.lasting import SECONDS, for_a_while
from tests.imports.test_fuzz import CELL, FEW
from tests.kernel.visitor import Visitor, hidden, visitor

pytestmark = pytest.mark.django_db
PAGES = settings(FEW, max_examples=10)
WORDS = st.sampled_from(
    [",", ";", "\n", "\r\n", '"', "\x00", "order", "quantity", "W-1", "MUG", "5.0", "=1+1", "\ufeff"]
)
FILE = st.one_of(
    st.binary(min_size=1, max_size=1500),
    st.lists(WORDS, min_size=1, max_size=60).map(lambda parts: "".join(parts).encode()),
    st.tuples(st.sampled_from(["utf-8", "utf-16", "cp1252"]), st.lists(CELL, max_size=24)).map(
        lambda given: text_of(row(), ",".join(given[1])).encode(given[0], "replace")
    ),
)
COLUMNS = {code: [str(one.column_name) for one in sheet.columns] for code, sheet in SHEETS.items()}


def good(answer: Any) -> Any:
    assert answer.status_code < 500, answer.content[:2000]
    return answer


def work() -> None:
    for _turn in range(8):
        for job_id in jobs.due_job_ids():
            jobs.run_job(job_id)


def import_file(client: Visitor, channel_id: int, content: bytes) -> None:
    """Upload, map as proposed, check, look, take the failed rows, apply the good ones."""
    before = ImportRun.objects.count()
    file = SimpleUploadedFile("a.csv", content, "text/csv")
    good(client.post("/orders/importrun/add/", {"file": file, "sales_channel": channel_id, "mode": "live"}))
    if ImportRun.objects.count() == before:
        return
    run = ImportRun.objects.latest("pk")
    columns = reverse("admin:orders_importrun_columns", args=[run.pk])
    good(client.get(columns))
    good(client.post(columns, {f"field_{name}": heading for name, heading in run.columns.items()}))
    work()
    page = reverse("admin:orders_importrun_change", args=[run.pk])
    good(client.get(page))
    b"".join(good(client.get(reverse("admin:orders_importrun_failed", args=[run.pk]))).streaming_content)
    run.refresh_from_db()
    if run.status == "checked":
        good(client.press(f"{page.removesuffix('change/')}apply/", policy="good_ones"))
        work()
        good(client.get(page))


def test_any_file_through_the_import_desk_is_answered_by_a_page() -> None:
    client, channel = visitor("Manager"), make_channel()
    make_sku("MUG")

    @PAGES
    @given(FILE)
    def upload(content: bytes) -> None:
        import_file(client, channel.pk, content)

    for_a_while([upload], SECONDS / 2)
    assert not ImportRun.objects.filter(status="applying").exists()


def test_any_plain_sheet_is_answered_by_a_page() -> None:
    client = visitor("Manager")
    make_sku("MUG", barcodes=["111"])
    make_location("TO")
    cell = st.one_of(CELL, st.sampled_from(["MUG", "111", "TO", "shelf", "yes", "0", "7", "DEFAULT"]))

    @PAGES
    @given(
        st.sampled_from(list(COLUMNS)),
        st.lists(st.lists(cell, min_size=5, max_size=5), max_size=4),
        st.binary(max_size=60),
    )
    def bring(code: str, rows: list[list[str]], noise: bytes) -> None:
        lines = [COLUMNS[code], *(cells[: len(COLUMNS[code])] for cells in rows)]
        content = "\n".join(",".join(cells) for cells in lines).encode(errors="replace") + noise
        address = reverse("admin:sheet", args=[*SHEETS[code].model.split("."), code])
        page = good(client.post(address, {"file": SimpleUploadedFile("a.csv", content)}))
        if "table" in hidden(page):
            good(client.post(address, {"table": hidden(page)["table"]}))

    for_a_while([bring], SECONDS / 2)
