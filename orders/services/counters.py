"""The counters of line parts, written many rows at a time."""

from collections.abc import Sequence

from config.kernel.fastpath import set_in_rows
from orders.models import LinePart


def write_counters(parts: Sequence[LinePart], columns: Sequence[str]) -> None:
    """Write these counters of parts whose orders are locked, as they stand in memory; one UPDATE."""
    if parts:
        values = {part.pk: tuple(getattr(part, column) for column in columns) for part in parts}
        set_in_rows(LinePart, columns, values)
