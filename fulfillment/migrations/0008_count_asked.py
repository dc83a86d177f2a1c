"""Orders that were there before count the units that live work asks for."""

from django.db import migrations
from django.db.models import OuterRef, Subquery, Sum

LIVE = ("open", "released", "picking", "picked", "packed")


def count(apps, schema_editor):
    lines = apps.get_model("fulfillment", "FulfillmentOrderLine").objects.filter(
        fulfillment_order__status__in=LIVE
    )
    units = (
        lines.filter(fulfillment_order__order=OuterRef("pk")).order_by().values("fulfillment_order__order")
    )
    units = units.annotate(units=Sum("quantity")).values("units")
    orders = apps.get_model("orders", "Order").objects.filter(pk__in=lines.values("fulfillment_order__order"))
    orders.update(asked_quantity=Subquery(units))


class Migration(migrations.Migration):
    dependencies = [("fulfillment", "0007_stage_of_reserving"), ("orders", "0030_count_allocated")]

    operations = [migrations.RunPython(count, migrations.RunPython.noop, elidable=True)]
