"""Exports of lists: what they hold, who may have them made, who downloads them, and how they end."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import InterfaceError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.kernel import clock
from config.kernel import exports as kernel_exports
from config.kernel.actors import Actor
from config.kernel.enums import ExportFormat
from config.kernel.errors import NotAllowed
from config.kernel.exports import EXPORT_KINDS, Wanted, expire_exports, path_of, request_export
from config.kernel.jobs import JobRun, cancel_job, run_job
from config.kernel.models import Event, Export, Job
from config.kernel.sheets import write_workbook
from inventory.models import StaffLocation, StockLevel
from orders.services.cancelling import cancel_orders
from orders.services.cancelling_lines import CancelUnits, cancel_units
from tests.exports.files import cells_in, make_export, person_of, table_in, text_in
from tests.exports.test_sheets import PAYLOADS
from tests.factories.imports import work
from tests.factories.inventory import make_location, make_sku, receive
from tests.factories.orders import SYSTEM, make_order, neutral_address, neutral_line
from tests.kernel.visitor import Visitor, visitor

pytestmark = pytest.mark.django_db
LIST, PAGE = "/orders/order/", "/orders/order/export/"
PASSWORD = "a long enough pass phrase"


def ask(client: Visitor, url: str = PAGE, **values: Any) -> Any:
    return client.press(url, **{"kind": "orders", "format": "csv", **values})


def forget_proof(client: Visitor) -> None:
    """As five minutes after the password was given."""
    session = client.session
    session.pop("proved_at")
    session.save()


def latest() -> Export:
    export = Export.objects.latest("pk")
    work(export.job_id or 0)
    export.refresh_from_db()
    return export


def download(client: Visitor, export: Export, **values: str) -> Any:
    return client.post(f"/kernel/export/{export.pk}/download/", values)


def plant(value: str) -> None:
    """An order, a level, a movement and a customer whose words are this payload."""
    make_order(
        external_id=f"{value}/1", note=value, shipping_method=value,
        lines=(neutral_line(f"{value.strip()}a", title=value),), skus=False,
        ship_to=neutral_address(name=value, line1=value, company=value),
    )  # fmt: skip


@pytest.mark.parametrize("format", list(ExportFormat))
@pytest.mark.parametrize("kind", ["orders", "order_lines", "stock_levels", "stock_movements", "customers"])
def test_no_exporter_writes_a_live_cell(kind: str, format: ExportFormat) -> None:
    place = make_location()
    for value in PAYLOADS:
        plant(value)
        make_sku(f"{value.strip()}b")
    from inventory.models import Sku
    from orders.models import Customer

    Customer.objects.filter(pk__gt=0).update(name=PAYLOADS[0], phone="+39011")
    for sku in Sku.objects.all():
        receive(sku, place, 2)
    Sku.objects.update(title=PAYLOADS[1])

    export = make_export(kind, format, personal=kind in {"orders", "order_lines", "customers"})

    assert export.row_count == len(table_in(export)) > 0
    if format == ExportFormat.XLSX:
        cells = cells_in(export)
        assert {cell.data_type for cell in cells} <= {"s", "n"}
        values = [cell.value for cell in cells if isinstance(cell.value, str)]
    else:
        assert text_in(export).startswith("\ufeff") is (format == ExportFormat.CSV)
        values = [value for row in table_in(export) for value in row.values()]
    alive = [
        value for value in values if value.lstrip()[:1] in tuple("=+-@＝＋－＠\0") and not value[1:].isdigit()
    ]
    assert alive == []


@pytest.mark.parametrize(
    "query", ["", "q=A-", "status__exact=cancelled", "queue=to_confirm", "q=nobody-here"]
)
def test_export_holds_what_the_list_finds(query: str) -> None:
    orders = [make_order() for _number in range(3)]
    cancel_orders([orders[0].pk], reason="twice", actor=SYSTEM).only()
    desk = visitor("Support")
    listed = {row.number for row in desk.get(f"{LIST}?{query}").context["cl"].queryset}

    ask(desk, f"{PAGE}?{query}&p=2&last=1")

    export = latest()
    assert {row["number"] for row in table_in(export)} == listed
    assert (export.query, export.row_count) == (query, len(listed))


def test_orders_are_exported_with_what_is_owed_of_them() -> None:
    order = make_order(lines=(neutral_line("MUG", 2, "10.00"),))
    cancel_units(
        [CancelUnits(order.pk, {order.lines.get().pk: 1})], reason="one is enough", actor=SYSTEM
    ).only()

    (row,) = table_in(make_export("orders"))

    amounts = (row["total_amount"], row["cancelled_amount"], row["owed_amount"])
    assert amounts == ("20.00", "10.00", "10.00")


def test_stock_lists_are_exported_with_their_figures() -> None:
    receive(make_sku("MUG"), make_location("TO"), 7)
    level = StockLevel.objects.get()

    (row,) = table_in(make_export("stock_levels"))
    (movement,) = table_in(make_export("stock_movements"))

    assert (row["sku"], row["location"], row["on_hand"], row["free"]) == ("MUG", "TO", "7", str(level.free))
    assert (movement["sku"], movement["units"], movement["on_hand_after"]) == ("MUG", "7", "7")


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        ("Picker", set()), ("Integration", set()), ("Support", {"orders", "order_lines"}),
        ("Reader", {"orders", "order_lines", "stock_levels", "stock_movements", "skus", "bins"}),
        ("Manager", set(EXPORT_KINDS)),
    ],
)  # fmt: skip
def test_role_exports_what_it_may(role: str, kinds: set[str]) -> None:
    client = visitor(role)
    lists = {kind.model.replace(".", "/"): [] for kind in EXPORT_KINDS.values()}
    for kind in EXPORT_KINDS.values():
        lists[kind.model.replace(".", "/")].append(kind.name)

    for url, names in lists.items():
        may = kinds & set(names)
        assert client.get(f"/{url}/export/").status_code == (200 if may else 403)
        assert (f'href="/{url}/export/"' in client.get(f"/{url}/").content.decode()) is bool(may)
    for name in set(EXPORT_KINDS) - kinds:
        with pytest.raises(NotAllowed):
            request_export(Wanted(name, ExportFormat.CSV), actor=Actor.for_user(person_of(client)))
    assert (Export.objects.count(), Job.objects.count()) == (0, 0)


def test_columns_of_people_and_money_need_their_rights() -> None:
    make_order()
    reader = visitor("Reader")

    plain = table_in(make_export("orders"))[0]
    whole = table_in(make_export("orders", personal=True))[0]
    bare = visitor("", "orders.view_order", "orders.export_order", "orders.export_orderline")
    poor = table_in(make_export("order_lines", client=bare))[0]

    assert set(whole) - set(plain) == {"buyer_name", "email", "note"}
    assert "total_amount" in table_in(make_export("orders", client=reader))[0]
    assert not {"unit_amount", "total_amount", "payment_status", "ship_name", "email"} & set(poor)
    with pytest.raises(NotAllowed):
        make_export("orders", client=reader, personal=True)
    assert "with_personal" not in reader.get(PAGE).content.decode()


def test_personal_data_is_asked_for_with_the_password() -> None:
    make_order()
    desk = visitor("Support")
    person = person_of(desk)
    person.set_password(PASSWORD)
    person.save()
    desk.force_login(person)
    forget_proof(desk)

    asked = ask(desk, with_personal="on")
    assert "Confirm that it is you" in asked.content.decode()
    assert Export.objects.count() == 0

    desk.post(PAGE, {"kind": "orders", "format": "csv", "with_personal": "on", "proof_password": PASSWORD})
    export = latest()
    assert export.has_personal
    assert table_in(export)[0]["buyer_name"] == "Rosa Neri"
    assert b"Rosa Neri" in download(desk, export).getvalue()

    forget_proof(desk)
    assert "Confirm that it is you" in download(desk, export).content.decode()
    assert Event.objects.filter(kind="downloaded").count() == 1


def test_file_is_its_persons_and_the_managers_alone() -> None:
    make_order()
    owner, other, manager = visitor("Support"), visitor("Support"), visitor("Manager")
    ask(owner)
    export = latest()

    unknown = other.get("/kernel/export/999999/change/")
    assert other.get(f"/kernel/export/{export.pk}/change/").status_code == unknown.status_code == 302
    assert download(other, export).status_code == 404
    assert other.get(f"/kernel/export/{export.pk}/download/").status_code == 404
    assert export not in other.get("/kernel/export/").context["cl"].result_list
    assert not Event.objects.filter(kind="downloaded").exists()

    for client in (owner, manager):
        answer = download(client, export)
        assert answer.getvalue() == path_of(export).read_bytes()
        day = timezone.localtime(export.requested_at).strftime("%Y-%m-%d")
        assert answer["Content-Disposition"] == f'attachment; filename="orders-{day}-{export.pk}.csv"'
    person_of(owner).groups.clear()
    assert download(owner, export).status_code == 403


@pytest.mark.parametrize(
    "path", ["..%2F..%2Fsettings.py", "../../etc/passwd", "1%00", "-1", "1/../../x", "9" * 30]
)
def test_no_path_leads_to_another_file(path: str) -> None:
    assert visitor(superuser=True).post(f"/kernel/export/{path}/download/").status_code in (302, 400, 404)


def test_person_bound_to_a_location_exports_what_they_see() -> None:
    here, there = make_location("HERE"), make_location("THERE")
    for place in (here, there):
        receive(make_sku(f"MUG-{place.code}"), place, 2)
    reader = visitor("Reader")
    StaffLocation.objects.create(user=person_of(reader), location=here)

    assert [row["location"] for row in table_in(make_export("stock_levels", client=reader))] == ["HERE"]


def test_double_press_makes_one_export() -> None:
    desk = visitor("Support")
    posted = {"kind": "orders", "format": "csv", "export_nonce": "once"}

    first, second = desk.post(PAGE, posted), desk.post(PAGE, posted)

    assert first["Location"] == second["Location"]
    assert (Export.objects.count(), Job.objects.count()) == (1, 1)


def test_job_of_a_person_who_lost_the_right_writes_nothing() -> None:
    desk = visitor("Support")
    ask(desk)
    person_of(desk).groups.clear()

    export = Export.objects.get()
    run_job(export.job_id or 0)

    assert Job.objects.get().state == "failed"
    assert not path_of(export).exists()
    assert not Event.objects.filter(kind="made").exists()


@pytest.mark.parametrize("format", [ExportFormat.CSV, ExportFormat.XLSX])
def test_cut_off_export_goes_on_where_it_stopped(
    format: ExportFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_exports, "CHUNK", 2)
    numbers = [make_order().number for _number in range(5)]
    pk = request_export(Wanted("orders", format), actor=Actor.for_user(person_of(visitor("Manager"))))
    export = Export.objects.get(pk=pk)
    kind, asked = EXPORT_KINDS["orders"], []

    def dying(ids: Any) -> Any:
        asked.append(list(ids))
        if len(asked) == 2:
            raise KeyboardInterrupt
        return kind.rows(ids)

    monkeypatch.setitem(EXPORT_KINDS, "orders", kernel_exports.ExportKind(
        "orders", kind.model, kind.label, kind.permission, kind.columns, dying, kind.personal,
    ))  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        run_job(export.job_id or 0)
    with clock.frozen(clock.now() + timedelta(hours=1)):
        assert run_job(export.job_id or 0) is True

    export.refresh_from_db()
    assert [row["number"] for row in table_in(export)] == numbers
    assert asked[1] == asked[2] != asked[0]
    assert export.row_count == 5
    assert [one.name for one in path_of(export).parent.glob(f"{path_of(export).stem}*")] == [
        path_of(export).name
    ]


def test_worker_that_loses_its_export_while_it_writes_the_workbook_leaves_the_files_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_order()
    pk = request_export(
        Wanted("orders", ExportFormat.XLSX), actor=Actor.for_user(person_of(visitor("Manager")))
    )
    export = Export.objects.get(pk=pk)
    whole: list[bytes] = []

    def taken_over(*given: Any, **named: Any) -> None:
        write_workbook(*given, **named)
        if not whole:
            whole.append(b"")
            with clock.frozen(clock.now() + timedelta(hours=1)):
                assert run_job(export.job_id or 0) is True
            whole[0] = path_of(export).read_bytes()

    monkeypatch.setattr(kernel_exports, "write_workbook", taken_over)
    run_job(export.job_id or 0)

    export.refresh_from_db()
    assert Job.objects.get().state == "done"
    assert path_of(export).read_bytes() == whole[0]
    assert [one.name for one in path_of(export).parent.glob(f"{path_of(export).stem}*")] == [
        path_of(export).name
    ]
    assert Event.objects.filter(thread_type="export", kind="made").count() == 1


@pytest.mark.parametrize("is_asked_before", [True, False])
def test_cancel_that_comes_when_all_rows_are_read_stops_the_workbook(
    is_asked_before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All rows are read in a turn, and the workbook is written in the next one.
    monkeypatch.setattr(kernel_exports, "_ROWS_OF_A_TURN", 0)
    make_order()
    pk = request_export(
        Wanted("orders", ExportFormat.XLSX), actor=Actor.for_user(person_of(visitor("Manager")))
    )
    export = Export.objects.get(pk=pk)
    job_id, written = export.job_id or 0, []

    def cancelled(*given: Any, **named: Any) -> None:
        write_workbook(*given, **named)
        cancel_job(job_id, actor=SYSTEM)
        written.append(1)

    monkeypatch.setattr(kernel_exports, "write_workbook", cancelled)
    run_job(job_id)
    job = Job.objects.get()
    assert (job.state, job.done_count, job.total_count) == ("running", 1, 1)
    if is_asked_before:
        cancel_job(job_id, actor=SYSTEM)

    assert run_job(job_id) is True

    assert (Job.objects.get().state, len(written)) == ("cancelled", 0 if is_asked_before else 1)
    assert not list(path_of(export).parent.glob(f"{path_of(export).stem}*"))
    assert not Event.objects.filter(thread_type="export", kind="made").exists()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_export_whose_database_went_away_leaves_its_file_to_the_next_worker(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_order()
    pk = request_export(
        Wanted("orders", ExportFormat.CSV), actor=Actor.for_user(person_of(visitor("Manager")))
    )
    export = Export.objects.get(pk=pk)

    def broken(run: JobRun) -> None:
        raise error("server closed the connection unexpectedly")

    monkeypatch.setattr(JobRun, "make_sure", broken)
    run_job(export.job_id or 0)

    assert path_of(export).with_suffix(".part").exists()


def test_workbook_of_too_many_rows_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_exports, "MOST_WORKBOOK_ROWS", 1)
    make_order()
    make_order()
    pk = request_export(
        Wanted("orders", ExportFormat.XLSX), actor=Actor.for_user(person_of(visitor("Manager")))
    )

    export = Export.objects.get(pk=pk)
    run_job(export.job_id or 0)

    assert "An Excel file holds up to 1 rows" in Job.objects.get().error
    assert not path_of(export).exists()


def test_expiring_removes_file_and_filters_and_keeps_who_and_when() -> None:
    make_order()
    desk = visitor("Support")
    ask(desk, f"{PAGE}?q=rosa")
    export = latest()
    later = clock.now() + timedelta(days=30)

    assert expire_exports() == 0
    with clock.frozen(later):
        assert (expire_exports(), expire_exports()) == (1, 0)

    export.refresh_from_db()
    assert (export.expired_at, export.query, export.actor_id) == (later, "", person_of(desk).pk)
    assert not path_of(export).exists()
    assert download(desk, export).status_code == 302
    assert Event.objects.filter(thread_type="export", kind="expired").count() == 1


def test_files_of_expired_exports_go_after_the_commit_and_one_that_stays_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_order()
    stuck, other = make_export("orders"), make_export("orders")
    # No plain file, so that it cannot be deleted.
    blocking = path_of(stuck).with_suffix(".part")
    blocking.mkdir()
    remove, outside, depths = kernel_exports.remove_files, len(connection.savepoint_ids), []

    def removed(export: Export) -> None:
        depths.append(len(connection.savepoint_ids))
        remove(export)

    monkeypatch.setattr(kernel_exports, "remove_files", removed)
    with clock.frozen(clock.now() + timedelta(days=30)):
        assert expire_exports() == 2

        assert not path_of(other).exists()
        assert not Export.objects.filter(expired_at=None).exists()
        assert set(depths) == {outside}
        assert f"the file of export {stuck.pk} cannot be removed" in caplog.text
        blocking.rmdir()
        assert expire_exports() == 0
    assert not path_of(stuck).exists()


def test_crash_before_the_file_is_gone_leaves_it_to_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    make_order()
    export, kept = make_export("orders"), make_export("orders")
    Export.objects.filter(pk=kept.pk).update(expires_at=clock.now() + timedelta(days=60))
    with clock.frozen(clock.now() + timedelta(days=30)):
        with monkeypatch.context() as patched:
            patched.setattr(kernel_exports, "remove_files", lambda export: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                expire_exports()
        assert path_of(export).exists()

        assert expire_exports() == 0

    assert (path_of(export).exists(), path_of(kept).exists()) == (False, True)


@pytest.mark.parametrize("kind", ["orders", "order_lines", "stock_levels", "stock_movements", "customers"])
def test_rows_take_as_many_statements_for_three_as_for_one(kind: str) -> None:
    place, counts = make_location(), []
    for _round in range(2):
        receive(make_sku(), place, 1)
        make_order()
    from django.apps import apps

    ids = list(apps.get_model(EXPORT_KINDS[kind].model).objects.order_by("pk").values_list("pk", flat=True))
    for chosen in (ids[:1], ids):
        with CaptureQueriesContext(connection) as caught:
            assert len(list(EXPORT_KINDS[kind].rows(chosen))) == len(chosen)
        counts.append(len(caught))

    assert counts[0] == counts[1] <= 6


def test_pages_cost_a_bounded_number_of_statements(django_assert_max_num_queries: Any) -> None:
    desk = visitor("Manager")
    for _number in range(3):
        make_export("orders", client=desk)
    export = Export.objects.latest("pk")

    for url in (PAGE, "/kernel/export/", f"/kernel/export/{export.pk}/change/"):
        with django_assert_max_num_queries(20):
            assert desk.get(url).status_code == 200
    assert get_user_model().objects.count() == 1
