"""How much one transaction takes: by the pace of the last, within fixed ends."""

import pytest

from orders.services.importing.pacing import AIM, FEWEST, MOST, Pace


@pytest.mark.parametrize(
    ("rows", "seconds", "following"),
    [
        (1500, AIM, 1500),
        (1500, AIM / 2, 3000),
        (1500, AIM / 100, 3000),
        (1500, AIM * 2, 750),
        (1500, 60.0, FEWEST),
        (0, 1.0, 1500),
        (1500, 0.0, 1500),
    ],
)
def test_chunk_follows_the_pace_of_the_last(rows: int, seconds: float, following: int) -> None:
    pace = Pace()

    pace.took(rows, seconds)

    assert pace.rows == following


def test_chunk_never_grows_past_what_memory_should_hold() -> None:
    pace = Pace()

    for _chunk in range(10):
        pace.took(pace.rows, 0.001)

    assert pace.rows == MOST
