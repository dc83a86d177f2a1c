"""The small sets of rows that an order's page shows, this room's and those of upper ones: read together."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from config.kernel.names import with_actor_names
from config.kernel.together import read_together
from inventory.enums import LIVE_RESERVATION
from inventory.models import Reservation
from inventory.selectors.queue import QUEUE_ORDER
from orders.models import AllocationDecision, LinePart, Order, Tag
from orders.selectors.demand import ORDER_LINE_PART
from orders.selectors.once import once
from orders.selectors.owed_mails import owed_of_order, owed_of_parcels

MOST_CHANGES = 8
Reader = Callable[[Order], QuerySet[Any]]


def _reservations(order: Order) -> QuerySet[Reservation]:
    """Live ones in queue order, with their level and its location."""
    parts = LinePart.objects.filter(line__order=order).values("pk")
    rows = Reservation.objects.filter(
        reference_kind=ORDER_LINE_PART, reference_id__in=parts, state__in=LIVE_RESERVATION
    )
    return rows.select_related("level__location").order_by(*QUEUE_ORDER)


_readers: dict[str, Reader] = {
    "charges": lambda order: order.charges.order_by("pk"),
    "taxes": lambda order: order.tax_lines.order_by("pk"),
    "payments": lambda order: order.payments.order_by("pk"),
    "mails": lambda order: order.notifications.order_by("pk"),
    "owed": owed_of_order,
    "owed_of_parcels": owed_of_parcels,
    "holds": lambda order: order.holds.filter(lifted_at=None).order_by("pk"),
    "tags": lambda order: (
        Tag.objects.filter(order_tags__order=order).order_by("name").values_list("name", flat=True)
    ),
    "changes": lambda order: with_actor_names(order.proposals.order_by("-pk"))[:MOST_CHANGES],
    "decision": lambda order: AllocationDecision.objects.filter(order=order).order_by("-pk")[:1],
    "reservations": _reservations,
}


def register_order_rows(name: str, reader: Reader) -> None:
    """Let the page read rows of an upper room with its own; called once, from the room's `admin`."""
    _readers[name] = reader


def rows_of(order: Order, name: str) -> list[Any]:
    """An order's rows of one kind. All kinds are read by whoever asks first: one statement, once an instance."""
    rows: dict[str, list[Any]] = once(order, "_rows", lambda: _read(order))
    return rows[name]


def _read(order: Order) -> dict[str, list[Any]]:
    readers = dict(_readers)
    return dict(zip(readers, read_together([read(order) for read in readers.values()]), strict=True))
