from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("kernel", "0007_exports")]

    operations = [
        migrations.AddField(model_name="delivery", name="held_by", field=models.IntegerField(null=True)),
    ]
