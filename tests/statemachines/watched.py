"""A state machine over verbs: each example on an empty database, each step audited, all rolled back at the end.

All rows are those of one example, so that the audit is scoped to what it touched. Of the rules it runs those
that read a table which the step wrote, and only where what they read has changed since they found nothing: a
rule is a function of what its statements answer. Both are learnt from the statements as the rules run.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar
from unittest import mock

from django.apps import apps
from django.db import connection, transaction
from hypothesis.stateful import RuleBasedStateMachine, invariant

from config.kernel import clock, fastpath
from config.kernel.audit import INVARIANTS, run_audit
from config.kernel.errors import BancaleError

T = TypeVar("T")
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAME = re.compile(r'"(\w+)"')
WRITES = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?')
# Time alone breaks these; a sweep that never comes is for other tests.
IN_TIME = {"outbox.age", "stock.expired"}
Statement = tuple[str, Any]


@dataclass(slots=True)
class Seen:
    """The tables that a rule has been seen to read, and what its statements answered when it found nothing."""

    tables: set[str] = field(default_factory=set)
    answers: list[tuple[Statement, list[Any]]] | None = None

    def is_settled(self) -> bool:
        """Whether all its statements answer as when it found nothing."""
        return self.answers is not None and all(answer(one) == rows for one, rows in self.answers)


SEEN: dict[str, Seen] = {}


@contextmanager
def statements_seen() -> Iterator[list[Statement]]:
    """The statements of a block; rows that go by COPY count as an INSERT."""
    seen: list[Statement] = []
    copy = fastpath._copy

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append((sql, params))
        return execute(sql, params, many, context)

    def copied(model: Any, *given: Any) -> None:
        seen.append((f'INSERT INTO "{model._meta.db_table}"', ()))
        copy(model, *given)

    with connection.execute_wrapper(note), mock.patch.object(fastpath, "_copy", copied):
        yield seen


def answer(statement: Statement) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(*statement)
        return cursor.fetchall()


def breaches(written: set[str]) -> list[str]:
    """What the audit finds by those rules that read one of these tables."""
    found = []
    for code in sorted(set(INVARIANTS) - IN_TIME):
        known = SEEN.setdefault(code, Seen())
        if known.answers is not None and (known.tables.isdisjoint(written) or known.is_settled()):
            continue
        with statements_seen() as seen:
            (finding,) = run_audit([code])
        known.tables |= tables().intersection(NAME.findall(" ".join(sql for sql, _params in seen)))
        known.answers = None if finding.violations else [(one, answer(one)) for one in seen]
        found += [f"{code}: {one.subject}: {one.detail}" for one in finding.violations]
    return found


@cache
def tables() -> frozenset[str]:
    return frozenset(model._meta.db_table for model in apps.get_models(include_auto_created=True))


class Watched(RuleBasedStateMachine):
    """`act` runs one verb at its own minute. To be refused is a fine answer, but a verb that takes many answers for
    each: one that raises spoils the others. A breach of an invariant is never fine."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGIN
        self.written: set[str] = set()
        self.example = transaction.atomic()
        self.example._from_testcase = True  # verbs are outermost, as at their doors
        self.example.__enter__()
        with clock.frozen(self.now):
            self.begin()

    def begin(self) -> None:
        """Make what every example begins with."""

    def act(self, verb: Callable[[], T], *expected: type[BancaleError]) -> T | None:
        """What the verb answered, None where it raised a refusal that the rule expects of it."""
        self.now += timedelta(minutes=1)
        with clock.frozen(self.now), statements_seen() as seen:
            try:
                return verb()
            except expected:
                return None
            finally:
                self.written |= {match[1] for sql, _params in seen if (match := WRITES.match(sql))}

    @invariant()
    def audit_finds_nothing(self) -> None:
        written, self.written = self.written, set()
        if written:
            with clock.frozen(self.now):
                found = breaches(written)
            assert not found, found

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)


def at(rows: list[T], place: int) -> T | None:
    """The row at a drawn place, None where there are no rows."""
    return rows[place % len(rows)] if rows else None
