from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("kernel", "0009_chosen_columns")]

    operations = [
        migrations.AddField(model_name="delivery", name="held_until", field=models.DateTimeField(null=True)),
    ]
