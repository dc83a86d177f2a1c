"""How long orders took from one stage to the next, measured on the newest that passed."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from config.kernel import clock
from fulfillment.enums import Stage
from fulfillment.models import FulfillmentOrder, Parcel
from orders.models import Order

WINDOW = timedelta(days=14)
# The newest rows that are looked at: a bound for the sweep, not for the figures of a busy fortnight.
NEWEST = 5_000

Span = tuple[datetime | None, datetime | None]


def stage_seconds() -> dict[Stage, list[int]]:
    """By stage the seconds of each pass that ended in the last 14 days, ascending; a statement a stage."""
    since = clock.now() - WINDOW
    return {stage: _seconds(spans(), since) for stage, spans in _SPANS.items()}


def _seconds(spans: Iterable[Span], since: datetime) -> list[int]:
    return sorted(
        max(0, round((end - start).total_seconds()))
        for start, end in spans
        if start is not None and end is not None and end >= since
    )


def _confirmed() -> Iterable[Span]:
    rows = Order.objects.filter(is_history=False, is_test=False).order_by("-pk")
    return rows.values_list("accepted_at", "confirmed_at")[:NEWEST]


def _released() -> Iterable[Span]:
    rows = FulfillmentOrder.objects.order_by("-pk")
    return rows.values_list("order__confirmed_at", "released_at")[:NEWEST]


def _shipped() -> Iterable[Span]:
    return FulfillmentOrder.objects.order_by("-pk").values_list("released_at", "shipped_at")[:NEWEST]


def _delivered() -> Iterable[Span]:
    return Parcel.objects.order_by("-pk").values_list("shipment__shipped_at", "delivered_at")[:NEWEST]


_SPANS: Mapping[Stage, Callable[[], Iterable[Span]]] = {
    Stage.CONFIRM: _confirmed,
    Stage.RELEASE: _released,
    Stage.SHIP: _shipped,
    Stage.DELIVER: _delivered,
}
