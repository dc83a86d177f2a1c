"""A worker killed anywhere in a check and in applying: resumed at once without a duplicate or half an order; audit
clean."""

import pytest

from tests.concurrency.import_kills import prove

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ORDERS, LINES, KILLS = 600, 3, 2


def test_killed_worker_resumes_without_duplicate_or_half_order() -> None:
    assert prove(ORDERS, LINES, KILLS, 1.0).count >= KILLS
