"""Orders that were there before count the reserved units of their goods."""

from django.db import migrations
from django.db.models import OuterRef, Subquery, Sum


def count(apps, schema_editor):
    parts = apps.get_model("orders", "LinePart").objects.filter(allocated__gt=0, line__requires_shipping=True)
    units = parts.filter(line__order=OuterRef("pk")).order_by().values("line__order")
    units = units.annotate(units=Sum("allocated")).values("units")
    orders = apps.get_model("orders", "Order").objects.filter(pk__in=parts.values("line__order"))
    orders.update(allocated_quantity=Subquery(units))


class Migration(migrations.Migration):
    dependencies = [("orders", "0029_units_asked_for")]

    operations = [migrations.RunPython(count, migrations.RunPython.noop, elidable=True)]
