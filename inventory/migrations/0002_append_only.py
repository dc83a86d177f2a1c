from django.db import migrations

from config.kernel.triggers import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]

    operations = [AppendOnly("inventory_stockmovement")]
