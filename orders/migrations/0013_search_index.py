"""The index that finds a part of a word (PostgreSQL). Without it, or elsewhere, search reads the column itself."""

import logging

from django.db import DatabaseError, migrations, transaction

log = logging.getLogger(__name__)
INDEX = "CREATE INDEX IF NOT EXISTS order_search ON orders_order USING gin (search_text gin_trgm_ops)"


def make_index(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(schema_editor.connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            schema_editor.execute(INDEX)
    except DatabaseError as error:
        log.warning("search stays slow on many orders: this server gives us no pg_trgm (%s)", error)


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS order_search")


class Migration(migrations.Migration):
    dependencies = [("orders", "0012_fill_search_text")]

    operations = [migrations.RunPython(make_index, drop_index)]
