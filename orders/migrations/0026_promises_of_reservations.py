"""Stock that was reserved before its order was confirmed is promised for the order's day."""

from collections import defaultdict
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from django.db import migrations

STEP = 500
LIVE = ("open", "waiting")


def promise(apps, schema_editor):
    order, part = apps.get_model("orders", "Order"), apps.get_model("orders", "LinePart")
    unpromised = apps.get_model("inventory", "Reservation").objects.filter(
        reference_kind="order_line_part", state__in=LIVE, promised_at=None
    )
    confirmed = order.objects.filter(
        dispatch_by_on__isnull=False, lines__parts__in=unpromised.values("reference_id")
    ).distinct()
    of_day = defaultdict(list)
    for pk, day, zone in confirmed.values_list("pk", "dispatch_by_on", "legal_entity__time_zone"):
        of_day[day, zone].append(pk)
    for (day, zone), ids in of_day.items():
        at = datetime.combine(day, time.max, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for start in range(0, len(ids), STEP):
            parts = part.objects.filter(line__order__in=ids[start : start + STEP])
            unpromised.filter(reference_id__in=parts.values("pk")).update(promised_at=at)


class Migration(migrations.Migration):
    dependencies = [("inventory", "0017_history_begins"), ("orders", "0025_orders_of_a_buyer_by_day")]

    operations = [migrations.RunPython(promise, migrations.RunPython.noop, elidable=True)]
