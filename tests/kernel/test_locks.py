from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel.locks import LOCK_ORDER, LockOrderBroken, lock_rows, note_lock
from config.kernel.models import DocumentCounter
from config.kernel.numbering import next_numbers

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
# Locks beside the one order, and why nobody waits in a circle for them.
BESIDE = {
    "config/access/factors.py": "a person's own device, in a transaction of its own",
    "config/kernel/admin/forms.py": "master data on its form, before anything else",
    "config/kernel/admin/transitions.py": "what a button of no kind is about, before its verb",
    "config/kernel/deliveries.py": "deliveries, behind their orders, nothing behind them",
    "config/kernel/exports.py": "one export, in a transaction of its own",
    "config/kernel/jobs.py": "one job, in a transaction of its own",
    "config/kernel/outbox.py": "deliveries that nobody holds, in transactions of their own",
    "inventory/services/bins.py": "locations, before their bins are made; stock is not looked at",
    "inventory/services/digests.py": "who follows alerts, before their mails; nothing behind them",
    "inventory/services/levels.py": "SKUs, before their levels",
    "orders/services/mail_outcomes.py": "mails, before their deliveries",
    "orders/services/mail_resending.py": "mails, nothing behind them",
    "orders/services/mail_stopping.py": "deliveries, behind their orders",
    "orders/services/mapping.py": "codes of channels, which rivals wait for at the unique index anyhow",
    "orders/services/merging.py": "customers, behind their orders",
    "orders/services/rereading.py": "raw orders, nothing behind them",
}


def test_every_lock_beside_the_order_is_known() -> None:
    rooms = [ROOT / name for name in ("config", "inventory", "orders", "fulfillment", "returns", "channels")]
    files = [path for room in rooms for path in room.rglob("*.py") if "migrations" not in path.parts]
    locking = {
        path.relative_to(ROOT).as_posix() for path in files if "select_for_update(" in path.read_text("utf-8")
    }

    assert locking == {*BESIDE, "config/kernel/locks.py"}


def test_locks_in_order_pass_and_may_repeat() -> None:
    with transaction.atomic():
        for kind in LOCK_ORDER:
            note_lock(kind)
            note_lock(kind)


def test_lock_of_an_earlier_kind_breaks_the_order() -> None:
    with transaction.atomic():
        note_lock("stock_level")
        with pytest.raises(LockOrderBroken, match="order locked after stock_level"):
            note_lock("order")


def test_nested_block_stands_under_the_outer_ones_locks() -> None:
    with transaction.atomic():
        note_lock("bin_stock")
        with transaction.atomic(), pytest.raises(LockOrderBroken):
            note_lock("order")


def test_next_transaction_begins_anew() -> None:
    with transaction.atomic():
        note_lock("document_counter")
    with transaction.atomic():
        note_lock("idempotency_key")


def test_lock_outside_a_transaction_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.kernel.locks.connection", SimpleNamespace(in_atomic_block=False))

    with pytest.raises(transaction.TransactionManagementError):
        note_lock("order")


def test_rows_are_locked_by_ascending_pk_in_one_statement() -> None:
    rows = [DocumentCounter.objects.create(kind=kind, next_value=1) for kind in "cab"]

    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        locked = lock_rows("document_counter", DocumentCounter.objects.order_by("kind"))

    assert [row.pk for row in locked] == sorted(row.pk for row in rows)
    selects = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert len(selects) == 1
    if connection.vendor == "postgresql":
        assert "FOR NO KEY UPDATE" in selects[0]


def test_numbers_are_consecutive_and_a_rollback_leaves_no_gap() -> None:
    with transaction.atomic():
        assert next_numbers("test", 2, prefix="T-") == ["T-10001", "T-10002"]
    with transaction.atomic():
        next_numbers("test", 5)
        transaction.set_rollback(True)
    with transaction.atomic():
        assert next_numbers("test", 1) == ["10003"]
        assert next_numbers("test", 0) == []
        assert next_numbers("other", 1, first=1) == ["1"]
