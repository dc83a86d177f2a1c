"""The import desk's pages: who may, what they show, and that each press does its one thing."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.kernel import jobs
from orders.models import ImportRun, Order
from tests.factories.imports import apply, check, make_skus, row, text_of, upload
from tests.factories.orders import make_channel
from tests.kernel.visitor import Visitor, messages_of, visitor
from tests.kernel.visitor import text_of as words_of

pytestmark = pytest.mark.django_db

LIST, ADD = "/orders/importrun/", "/orders/importrun/add/"


def page_url(run: ImportRun, page: str = "change") -> str:
    return reverse(f"admin:orders_importrun_{page}", args=[run.pk])


def send(client: Visitor, content: str, **values: Any) -> Any:
    file = SimpleUploadedFile("march.csv", content.encode(), "text/csv")
    given = {"file": file, "sales_channel": make_channel().pk, "mode": "live"} | values
    return client.post(ADD, given)


def work_all() -> None:
    for job_id in jobs.due_job_ids():
        jobs.run_job(job_id)


def test_whole_path_by_pages_from_upload_to_finish() -> None:
    make_skus("MUG")
    client = visitor("Manager")
    answer = send(client, text_of(row("W-1"), row("W-2", quantity="x")))
    run = ImportRun.objects.get()
    assert answer["Location"] == page_url(run, "columns")

    columns = client.get(page_url(run, "columns"))
    assert "Let the file tell" in words_of(columns)
    posted = {f"field_{name}": heading for name, heading in run.columns.items()}
    answer = client.post(page_url(run, "columns"), posted)
    assert answer["Location"] == page_url(run)
    assert 'data-refresh-url="' in client.get(page_url(run)).content.decode()
    work_all()

    page = words_of(client.get(page_url(run)))
    assert "Is no number; accepted are digits with this file's decimal mark" in page
    assert "Create 1 1" in page
    failed = client.get(page_url(run, "failed"))
    assert failed["Content-Disposition"] == f'attachment; filename="import-{run.pk}-failed-rows.csv"'
    assert b"".join(failed.streaming_content).count(b"\r\n") == 2

    answer = client.press(f"{page_url(run).removesuffix('change/')}apply/", policy="good_ones")
    assert answer.status_code == 302
    work_all()
    assert Order.objects.get().external_id == "W-1"
    applied = words_of(client.get(page_url(run)))
    assert "It can still be rolled back. Until it is finished" in applied
    assert ("W-2 3 Refused" in applied, "W-2 3 Refuse" in page) == (True, True)
    client.press(f"{page_url(run).removesuffix('change/')}finish/")
    work_all()
    run.refresh_from_db()
    assert run.status == "finished"


def test_roll_back_button_takes_everything_away_and_hides_it() -> None:
    make_skus("MUG")
    run = apply(check(text_of(row("W-1"))))
    client = visitor("Manager")
    assert "W-1" in client.get("/orders/order/").content.decode() or Order.objects.count() == 1

    client.press(f"{page_url(run).removesuffix('change/')}roll_back/")
    work_all()

    order = Order.objects.get()
    assert order.status == "void"
    assert order.number not in words_of(client.get("/orders/order/"))
    assert order.number in words_of(client.get("/orders/order/?status__exact=void"))


@pytest.mark.parametrize(
    ("role", "answered"), [("Manager", 200), ("Support", 403), ("Picker", 403), ("Reader", 403)]
)
def test_pages_are_for_those_who_may_import(role: str, answered: int) -> None:
    run = check(text_of(row("W-1")))
    client = visitor(role)

    for url in (LIST, ADD, page_url(run), page_url(run, "columns"), page_url(run, "failed")):
        assert client.get(url).status_code == answered, url


def test_upload_says_beside_the_field_why_a_file_is_refused() -> None:
    client = visitor("Manager")
    answer = client.post(
        ADD,
        {"file": io.BytesIO(b"order,SKU,sku\n1,2,3\n"), "sales_channel": make_channel().pk, "mode": "live"},
    )

    assert answer.status_code == 200
    assert "the heading “sku” stands twice, in columns 2 and 3" in words_of(answer)
    assert ImportRun.objects.count() == 0


def test_columns_page_asks_for_what_is_needed_and_says_what_can_be_read_in_two_ways() -> None:
    client = visitor("Manager")
    run = upload("a,b,c\n1,2,3\n")
    answer = client.post(page_url(run, "columns"), {"field_order": "a"})
    assert "This field is required." in words_of(answer)

    asked = check(text_of(row("W-1", placed_at="02/03/2026")))
    page = words_of(client.get(page_url(asked, "columns")))
    assert "This file's values can be read in two ways: 02/03/2026" in page
    assert "One question first" in words_of(client.get(page_url(asked)))


def test_problems_are_narrowed_to_a_kind() -> None:
    run = check(text_of(row("W-1", quantity="x"), row("W-2", email="nobody"), row("W-3", ship_country="??")))
    client = visitor("Manager")

    page = words_of(client.get(f"{page_url(run)}?problem=email"))

    assert "Is no e-mail address; accepted is one address" in page
    assert "Is no country 1" in page, "the other kinds are offered"
    assert "Is no country; accepted" not in page


def statements(client: Visitor, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(url).status_code == 200
    return len(found)


def test_statements_of_the_pages_do_not_grow_with_the_file() -> None:
    make_skus("MUG")
    client = visitor("Manager")
    one = apply(check(text_of(row("W-1"))))
    first = statements(client, page_url(one)), statements(client, LIST)
    three = apply(check(text_of(*(row(f"X-{n}") for n in range(30)))))
    check(text_of(row("Y-1")))

    assert (statements(client, page_url(three)), statements(client, LIST)) == first
    assert messages_of(client.get(LIST)) == []


def test_empty_file_has_the_headings_that_are_read_without_a_question() -> None:
    client = visitor("Manager")
    page = client.get(ADD)
    assert 'href="?template"' in page.content.decode()
    assert "Shopify · Amazon, all orders · " in words_of(page)
    assert "it needs these: Order number, Date of the order, Quantity, SKU." in words_of(page)

    empty = client.get(ADD, {"template": ""})

    assert empty["Content-Disposition"] == 'attachment; filename="orders.csv"'
    heading = empty.content.decode("utf-8-sig").strip()
    values = {"order": "W-1", "placed_at": "2026-11-30", "sku": "MUG", "quantity": "1", "unit_amount": "9.00"}
    typed = ",".join(values.get(name, "") for name in heading.split(","))
    send(client, f"{heading}\n{typed}\n")
    run = ImportRun.objects.get()
    assert run.profile == "own"
    assert {run.columns[name] for name in values} == set(values)


def test_empty_file_is_for_those_only_who_import() -> None:
    assert visitor("Picker").get(ADD, {"template": ""}).status_code == 403
