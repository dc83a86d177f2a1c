from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction

from config.kernel import clock, jobs
from config.kernel.actors import Actor, ActorKind
from config.kernel.admin.timeline import timeline
from config.kernel.errors import IllegalTransition, NotAllowed
from config.kernel.events import Entry, Thread, correlation, record_events
from config.kernel.jobs import JobRun, cancel_job, due_job_ids, enqueue_job, retry_job, run_job
from config.kernel.models import Job
from config.kernel.tasks import sweep_jobs

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACTOR = Actor.system("tests")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(jobs, "JOB_KINDS", {"copy": copy, "break": break_down, "count": count})
    monkeypatch.setattr(jobs, "_publish", lambda job_id: None)
    with clock.frozen(AT):
        yield


def copy(run: JobRun) -> Mapping[str, Any]:
    run.log("copied")
    run.progress(2, 2)
    return {"copied": run.params["word"]}


def break_down(run: JobRun) -> Mapping[str, Any]:
    raise ValueError("no such word")


def count(run: JobRun) -> Mapping[str, Any]:
    """Counts to five, keeping how far it came; stops where a person asked during the third step."""
    for step in range(run.job.result.get("at", 0) + 1, 6):
        run.keep({"at": step})
        if step == 3 and not run.params.get("resume"):
            cancel_job(run.job.pk, actor=ACTOR)
        run.progress(step, 5)
    return {"at": 5}


def queued(kind: str = "copy", **params: Any) -> int:
    return enqueue_job(kind, title="A job", params={"word": "pallet", **params}, actor=ACTOR, total=2)


def test_job_that_fails_with_words_that_no_database_keeps_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(run: JobRun) -> Mapping[str, Any]:
        run.log("cell \x00 of \ud83d")
        raise ValueError("cell \x00 of \ud83d")

    # Half a character in what is logged would end the test run's own process when it reports.
    monkeypatch.setattr(jobs.log, "disabled", True)
    monkeypatch.setitem(jobs.JOB_KINDS, "fail", fail)
    pk = queued("fail")

    run_job(pk)

    job = Job.objects.get(pk=pk)
    assert (job.state, job.error, job.lines.get().text) == ("failed", "ValueError: cell  of ?", "cell  of ?")


def test_job_runs_once_and_keeps_its_result() -> None:
    pk = queued()

    assert run_job(pk) is True
    assert run_job(pk) is False

    job = Job.objects.get(pk=pk)
    assert (job.state, job.result, job.done_count, job.total_count) == ("done", {"copied": "pallet"}, 2, 2)
    assert (job.started_at, job.ended_at, job.attempt_count, job.lease_until) == (AT, AT, 1, None)
    assert [line.text for line in job.lines.all()] == ["copied"]


def test_what_a_job_does_names_the_job_on_timelines() -> None:
    def tell(run: JobRun) -> Mapping[str, Any]:
        record_events([Entry(("order", 1), Thread("order", 1), "tagged", facts={"tags": ["x"]})], actor=ACTOR)
        return {}

    jobs.JOB_KINDS["tell"] = tell
    pk = queued("tell")

    run_job(pk)

    (row,) = timeline(Thread("order", 1))
    assert row.actor == f"tests · job {pk}"
    assert correlation.get() == ""


def test_job_of_a_rolled_back_transaction_does_not_exist() -> None:
    with transaction.atomic():
        queued()
        transaction.set_rollback(True)

    assert Job.objects.count() == 0


def test_unknown_kind_of_job_is_refused_at_once() -> None:
    with pytest.raises(ValueError):
        enqueue_job("unheard", title="", params={}, actor=ACTOR)


