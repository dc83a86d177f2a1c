"""Levels at or below their reorder point, and the alerts that say so."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, F, OuterRef, QuerySet

from inventory.enums import AlertStatus
from inventory.models import LowStockAlert, StockLevel

UNPROMISED = F("on_hand") - F("reserved") - F("unsellable")
# The same, seen from an alert.
LEFT = F("level__on_hand") - F("level__reserved") - F("level__unsellable")


def low_levels(levels: QuerySet[StockLevel]) -> QuerySet[StockLevel]:
    """Levels whose unpromised sellable units are at or below their reorder point; none without one, and none where
    nothing is reordered."""
    return levels.alias(unpromised_units=UNPROMISED).filter(
        reorder_point__gt=0,
        unpromised_units__lte=F("reorder_point"),
        location__is_active=True,
        sku__is_active=True,
        sku__is_kit=False,
    )


def untold_levels() -> QuerySet[StockLevel]:
    """Low levels without an alert."""
    live = live_alerts().filter(level=OuterRef("pk"))
    return low_levels(StockLevel.objects.all()).filter(~Exists(live))


def mistold_levels(levels: QuerySet[StockLevel]) -> set[int]:
    """Those of some levels whose alert is yet to be raised, or to be cleared; two statements."""
    untold = untold_levels().filter(pk__in=levels).values_list("pk", flat=True)
    return {*untold, *outlived_alerts().filter(level__in=levels).values_list("level_id", flat=True)}


def outlived_alerts() -> QuerySet[LowStockAlert]:
    """Alerts of levels that are not low any more."""
    low = low_levels(StockLevel.objects.all()).filter(pk=OuterRef("level_id"))
    return live_alerts().filter(~Exists(low))


def live_alerts() -> QuerySet[LowStockAlert]:
    """Those not cleared."""
    return LowStockAlert.objects.exclude(status=AlertStatus.CLEARED)


def due_to_wake(at: datetime) -> QuerySet[LowStockAlert]:
    """Snoozed alerts whose time has come."""
    return LowStockAlert.objects.filter(status=AlertStatus.SNOOZED, snoozed_until__lte=at)


def low_now(alerts: QuerySet[LowStockAlert]) -> QuerySet[LowStockAlert]:
    """Those that nobody has looked after yet."""
    return alerts.filter(status=AlertStatus.OPEN)


def acknowledged(alerts: QuerySet[LowStockAlert]) -> QuerySet[LowStockAlert]:
    return alerts.filter(status=AlertStatus.ACKNOWLEDGED)


def snoozed(alerts: QuerySet[LowStockAlert]) -> QuerySet[LowStockAlert]:
    return alerts.filter(status=AlertStatus.SNOOZED)


def alerts_by_level(level_ids: Iterable[int]) -> dict[int, LowStockAlert]:
    """The live alert of each level that has one."""
    return {alert.level_id: alert for alert in live_alerts().filter(level__in=list(level_ids))}
