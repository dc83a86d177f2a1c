"""Field-by-field history of master data that people edit by hand: one row a save, by django-simple-history.

What a form saves is written by itself. A verb that writes many rows in one statement passes the library by: it calls
`record_history`, and a test of the architecture refuses the one that does not.
"""

from collections.abc import Iterable
from typing import Any

from django.db import models
from simple_history.models import HistoricalRecords

from config.kernel import clock
from config.kernel.actors import Actor, ActorKind

CREATED, CHANGED, DELETED = "+", "~", "-"
LONGEST_LABEL = 100


class History(HistoricalRecords):  # type: ignore[misc]
    """`history = History()` on a model; names of columns that tell nothing to a person are left out. Rows keep the id
    of whoever saved, no foreign key, so that they outlive the account."""

    def __init__(self, *left_out: str) -> None:
        super().__init__(
            excluded_fields=["version", *left_out],
            history_id_field=models.BigAutoField(primary_key=True),
            history_user_id_field=models.BigIntegerField(null=True),
            history_change_reason_field=models.CharField(max_length=LONGEST_LABEL, null=True),
        )

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        return {**super().get_meta_options(model), "default_permissions": ()}

    def create_historical_record(self, instance: Any, history_type: str, using: str | None = None) -> None:
        instance._history_date = clock.now()
        super().create_historical_record(instance, history_type, using=using)


def record_history(rows: Iterable[models.Model], kind: str, *, actor: Actor) -> None:
    """Write history for rows as they are now, in one statement and the caller's transaction. `kind` is one of the three
    above; a row that is about to be deleted is `DELETED`."""
    written: dict[Any, list[Any]] = {}
    is_person = actor.kind == ActorKind.USER
    told = {
        "history_date": clock.now(),
        "history_type": kind,
        "history_user_id": actor.id if is_person else None,
        "history_change_reason": None if is_person else actor.label[:LONGEST_LABEL],
    }
    for row in rows:
        tracked: Any = type(row).history.model  # type: ignore[attr-defined]
        columns = {field.attname: getattr(row, field.attname) for field in tracked.tracked_fields}
        written.setdefault(tracked, []).append(tracked(**columns, **told))
    for tracked, some in written.items():
        tracked._default_manager.bulk_create(some)
