from django.db import migrations


def leave_room(apps, schema_editor):
    """The same few levels are changed all day: their new versions stay on the page (PostgreSQL)."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE inventory_stocklevel SET (fillfactor = 50)")


def fill_pages(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE inventory_stocklevel RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("inventory", "0010_staff_locations")]

    operations = [migrations.RunPython(leave_room, fill_pages)]
