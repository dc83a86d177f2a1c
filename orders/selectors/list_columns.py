"""What the optional columns of the order list read for a page of orders: one statement each, by the order's key."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Lower

from config.kernel.fastpath import Among
from inventory.enums import ReservationState
from inventory.models import Reservation
from orders.models import Hold, LinePart, OrderLine, OrderTag
from orders.selectors.demand import ORDER_LINE_PART

_TAKEN = (ReservationState.OPEN, ReservationState.CONSUMED)


def units_of(order_ids: Sequence[int]) -> Mapping[int, int]:
    """Units ordered."""
    rows = OrderLine.objects.filter(Among("order_id", order_ids)).order_by()
    return dict(rows.values_list("order_id").annotate(Sum("quantity")))


def goods_listed(order_ids: Sequence[int]) -> Mapping[int, list[tuple[int, str]]]:
    """(units, SKU as sent or title) of each line that has units, in their sequence."""
    rows = OrderLine.objects.filter(Among("order_id", order_ids), quantity__gt=0).order_by("position")
    return _grouped(
        (pk, (units, sku or title))
        for pk, units, sku, title in rows.values_list("order_id", "quantity", "sku_code", "title")
    )


def tags_of(order_ids: Sequence[int]) -> Mapping[int, list[str]]:
    rows = OrderTag.objects.filter(Among("order_id", order_ids)).order_by(Lower("tag__name"))
    return _grouped(rows.values_list("order_id", "tag__name"))


def open_kinds_of(order_ids: Sequence[int]) -> Mapping[int, list[str]]:
    """Kinds of the open holds, oldest first."""
    rows = Hold.objects.filter(Among("order_id", order_ids), lifted_at=None).order_by("pk")
    return _grouped(rows.values_list("order_id", "kind"))


def locations_of(order_ids: Sequence[int]) -> Mapping[int, list[str]]:
    """Names of the locations where units are reserved, or from where they have left."""
    parts = LinePart.objects.filter(Among("line__order_id", order_ids)).values("pk")
    order = LinePart.objects.filter(pk=OuterRef("reference_id")).values("line__order_id")[:1]
    rows = Reservation.objects.filter(
        reference_kind=ORDER_LINE_PART, reference_id__in=parts, state__in=_TAKEN
    ).annotate(of_order=Subquery(order))
    named = rows.values_list("of_order", "level__location__name").distinct()
    return _grouped(named.order_by("level__location__name"))


def _grouped(rows: Iterable[tuple[int, Any]]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for pk, value in rows:
        found[pk].append(value)
    return dict(found)
