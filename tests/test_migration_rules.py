"""What a migration may do to tables that processes of the release before go on writing to."""

from collections.abc import Iterable, Iterator

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField, CreateModel
from django.db.migrations.operations.base import Operation

from tests.architecture_rules import ROOMS

pytestmark = pytest.mark.once

# Added before the rule was made.
OLDER = {
    ("inventory", "location", "count_tolerance"),
    ("orders", "saleschannel", "auto_confirm"),
    ("orders", "allocationdecision", "reason"),
    ("orders", "order", "search_text"),
    ("orders", "order", "changed_amount"),
    ("returns", "rma", "closed_reason"),
    ("returns", "rma", "request_key"),
}


def unfilled(operations: Iterable[Operation]) -> Iterator[tuple[str, str]]:
    """Columns that are added to a table that was there, and that a row cannot be written without."""
    made = {one.name_lower for one in operations if isinstance(one, CreateModel)}
    for one in operations:
        if isinstance(one, AddField) and one.model_name_lower not in made:
            field = one.field
            if not (field.null or field.many_to_many or field.has_db_default()):
                yield one.model_name_lower, one.name


def is_mended(app: str, model: str, name: str) -> bool:
    """A later migration gave the column a default of the database, or took it away."""
    found = apps.all_models[app].get(model)
    field = next((one for one in found._meta.fields if one.name == name), None) if found else None
    return field is None or field.null or field.has_db_default()


def test_new_columns_have_a_default_of_the_database() -> None:
    added = {
        (app, *column)
        for (app, _name), migration in MigrationLoader(None).disk_migrations.items()
        if app in {"kernel", *ROOMS}
        for column in unfilled(migration.operations)
    }

    assert {one for one in added if not is_mended(*one)} == OLDER
    assert ("orders", "saleschannel", "reply_to") in added, "mended by a later migration"


def test_rule_sees_a_column_that_older_processes_do_not_fill() -> None:
    plain, filled = models.CharField(default=""), models.CharField(default="", db_default="")
    operations = [
        AddField("order", "plain", plain),
        AddField("order", "filled", filled),
        AddField("order", "empty", models.IntegerField(null=True)),
        CreateModel("fresh", [("id", models.BigAutoField(primary_key=True))]),
        AddField("fresh", "plain", plain),
    ]

    assert list(unfilled(operations)) == [("order", "plain")]
