"""What a worker has claimed is its own while its database session lives, and others' as soon as that has ended."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction

from config.kernel import clock, jobs, outbox, sessions
from config.kernel.actors import Actor
from config.kernel.jobs import JobRun
from config.kernel.models import Attempt, Delivery, Job
from tests.planted.races import in_another_session, own_fact, wait_for_the_end_of

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_delivery_of_a_worker_whose_session_ended_goes_on_at_once() -> None:
    with own_fact() as done:
        in_another_session(lambda: outbox.claim("work"))
        assert Delivery.objects.get().state == "in_flight"

        assert outbox.reclaim() == 1
        assert outbox.deliver_due("work") == 1

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempt_count, len(done)) == ("delivered", 2, 1)
    assert list(Attempt.objects.order_by("number").values_list("outcome", "error")) == [
        ("failed", outbox.CUT_OFF),
        ("delivered", ""),
    ]


def test_delivery_of_a_living_worker_is_not_reclaimed_by_another_one() -> None:
    with own_fact():
        outbox.claim("work")

        assert in_another_session(outbox.reclaim) == 0

    delivery = Delivery.objects.get()
    assert delivery.state == "in_flight"
    assert (delivery.held_by, delivery.session_began_at) == sessions.own_session()


@pytest.mark.parametrize("left", ["the session of the dead", "nothing"])
def test_claim_of_an_older_release_beside_us_waits_for_its_lease(left: str) -> None:
    """It reclaims by the lease, fails, and claims anew; of sessions it neither reads nor writes anything."""
    with own_fact():
        in_another_session(lambda: outbox.claim("work"))
        if left == "nothing":
            Delivery.objects.update(held_by=None, held_until=None)
        at = clock.now()
        Delivery.objects.update(attempt_count=2, lease_until=at + outbox.LEASE)

        assert outbox.reclaim() == 0
        with clock.frozen(at + outbox.LEASE + timedelta(seconds=1)):
            assert outbox.reclaim() == 1

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.held_by, delivery.held_until) == ("failed", None, None)


def test_another_process_with_the_number_of_the_dead_is_not_its_holder() -> None:
    with own_fact():
        in_another_session(lambda: outbox.claim("work"))
        own = sessions.own_session()
        assert own is not None
        Delivery.objects.update(held_by=own.number)

        assert outbox.reclaim() == 1


def test_session_whose_beginning_is_hidden_from_us_counts_as_living() -> None:
    own = sessions.own_session()
    assert own is not None
    gone = sessions.Session(own.number, own.began_at - timedelta(seconds=1))
    with transaction.atomic(), connection.cursor() as cursor:
        # A role that may see of others' sessions only that they are there.
        cursor.execute("SET LOCAL ROLE pg_signal_backend")
        assert sessions.ended_sessions([gone]) == set()

    assert sessions.ended_sessions([own, gone]) == {gone}


def test_sessions_that_a_transaction_read_before_are_read_again() -> None:
    with own_fact(), ThreadPoolExecutor(1) as worker, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity")
        worker.submit(outbox.claim, "work").result()
        try:
            assert outbox.reclaim() == 0
        finally:
            worker.submit(connections.close_all).result()


def test_session_behind_a_pooler_is_not_its_own() -> None:
    class Pooled:
        """A connection whose log-in the pooler answered with a number of its own."""

        backend_pid = 1

        def __init__(self, raw: Any) -> None:
            self._raw, self.info = raw, self

        def __getattr__(self, name: str) -> Any:
            return getattr(self._raw, name)

    assert sessions.own_session() is not None
    raw = connection.connection
    connection.connection = Pooled(raw)
    try:
        assert sessions.own_session() is None
        with own_fact():
            outbox.claim("work")
        assert Delivery.objects.values_list("held_by", "session_began_at").get() == (None, None)
        assert outbox.reclaim() == 0
    finally:
        connection.connection = raw


def own_job() -> int:
    return jobs.enqueue_job("tests", title="", params={}, actor=Actor.system("tests"))


@pytest.fixture
def act(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[JobRun], Mapping[str, Any]]], None]:
    """Say what the job does."""
    monkeypatch.setattr(jobs, "_publish", lambda job_id: None)
    monkeypatch.setattr(jobs, "JOB_KINDS", {"tests": lambda run: {}})
    return lambda function: jobs.JOB_KINDS.update(tests=function)


@pytest.mark.usefixtures("act")
def test_job_of_a_worker_whose_session_ended_goes_on_at_once() -> None:
    pk = own_job()
    in_another_session(lambda: jobs._start(pk))
    assert Job.objects.get().state == "running"

    assert jobs.due_job_ids() == [pk]
    assert jobs.run_job(pk) is True

    job = Job.objects.get()
    assert (job.state, job.attempt_count, job.lease_until, job.held_by) == ("done", 2, None, None)


@pytest.mark.usefixtures("act")
def test_job_of_a_living_worker_is_not_started_by_another_one() -> None:
    pk = own_job()
    jobs._start(pk)

    assert in_another_session(jobs.due_job_ids) == []
    assert in_another_session(lambda: jobs.run_job(pk)) is False

    job = Job.objects.get()
    assert (job.state, (job.held_by, job.session_began_at)) == ("running", sessions.own_session())


@pytest.mark.usefixtures("act")
def test_job_that_an_older_release_renewed_waits_for_its_lease() -> None:
    pk = own_job()
    in_another_session(lambda: jobs._start(pk))
    at = clock.now()
    Job.objects.update(lease_until=at + jobs.LEASE)

    assert (jobs.due_job_ids(), jobs.run_job(pk)) == ([], False)
    with clock.frozen(at + jobs.LEASE + timedelta(seconds=1)):
        assert jobs.due_job_ids() == [pk]


def test_worker_with_a_new_connection_claims_its_job_anew(act: Any) -> None:
    def reconnect(run: JobRun) -> Mapping[str, Any]:
        was = sessions.own_session()
        connection.close()
        run.progress(1, 2)
        wait_for_the_end_of(was)
        assert in_another_session(lambda: jobs.run_job(run.job.pk)) is False
        job = Job.objects.get()
        assert (job.held_by, job.session_began_at) == sessions.own_session() != was
        return {}

    act(reconnect)
    jobs.run_job(own_job())

    assert Job.objects.values_list("state", "attempt_count", "error").get() == ("done", 1, "")


@pytest.mark.parametrize("late", ["keep", "progress", "return"])
def test_worker_with_a_new_connection_whose_job_was_taken_meanwhile_writes_nothing_of_it(
    act: Any, late: str
) -> None:
    begun: list[int] = []

    def reconnect(run: JobRun) -> Mapping[str, Any]:
        begun.append(run.job.attempt_count)
        if len(begun) == 2:
            return {"by": "second"}
        was = sessions.own_session()
        connection.close()
        wait_for_the_end_of(was)
        assert in_another_session(lambda: jobs.run_job(run.job.pk)) is True
        if late == "keep":
            run.keep({"by": "first"})
        elif late == "progress":
            run.progress(1, 1)
        return {"by": "first"}

    act(reconnect)
    jobs.run_job(own_job())

    job = Job.objects.get()
    assert (job.state, job.result, job.total_count, len(begun)) == ("done", {"by": "second"}, 0, 2)
