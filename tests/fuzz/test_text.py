"""Random text and bytes for as long as the suite allows: nothing crashes, nothing is read as what it is not."""

import pytest

from tests.fuzz.lasting import for_a_while
from tests.imports import test_fuzz as strategies

pytestmark = pytest.mark.once


def test_random_text_crashes_nothing_and_is_coerced_to_nothing() -> None:
    checks = [
        strategies.test_any_bytes_are_read_or_refused_with_a_reason,
        strategies.test_any_cells_become_an_order_or_problems_that_say_what_is_accepted,
        strategies.test_any_text_is_a_number_or_a_moment_or_nothing,
        strategies.test_any_cells_are_written_dead,
    ]

    assert for_a_while(checks) >= 1
