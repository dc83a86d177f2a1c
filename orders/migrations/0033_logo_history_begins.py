from django.db import migrations
from django.utils import timezone


def begin(apps, schema_editor):
    """What stands when history begins, so that the first change after it says what was there before."""
    at, tracked = timezone.now(), apps.get_model("orders", "HistoricalChannelLogo")
    columns = ("id", "sales_channel_id", "width", "height", "digest")
    rows = apps.get_model("orders", "ChannelLogo").objects.order_by("pk").values(*columns)
    tracked._default_manager.bulk_create(tracked(history_date=at, history_type="+", **row) for row in rows)


class Migration(migrations.Migration):
    dependencies = [("orders", "0032_logo_history")]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
