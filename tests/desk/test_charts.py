"""Bars as geometry: zero-based, stacked, each with its list."""

from decimal import Decimal

import pytest

from config.charts import BASE, TOP, Column, ceiling, stacked, ticks

pytestmark = pytest.mark.once


def column(*values: int) -> Column:
    return Column(tuple(map(Decimal, values)), f"{sum(values)} orders", f"/?day={values}")


@pytest.mark.parametrize(
    ("highest", "top"),
    [("0", 1), ("1", 1), ("4", 4), ("5", 6), ("7", 8), ("41", 60), ("81", 100), ("1234.5", 1500)],
)
def test_axis_ends_at_the_first_round_step_above(highest: str, top: int) -> None:
    assert ceiling(Decimal(highest)) == top
    assert ticks(Decimal(top))[0] == 0
    assert ticks(Decimal(top))[-1] == top
    assert len(ticks(Decimal(top))) <= 5


def test_bars_stand_on_zero_and_stack_to_their_sum() -> None:
    chart = stacked([column(30, 10), column(0, 0), column(100, 0)], [(0, "1 Nov"), (2, "3 Nov")])

    first, second, third = chart.groups
    low, high = first.bars
    assert low.y + low.height == BASE
    assert high.y == round(BASE - 40 / 100 * (BASE - TOP), 1)
    assert (low.series, high.series) == (0, 1)
    assert second.bars == ()
    assert third.bars[0].y == TOP
    assert [(mark.text, mark.anchor) for mark in chart.marks] == [("1 Nov", "start"), ("3 Nov", "end")]
    assert not chart.is_empty


def test_nothing_sold_is_an_empty_chart() -> None:
    assert stacked([column(0)], []).is_empty
