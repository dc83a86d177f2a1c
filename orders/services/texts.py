"""Text from outside, made to fit its column: PostgreSQL refuses what is too long and what holds a NUL."""

from functools import cache

from django.db import models

from config.kernel.texts import storable


@cache
def limit_of(model: type[models.Model], field: str) -> int:
    """The most characters that a column takes."""
    return getattr(model._meta.get_field(field), "max_length", None) or 0


def fit(model: type[models.Model], field: str, text: str) -> str:
    """The text as it can be stored, without outer spaces, cut to the column. For snapshots, never for keys."""
    return storable(text).strip()[: limit_of(model, field)] if text else ""
