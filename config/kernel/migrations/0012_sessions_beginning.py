from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("kernel", "0011_view_columns")]

    operations = [
        migrations.AddField(
            model_name="delivery", name="session_began_at", field=models.DateTimeField(null=True)
        ),
    ]
