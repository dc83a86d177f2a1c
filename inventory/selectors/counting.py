"""What people read about counts."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from inventory.enums import CountStatus
from inventory.models import StockCount, StockCountLine, StockLevel


def counted_lines(count_id: int) -> list[Any]:
    """The lines of a count in the order of the list, with `on_hand_now` at its location; one statement."""
    level = StockLevel.objects.filter(sku=OuterRef("sku"), location=OuterRef("count__location"))
    rows = StockCountLine.objects.filter(count=count_id).select_related("sku").order_by("pk")
    return list(rows.annotate(on_hand_now=Coalesce(Subquery(level.values("on_hand")[:1]), 0)))


def to_approve(counts: QuerySet[StockCount]) -> QuerySet[StockCount]:
    """Counts that wait for their approval."""
    return counts.filter(status=CountStatus.COUNTED)
