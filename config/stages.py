"""The way of an order cut into stages: how long each takes, and how many wait in it now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from config.dashboard import Tile
from config.kernel.admin.queues import queue_url
from config.kernel.templatetags.bancale import span_text
from fulfillment.admin.passed import passed_url
from fulfillment.enums import Stage
from fulfillment.models import FulfillmentOrder, Parcel, StageTime
from orders.models import Order

# The queue whose orders are in the stage, by its list.
QUEUE_OF: Mapping[Stage, tuple[type, str]] = {
    Stage.CONFIRM: (Order, "to_confirm"),
    Stage.RESERVE: (Order, "backordered"),
    Stage.RELEASE: (Order, "to_release"),
    Stage.SHIP: (FulfillmentOrder, "to_ship"),
    Stage.DELIVER: (Parcel, "under_way"),
}
WIDTH = 1000


@dataclass(frozen=True, slots=True)
class StageRow:
    """`width` of 1000 for the middle time, `slow_width` for that of the slow ones; the slowest stage fills the row.

    `url` opens the `passes` that were measured, `waiting` what is in the stage now.
    """

    label: str
    median: str
    slow: str
    width: int
    slow_width: int
    is_bottleneck: bool
    passes: int
    url: str
    waiting: Tile | None


def slowest_words(rows: Sequence[StageRow]) -> str:
    """Which stage takes longest; "" where only one was measured."""
    slowest = next((row for row in rows if row.is_bottleneck), None)
    if slowest is None:
        return ""
    said = gettext("Slowest: %(stage)s, half within %(span)s.")
    return said % {"stage": f"{slowest.label[:1].lower()}{slowest.label[1:]}", "span": slowest.median}


def stage_rows(tiles: Sequence[Tile]) -> list[StageRow]:
    """A row a stage that was measured, in the order of the way; one statement. `tiles` say what waits."""
    times = {row.stage: row for row in StageTime.objects.all() if row.median_seconds is not None}
    longest = max((row.slow_seconds or 0 for row in times.values()), default=0) or 1
    slowest = max(times.values(), key=lambda row: row.median_seconds or 0, default=None)
    by_url = {tile.url: tile for tile in tiles}
    rows = []
    for stage in Stage:
        if (time := times.get(stage)) is not None:
            median, slow = time.median_seconds or 0, time.slow_seconds or 0
            rows.append(
                StageRow(
                    str(stage.label),
                    span_text(median),
                    span_text(slow),
                    max(4, WIDTH * median // longest),
                    max(4, WIDTH * slow // longest),
                    time is slowest and len(times) > 1,
                    time.orders,
                    passed_url(stage),
                    by_url.get(queue_url(*QUEUE_OF[stage])),
                )
            )
    return rows
