"""Tags get their key; what the database took for two tags, "Über" and "über", becomes the older of them."""

from django.db import migrations


def fill(apps, schema_editor):
    tags = apps.get_model("orders", "Tag").objects
    kept = dict(tags.exclude(key="").values_list("key", "pk"))
    for tag in tags.filter(key="").order_by("pk"):
        key = tag.name.casefold()
        if key in kept:
            become(apps, tag, kept[key])
        else:
            kept[key] = tag.pk
            tags.filter(pk=tag.pk).update(key=key)


def become(apps, tag, kept_id):
    rows = apps.get_model("orders", "OrderTag").objects
    has = rows.filter(tag=kept_id).values("order")
    rows.filter(tag=tag.pk, order__in=has).delete()
    rows.filter(tag=tag.pk).update(tag=kept_id)
    tag.delete()


class Migration(migrations.Migration):
    dependencies = [("orders", "0041_tags_by_their_key")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
