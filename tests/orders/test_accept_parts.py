"""Whatever the amounts: a line's parts sum to it, and the stored rows to the order."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.kernel.money import coin
from orders.parts import KitShare, KnownSku, PartShare, split_line

pytestmark = pytest.mark.once

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])
SHARES = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 100)), min_size=1, max_size=6)


@settings(max_examples=300, deadline=None)
@given(CURRENCIES, st.integers(-(10**9), 10**9), SHARES, st.integers(1, 500))
def test_split_line_kit_parts_are_whole_coins_that_sum_to_the_line(
    currency: str, coins: int, shares: list[tuple[int, int]], quantity: int
) -> None:
    total = coins * coin(currency)
    kit = KnownSku(1, tuple(KitShare(place, *share) for place, share in enumerate(shares, start=2)))

    parts = split_line(kit, quantity=quantity, total=total, currency=currency)

    values = [part.value_amount for part in parts]
    assert sum(values) == total
    assert all(value % coin(currency) == 0 for value in values)
    assert [part.ordered for part in parts] == [quantity * per_unit for per_unit, _weight in shares]
    assert [part.sku_id for part in parts] == list(range(2, 2 + len(shares)))


def test_split_line_plain_unknown_and_empty_kit() -> None:
    amounts = {"quantity": 3, "total": Decimal(9), "currency": "EUR"}

    assert split_line(KnownSku(7), **amounts) == (PartShare(7, 1, 1, 3, Decimal(9)),)
    assert split_line(None, **amounts) == (PartShare(None, 1, 1, 3, Decimal(9)),)
    assert split_line(KnownSku(7, ()), **amounts) == (PartShare(None, 1, 1, 3, Decimal(9)),)


def test_split_line_unknown_total_gives_unknown_values() -> None:
    kit = KnownSku(1, (KitShare(2, 2, 1), KitShare(3, 1, 1)))

    parts = split_line(kit, quantity=2, total=None, currency="EUR")

    assert parts == (PartShare(2, 2, 1, 4, None), PartShare(3, 1, 1, 2, None))
