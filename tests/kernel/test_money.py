from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.money import coin, exponent, round_money, round_sum, split_amount

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])
WEIGHTS = st.lists(st.integers(min_value=0, max_value=10_000), min_size=1, max_size=12)
pytestmark = pytest.mark.once


@given(coins=st.integers(min_value=-(10**9), max_value=10**9), weights=WEIGHTS, currency=CURRENCIES)
def test_split_of_whole_coins_is_exact_and_fair(coins: int, weights: list[int], currency: str) -> None:
    total = coins * coin(currency)

    parts = split_amount(total, weights, currency)

    assert sum(parts) == total
    assert len(parts) == len(weights)
    assert all(part == round_money(part, currency) for part in parts)
    shares = weights if any(weights) else [1] * len(weights)
    for part, weight in zip(parts, shares, strict=True):
        assert abs(part - total * weight / sum(shares)) < coin(currency)


@given(coins=st.integers(min_value=-(10**6), max_value=10**6), weights=WEIGHTS)
def test_split_gives_nothing_to_a_weight_of_zero(coins: int, weights: list[int]) -> None:
    parts = split_amount(coins * Decimal("0.01"), weights, "EUR")

    if any(weights):
        assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


@given(amount=st.decimals(min_value=-(10**6), max_value=10**6, places=4), weights=WEIGHTS)
def test_split_of_a_finer_amount_still_sums_up(amount: Decimal, weights: list[int]) -> None:
    assert sum(split_amount(amount, weights, "EUR")) == amount


def test_split_gives_the_odd_coin_to_the_earlier_part() -> None:
    assert split_amount(Decimal("0.10"), [1, 1, 1], "EUR") == (
        Decimal("0.04"),
        Decimal("0.03"),
        Decimal("0.03"),
    )
    assert split_amount(Decimal(10), [1, 1, 1], "JPY") == (4, 3, 3)
    assert split_amount(Decimal("-0.05"), [1, 1], "EUR") == (Decimal("-0.03"), Decimal("-0.02"))


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_split_without_weights_or_with_a_negative_one_is_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError):
        split_amount(Decimal(1), weights, "EUR")


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("1.005", "EUR", "1.01"), ("-1.005", "EUR", "-1.01"), ("0.5", "JPY", "1"), ("1.0005", "KWD", "1.001"),
        ("1.00005", "CLF", "1.0001"), ("1.004", "XXX", "1.00"),
    ],
)  # fmt: skip
def test_rounding_goes_half_away_from_zero(amount: str, currency: str, rounded: str) -> None:
    assert round_money(Decimal(amount), currency) == Decimal(rounded)


def test_exponents_follow_the_currency() -> None:
    assert [exponent(code) for code in ("EUR", "JPY", "KWD", "CLF", "unknown")] == [2, 0, 3, 4, 2]


def test_sums_of_a_database_come_back_to_four_decimals() -> None:
    assert round_sum(0.1 + 0.2) == Decimal("0.3000")
    assert round_sum(None) == 0
