"""A verb rehearsed answers as it would, and leaves nothing."""

from typing import Any

import pytest
from django.db import OperationalError, transaction

from config.kernel.models import Event, Fact
from config.kernel.rehearsing import rehearse
from orders.models import Order
from orders.services.confirming import confirm_orders
from tests.factories.orders import SYSTEM, make_order

pytestmark = pytest.mark.django_db


def test_rehearse_answers_and_takes_everything_back(django_capture_on_commit_callbacks: Any) -> None:
    order = make_order()
    before = (Event.objects.count(), Fact.objects.count())

    with django_capture_on_commit_callbacks() as after:
        results = rehearse(lambda: confirm_orders([order.pk, 0], actor=SYSTEM))

    assert results is not None
    assert (results.done_ids, list(results.refusals)) == ([order.pk], [0])
    assert Order.objects.get(pk=order.pk).status == "placed"
    assert (Event.objects.count(), Fact.objects.count()) == before
    assert after == []


def test_rehearse_inside_a_transaction_leaves_that_one_alone() -> None:
    order = make_order()

    with transaction.atomic():
        Order.objects.filter(pk=order.pk).update(note="kept")
        rehearse(lambda: confirm_orders([order.pk], actor=SYSTEM))

    assert Order.objects.filter(pk=order.pk, note="kept", status="placed").exists()


def test_rehearse_says_nothing_where_locks_do_not_come_free_and_hides_no_other_fault() -> None:
    def fail(words: str) -> None:
        raise OperationalError(words)

    assert rehearse(lambda: fail("database is locked")) is None
    with pytest.raises(OperationalError):
        rehearse(lambda: fail("disk full"))
