from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0037_fill_cancelled")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="undecided_quantity",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
    ]
