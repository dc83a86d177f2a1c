"""How long orders took from one stage to the next, measured on the newest that passed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, F, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from config.kernel import clock
from fulfillment.enums import Stage
from fulfillment.models import FulfillmentOrder, FulfillmentOrderLine, Parcel
from inventory.models import Reservation
from orders.models import Order
from orders.selectors.demand import ORDER_LINE_PART

WINDOW = timedelta(days=14)
# The newest rows that are looked at: a bound for the sweep, not for the figures of a busy fortnight.
NEWEST = 5_000


@dataclass(frozen=True, slots=True)
class Passage:
    """What passes a stage: rows of which model, and the columns of its begin and its end."""

    rows: Callable[[], QuerySet[Any]]
    begin: str
    end: str


def stage_seconds() -> dict[Stage, list[int]]:
    """By stage the seconds of each pass that ended in the last 14 days, ascending; a statement a stage."""
    until = clock.now()
    return {stage: sorted(_seconds(stage, until)) for stage in Stage}


def passed(rows: QuerySet[Any], stage: Stage, until: datetime) -> QuerySet[Any]:
    """Those of these rows that a measurement at `until` counted for a stage. The rows are of the stage's model."""
    return rows.filter(pk__in=_passes(stage, until).values("pk"))


def _seconds(stage: Stage, until: datetime) -> Iterator[int]:
    passage = PASSAGES[stage]
    for begin, end in _passes(stage, until).values_list(passage.begin, passage.end):
        yield max(0, round((end - begin).total_seconds()))


def _passes(stage: Stage, until: datetime) -> QuerySet[Any]:
    passage = PASSAGES[stage]
    newest = passage.rows().order_by("-pk").values("pk")[:NEWEST]
    ended = {f"{passage.end}__gte": until - WINDOW, f"{passage.end}__lte": until}
    # A list of ids, since the newest of them are to be cut off before the others are thrown out.
    return passage.rows().filter(pk__in=newest, **{f"{passage.begin}__isnull": False}, **ended)


def _orders() -> QuerySet[Any]:
    return Order.objects.filter(is_history=False, is_test=False)


def _work() -> QuerySet[Any]:
    """Work with `reserved_at`: when the last of what it asks for was reserved, not before the order was confirmed."""
    parts = FulfillmentOrderLine.objects.filter(fulfillment_order=OuterRef(OuterRef("pk"))).values(
        "line_part"
    )
    reserved = Reservation.objects.filter(
        reference_kind=ORDER_LINE_PART, reference_id__in=parts, opened_at__lte=OuterRef("released_at")
    )
    last = reserved.order_by().values("reference_kind").annotate(last=Max("opened_at")).values("last")
    confirmed = F("order__confirmed_at")
    at = Greatest(Coalesce(Subquery(last), confirmed), confirmed, output_field=DateTimeField())
    return FulfillmentOrder.objects.annotate(reserved_at=at)


def _parcels() -> QuerySet[Any]:
    return Parcel.objects.all()


PASSAGES: Mapping[Stage, Passage] = {
    Stage.CONFIRM: Passage(_orders, "accepted_at", "confirmed_at"),
    Stage.RESERVE: Passage(_work, "order__confirmed_at", "reserved_at"),
    Stage.RELEASE: Passage(_work, "reserved_at", "released_at"),
    Stage.SHIP: Passage(_work, "released_at", "shipped_at"),
    Stage.DELIVER: Passage(_parcels, "shipment__shipped_at", "delivered_at"),
}
