from django.db import migrations

from config.kernel.triggers import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("fulfillment", "0001_initial")]

    operations = [AppendOnly("fulfillment_trackingevent")]
