"""Kits that were sold before get the weights that their kit has now: the best that is still known."""

from django.db import migrations

STEP = 10_000
NOW = """
SELECT k.value_weight FROM inventory_kitpart AS k JOIN orders_orderline AS l ON l.sku_id = k.kit_id
WHERE l.id = orders_linepart.line_id AND k.part_id = orders_linepart.sku_id AND k.value_weight <> 1"""
FILL = f"""
UPDATE orders_linepart SET value_weight = ({NOW})
WHERE id >= %s AND id < %s AND EXISTS ({NOW})"""  # noqa: S608  (ours)


def fill(apps, schema_editor):
    parts = apps.get_model("orders", "LinePart").objects
    last = parts.order_by("-pk").values_list("pk", flat=True).first() or 0
    for start in range(0, last + 1, STEP):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(FILL, [start, start + STEP])


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial"), ("orders", "0027_value_weight")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
