"""Bar charts as geometry: the server draws them as SVG, each bar a link with a title."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

WIDTH, HEIGHT = 716, 168
LEFT, RIGHT, TOP, BASE = 46, 710, 15, 140
MOST_LINES = 4
GAP = 1


@dataclass(frozen=True, slots=True)
class Column:
    """One place on the axis: a value a series, from the base upwards, a title and the list that it counts."""

    values: tuple[Decimal, ...]
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    series: int


@dataclass(frozen=True, slots=True)
class Group:
    """The bars of one column."""

    title: str
    url: str
    bars: tuple[Bar, ...]
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """A grid line and what stands at its left end."""

    y: float
    value: Decimal


@dataclass(frozen=True, slots=True)
class Mark:
    """A word under the axis."""

    x: float
    text: str
    anchor: str


@dataclass(slots=True)
class Chart:
    groups: list[Group] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not any(group.bars for group in self.groups)


def stacked(columns: Sequence[Column], marks: Sequence[tuple[int, str]]) -> Chart:
    """Stack each column's values on a zero-based scale; `marks` are (place of the column, its word)."""
    highest = max((sum(column.values, Decimal(0)) for column in columns), default=Decimal(0))
    top = ceiling(highest)
    step = (RIGHT - LEFT) / max(len(columns), 1)
    width = round(step * 0.68, 1)
    chart = Chart(lines=[Line(_y(value, top), value) for value in ticks(top)])
    for place, column in enumerate(columns):
        x = round(LEFT + place * step + (step - width) / 2, 1)
        chart.groups.append(Group(column.title, column.url, _bars(column, x, width, top), x, width))
    for place, text in marks:
        anchor = "start" if place == 0 else "end" if place == len(columns) - 1 else "middle"
        middle = LEFT + place * step + step / 2
        x = middle - width / 2 if anchor == "start" else middle + width / 2 if anchor == "end" else middle
        chart.marks.append(Mark(round(x, 1), text, anchor))
    return chart


def _bars(column: Column, x: float, width: float, top: Decimal) -> tuple[Bar, ...]:
    bars, level = [], Decimal(0)
    for series, value in enumerate(column.values):
        if value > 0:
            high, low = _y(level + value, top), _y(level, top)
            gap = GAP if level and low - high > 2 * GAP else 0
            bars.append(Bar(x, high, width, round(low - high - gap, 1), series))
            level += value
    return tuple(bars)


def _y(value: Decimal, top: Decimal) -> float:
    return round(BASE - float(value / top) * (BASE - TOP), 1)


def ceiling(highest: Decimal) -> Decimal:
    """The end of the axis: the step of `ticks` that is not below the highest value; at least 1."""
    step = _step(highest)
    return step * max(Decimal(1), (highest / step).to_integral_value(ROUND_CEILING))


def ticks(top: Decimal) -> list[Decimal]:
    """Grid lines from 0 to the end of the axis."""
    step = _step(top)
    return [step * count for count in range(int(top // step) + 1)]


def _step(highest: Decimal) -> Decimal:
    """The smallest of 1, 2, 5, 10, 20 … that needs no more than `MOST_LINES` steps."""
    size = Decimal(1)
    while True:
        for factor in (1, 2, 5):
            if size * factor * MOST_LINES >= highest:
                return size * factor
        size *= 10
