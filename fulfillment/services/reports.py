"""Keeping the times that orders spend in each stage."""

from collections.abc import Sequence
from math import ceil

from config.kernel import clock
from fulfillment.models import StageTime
from fulfillment.selectors.stages import stage_seconds

SLOW_SHARE = 0.9


def refresh_stage_times() -> None:
    """Measure every stage again and write one row each; a second call writes the same."""
    at = clock.now()
    rows = [
        StageTime(
            stage=stage,
            orders=len(seconds),
            median_seconds=_at_share(seconds, 0.5),
            slow_seconds=_at_share(seconds, SLOW_SHARE),
            measured_at=at,
        )
        for stage, seconds in stage_seconds().items()
    ]
    StageTime.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["stage"],
        update_fields=["orders", "median_seconds", "slow_seconds", "measured_at"],
    )


def _at_share(ascending: Sequence[int], share: float) -> int | None:
    """The smallest measured value that at least this share of all do not exceed."""
    if not ascending:
        return None
    return ascending[max(0, ceil(len(ascending) * share) - 1)]
