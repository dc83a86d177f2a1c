"""The one lock order. Rows of its kinds are locked by `lock_rows` or a `LockingRead`, which refuse to go backwards.

The few locks beside it stand in `tests/kernel/test_locks.py`, each with why nobody waits in a circle for them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection, models, transaction

from config.kernel.compiled_reads import CompiledRead

# A count stands before orders, not by its stock: approving one takes promised units away, and only its lines, read
# under its lock, say of which SKUs and so from which orders. Other documents take nothing that is promised.
LOCK_ORDER = (
    "idempotency_key", "import_run", "count", "order", "fulfillment_order", "wave", "pick_task", "shipment", "parcel",
    "return", "payment", "purchase_order", "transfer", "stock_receipt", "stock_adjustment", "stock_level", "bin_stock",
    "document_counter",
)  # fmt: skip
_RANK = {name: rank for rank, name in enumerate(LOCK_ORDER)}

M = TypeVar("M", bound=models.Model)


class LockOrderBroken(AssertionError):
    """A defect of ours: locks taken in an order that can deadlock."""


def lock_rows(kind: str, rows: models.QuerySet[M]) -> list[M]:
    """Lock rows by ascending pk and return them; one statement. `kind` is a name of `LOCK_ORDER`.

    On SQLite the transaction itself is the lock (BEGIN IMMEDIATE). Raises `LockOrderBroken` when this
    transaction already holds locks of a later kind.
    """
    note_lock(kind)
    return list(_locking(rows))


class LockingRead(CompiledRead[M]):
    """`lock_rows` as a compiled read."""

    def __init__(self, kind: str, query: Callable[..., models.QuerySet[M]]) -> None:
        super().__init__(lambda *values: _locking(query(*values)))
        self.kind = kind

    def __call__(self, *values: Any) -> list[M]:
        note_lock(self.kind)
        return super().__call__(*values)


def _locking(rows: models.QuerySet[M]) -> models.QuerySet[M]:
    return rows.order_by("pk").select_for_update(of=("self",), no_key=True)


def note_lock(kind: str) -> None:
    """Check and remember that locks of this kind are taken in the running transaction."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a lock needs a transaction")
    rank = _RANK[kind]
    blocks = [block for block in connection.atomic_blocks if not getattr(block, "_from_testcase", False)]
    outermost = blocks[0] if blocks else None
    held_in, highest = getattr(connection, "_bancale_locks", (None, -1))
    if outermost is None or held_in is not outermost:
        highest = -1
    if rank < highest:
        raise LockOrderBroken(f"{kind} locked after {LOCK_ORDER[highest]}")
    connection._bancale_locks = (outermost, rank)  # type: ignore[attr-defined]


@contextmanager
def lock_savepoint() -> Iterator[None]:
    """A savepoint that gives its locks back when it fails, so that they can be taken again from the beginning."""
    with transaction.atomic():
        before = getattr(connection, "_bancale_locks", (None, -1))
        try:
            yield
        except BaseException:
            connection._bancale_locks = before  # type: ignore[attr-defined]
            raise
