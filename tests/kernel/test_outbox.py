import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel import clock, outbox
from config.kernel.enums import DeliveryState
from config.kernel.errors import BancaleError, Conflict
from config.kernel.fastpath import is_fast
from config.kernel.languages import readers_words
from config.kernel.models import Attempt, Delivery, Fact
from config.kernel.outbox import (
    MAX_ATTEMPTS,
    NewFact,
    OutcomeUnknown,
    Owed,
    Suppressed,
    claim,
    deliver_due,
    record_facts,
    settle,
    subscribe,
)
from config.kernel.results import Results
from config.kernel.tasks import deliver_outbox

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Answer = Callable[[Owed, Results[int]], None]


class Hearer:
    """A subscriber that notes its batches and answers each delivery as it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.answer: Answer = lambda owed, results: results.done(owed.delivery_id)

    def __call__(self, owed: Sequence[Owed]) -> Results[int]:
        self.batches.append([one.subject_id for one in owed])
        results: Results[int] = Results(one.delivery_id for one in owed)
        for one in owed:
            self.answer(one, results)
        return results


@pytest.fixture
def hearer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hearer]:
    monkeypatch.setattr(outbox, "SUBSCRIBERS", {})
    monkeypatch.setattr(outbox, "_publish", lambda lane: None)
    one = Hearer()
    subscribe("tests", ["test.done"], one)
    with clock.frozen(AT):
        yield one


def record(count: int = 1, kind: str = "test.done") -> list[Delivery]:
    with transaction.atomic():
        record_facts([NewFact(kind, ("test", number), {"n": number}) for number in range(count)])
    return list(Delivery.objects.order_by("pk"))


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def refuse_with(error: BancaleError) -> Answer:
    return lambda owed, results: results.refuse(owed.delivery_id, error)


def test_facts_are_written_with_a_delivery_each_in_a_fixed_number_of_statements(
    hearer: Hearer, django_assert_num_queries: Any
) -> None:
    record()
    with transaction.atomic(), django_assert_num_queries(2 if is_fast() else 3):
        record_facts([NewFact("test.done", ("test", number)) for number in range(5)])

    assert (Fact.objects.count(), Delivery.objects.count()) == (6, 6)


def test_facts_that_nobody_hears_are_not_written(hearer: Hearer) -> None:
    record(kind="test.unheard")

    assert Fact.objects.count() == 0


def test_rolled_back_transaction_leaves_no_fact(hearer: Hearer) -> None:
    with transaction.atomic():
        record_facts([NewFact("test.done", ("test", 1))])
        transaction.set_rollback(True)

    assert (Fact.objects.count(), Delivery.objects.count()) == (0, 0)
    assert deliver_due("work") == 0


def test_two_subscribers_each_get_their_own_delivery(hearer: Hearer) -> None:
    other = Hearer()
    subscribe("other", ["test.done"], other, lane="mail")
    record()

    assert deliver_due("work") == 1
    assert (hearer.batches, other.batches) == ([[0]], [])
    assert deliver_due("mail") == 1
    assert other.batches == [[0]]


def test_subscribers_of_one_handler_are_served_in_one_call_and_answered_each(hearer: Hearer) -> None:
    subscribe("also", ["test.other"], hearer)
    record(2)
    record(1, "test.other")
    hearer.answer = lambda owed, results: (
        results.done(owed.delivery_id)
        if owed.subscriber == "also"
        else results.refuse(owed.delivery_id, Suppressed("not any more"))
    )

    deliver_due("work")

    assert hearer.batches == [[0, 1, 0]]
    states = dict(Delivery.objects.values_list("subscriber", "state"))
    assert states == {"tests": DeliveryState.SUPPRESSED, "also": DeliveryState.DELIVERED}


def test_subscribing_to_an_unknown_lane_is_refused(hearer: Hearer) -> None:
    with pytest.raises(ValueError):
        subscribe("tests", ["test.done"], hearer, lane="fast")


def test_nudges_go_out_once_a_lane_and_transaction(
    hearer: Hearer, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(outbox, "_publish", sent.append)
    with django_capture_on_commit_callbacks(execute=True):
        record(3)
        record(2)

    assert sent == ["work"]


def test_due_deliveries_are_done_in_one_call(hearer: Hearer) -> None:
    record(7)

    assert deliver_due("work") == 7

    assert hearer.batches == [list(range(7))]
    assert states() == ["delivered"] * 7
    assert set(Attempt.objects.values_list("outcome", "number")) == {("delivered", 1)}
    assert deliver_due("work") == 0


def test_what_was_there_already_counts_as_delivered(hearer: Hearer) -> None:
    hearer.answer = lambda owed, results: results.unchanged(owed.delivery_id)
    record()
    deliver_due("work")

    assert states() == ["delivered"]


def test_claimed_deliveries_are_not_claimed_again(hearer: Hearer) -> None:
    record(3)

    first = claim("work", limit=2)
    second = claim("work")

    assert [one.subject_id for one in first] == [0, 1]
    assert [one.subject_id for one in second] == [2]
    assert states() == ["in_flight"] * 3
    assert claim("work") == []


def test_failure_is_tried_again_later_and_later(hearer: Hearer) -> None:
    hearer.answer = refuse_with(Conflict(detail="busy"))
    record()

    pauses = []
    at = AT
    for _attempt in range(4):
        with clock.frozen(at):
            deliver_due("work", rounds=1)
            delivery = Delivery.objects.get()
            pauses.append((delivery.due_at - at).total_seconds())
            at = delivery.due_at
    assert delivery.state == "failed"
    assert delivery.attempt_count == 4
    assert "busy" in delivery.last_error
    longest = [10, 20, 40, 80]
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, longest, strict=True))


def test_failing_delivery_is_not_due_before_its_time(hearer: Hearer) -> None:
    hearer.answer = refuse_with(Conflict(detail="busy"))
    record()
    deliver_due("work")

    assert len(hearer.batches) == 1
    assert deliver_due("work") == 0


def test_delivery_is_given_up_after_the_last_attempt(hearer: Hearer) -> None:
    hearer.answer = refuse_with(Conflict(detail="never"))
    (delivery,) = record()
    Delivery.objects.update(attempt_count=MAX_ATTEMPTS - 1)

    deliver_due("work")

    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempt_count, delivery.settled_at) == ("dead", MAX_ATTEMPTS, AT)
    assert deliver_due("work") == 0


def test_unknown_outcome_is_never_repeated_by_itself(hearer: Hearer) -> None:
    hearer.answer = refuse_with(OutcomeUnknown("the line went dead"))
    record()
    deliver_due("work")

    assert states() == ["unknown"]
    with clock.frozen(AT + timedelta(days=2)):
        assert deliver_due("work") == 0


def test_suppressed_delivery_keeps_its_reason(hearer: Hearer) -> None:
    hearer.answer = refuse_with(Suppressed("no address"))
    record()
    deliver_due("work")

    assert Delivery.objects.values_list("state", "last_error").get() == ("suppressed", "no address")


def test_silence_of_the_handler_counts_as_failure(hearer: Hearer) -> None:
    hearer.answer = lambda owed, results: None
    record()
    deliver_due("work")

    assert states() == ["failed"]


def test_broken_handler_spoils_only_the_delivery_that_breaks_it(
    hearer: Hearer, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(owed: Owed, results: Results[int]) -> None:
        if owed.subject_id == 2:
            raise RuntimeError("cannot read it\nDETAIL:  Key (email)=(rosa@example.com) already exists.")
        results.done(owed.delivery_id)

    hearer.answer = answer
    record(4)
    deliver_due("work", rounds=1)

    assert states() == ["delivered", "delivered", "failed", "delivered"]
    assert Delivery.objects.get(state="failed").last_error == "RuntimeError: cannot read it"
    assert hearer.batches == [[0, 1, 2, 3], [0], [1], [2], [3]]


@pytest.mark.parametrize("is_raised", [True, False])
def test_words_that_no_database_keeps_spoil_only_their_own_delivery(
    hearer: Hearer, monkeypatch: pytest.MonkeyPatch, is_raised: bool
) -> None:
    # Half a character in what is logged would end the test run's own process when it reports.
    monkeypatch.setattr(outbox.log, "disabled", True)

    def answer(owed: Owed, results: Results[int]) -> None:
        if owed.subject_id == 1 and is_raised:
            raise ValueError("the server said \x00 and \ud83d")
        if owed.subject_id == 1:
            results.refuse(owed.delivery_id, Conflict(detail="the server said \x00 and \ud83d"))
        else:
            results.done(owed.delivery_id)

    hearer.answer = answer
    record(3)
    deliver_due("work", rounds=1)

    assert states() == ["delivered", "failed", "delivered"]
    assert readers_words(Delivery.objects.get(state="failed").last_error).endswith("the server said  and ?")
    assert Attempt.objects.filter(error__contains="the server said  and ?").count() == 1


def test_delivery_of_a_subscriber_that_is_gone_fails_in_words(
    hearer: Hearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    record()
    monkeypatch.setattr(outbox, "SUBSCRIBERS", {})
    deliver_due("work")

    assert "no subscriber" in Delivery.objects.get(state="failed").last_error


def test_delivery_of_a_dead_worker_is_reclaimed_after_its_lease(hearer: Hearer) -> None:
    record(2)
    claim("work")

    assert outbox.reclaim() == 0
    with clock.frozen(AT + outbox.LEASE + timedelta(seconds=1)):
        assert outbox.reclaim() == 2

    assert states() == ["failed", "failed"]
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"failed"}
    with clock.frozen(AT + timedelta(hours=1)):
        assert deliver_due("work") == 2
    assert states() == ["delivered", "delivered"]
    assert sorted(Attempt.objects.values_list("number", flat=True)) == [1, 1, 2, 2]


def test_delivery_of_a_dead_worker_keeps_its_place_the_first_time_and_pauses_the_second(
    hearer: Hearer,
) -> None:
    record()
    at = AT
    for _death in range(2):
        with clock.frozen(at):
            (owed,) = claim("work")
        at += outbox.LEASE + timedelta(seconds=1)
        with clock.frozen(at):
            outbox.reclaim()
            delivery = Delivery.objects.get()
            pause = (delivery.due_at - at).total_seconds()
            assert delivery.due_at == AT if owed.attempt == 1 else 5 <= pause <= 10
    assert (delivery.lease_until, delivery.held_by) == (None, None)


def test_reclaimed_and_failed_deliveries_wait_by_their_own_tries_whatever_their_neighbours_count(
    hearer: Hearer,
) -> None:
    hearer.answer = refuse_with(Conflict(detail="busy"))
    rows = record(4)
    Delivery.objects.filter(pk=rows[0].pk).update(attempt_count=6)
    Delivery.objects.filter(pk=rows[2].pk).update(attempt_count=6)
    claim("work", limit=2)
    deliver_due("work", rounds=1)
    later = AT + outbox.LEASE + timedelta(seconds=1)
    with clock.frozen(later):
        outbox.reclaim()

    first, second, third, fourth = Delivery.objects.order_by("pk")
    assert states() == ["failed"] * 4
    assert second.due_at == AT
    assert (fourth.due_at - AT).total_seconds() <= 10
    assert (first.due_at - later).total_seconds() >= 160  # its seventh try was cut off: the pause of six
    assert (third.due_at - AT).total_seconds() >= 320
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"failed"}


def test_outcomes_are_settled_in_statements_whose_number_does_not_grow(hearer: Hearer) -> None:
    hearer.answer = refuse_with(Conflict(detail="busy"))
    counts = []
    for many in (2, 20):
        record(many)
        owed = claim("work")
        results = hearer(owed)
        with CaptureQueriesContext(connection) as seen:
            settle({one.delivery_id: one.attempt for one in owed}, results)
        counts.append(len(seen))

    assert counts[0] == counts[1]


def test_worker_at_a_long_turn_takes_up_what_another_one_lost(
    hearer: Hearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LOOK_EVERY", -1)
    record(2)
    claim("work", limit=1)

    with clock.frozen(AT + outbox.LEASE + timedelta(seconds=1)):
        assert deliver_due("work") == 2

    assert states() == ["delivered"] * 2


def test_worker_that_took_a_dead_ones_place_looks_after_it_first_and_then_every_few_seconds(
    hearer: Hearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: dict[str, float] = {"at": -math.inf}
    monkeypatch.setattr(outbox, "_looked", looked)
    monkeypatch.setattr(outbox, "LOOK_EVERY", 3600)
    record()
    claim("work")

    with clock.frozen(AT + outbox.LEASE + timedelta(seconds=1)):
        deliver_outbox("work")
        assert states() == ["delivered"]

        record()
        claim("work")
    with clock.frozen(AT + 3 * outbox.LEASE):
        deliver_outbox("work")
        assert states() == ["delivered", "in_flight"]
        looked["at"] -= outbox.LOOK_EVERY
        deliver_outbox("work")
        assert states() == ["delivered", "delivered"]


def test_workers_of_its_lane_are_asked_for_what_a_dead_one_held(
    hearer: Hearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe("mails", ["test.mailed"], hearer, lane="mail")
    record(2, kind="test.mailed")
    claim("mail")
    asked: list[set[str]] = []
    monkeypatch.setattr(outbox, "nudge", asked.append)

    with clock.frozen(AT + outbox.LEASE + timedelta(seconds=1)):
        outbox.reclaim()

    assert asked == [{"mail"}]


def test_reclaim_gives_back_everything_that_is_lost(hearer: Hearer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "CLAIM_SIZE", 2)
    record(5)
    claim("work", limit=5)

    with clock.frozen(AT + outbox.LEASE + timedelta(seconds=1)):
        assert outbox.reclaim() == 5

    assert states() == ["failed"] * 5


def test_same_delivery_comes_twice_when_its_worker_died_after_doing(hearer: Hearer) -> None:
    record()
    hearer(claim("work"))
    with clock.frozen(AT + outbox.LEASE + timedelta(seconds=1)):
        outbox.reclaim()
    with clock.frozen(AT + timedelta(hours=1)):
        deliver_due("work")

    assert hearer.batches == [[0], [0]]
    assert states() == ["delivered"]


def test_late_answer_of_a_worker_that_was_given_up_changes_nothing(hearer: Hearer) -> None:
    record()
    slow = claim("work")
    with clock.frozen(AT + outbox.LEASE + timedelta(seconds=1)):
        outbox.reclaim()

    results: Results[int] = Results([slow[0].delivery_id])
    results.done(slow[0].delivery_id)
    settle({slow[0].delivery_id: 1}, results)

    assert states() == ["failed"]


def test_late_answer_to_an_earlier_attempt_leaves_the_running_one_alone(hearer: Hearer) -> None:
    record()
    (slow,) = claim("work")
    with clock.frozen(AT + outbox.LEASE + timedelta(seconds=1)):
        outbox.reclaim()
    with clock.frozen(AT + timedelta(hours=1)):
        (again,) = claim("work")

        results: Results[int] = Results([slow.delivery_id])
        results.refuse(slow.delivery_id, Conflict(detail="late"))
        settle({slow.delivery_id: slow.attempt}, results)

    assert (again.attempt, states()) == (2, ["in_flight"])


def test_mails_are_claimed_few_at_a_time(hearer: Hearer) -> None:
    subscribe("mails", ["test.mailed"], hearer, lane="mail")
    record(outbox.CLAIM_SIZES["mail"] + 1, kind="test.mailed")

    assert deliver_due("mail") == outbox.CLAIM_SIZES["mail"] + 1

    assert [len(batch) for batch in hearer.batches] == [outbox.CLAIM_SIZES["mail"], 1]


def test_deliver_takes_as_many_a_round_as_asked(hearer: Hearer) -> None:
    subscribe("mails", ["test.mailed"], hearer, lane="mail")
    record(5, kind="test.mailed")

    assert deliver_due("mail", size=3) == 5

    assert [len(batch) for batch in hearer.batches] == [3, 2]


def test_worker_whose_time_is_over_asks_for_another_and_begins_no_further_round(
    hearer: Hearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(outbox, "nudge", asked.extend)
    monkeypatch.setattr(outbox, "CLAIM_SIZE", 2)
    record(3)
    asked.clear()

    assert deliver_due("work", seconds=-1) == 0
    assert (states(), asked) == (["due"] * 3, ["work"])
    assert deliver_due("work", seconds=600) == 3
    assert asked == ["work"]
