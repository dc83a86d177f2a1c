"""Benchmarks run by command; that their businesses can still be built is seen here."""

import pytest

from config.kernel.audit import run_audit
from orders.models import Order
from tests.benchmarks import audit, clones

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def test_the_audits_business_lives_and_its_copies_break_no_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "LIVED", audit.BATCH)
    audit.live()
    lived = clones.counts()
    clones.copy_business(1)
    assert Order.objects.count() == 2 * audit.BATCH
    assert all(lived[table] for table in ("fulfillment_parcel", "returns_rma", "kernel_delivery")), lived
    assert [finding for finding in run_audit() if finding.violations] == []
