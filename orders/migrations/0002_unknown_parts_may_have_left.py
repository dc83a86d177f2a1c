from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="linepart", name="line_part_known_before_allocated"),
        migrations.AddConstraint(
            model_name="linepart",
            constraint=models.CheckConstraint(
                condition=models.Q(("sku__isnull", False), ("allocated", 0), _connector="OR"),
                name="line_part_known_before_allocated",
            ),
        ),
    ]
