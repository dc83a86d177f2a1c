from django.db import migrations, models


class Migration(migrations.Migration):
    """Intake looks at what a buyer ordered within a day: not at all that somebody with many orders ever did."""

    dependencies = [("orders", "0024_open_orders")]

    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["email", "placed_at"], name="order_email_placed"),
        ),
        migrations.RemoveIndex(model_name="order", name="order_email"),
    ]
