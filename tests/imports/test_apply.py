"""Applying, finishing and rolling back: through the doors of every other order, and exactly back."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from config.kernel import clock, outbox
from config.kernel.audit import INVARIANTS, run_audit
from config.kernel.jobs import cancel_job
from inventory.models import Reservation, StockLevel
from orders.enums import (
    ADDRESS_CHANGED,
    ChannelKind,
    HoldKind,
    ImportMode,
    ImportPolicy,
    ImportStatus,
    MailKind,
    OrderStatus,
)
from orders.errors import (
    AlreadyShipped,
    ImportOpen,
    ImportStopped,
    NothingToApply,
    NotOfImport,
    ProblemsLeft,
)
from orders.models import Hold, ImportOrder, ImportRun, LinePart, Notification, Order
from orders.services.filling import Details, fill_details
from orders.services.holds import place_hold
from orders.services.importing.applying import apply_runs
from orders.services.importing.expiring import expire_originals
from orders.services.importing.failed_rows import failed_count, failed_rows
from orders.services.importing.finishing import finish_runs, sweep_imports
from orders.services.importing.rolling_back import roll_back_runs, sweep_roll_backs
from orders.services.lifting import lift_and_confirm_orders
from orders.services.voiding import void_orders
from tests.factories.fulfillment import make_shipped
from tests.factories.imports import apply, check, make_skus, problems_of, row, text_of, work
from tests.factories.inventory import make_level, make_location, make_sku
from tests.factories.orders import (
    SYSTEM,
    make_channel,
    make_order,
    neutral_address,
    neutral_line,
    neutral_order,
)
from tests.fulfillment.watching import nothing_written

pytestmark = pytest.mark.django_db


def deliver() -> None:
    for lane in outbox.LANES:
        outbox.deliver_due(lane)


def finish(run: ImportRun) -> None:
    job_id = finish_runs([run.pk], actor=SYSTEM).only()
    if job_id:
        work(job_id)
    run.refresh_from_db()


def roll_back(run: ImportRun) -> None:
    work(roll_back_runs([run.pk], actor=SYSTEM).only())
    run.refresh_from_db()


def stand() -> Mapping[str, Any]:
    """Everything that a roll back gives back: levels, live reservations, counters, orders."""
    live = Reservation.objects.filter(state__in=["open", "waiting"])
    parts = LinePart.objects.exclude(line__order__status=OrderStatus.VOID)
    return {
        "levels": list(StockLevel.objects.order_by("pk").values_list("pk", "on_hand", "reserved")),
        "reservations": list(
            live.order_by("pk").values_list("pk", "state", "quantity", "level", "queued_at")
        ),
        "counters": list(parts.order_by("pk").values_list("pk", "ordered", "cancelled", "allocated")),
        "orders": list(
            Order.objects.exclude(status=OrderStatus.VOID)
            .order_by("pk")
            .values_list("pk", "status", "fulfillment_status", "note", "ship_to_id", "email")
        ),
    }


def assert_clean() -> None:
    findings = run_audit(list(INVARIANTS))
    assert {finding.invariant.code: finding.violations for finding in findings if finding.violations} == {}


def test_apply_brings_orders_in_through_every_doors_verb_and_waits_with_mails() -> None:
    channel = make_channel(auto_confirm=True)
    level = make_level(make_sku("MUG"), make_location(), on_hand=3)
    run = apply(check(text_of(row("W-1"), row("W-2", price="12.50"))))
    deliver()

    assert run.status == ImportStatus.APPLIED
    orders = {order.external_id: order for order in Order.objects.all()}
    assert {key: order.status for key, order in orders.items()} == {"W-1": "placed", "W-2": "placed"}
    assert orders["W-1"].import_run_id == run.pk
    assert orders["W-1"].total_sent_amount == Decimal(20)
    level.refresh_from_db()
    assert level.reserved == 3, "stock is theirs at once"
    assert Reservation.objects.filter(state="waiting").aggregate(units=Sum("quantity"))["units"] == 1
    assert Hold.objects.filter(kind=HoldKind.IMPORT, lifted_at=None).count() == 2
    assert mail.outbox == []
    refusals = lift_and_confirm_orders([orders["W-1"].pk], actor=SYSTEM)
    assert isinstance(refusals.refusals.get(orders["W-1"].pk), ImportOpen)

    finish(run)
    deliver()

    assert run.status == ImportStatus.FINISHED
    assert channel.auto_confirm
    assert set(Order.objects.values_list("status", flat=True)) == {"confirmed"}
    assert len(mail.outbox) == 3, "two confirmations, and one that waits for stock"
    assert_clean()


def test_apply_twice_creates_nothing_again() -> None:
    make_skus("MUG")
    content = text_of(row("W-1"), row("W-2"))
    apply(check(content))
    again = check(content + row("W-3") + "\n")

    assert dict(again.staged.values_list("key", "plan")) == {"W-1": "keep", "W-2": "keep", "W-3": "create"}
    apply(again)
    assert Order.objects.count() == 3
    third = check(content)
    assert apply_runs([third.pk], policy=ImportPolicy.GOOD_ONES, actor=SYSTEM).refusals[third.pk].code == (
        NothingToApply.code
    )


def test_same_rows_are_left_alone_unread_and_edited_ones_are_compared() -> None:
    make_skus("MUG", "CUP")
    content = text_of(row("W-1"), row("W-1", sku="CUP"), row("W-2"), row("W-3", quantity="4"))
    first = apply(check(content))
    Order.objects.filter(external_id="W-3").update(status=OrderStatus.VOID)

    with CaptureQueriesContext(connection) as said:
        again = check(content.replace("W-2,2026-03-01 10:00:00", "W-2,2026-03-01T10:00:00"))

    assert dict(again.staged.values_list("key", "plan")) == {"W-1": "keep", "W-2": "keep", "W-3": "create"}
    assert [(one["plan"], one["orders"], one["units"], one["total"]) for one in again.summary["totals"]] == [
        ("create", 1, 4, "40.0000"),
        ("keep", 2, 6, "60.0000"),
    ]
    compared = next(one["sql"] for one in said if 'FROM "orders_orderline"' in one["sql"])
    kept = dict(first.staged.values_list("key", "order_id"))
    assert str(kept["W-2"]) in compared
    assert str(kept["W-1"]) not in compared


def test_faulty_row_added_to_an_order_that_we_have_is_refused_not_passed_over() -> None:
    make_skus("MUG")
    content = text_of(row("W-1"))
    apply(check(content))

    again = check(content + "W-1,2026-03-01\n" + row("W-2") + "\n")

    assert dict(again.staged.values_list("key", "plan")) == {"W-1": "refuse", "W-2": "create"}
    assert problems_of(again)[0][:2] == (3, "cells")


def test_history_is_completed_without_mail_reservation_or_hold() -> None:
    make_level(make_sku("MUG"), make_location(), on_hand=9)
    run = apply(check(text_of(row("W-1")), mode=ImportMode.HISTORY))
    deliver()
    finish(run)
    deliver()

    order = Order.objects.get()
    assert (order.status, order.fulfillment_status, order.is_history) == ("completed", "delivered", True)
    assert (Reservation.objects.count(), Hold.objects.count(), mail.outbox) == (0, 0, [])
    assert_clean()


def test_all_or_nothing_starts_without_problems_only() -> None:
    make_skus("MUG")
    run = check(text_of(row("W-1"), row("W-2", quantity="x")))

    refusals = apply_runs([run.pk], policy=ImportPolicy.ALL_OR_NOTHING, actor=SYSTEM).refusals
    assert isinstance(refusals[run.pk], ProblemsLeft)
    assert Order.objects.count() == 0

    apply(run, ImportPolicy.GOOD_ONES)
    assert list(Order.objects.values_list("external_id", flat=True)) == ["W-1"]


def test_later_refusal_rolls_all_or_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from orders.services.importing import applying

    make_skus("MUG")
    run = check(text_of(*(row(f"W-{n}") for n in range(4))))
    ImportOrder.objects.filter(run=run, key="W-3").update(plan="update", order=make_order(external_id="W-9"))
    Order.objects.filter(external_id="W-9").update(status="cancelled")
    monkeypatch.setattr(applying, "MOST_ORDERS", 2)

    apply(run)
    sweep_roll_backs()

    run.refresh_from_db()
    assert run.status == ImportStatus.ROLLED_BACK
    assert dict(Order.objects.filter(import_run=run).values_list("external_id", "status")) == {
        "W-0": "void", "W-1": "void", "W-2": "void",
    }  # fmt: skip
    assert [one.code for one in run.problems.all()] == ["refused"]


def test_failed_rows_file_has_exactly_the_refused_orders_and_completes_when_repaired() -> None:
    make_skus("MUG", "CUP")
    good, bad = row("W-1"), row("W-2", quantity="x")
    run = check(text_of(good, bad, row("W-2", sku="CUP"), row("W-3", sku="=1+1", email="nobody")))
    apply(run, ImportPolicy.GOOD_ONES)

    lines = "".join(failed_rows(run)).split("\r\n")

    assert failed_count(run) == 3
    assert lines[0].removeprefix("\ufeff").endswith(",payment_status,problem")
    assert lines[1].startswith("W-2,")
    assert "quantity: “x” is no number" in lines[1]
    assert lines[2].endswith("Another line of this order is refused.")
    assert ",'=1+1," in lines[3]
    assert lines[4:] == [""]
    repaired = (
        "\n".join(lines).replace(",x,", ",2,").replace("nobody", "n@example.com").replace("'=1+1", "CUP")
    )
    second = check(repaired)
    assert second.summary["bad"] == 0
    apply(second)
    assert sorted(Order.objects.values_list("external_id", flat=True)) == ["W-1", "W-2", "W-3"]


def test_roll_back_gives_everything_back_exactly() -> None:
    level = make_level(make_sku("MUG"), make_location(), on_hand=5)
    make_order(external_id="A", lines=(neutral_line("MUG", 4),))
    make_order(external_id="W-9", lines=(neutral_line("MUG", 2),))
    deliver()
    before, told = stand(), len(mail.outbox)

    rows = [row(f"W-{n}") for n in range(3)] + [row("W-9", ship_city="Milano")]
    run = apply(check(text_of(*rows)))
    deliver()
    assert stand() != before
    assert run.staged.get(key="W-9").before["note"] == ""
    roll_back(run)
    deliver()

    assert stand() == before
    assert run.status == ImportStatus.ROLLED_BACK
    assert set(Order.objects.filter(import_run=run).values_list("status", flat=True)) == {"void"}
    assert len(mail.outbox) == told
    level.refresh_from_db()
    assert level.reserved == 5
    assert_clean()
    again = apply(check(text_of(*rows)))
    assert again.staged.filter(result="created").count() == 3, "their keys are free again"


def test_roll_back_of_history_hides_completed_orders() -> None:
    run = apply(check(text_of(row("W-1")), mode=ImportMode.HISTORY))

    roll_back(run)

    assert Order.objects.get().status == "void"
    assert run.staged.get().result == "taken_back"
    assert_clean()


def test_finished_import_is_not_rolled_back_and_orders_of_none_are_not_voided() -> None:
    make_skus("MUG")
    run = apply(check(text_of(row("W-1"))))
    finish(run)

    assert isinstance(roll_back_runs([run.pk], actor=SYSTEM).refusals[run.pk], ImportStopped)
    pk = Order.objects.get().pk
    assert isinstance(void_orders([pk], actor=SYSTEM).refusals[pk], NotOfImport)
    assert Order.objects.get().status == "placed"


def test_import_finishes_by_itself_after_15_minutes() -> None:
    make_skus("MUG")
    run = apply(check(text_of(row("W-1"))))
    assert sweep_imports() == 0

    with clock.frozen(clock.now() + timedelta(minutes=15, seconds=1)):
        sweep_imports()
        sweep_imports()

    run.refresh_from_db()
    assert run.status == ImportStatus.FINISHED
    assert Hold.objects.filter(kind=HoldKind.IMPORT, lifted_at=None).count() == 0


def test_apply_stops_at_the_next_chunk_when_it_is_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from orders.services.importing import applying

    make_skus("MUG")
    run = check(text_of(*(row(f"W-{n}") for n in range(4))))
    monkeypatch.setattr(applying, "MOST_ORDERS", 1)
    job_id = apply_runs([run.pk], policy=ImportPolicy.GOOD_ONES, actor=SYSTEM).only()

    class Impatient:
        seen = 0

        def keep(self, result: Mapping[str, Any]) -> None:
            return

        def progress(self, done: int, total: int) -> None:
            self.seen += 1
            if self.seen == 2:
                roll_back_runs([run.pk], actor=SYSTEM).raise_refusals()

    with pytest.raises(ImportStopped):
        applying.apply_run(run.pk, Impatient(), actor=SYSTEM)
    sweep_roll_backs()

    assert set(Order.objects.values_list("external_id", "status")) == {("W-0", "void"), ("W-1", "void")}
    assert work(job_id).state == "done"
    assert Order.objects.count() == 2


def test_cancel_that_comes_with_the_last_order_leaves_the_run_applied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from orders.services.importing import applying

    make_skus("MUG")
    run = check(text_of(row("W-1")))
    job_id = apply_runs([run.pk], policy=ImportPolicy.GOOD_ONES, actor=SYSTEM).only()
    write = applying._write

    def write_and_cancel(*given: Any) -> None:
        write(*given)
        cancel_job(job_id, actor=SYSTEM)

    monkeypatch.setattr(applying, "_write", write_and_cancel)

    work(job_id)

    run.refresh_from_db()
    assert (run.status, Order.objects.count()) == (ImportStatus.APPLIED, 1)


def test_originals_go_after_30_days_and_what_became_of_them_stays() -> None:
    make_skus("MUG")
    run = apply(check(text_of(row("W-1"), row("W-2", email="nobody"))), ImportPolicy.GOOD_ONES)
    assert expire_originals() == 0

    with clock.frozen(clock.now() + timedelta(days=31)):
        assert (expire_originals(), expire_originals()) == (1, 0)

    run.refresh_from_db()
    assert (run.rows.count(), run.stored_name, run.problems.get().value) == (0, "", "…")
    assert run.staged.get(key="W-1").result == "created"


def test_update_from_a_file_keeps_what_it_does_not_state() -> None:
    make_order(external_id="W-1", note="ring twice")
    run = apply(check(text_of(row("W-1", ship_city="Milano", email="new@example.com"))))

    order = Order.objects.get()
    assert (order.ship_to.city, order.email, order.note) == ("Milano", "new@example.com", "ring twice")
    assert run.staged.get().result == "updated"
    assert ChannelKind(order.sales_channel.kind)
    assert_clean()


def test_order_of_which_some_has_left_is_not_voided() -> None:
    make_skus()
    run = apply(check(text_of(row("W-1"))))
    roll_back(run)
    order = make_shipped({"MUG": 3}, goods={"MUG": 2}).order
    Order.objects.filter(pk=order.pk).update(import_run=run)

    with nothing_written():
        problem = void_orders([order.pk], actor=SYSTEM).refusals[order.pk]

    assert isinstance(problem, AlreadyShipped)
    assert str(problem) == f"Goods of order {order.number} have left already (units: 2); use a return."


def address_holds(order: Order) -> list[tuple[str, dict[str, object]]]:
    holds = order.holds.filter(kind=HoldKind.ADDRESS, lifted_at=None)
    return list(holds.values_list("reason", "facts"))


def test_update_to_an_address_that_nothing_can_be_sent_to_holds_the_order() -> None:
    order = make_order(external_id="W-1")
    run = apply(check(text_of(row("W-1", ship_line1=""))))
    deliver()
    assert address_holds(order) == [("", {"missing": ["line1"]})]
    assert mail.outbox == []

    finish(run)
    deliver()

    assert Order.objects.get().ship_to.line1 == ""
    assert address_holds(order) == [("", {"missing": ["line1"]})]
    assert Notification.objects.filter(kind=MailKind.HOLD).count() == 1
    assert_clean()


def test_update_to_a_whole_address_lets_its_order_go() -> None:
    order = make_order(external_id="W-1", ship_to=neutral_address(line1=""))
    assert address_holds(order) == [("", {"missing": ["line1"]})]

    run = apply(check(text_of(row("W-1"))))

    assert address_holds(order) == []
    finish(run)
    assert not order.holds.filter(lifted_at=None).exists()
    assert_clean()


def test_update_that_states_the_same_address_leaves_its_hold() -> None:
    order = make_order(external_id="W-1", ship_to=neutral_address(line1=""))

    apply(check(text_of(row("W-1", ship_line1="", email="new@example.com"))))

    assert Order.objects.get().email == "new@example.com"
    assert address_holds(order) == [("", {"missing": ["line1"]})]


@pytest.mark.parametrize("line1", ["Via Po 3", ""])
def test_roll_back_brings_the_address_hold_back_with_the_address(line1: str) -> None:
    order = make_order(external_id="W-1", ship_to=neutral_address(line1=line1))
    if line1:
        place_hold([order.pk], kind=HoldKind.ADDRESS, reason="Which door?", actor=SYSTEM).only()
    before = address_holds(order)
    run = apply(check(text_of(row("W-1", ship_line1="Via Roma 1"))))
    assert (before, address_holds(order)) == (
        [("Which door?", {})] if line1 else [("", {"missing": ["line1"]})],
        [],
    )

    roll_back(run)

    assert Order.objects.get().ship_to.line1 == line1
    assert address_holds(order) == before
    assert_clean()


def test_roll_back_of_a_faulty_address_lets_go_of_what_it_held() -> None:
    order = make_order(external_id="W-1")
    run = apply(check(text_of(row("W-1", ship_line1=""))))

    roll_back(run)

    assert Order.objects.get().ship_to.line1 == "Via Po 3"
    assert address_holds(order) == []
    assert_clean()


def test_roll_back_tells_a_buyer_of_the_same_address_no_second_time() -> None:
    order = make_order(external_id="W-1", ship_to=neutral_address(line1=""))
    deliver()
    run = apply(check(text_of(row("W-1", ship_line1="Via Roma 1"))))

    roll_back(run)
    deliver()

    assert address_holds(order) == [("", {"missing": ["line1"]})]
    assert Notification.objects.filter(kind=MailKind.HOLD).count() == 1
    assert_clean()


def test_address_of_a_file_that_was_rolled_back_is_no_reason_to_pass_over_what_the_channel_states() -> None:
    order = make_order(external_id="W-1")
    later = neutral_order("W-1", ship_to=neutral_address(city="Asti"))
    run = apply(check(text_of(row("W-1", ship_line1="Via Roma 1"))))
    assert fill_details([Details(order.pk, later)], actor=SYSTEM).unchanged_ids == [order.pk]

    roll_back(run)
    fill_details([Details(order.pk, later)], actor=SYSTEM).raise_refusals()

    assert order.holds.get(lifted_at=None).facts["cause"] == ADDRESS_CHANGED
