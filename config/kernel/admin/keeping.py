"""What keeps a row from being deleted: others that name it."""

from typing import Any

from django.db.models import PROTECT, RESTRICT, Exists, Model, OuterRef


def kept_by(obj: Model) -> list[str]:
    """The plural names of what names this row and protects it, in the model's order. One statement, none where
    nothing could."""
    relations: list[Any] = [
        relation for relation in obj._meta.related_objects if relation.on_delete in (PROTECT, RESTRICT)
    ]
    if not relations:
        return []
    rows = type(obj)._default_manager.filter(pk=obj.pk)
    named = [
        Exists(relation.related_model._base_manager.filter(**{relation.field.name: OuterRef("pk")}))
        for relation in relations
    ]
    found = rows.order_by().values_list(*named).get()
    words = [
        str(relation.related_model._meta.verbose_name_plural)
        for relation, is_named in zip(relations, found, strict=True)
        if is_named
    ]
    return list(dict.fromkeys(words))
