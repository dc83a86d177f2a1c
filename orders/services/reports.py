"""Keeping the daily sums of sales as the orders say."""

from datetime import timedelta
from typing import Any

from django.db import transaction

from config.kernel import clock
from orders.models import DailySales, LegalEntity
from orders.selectors.reports import Sales, SalesKey, counted_sales

FIGURES = ("orders", "units", "revenue_amount")
BATCH = 1000


def refresh_daily_sales(days: int | None) -> int:
    """Count the last `days` days of every legal entity again (None: all days) and write what differs.

    A second call changes nothing; two at once write the same rows. Returns how many rows were written or deleted.
    """
    return sum(_refresh(entity, days) for entity in LegalEntity.objects.order_by("pk"))


def _refresh(entity: LegalEntity, days: int | None) -> int:
    today = clock.today(entity.time_zone)
    first = None if days is None else today - timedelta(days=days - 1)
    # Days ahead of us hold orders whose channel's clock runs ahead.
    last = today + timedelta(days=1)
    with transaction.atomic():
        counted = counted_sales(entity, first, last)
        kept = DailySales.objects.filter(sales_channel__legal_entity=entity, day__lte=last)
        if first is not None:
            kept = kept.filter(day__gte=first)
        known = {(row.day, row.sales_channel_id, row.currency): row for row in kept}
        wrong = [_row(key, sales) for key, sales in counted.items() if _figures(known.get(key)) != sales]
        gone = [row.pk for key, row in known.items() if key not in counted]
        DailySales.objects.bulk_create(
            sorted(wrong, key=lambda row: (row.day, row.sales_channel_id, row.currency)),
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["day", "sales_channel", "currency"],
            update_fields=FIGURES,
        )
        for start in range(0, len(gone), BATCH):
            DailySales.objects.filter(pk__in=gone[start : start + BATCH]).delete()
    return len(wrong) + len(gone)


def _row(key: SalesKey, sales: Sales) -> DailySales:
    day, channel_id, currency = key
    columns: dict[str, Any] = dict(zip(FIGURES, (sales.orders, sales.units, sales.revenue), strict=True))
    return DailySales(day=day, sales_channel_id=channel_id, currency=currency, **columns)


def _figures(row: DailySales | None) -> Sales | None:
    return None if row is None else Sales(row.orders, row.units, row.revenue_amount)
