"""Files of orders, and runs made of them through the desk's own verbs."""

import io
from collections.abc import Sequence
from typing import Any

from django.db import connection

from config.kernel import jobs
from config.kernel.models import Job
from orders.enums import ImportMode, ImportPolicy
from orders.models import ImportRun, SalesChannel
from orders.services.importing.applying import apply_runs
from orders.services.importing.mapping import Columns, map_columns, start_check
from orders.services.importing.uploading import Upload, upload_file
from tests.factories.inventory import make_sku
from tests.factories.orders import SYSTEM, make_channel

HEADER = (
    "order,placed_at,email,ship_name,ship_line1,ship_city,ship_postal_code,ship_country,sku,quantity,unit_amount,"
    "payment_status"
)


def row(
    order: str = "W-1", sku: str = "MUG", quantity: str = "2", price: str = "10.00", **values: str
) -> str:
    """One line of our own template: paid, to be sent to Torino."""
    given = {
        "placed_at": "2026-03-01 10:00:00", "email": f"{order.lower()}@example.com", "ship_name": "Rosa Neri",
        "ship_line1": "Via Po 3", "ship_city": "Torino", "ship_postal_code": "10124", "ship_country": "IT",
        "payment_status": "paid",
    } | values  # fmt: skip
    cells = [
        order,
        *(given[name] for name in HEADER.split(",")[1:8]),
        sku,
        quantity,
        price,
        given["payment_status"],
    ]
    return ",".join(cells)


def text_of(*rows: str, header: str = HEADER) -> str:
    return "\n".join((header, *rows)) + "\n"


def upload(
    content: str | bytes,
    *,
    channel: SalesChannel | None = None,
    mode: ImportMode = ImportMode.LIVE,
    name: str = "a.csv",
) -> ImportRun:
    data = content.encode() if isinstance(content, str) else content
    given = Upload(name, (channel or make_channel()).pk, mode)
    return ImportRun.objects.get(pk=upload_file(io.BytesIO(data), given, actor=SYSTEM))


def work(job_id: int) -> Job:
    """Run a job to its end."""
    while jobs.run_job(job_id):
        job = Job.objects.get(pk=job_id)
        if job.state != "running":
            break
    job = Job.objects.get(pk=job_id)
    assert job.error == ""
    return job


def check(content: str | bytes, **given: Any) -> ImportRun:
    """Upload and check; `ways` are those of `Columns`."""
    ways = given.pop("ways", None)
    run = upload(content, **given)
    if ways:
        map_columns(run.pk, Columns(run.columns, **ways), actor=SYSTEM)
    work(start_check(run.pk, actor=SYSTEM))
    run.refresh_from_db()
    return run


def apply(run: ImportRun, policy: ImportPolicy = ImportPolicy.ALL_OR_NOTHING) -> ImportRun:
    work(apply_runs([run.pk], policy=policy, actor=SYSTEM).only())
    run.refresh_from_db()
    return run


def problems_of(run: ImportRun) -> list[tuple[int, str, str, str]]:
    """(line, code, column, value) in the file's sequence."""
    rows = run.problems.order_by("line", "pk")
    return list(rows.values_list("line", "code", "column", "value"))


def make_skus(*codes: str) -> None:
    for code in codes:
        make_sku(code)


def counted(tables: Sequence[Any]) -> dict[str, int]:
    """How many rows each model has, to prove that nothing was written."""
    connection.ensure_connection()
    return {model.__name__: model.objects.count() for model in tables}
