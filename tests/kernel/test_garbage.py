"""The search for cyclic garbage: rare inside the block, as before behind it, whoever leaves first."""

import gc

import pytest

from config.kernel.garbage import OBJECTS, rare_collections


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
