"""Documents that others name by their number and lead to the page of."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.utils.functional import Promise

from config.kernel.admin import admin_url
from inventory.references import ResolvedReference, register_reference


def name_by_number(kind: str, model: type[Model], label: str | Promise = "%(number)s") -> None:
    """References of this kind are called by their document's number; one query, none where it is made of the id."""
    is_stored = any(field.name == "number" for field in model._meta.concrete_fields)

    def resolve(ids: Iterable[int]) -> dict[int, ResolvedReference]:
        rows: Iterable[Any] = (
            model._default_manager.filter(pk__in=list(ids)).values_list("pk", "number")
            if is_stored
            else ((pk, model(pk=pk).number) for pk in ids)  # type: ignore[attr-defined]
        )
        return {
            pk: ResolvedReference(str(label) % {"number": number}, admin_url(model, "change", pk))
            for pk, number in rows
        }

    register_reference(kind, resolve)
