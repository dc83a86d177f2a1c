"""The search for cyclic garbage: rare inside the block, as before behind it, whoever leaves first."""

import gc
from collections.abc import Sequence

import pytest

from config.kernel.batches import verb
from config.kernel.garbage import OBJECTS, rare_collections
from config.kernel.results import Results


def test_threshold_is_raised_inside_and_restored_behind_nested_blocks() -> None:
    before = gc.get_threshold()

    with rare_collections():
        with rare_collections():
            assert gc.get_threshold() == (OBJECTS, *before[1:])
        assert gc.get_threshold() == (OBJECTS, *before[1:])

    assert gc.get_threshold() == before


def test_threshold_is_restored_where_the_work_breaks_off() -> None:
    before = gc.get_threshold()

    with pytest.raises(ZeroDivisionError), rare_collections():
        raise ZeroDivisionError

    assert gc.get_threshold() == before


def test_a_verb_searches_rarely_while_it_works_and_as_before_behind_it() -> None:
    seen = []

    @verb
    def count(units: Sequence[int]) -> Results[int]:
        seen.append(gc.get_threshold()[0])
        return Results(units)

    before = gc.get_threshold()
    count([1])

    assert (seen, gc.get_threshold()) == ([OBJECTS], before)
