from django.db import migrations
from django.utils import timezone

MODELS = ("LegalEntity", "SalesChannel", "MailText")


def begin(apps, schema_editor):
    """What stands when history begins, so that the first change after it says what was there before."""
    at = timezone.now()
    for name in MODELS:
        model, tracked = apps.get_model("orders", name), apps.get_model("orders", f"Historical{name}")
        left_out = {"history_id", "history_date", "history_type", "history_user_id", "history_change_reason"}
        columns = [field.attname for field in tracked._meta.concrete_fields if field.name not in left_out]
        rows = model._default_manager.order_by("pk").values(*columns).iterator(1000)
        tracked._default_manager.bulk_create(
            (tracked(history_date=at, history_type="+", **row) for row in rows), batch_size=1000
        )


class Migration(migrations.Migration):
    dependencies = [("orders", "0021_history")]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
