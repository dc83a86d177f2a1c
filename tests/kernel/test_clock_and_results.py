import threading
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from config.kernel import clock
from config.kernel.errors import Conflict, NotFound
from config.kernel.results import Results

pytestmark = pytest.mark.once
AT = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)


def test_frozen_clock_stands_still_nests_and_runs_on() -> None:
    with clock.frozen(AT):
        assert clock.now() == AT
        with clock.frozen(AT.astimezone(timezone(timedelta(hours=5)))):
            assert clock.now() == AT
            assert clock.now().tzinfo is UTC
        assert clock.now() == AT
    assert clock.now() > AT


def test_frozen_clock_stands_still_in_its_own_context_only() -> None:
    seen: list[datetime] = []
    with clock.frozen(AT):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()

    assert seen[0] != AT


def test_frozen_clock_wants_an_aware_time() -> None:
    with pytest.raises(ValueError), clock.frozen(datetime(2026, 1, 1)):  # noqa: DTZ001
        pass


def test_today_is_the_zones_day() -> None:
    with clock.frozen(AT):
        assert clock.today("UTC") == date(2026, 3, 1)
        assert clock.today("Europe/Rome") == date(2026, 3, 2)
        assert clock.today("America/New_York") == date(2026, 3, 1)


def test_results_answer_each_key_once_in_the_order_asked() -> None:
    results: Results[int] = Results([3, 1, 2, 1])
    results.done(1, "one")
    results.refuse(3, NotFound())
    results.unchanged(2)

    assert results.keys == [3, 1, 2]
    assert (results.done_ids, results.unchanged_ids, list(results.refusals)) == ([1], [2], [3])
    assert results.values == {1: "one"}
    assert results.open_ids == []
    assert results.counts() == {"done": 1, "unchanged": 1, "refused": 1}


def test_results_absorb_another() -> None:
    results: Results[int] = Results([1])
    results.done(1)
    other: Results[int] = Results([2, 3])
    other.refuse(2, Conflict(detail="x"))

    results.absorb(other)

    assert (results.keys, results.open_ids, list(results.refusals)) == ([1, 2, 3], [3], [2])


def test_results_of_one_give_its_value_or_raise_its_refusal() -> None:
    done: Results[int] = Results([1])
    done.done(1, "value")
    refused: Results[int] = Results([1])
    refused.refuse(1, NotFound())

    assert done.only() == "value"
    with pytest.raises(NotFound):
        refused.only()
    with pytest.raises(NotFound):
        refused.raise_refusals()


def test_a_refusal_names_its_facts() -> None:
    assert str(Conflict(detail="the row is gone")) == "Another change got there first: the row is gone"
    assert Conflict(detail="x").facts == {"detail": "x"}
