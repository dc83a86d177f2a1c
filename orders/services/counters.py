"""The counters of line parts, written many rows at a time."""

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Case, PositiveIntegerField, Value, When

from orders.models import LinePart

# A statement of this many parts stays below every parameter limit.
MOST_PARTS = 1000


def write_counters(parts: Sequence[LinePart], columns: Sequence[str]) -> None:
    """Write these counters of parts whose orders are locked, as they stand in memory; one UPDATE a 1000 parts."""
    for start in range(0, len(parts), MOST_PARTS):
        some = parts[start : start + MOST_PARTS]
        LinePart.objects.filter(pk__in=[part.pk for part in some]).update(
            **{column: _by_value(some, column) for column in columns}
        )


def _by_value(parts: Sequence[LinePart], column: str) -> Case:
    """One WHEN a distinct value, however many parts."""
    by_value = defaultdict(list)
    for part in parts:
        by_value[getattr(part, column)].append(part.pk)
    return Case(
        *(When(pk__in=pks, then=Value(value)) for value, pks in by_value.items()),
        output_field=PositiveIntegerField(),
    )
