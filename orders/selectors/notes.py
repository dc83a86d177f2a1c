"""What staff wrote on orders."""

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from orders.models import Note, Order, Tag


def note_texts(note_ids: Collection[int]) -> QuerySet[Note, tuple[Any, ...]]:
    """Notes and their texts, without those that were erased."""
    return Note.objects.filter(pk__in=note_ids).values_list("pk", "text")


def tag_names(order: Order) -> list[str]:
    """The order's tags by name."""
    return list(Tag.objects.filter(order_tags__order=order).order_by("name").values_list("name", flat=True))
