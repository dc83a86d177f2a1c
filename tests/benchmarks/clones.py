"""Copies of a small business beside the first, by INSERT … SELECT: what belongs to it is copied with shifted ids.

Locations, bins, channels and people are shared; SKUs, stock, orders, parcels, returns, events and deliveries are
not, so that every invariant that holds of the first business holds of each copy.
"""

from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import CharField, TextField

ROOMS = ("kernel", "inventory", "orders", "fulfillment", "returns", "channels")
SHARED = frozenset(
    {
        *("heartbeat", "documentcounter", "idempotencykey", "job", "jobline"),
        *("location", "bin", "stafflocation", "alertfollower", "legalentity", "saleschannel", "tag"),
    }
)
# Columns that point at a row by kind and id, and texts that are unique in the whole installation.
LOOSE = frozenset({"reference_id", "subject_id", "thread_id"})
UNIQUE_TEXTS = frozenset(
    {"number", "external_id", "code", "key", "email", "request_key", "tracking_number", "body_hash"}
)
STRIDE = 10_000_000


def copy_business(copies: int) -> None:
    """Write so many copies of every row, triggers and foreign keys unasked; needs a superuser."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for model in _models():
            cursor.execute(copying(model), [copies])
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("ANALYZE")


def counts() -> dict[str, int]:
    """Rows by table, the largest first."""
    found = {model._meta.db_table: model._default_manager.count() for model in _models()}
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def _models() -> list[Any]:
    models = [model for room in ROOMS for model in apps.get_app_config(room).get_models()]
    return [model for model in models if model._meta.model_name not in SHARED and not model._meta.proxy]


def copying(model: Any) -> str:
    """The statement that copies a model's rows as often as its parameter says."""
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(_value(field) for field in fields)
    is_told = any(field.column == "subject_type" for field in fields)
    names = ", ".join(f"'{name}'" for name in sorted(SHARED))
    kept = f"replace(subject_type, '_', '') NOT IN ({names})" if is_told else "TRUE"
    return (
        f'INSERT INTO "{model._meta.db_table}" ({columns}) SELECT {values}'
        f' FROM "{model._meta.db_table}" AS mine CROSS JOIN generate_series(1, %s) AS copy'
        f" WHERE {kept} ORDER BY copy, mine.id"
    )


def _value(field: Any) -> str:
    owner = field.related_model._meta.model_name if field.related_model else ""
    if field.primary_key or field.column in LOOSE or (owner in _shifted()):
        return f'mine."{field.column}" + copy * {STRIDE}::bigint'
    if field.column in UNIQUE_TEXTS and isinstance(field, CharField | TextField):
        return (
            f"CASE WHEN mine.\"{field.column}\" = '' THEN '' ELSE mine.\"{field.column}\" || '-' || copy END"
        )
    return f'mine."{field.column}"'


@cache
def _shifted() -> frozenset[str]:
    return frozenset(str(model._meta.model_name) for model in _models())
