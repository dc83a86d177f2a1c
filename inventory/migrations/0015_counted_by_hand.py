from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0014_undo")]

    operations = [
        migrations.AddField(
            model_name="stockcountline", name="by_hand", field=models.IntegerField(default=0, db_default=0)
        ),
    ]
