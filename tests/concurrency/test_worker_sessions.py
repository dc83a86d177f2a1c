"""What a worker has claimed is its own while its database session lives, and others' as soon as that has ended."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from django.db import connection

from config.kernel import clock, outbox, sessions
from config.kernel.models import Attempt, Delivery
from tests.planted.races import own_fact, wait_for_the_end_of

T = TypeVar("T")
pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def in_another_session(act: Callable[[], T]) -> T:
    """What a worker of its own answers; its session has ended afterwards."""

    def run() -> tuple[T, int | None]:
        try:
            return act(), sessions.own_session()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as worker:
        answer, number = worker.submit(run).result()
    wait_for_the_end_of(number)
    return answer


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
    assert (delivery.state, delivery.held_by) == ("in_flight", sessions.own_session())


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
        assert Delivery.objects.get().held_by is None
        assert outbox.reclaim() == 0
    finally:
        connection.connection = raw
