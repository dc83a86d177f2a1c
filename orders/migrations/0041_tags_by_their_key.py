from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0040_bounded_priority")]

    operations = [
        migrations.RemoveConstraint(model_name="tag", name="tag_name_once"),
        migrations.AddField(
            model_name="tag",
            name="key",
            field=models.CharField(db_default="", default="", editable=False, max_length=120),
        ),
        migrations.AddConstraint(
            model_name="tag",
            constraint=models.UniqueConstraint(
                condition=models.Q(("key", ""), _negated=True), fields=("key",), name="tag_key_once"
            ),
        ),
    ]
