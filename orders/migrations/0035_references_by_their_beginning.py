"""References of orders are found by their beginning too, whatever language the database sorts by."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0034_edits_of_orders")]

    operations = [
        migrations.RemoveConstraint(model_name="order", name="order_external_once"),
        migrations.RemoveIndex(model_name="order", name="order_external_number"),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                fields=["external_number"],
                name="order_external_number",
                opclasses=["varchar_pattern_ops"],
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "void"), _negated=True),
                fields=("external_id", "sales_channel"),
                name="order_external_once",
                opclasses=["varchar_pattern_ops", "int8_ops"],
            ),
        ),
    ]
