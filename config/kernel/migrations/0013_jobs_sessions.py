from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("kernel", "0012_sessions_beginning")]

    operations = [
        migrations.AddField(model_name="job", name="held_by", field=models.IntegerField(null=True)),
        migrations.AddField(model_name="job", name="session_began_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="job", name="held_until", field=models.DateTimeField(null=True)),
        migrations.AlterField(
            model_name="job",
            name="lease_until",
            field=models.DateTimeField(null=True, verbose_name="lease until"),
        ),
    ]
