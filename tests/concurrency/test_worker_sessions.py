"""What a worker has claimed is its own while its database session lives, and others' as soon as that has ended."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction

from config.kernel import clock, outbox, sessions
from config.kernel.models import Attempt, Delivery
from tests.planted.races import in_another_session, own_fact

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
