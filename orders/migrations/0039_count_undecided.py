"""Orders that were there before count the units of their goods that nobody has decided about."""

from collections import Counter

from django.db import migrations
from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

CHUNK = 500


def count(apps, schema_editor):
    waiting = apps.get_model("inventory", "Reservation").objects.filter(
        reference_kind="order_line_part", reference_id=OuterRef("pk"), state="waiting"
    )
    units = waiting.order_by().values("reference_id").annotate(units=Sum("quantity")).values("units")
    left = F("ordered") - F("cancelled") - F("shipped") - F("allocated") - Coalesce(Subquery(units), 0)
    parts = apps.get_model("orders", "LinePart").objects.filter(
        line__requires_shipping=True, ordered__gt=F("cancelled") + F("shipped") + F("allocated")
    )
    undecided = Counter()
    for order_id, units_left in parts.values_list("line__order").annotate(left=left).iterator():
        undecided[order_id] += max(0, units_left)
    orders = apps.get_model("orders", "Order").objects
    ids = sorted(pk for pk, units_left in undecided.items() if units_left)
    for start in range(0, len(ids), CHUNK):
        rows = orders.filter(pk__in=ids[start : start + CHUNK]).only("pk")
        for row in rows:
            row.undecided_quantity = undecided[row.pk]
        orders.bulk_update(rows, ["undecided_quantity"])


class Migration(migrations.Migration):
    dependencies = [("orders", "0038_units_undecided"), ("inventory", "0017_history_begins")]

    operations = [migrations.RunPython(count, migrations.RunPython.noop, elidable=True)]
