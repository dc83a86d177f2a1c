from typing import Any

from django.db import migrations, models

STAGES = [
    ("confirm", "Accepted to confirmed"),
    ("reserve", "Confirmed to all reserved"),
    ("release", "Reserved to released"),
    ("ship", "Released to shipped"),
    ("deliver", "Shipped to delivered"),
]


def forget(apps: Any, _schema: Any) -> None:
    """On the way back, before the older constraint stands again; the sweep measures anew."""
    apps.get_model("fulfillment", "StageTime").objects.filter(stage="reserve").delete()


class Migration(migrations.Migration):
    """Waiting for stock is measured apart from waiting for a person."""

    dependencies = [("fulfillment", "0006_live_work")]

    operations = [
        migrations.RemoveConstraint(model_name="stagetime", name="stage_time_stage_legal"),
        migrations.AlterField(
            model_name="stagetime",
            name="stage",
            field=models.CharField(choices=STAGES, max_length=12, unique=True, verbose_name="stage"),
        ),
        migrations.AddConstraint(
            model_name="stagetime",
            constraint=models.CheckConstraint(
                condition=models.Q(("stage__in", ["confirm", "deliver", "release", "reserve", "ship"])),
                name="stage_time_stage_legal",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, forget),
    ]
