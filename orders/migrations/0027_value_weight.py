from django.db import migrations, models


class Migration(migrations.Migration):
    """What a line's value is shared by is frozen with its parts, as their units are."""

    dependencies = [("orders", "0026_promises_of_reservations")]

    operations = [
        migrations.AddField(
            model_name="linepart",
            name="value_weight",
            field=models.PositiveIntegerField(db_default=1, default=1, verbose_name="value weight"),
        ),
    ]
