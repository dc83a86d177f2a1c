"""Orders accepted before are found by the same words as new ones."""

from django.db import migrations

STEP = 10_000
DIGITS = "phone"
for sign in " +-()./":
    DIGITS = f"REPLACE({DIGITS}, '{sign}', '')"
PLACE = f"SELECT name || ' ' || company || ' ' || {DIGITS} FROM orders_address AS a WHERE a.id = "  # noqa: S608  (ours)
FILL = f"""
UPDATE orders_order SET search_text = UPPER(
    number || ' ' || external_number || ' ' || external_id || ' ' || email
    || ' ' || COALESCE((SELECT name || ' ' || {DIGITS} FROM orders_customer AS c WHERE c.id = customer_id), '')
    || ' ' || COALESCE(({PLACE} ship_to_id), '') || ' ' || COALESCE(({PLACE} bill_to_id), '')
) WHERE id >= %s AND id < %s"""  # noqa: S608  (ours)


def fill(apps, schema_editor):
    order = apps.get_model("orders", "Order").objects
    last = order.order_by("-pk").values_list("pk", flat=True).first() or 0
    for start in range(0, last + 1, STEP):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(FILL, [start, start + STEP])
        if schema_editor.connection.vendor == "sqlite":  # its own UPPER knows ASCII only
            rows = order.filter(pk__gte=start, pk__lt=start + STEP)
            for pk, text in rows.values_list("pk", "search_text"):
                if not text.isascii():
                    order.filter(pk=pk).update(search_text=text.upper())


class Migration(migrations.Migration):
    dependencies = [("orders", "0011_search_text")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