def test_broken_job_says_why_and_can_be_run_again(caplog: pytest.LogCaptureFixture) -> None:
    pk = queued("break")
    run_job(pk)

    job = Job.objects.get(pk=pk)
    assert (job.state, job.error) == ("failed", "ValueError: no such word")

    Job.objects.filter(pk=pk).update(kind="copy")
    retry_job(pk, actor=ACTOR)
    assert due_job_ids() == [pk]
    run_job(pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("done", "")


def test_queued_job_is_cancelled_at_once() -> None:
    pk = queued()
    cancel_job(pk, actor=ACTOR)

    assert Job.objects.get(pk=pk).state == "cancelled"
    assert run_job(pk) is False


def test_running_job_stops_at_its_next_safe_point_and_goes_on_from_there() -> None:
    pk = queued("count")
    run_job(pk)

    job = Job.objects.get(pk=pk)
    assert (job.state, job.done_count, job.result) == ("cancelled", 3, {"at": 3})

    Job.objects.filter(pk=pk).update(params={"resume": True})
    retry_job(pk, actor=ACTOR)
    run_job(pk)
    job.refresh_from_db()
    assert (job.state, job.result) == ("done", {"at": 5})


def test_long_job_goes_on_in_the_next_turn(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(jobs, "TURN", timedelta())
    asked: list[int] = []
    monkeypatch.setattr(jobs, "_publish", asked.append)
    with django_capture_on_commit_callbacks(execute=True):
        pk = queued("count", resume=True)

    for step in range(1, 6):
        with django_capture_on_commit_callbacks(execute=True):
            assert run_job(pk) is True
        job = Job.objects.get(pk=pk)
        assert (job.state, job.done_count, job.attempt_count) == ("running", step, 0)
        assert due_job_ids() == [pk]
    run_job(pk)

    job.refresh_from_db()
    assert (job.state, job.result, job.error) == ("done", {"at": 5}, "")
    assert asked == [pk] * 6  # the first by being queued


def test_job_that_keeps_nothing_has_no_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "TURN", timedelta())
    pk = queued()
    run_job(pk)

    assert Job.objects.get(pk=pk).state == "done"


def test_cancel_that_comes_with_the_last_step_leaves_the_job_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(run: JobRun) -> Mapping[str, Any]:
        run.progress(1, 2)
        cancel_job(run.job.pk, actor=ACTOR)
        run.progress(2, 2)
        return {"at": 2}

    monkeypatch.setitem(jobs.JOB_KINDS, "late", late)
    pk = queued("late")

    run_job(pk)

    job = Job.objects.get(pk=pk)
    assert (job.state, job.result, job.lines.count()) == ("done", {"at": 2}, 0)


def test_sweep_jobs_asks_again_for_a_job_whose_message_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(jobs, "_publish", asked.append)
    pk = queued()

    sweep_jobs()
    sweep_jobs()
    assert asked == [pk, pk]
    assert [run_job(job_id) for job_id in asked] == [True, False]

    sweep_jobs()
    assert asked == [pk, pk]


def test_done_job_is_not_run_again() -> None:
    pk = queued()
    run_job(pk)

    with pytest.raises(IllegalTransition):
        retry_job(pk, actor=ACTOR)


def test_job_of_a_dead_worker_is_due_again_after_its_lease() -> None:
    pk = queued()
    assert jobs._start(pk) is not None
    assert due_job_ids() == []

    with clock.frozen(AT + jobs.LEASE + timedelta(seconds=1)):
        assert due_job_ids() == [pk]
        assert jobs._start(pk) is not None
        assert (due_job_ids(), run_job(pk)) == ([], False)
    assert Job.objects.get(pk=pk).attempt_count == 2


def test_job_that_kills_its_workers_is_given_up() -> None:
    pk = queued()
    at = AT
    for _death in range(jobs.MAX_ATTEMPTS):
        with clock.frozen(at):
            assert jobs._start(pk) is not None
        at += jobs.LEASE + timedelta(seconds=1)

    with clock.frozen(at):
        assert run_job(pk) is False

    job = Job.objects.get(pk=pk)
    assert job.state == "failed"
    assert "workers died" in job.error


def test_deaths_do_not_count_against_a_job_that_comes_further_each_time() -> None:
    pk = queued("count", resume=True)
    at = AT
    for step in range(1, jobs.MAX_ATTEMPTS + 2):
        with clock.frozen(at):
            JobRun(jobs._start(pk)).progress(step, 5)
        at += jobs.LEASE + timedelta(seconds=1)

    with clock.frozen(at):
        assert run_job(pk) is True
    assert Job.objects.values_list("state", "attempt_count").get() == ("done", 1)


def test_job_that_dies_again_and_again_at_one_place_is_given_up() -> None:
    pk = queued("count", resume=True)
    at, deaths = AT, 0
    while deaths < 10:
        with clock.frozen(at):
            if (job := jobs._start(pk)) is None:
                break
            JobRun(job).progress(2, 5)
        at += jobs.LEASE + timedelta(seconds=1)
        deaths += 1

    assert (deaths, Job.objects.get(pk=pk).state) == (jobs.MAX_ATTEMPTS, "failed")


def keep_more(run: JobRun) -> None:
    run.keep({"by": "first"})


def go_further(run: JobRun) -> None:
    run.progress(1, 2)


def make_sure(run: JobRun) -> None:
    run.make_sure()


def fail(run: JobRun) -> None:
    raise ValueError("late")


def pause(run: JobRun) -> None:
    raise jobs.JobPaused


def stop(run: JobRun) -> None:
    raise jobs.JobCancelled


def end(run: JobRun) -> None:
    """Return a result, as if nothing had happened."""


@pytest.mark.parametrize("act", [keep_more, go_further, make_sure, fail, pause, stop, end])
@pytest.mark.parametrize("other", ["ended it", "is at it"])
def test_worker_that_lost_its_job_writes_nothing_more_of_it(
    act: Callable[[JobRun], None], other: str, caplog: pytest.LogCaptureFixture
) -> None:
    reached, before = [], []

    def lose(run: JobRun) -> Mapping[str, Any]:
        if reached:
            return {"by": "second"}
        reached.append(run)
        with clock.frozen(AT + jobs.LEASE + timedelta(seconds=1)):
            assert run_job(pk) if other == "ended it" else jobs._start(pk)
        before.append(Job.objects.values().get(pk=pk))
        act(run)
        return {"by": "first"}

    jobs.JOB_KINDS["lose"] = lose
    pk = queued("lose")
    run_job(pk)

    (kept,) = before
    assert (kept["state"], kept["result"]) == (
        ("done", {"by": "second"}) if other == "ended it" else ("running", {})
    )
    assert Job.objects.values().get(pk=pk) == kept


def test_job_acts_with_the_rights_its_person_holds_now() -> None:
    user = get_user_model().objects.create_user("anna", is_superuser=True)
    pk = enqueue_job("copy", title="", params={}, actor=Actor.for_user(user))
    assert jobs.actor_of(Job.objects.get(pk=pk)).permissions is None

    type(user).objects.filter(pk=user.pk).update(is_active=False)
    assert jobs.actor_of(Job.objects.get(pk=pk)).permissions == frozenset()


def test_person_without_the_right_cancels_nothing() -> None:
    pk = queued()

    with pytest.raises(NotAllowed):
        cancel_job(pk, actor=Actor(ActorKind.USER, 1, "anna", frozenset()))
    assert Job.objects.get(pk=pk).state == "queued"
