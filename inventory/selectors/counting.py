"""What people read about counts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from inventory.enums import CountStatus, MovementKind
from inventory.models import StockCount, StockCountLine, StockLevel, StockMovement

REFERENCE = "stock_count"


def counted_lines(count_id: int) -> list[Any]:
    """The lines of a count in the order of the list, with `on_hand_now` at its location; one statement."""
    level = StockLevel.objects.filter(sku=OuterRef("sku"), location=OuterRef("count__location"))
    rows = StockCountLine.objects.filter(count=count_id).select_related("sku").order_by("pk")
    return list(rows.annotate(on_hand_now=Coalesce(Subquery(level.values("on_hand")[:1]), 0)))


def to_approve(counts: QuerySet[StockCount]) -> QuerySet[StockCount]:
    """Counts that wait for their approval."""
    return counts.filter(status=CountStatus.COUNTED)


def corrections_since(
    lines: Sequence[StockCountLine], counts: Mapping[int, StockCount]
) -> dict[int, list[StockMovement]]:
    """The corrections of counted SKUs since each line's count, of other counts too, by line; one statement."""
    found: dict[int, list[StockMovement]] = defaultdict(list)
    first = min((one.counted_at for one in counts.values() if one.counted_at is not None), default=None)
    if first is None or not lines:
        return found
    rows = StockMovement.objects.filter(
        kind=MovementKind.CORRECTION,
        at__gt=first,
        level__sku__in={line.sku_id for line in lines},
        level__location__in={count.location_id for count in counts.values()},
    )
    by_place: dict[tuple[int, int], list[StockMovement]] = defaultdict(list)
    for row in rows.select_related("level").order_by("pk"):
        by_place[row.level.sku_id, row.level.location_id].append(row)
    for line in lines:
        count = counts[line.count_id]
        at = by_place.get((line.sku_id, count.location_id), ())
        if since := [row for row in at if count.counted_at is not None and row.at > count.counted_at]:
            found[line.pk] = since
    return found


def by_hand(corrections: Iterable[StockMovement]) -> list[StockMovement]:
    """Those that no count has booked."""
    return [row for row in corrections if row.reference_kind != REFERENCE]
