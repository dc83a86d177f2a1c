from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from config.kernel import batches
from config.kernel.batches import MAX_BATCH, batch_transaction, in_batches, verb
from config.kernel.errors import Conflict, TooMany
from config.kernel.models import DocumentCounter
from config.kernel.results import Results

pytestmark = pytest.mark.django_db


@verb
def count_kinds(kinds: Sequence[str]) -> Results[str]:
    """Writes a row a kind in one transaction; a kind that is there breaks the unique constraint."""
    results: Results[str] = Results(kinds)
    with batch_transaction():
        DocumentCounter.objects.bulk_create([DocumentCounter(kind=kind, next_value=1) for kind in kinds])
        for kind in kinds:
            results.done(kind)
    return results


def written() -> set[str]:
    return set(DocumentCounter.objects.values_list("kind", flat=True))


def test_verb_with_a_culprit_halves_until_it_stands_alone() -> None:
    DocumentCounter.objects.create(kind="k37", next_value=1)

    results = count_kinds([f"k{number}" for number in range(50)])

    assert len(results.done_ids) == 49
    assert list(results.refusals) == ["k37"]
    assert isinstance(results.refusals["k37"], Conflict)
    assert written() == {f"k{number}" for number in range(50)}


@pytest.mark.postgres
def test_verb_with_a_number_that_no_column_holds_refuses_that_one() -> None:
    @verb
    def count_to(numbers: Sequence[int]) -> Results[int]:
        results: Results[int] = Results(numbers)
        with batch_transaction():
            rows = [DocumentCounter(kind=f"k{number}", next_value=number) for number in numbers]
            DocumentCounter.objects.bulk_create(rows)
            for number in numbers:
                results.done(number)
        return results

    results = count_to([1, 2, 2**80, 3])

    assert results.done_ids == [1, 2, 3]
    assert isinstance(results.refusals[2**80], Conflict)
    assert written() == {"k1", "k2", "k3"}


def test_verb_with_two_culprits_refuses_both_and_keeps_the_order_asked() -> None:
    DocumentCounter.objects.bulk_create([DocumentCounter(kind=kind, next_value=1) for kind in ("b", "e")])

    results = count_kinds(list("abcdef"))

    assert results.keys == list("abcdef")
    assert results.done_ids == list("acdf")
    assert set(results.refusals) == {"b", "e"}


def test_verb_that_finds_a_conflict_half_way_refuses_the_culprit_with_it() -> None:
    @verb
    def fails_on(kinds: Sequence[str]) -> Results[str]:
        with batch_transaction():
            results = count_kinds(kinds)
            if "k3" in kinds:
                raise Conflict(detail="k3 is gone")
        return results

    results = fails_on([f"k{number}" for number in range(7)])

    assert {kind: str(error) for kind, error in results.refusals.items()} == {
        "k3": str(Conflict(detail="k3 is gone"))
    }
    assert written() == set(results.done_ids) == {f"k{number}" for number in (0, 1, 2, 4, 5, 6)}


def test_verb_of_nothing_that_conflicts_raises() -> None:
    @verb
    def conflicts(kinds: Sequence[str]) -> Results[str]:
        raise Conflict(detail="whatever is asked")

    with pytest.raises(Conflict):
        conflicts([])


def test_verb_collapses_repeated_units_to_the_first() -> None:
    assert count_kinds(["a", "b", "a"]).keys == ["a", "b"]


def test_verb_of_too_many_is_refused_before_anything_is_written() -> None:
    with pytest.raises(TooMany):
        count_kinds([f"k{number}" for number in range(MAX_BATCH + 1)])

    assert written() == set()


def test_in_batches_chunks_what_is_too_many() -> None:
    results = in_batches(count_kinds, [f"k{number}" for number in range(MAX_BATCH * 2 + 5)], size=150)

    assert len(results.done_ids) == 405


def test_inner_verb_leaves_the_culprit_to_the_callers_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_is_test_transaction", lambda: False)
    DocumentCounter.objects.create(kind="a", next_value=1)

    with pytest.raises(IntegrityError), transaction.atomic():
        count_kinds(["a", "b"])

    assert written() == {"a"}


class Deadlock(Exception):
    sqlstate = "40P01"


class OutOfDisk(Exception):
    sqlstate = "53100"


def _error(cause: Exception) -> OperationalError:
    error = OperationalError("database says no")
    error.__cause__ = cause
    return error


def _failing(errors: list[Exception]) -> Any:
    @verb
    def fails_at_first(keys: Sequence[str]) -> Results[str]:
        if errors:
            raise errors.pop()
        return count_kinds(keys)

    return fails_at_first


def test_verb_is_tried_again_after_a_deadlock() -> None:
    assert _failing([_error(Deadlock()), _error(Deadlock())])(["a"]).done_ids == ["a"]


def test_verb_gives_up_after_three_deadlocks() -> None:
    with pytest.raises(OperationalError):
        _failing([_error(Deadlock()) for _ in range(3)])(["a"])


def test_verb_is_not_tried_again_after_a_lasting_fault() -> None:
    errors: list[Exception] = [_error(OutOfDisk())]

    with pytest.raises(OperationalError):
        _failing(errors)(["a"])

    assert errors == []
    assert written() == set()


def test_verb_is_tried_again_when_sqlite_is_busy() -> None:
    assert _failing([OperationalError("database is locked")])(["a"]).done_ids == ["a"]


@dataclass(frozen=True)
class Keyed:
    key: str
    note: str


def test_verb_of_objects_answers_by_their_key() -> None:
    @verb
    def answer(units: Sequence[Keyed]) -> Results[str]:
        results: Results[str] = Results(unit.key for unit in units)
        for unit in units:
            results.done(unit.key, unit.note)
        return results

    results = answer([Keyed("a", "first"), Keyed("b", "other"), Keyed("a", "first")])

    assert results.values == {"a": "first", "b": "other"}
    assert connection.in_atomic_block  # pytest's own transaction


def test_verb_asked_twice_under_one_key_refuses_both_and_does_the_others() -> None:
    asked: list[Keyed] = []

    @verb
    def answer(units: Sequence[Keyed]) -> Results[str]:
        results: Results[str] = Results(unit.key for unit in units)
        for unit in units:
            asked.append(unit)
            results.done(unit.key)
        return results

    one, other = Keyed("a", "first"), Keyed("b", "other")
    unequal = [one, other, Keyed("a", "second"), one, other]
    alone, chunked = answer(unequal), in_batches(answer, unequal, size=1)

    assert asked == [other, other]
    for results in (alone, chunked):
        assert results.keys == ["a", "b"]
        assert results.done_ids == ["b"]
        assert results.open_ids == []
        assert {key: error.code for key, error in results.refusals.items()} == {"a": "asked_twice"}
        assert results.refusals["a"].facts == {"key": "a"}


def test_retried_inside_a_transaction_of_the_caller_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_is_test_transaction", lambda: False)
    calls = []

    def broken() -> None:
        calls.append(1)
        raise _error(Deadlock())

    with pytest.raises(OperationalError), transaction.atomic():
        batches.retried(broken)

    assert calls == [1]
