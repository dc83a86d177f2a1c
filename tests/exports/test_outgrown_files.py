"""A file that shows more than its person sees by now is not given, and none is made of two such halves."""

from datetime import timedelta

import pytest

from config.kernel import clock
from config.kernel import exports as kernel_exports
from config.kernel.actors import Actor
from config.kernel.enums import ExportFormat
from config.kernel.exports import Wanted, expire_exports, path_of, request_export
from config.kernel.jobs import retry_job, run_job
from config.kernel.models import Event, Export, Job
from inventory.models import Location, StaffLocation
from tests.exports.files import make_export, person_of, table_in
from tests.factories.imports import work
from tests.factories.inventory import make_location, make_sku, receive
from tests.factories.orders import SYSTEM
from tests.kernel.visitor import Visitor, visitor

pytestmark = pytest.mark.django_db


def bind(client: Visitor, *locations: Location) -> None:
    """Bind a person to these locations alone; to none of them for the whole business."""
    StaffLocation.objects.filter(user=person_of(client)).delete()
    for location in locations:
        StaffLocation.objects.create(user=person_of(client), location=location)


@pytest.mark.parametrize(
    ("then", "now", "is_given"),
    [
        ((), ("HERE",), False),
        (("HERE", "THERE"), ("HERE",), False),
        (("HERE",), ("THERE",), False),
        (("HERE",), ("HERE", "THERE"), True),
        (("HERE",), (), True),
    ],
)
def test_file_of_rows_that_its_person_sees_no_more_is_refused(
    then: tuple[str, ...], now: tuple[str, ...], is_given: bool
) -> None:
    places = {code: make_location(code) for code in ("HERE", "THERE")}
    for code, place in places.items():
        receive(make_sku(f"MUG-{code}"), place, 2)
    reader = visitor("Reader")
    bind(reader, *(places[code] for code in then))
    export = make_export("stock_levels", client=reader)
    bind(reader, *(places[code] for code in now))

    answer = reader.post(f"/kernel/export/{export.pk}/download/")
    page = reader.get(f"/kernel/export/{export.pk}/change/").content.decode()

    assert answer.status_code == (200 if is_given else 302)
    assert not is_given or answer.getvalue()
    assert ("Export the list again." in page, "download/" in page) == (not is_given, is_given)
    assert Event.objects.filter(kind="downloaded").exists() is is_given


def test_export_goes_on_anew_where_its_person_was_bound_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_exports, "CHUNK", 1)
    here, there = make_location("HERE"), make_location("THERE")
    for place in (there, here):
        receive(make_sku(f"MUG-{place.code}"), place, 2)
    reader = visitor("Reader")
    actor = Actor.for_user(person_of(reader))
    pk = request_export(Wanted("stock_levels", ExportFormat.CSV), actor=actor)
    monkeypatch.setattr("config.kernel.jobs.TURN", timedelta(0))
    run_job(Job.objects.get().pk)
    assert Job.objects.get().state == "running"
    bind(reader, here)

    work(Export.objects.get().job_id or 0)
    export = Export.objects.get()

    assert export.pk == pk
    assert [row["location"] for row in table_in(export)] == ["HERE"]


def test_job_that_is_repeated_after_its_export_expired_makes_no_file() -> None:
    receive(make_sku("MUG"), make_location(), 2)
    reader = visitor("Reader")
    actor = Actor.for_user(person_of(reader))
    export = Export.objects.get(
        pk=request_export(Wanted("stock_levels", ExportFormat.CSV, "q=mug"), actor=actor)
    )
    Job.objects.update(state="failed")
    with clock.frozen(clock.now() + timedelta(days=31)):
        assert expire_exports() == 1
        retry_job(export.job_id or 0, actor=SYSTEM)

        run_job(export.job_id or 0)

    job = Job.objects.get()
    assert (job.state, job.error) == (
        "failed",
        "TooLate: The time of this export is up. Export the list again.",
    )
    assert not list(path_of(export).parent.glob(f"{path_of(export).stem}*"))
