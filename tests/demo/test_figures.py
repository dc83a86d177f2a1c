"""What a fresh demo shows of itself is what the sweeps of a running system would have kept."""

import pytest

from config.management.commands.demo import _count
from inventory.models import StockCheck
from inventory.services.health import stock_codes

pytestmark = pytest.mark.django_db


def test_stock_of_a_fresh_demo_is_checked_already() -> None:
    _count()

    assert set(StockCheck.objects.values_list("code", flat=True)) == set(stock_codes())
