from django.db import migrations

from config.kernel.triggers import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]

    operations = [AppendOnly("kernel_event")]
