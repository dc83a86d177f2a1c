"""What the tests of the stock room share."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.db import connection

from config.kernel import triggers
from config.kernel.audit import INVARIANTS, run_audit
from config.kernel.models import Fact
from config.kernel.outbox import SUBSCRIBERS, Subscriber
from config.kernel.results import Results


@pytest.fixture(autouse=True)
def _freed_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts that nobody subscribes to are not written; here somebody does."""
    hearer = Subscriber("test.freed", frozenset({"stock.freed"}), lambda owed: Results())
    monkeypatch.setitem(SUBSCRIBERS, hearer.name, hearer)


@pytest.fixture
def freed() -> Callable[[], list[int]]:
    """SKU ids of the `stock.freed` facts so far."""
    return lambda: list(
        Fact.objects.filter(kind="stock.freed").order_by("pk").values_list("subject_id", flat=True)
    )


def stock_breaches() -> dict[str, list[str]]:
    """What the audit of this room finds: subjects by code."""
    codes = [code for code in INVARIANTS if code.startswith("stock.")]
    return {
        finding.invariant.code: [violation.subject for violation in finding.violations]
        for finding in run_audit(codes)
        if finding.violations
    }


@pytest.fixture
def audit() -> Callable[[], dict[str, list[str]]]:
    return stock_breaches


@pytest.fixture
def unguarded() -> Callable[..., AbstractContextManager[None]]:
    """Lifts append-only triggers and the named check constraints of a table, so that a test can do damage."""

    @contextmanager
    def lift(table: str = "", *constraints: str) -> Iterator[None]:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = ON")
            else:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                for name in constraints:
                    cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            with triggers.suspended():
                yield
                if connection.vendor != "sqlite":
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = OFF")

    return lift
